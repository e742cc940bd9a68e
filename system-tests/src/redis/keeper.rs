//! Sees to it that no server outlives the process that started it, also where that process is killed: a small shell waits for the end
//! of a pipe that only the process holds, then kills the server and removes its directory.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// `$1` is the directory. Only a process that runs in it is taken for the server.
const SCRIPT: &str = r#"
read -r _
pid=$(cat "$1/pid" 2>/dev/null)
if [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd")" = "$1" ]; then kill -KILL "$pid"; fi 2>/dev/null
rm -rf "$1"
"#;

pub(super) struct Keeper(Child);

impl Keeper {
    pub(super) fn of(directory: &Path) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", SCRIPT, "keeper"]).arg(directory).stdin(Stdio::piped()).stdout(Stdio::null());
        // Out of the reach of the terminal's ^C, which ends the tests, and with them the pipe.
        Self(shell.process_group(0).spawn().expect("a shell starts"))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        drop(self.0.wait());
    }
}
