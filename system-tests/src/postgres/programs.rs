//! PostgreSQL's own programs, run by a user who is not root, for it refuses to run as root.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const INSTALLED: &str = "/usr/lib/postgresql";

pub(super) struct Programs {
    directory: PathBuf,
    owner: Option<(u32, u32)>,
}

impl Programs {
    /// The newest PostgreSQL that Debian's packages have installed, or else the one in the `PATH`.
    pub(super) fn find() -> Self {
        let version = |path: &PathBuf| path.parent()?.file_name()?.to_str()?.parse::<u32>().ok();
        let packaged = fs::read_dir(INSTALLED).into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
        let is_whole = |path: &PathBuf| path.join("initdb").exists();
        let in_path = || std::env::split_paths(&std::env::var_os("PATH")?).find(is_whole);
        let directory = packaged.filter(is_whole).max_by_key(version).or_else(in_path);
        Self { directory: directory.expect("PostgreSQL is installed: apt-get install postgresql"), owner: owner() }
    }

    /// Makes `path` belong to whoever runs the programs.
    pub(super) fn give(&self, path: &Path) {
        if let Some((user, group)) = self.owner {
            chown(path, Some(user), Some(group)).expect("root may give away what is its own");
        }
    }

    /// Writes a file that only whoever runs the programs can read.
    pub(super) fn write_private(&self, path: &Path, text: &str) {
        let mut file = fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(path).expect("a new file");
        file.write_all(text.as_bytes()).expect("the disk has room");
        self.give(path);
    }

    /// Runs a program to its end and answers what it printed.
    pub(super) fn run(&self, program: &str, directory: &Path, arguments: &[&str]) -> String {
        self.try_run(program, directory, arguments).unwrap_or_else(|complaint| {
            let log = fs::read_to_string(directory.join("log")).unwrap_or_default();
            panic!("{program} {arguments:?}: {complaint}\n{log}")
        })
    }

    pub(super) fn try_run(&self, program: &str, directory: &Path, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(self.directory.join(program));
        // Nothing of the caller's own PG… variables or language shall matter.
        command.args(arguments).env_clear().env("LC_ALL", "C").env("PATH", "/usr/bin:/bin").current_dir(directory);
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        let output = command.output().map_err(|error| error.to_string())?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
    }
}

/// Debian's `postgres`, for root; nobody in particular for anybody else.
fn owner() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("there are users");
    let fields: Vec<&str> = users.lines().find(|line| line.starts_with("postgres:"))?.split(':').collect();
    Some((fields[2].parse().expect("a number"), fields[3].parse().expect("a number")))
}
