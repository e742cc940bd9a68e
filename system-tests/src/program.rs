//! The real programs, run as an operator runs them: a service until it is stopped or killed, a command until it ends. They are those
//! beside the test itself, built anew where they are older than their sources.

use std::fs::{self, File};
use std::io::Read;
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::thread::panicking;
use std::time::SystemTime;

use rustix::process::{Pid, Signal, kill_process};
use shared_claims::random;

use crate::client::Client;
use crate::people::PASSWORD;
use crate::waiting::eventually;

/// What is shorter is refused, and may stand in any text by chance.
const SHORTEST_SECRET: usize = 32;

/// A program with its environment and its working directory. Nothing of this process's own environment gets through.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    script: Option<PathBuf>,
    environment: Vec<(String, String)>,
    directory: PathBuf,
}

/// A command that has ended.
#[derive(Debug)]
pub struct Finished {
    /// How.
    pub status: ExitStatus,
    /// What it answered.
    pub stdout: String,
    /// What went wrong.
    pub stderr: String,
}

impl Program {
    /// The program of this name, to be run in `directory`.
    pub fn new(name: &str, directory: &Path, environment: Vec<(String, String)>) -> Self {
        Self { path: built(name, Path::new(name), &[]), script: None, environment, directory: directory.to_owned() }
    }

    /// The example of this name, which belongs to a package.
    pub fn example(package: &str, name: &str, directory: &Path, environment: Vec<(String, String)>) -> Self {
        let path = built(package, &Path::new("examples").join(name), &["--example", name]);
        Self { path, script: None, environment, directory: directory.to_owned() }
    }

    /// A program that an interpreter runs, which says where it listens as ours do.
    pub fn interpreted(
        interpreter: &Path,
        script: &Path,
        directory: &Path,
        environment: Vec<(String, String)>,
    ) -> Self {
        let (path, script) = (interpreter.to_owned(), Some(script.to_owned()));
        Self { path, script, environment, directory: directory.to_owned() }
    }

    /// Where the program is, beside the others.
    pub fn directory(&self) -> &Path {
        self.path.parent().expect("a program is in a directory")
    }

    /// Runs a command to its end, with `input` on its standard input.
    pub async fn run(&self, arguments: &[&str], input: &str) -> Finished {
        let mut started = self.spawn(arguments, input);
        let status = started.ended().await;
        Finished { status, stdout: started.stdout(), stderr: started.stderr() }
    }

    /// Starts the service and waits until it listens.
    pub async fn serve(&self) -> Service {
        let mut started = self.spawn(&["serve"], "");
        let address = eventually("the service listens", async || {
            let ended = started.child.try_wait().expect("the process can be asked");
            assert!(ended.is_none(), "it does not serve: {}", started.stderr());
            listening_on(&started.stdout())
        })
        .await;
        Service { started, address }
    }

    /// Runs the program, with no arguments, until it says this, and kills it.
    pub async fn run_until_it_says(&self, words: &str) {
        let started = self.spawn(&[], "");
        let is_said = async || (started.stdout() + &started.stderr()).contains(words).then_some(());
        eventually("the program says what is expected", is_said).await;
    }

    /// The secrets that its environment holds.
    fn secrets(&self) -> Vec<String> {
        let named = |name: &str| name.contains("SECRET") && !name.ends_with("_FILE");
        let values = self.environment.iter().filter(|(name, _)| named(name)).flat_map(|(_, value)| value.split(','));
        values.filter(|value| value.len() >= SHORTEST_SECRET).map(str::to_owned).collect()
    }

    /// The program, started by another that is given these arguments before it.
    pub(crate) fn command_through(&self, other: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(other);
        command.args(arguments).arg(&self.path);
        self.prepared(command)
    }

    fn prepared(&self, mut command: Command) -> Command {
        let environment = self.environment.iter().map(|(name, value)| (name, value));
        command.env_clear().envs(environment).current_dir(&self.directory);
        command
    }

    fn spawn(&self, arguments: &[&str], input: &str) -> Started {
        let output = self.directory.join(format!("output-{}", random::uuid()));
        fs::create_dir(&output).expect("a directory for what it writes");
        let file = |name| File::create(output.join(name)).expect("a file for what it writes");
        fs::write(output.join("stdin"), input).expect("a file for what it reads");
        let child = self
            .prepared(Command::new(&self.path))
            .args(&self.script)
            .args(arguments)
            .stdin(File::open(output.join("stdin")).expect("the file that was just written"))
            .stdout(Stdio::from(file("stdout")))
            .stderr(Stdio::from(file("stderr")))
            .spawn()
            .expect("the program starts");
        let read = |name| File::open(output.join(name)).expect("a file that was just made");
        Started { child, written: [read("stdout"), read("stderr")], output, secrets: self.secrets() }
    }
}

/// Asserts that nothing a program wrote has a token in it, the password of the tests' people, or one of these.
#[track_caller]
fn assert_silent(written: &str, secrets: &[String]) {
    let is_in_token = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    for line in written.lines() {
        let secret = secrets.iter().map(String::as_str).chain([PASSWORD]).find(|secret| line.contains(secret));
        assert_eq!(secret, None, "a secret is written: {line}");
        // A JWT begins with a header of JSON in base64url, and has three parts.
        let has_token = |word: &str| {
            word.find("eyJ").is_some_and(|at| word[at..].split('.').filter(|part| !part.is_empty()).count() >= 3)
        };
        let token = line.split(|letter| !is_in_token(letter)).find(|word| has_token(word));
        assert_eq!(token, None, "a token is written: {line}");
    }
}

/// The address in the line of a log that says where the service listens.
///
/// # Panics
///
/// Where the log is not JSON.
pub fn listening_on(log: &str) -> Option<SocketAddr> {
    let line = log.lines().find(|line| line.contains("is listening"))?;
    let line: serde_json::Value = serde_json::from_str(line).expect("each line of a log is JSON");
    Some(line["address"].as_str()?.parse().expect("an address"))
}

/// A process that is killed when this is dropped. All that it wrote is then looked through for secrets.
struct Started {
    child: Child,
    output: PathBuf,
    /// What it writes, open for reading: the directory may be gone before this is dropped.
    written: [File; 2],
    secrets: Vec<String>,
}

impl Started {
    async fn ended(&mut self) -> ExitStatus {
        eventually("the process ends", async || self.child.try_wait().expect("the process can be asked")).await
    }

    fn stdout(&self) -> String {
        fs::read_to_string(self.output.join("stdout")).expect("text")
    }

    fn stderr(&self) -> String {
        fs::read_to_string(self.output.join("stderr")).expect("text")
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
        if panicking() {
            return;
        }
        for file in &mut self.written {
            let mut written = String::new();
            file.read_to_string(&mut written).expect("text");
            assert_silent(&written, &self.secrets);
        }
    }
}

/// A service that runs as a program. It is killed when this is dropped.
pub struct Service {
    started: Started,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Service {
    /// A client of it.
    pub fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// All that it has logged and complained of.
    pub fn log(&self) -> String {
        self.started.stdout() + &self.started.stderr()
    }

    /// Its open files and connections but for the files below this directory: those of databases are opened as they are needed, and
    /// kept.
    ///
    /// # Panics
    ///
    /// Where there is no `/proc`.
    pub fn open_files_outside(&self, directory: &Path) -> u64 {
        let open = fs::read_dir(format!("/proc/{}/fd", self.id())).expect("the process's open files");
        // One that is closed meanwhile has no name any more.
        let names = open.filter_map(|file| fs::read_link(file.ok()?.path()).ok());
        names.filter(|name| !name.starts_with(directory)).count() as u64
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.started.child.id()
    }

    /// Asks it to stop, as an operator's tools do.
    pub fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    /// Has it read its secrets again.
    pub fn hang_up(&self) {
        self.signal(Signal::HUP);
    }

    /// Ends it at once and without a word (SIGKILL), and waits until it is gone.
    pub async fn kill(&mut self) {
        self.signal(Signal::KILL);
        let status = self.started.ended().await;
        assert_eq!(status.signal(), Some(Signal::KILL.as_raw()), "it ended by itself before: {}", self.log());
    }

    /// Waits until it has ended by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        self.started.ended().await
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.started.child.id()).ok().and_then(Pid::from_raw).expect("the id of a process");
        kill_process(id, signal).expect("the process is ours");
    }
}

/// Where the program is; it is built first where it is missing or older than a file that it is made of. `target` says which of the
/// package's programs it is.
#[allow(clippy::disallowed_methods, reason = "no time is read: times of files are compared with each other")]
fn built(package: &str, file: &Path, target: &[&str]) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock();
    let own = std::env::current_exe().expect("whoever asks is a program");
    let directory = own.parent().expect("cargo puts programs into target/PROFILE and tests into deps below it");
    let directory = if directory.ends_with("deps") { directory.parent().expect("target/PROFILE") } else { directory };
    let path = directory.join(file);
    if !is_up_to_date(&path) {
        let profile = match directory.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => "dev",
            Some(profile) => profile,
        };
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
        let mut build = Command::new(cargo);
        build.args(["build", "--quiet", "--package", package, "--profile", profile]).args(target).current_dir(root);
        let output = build.output().expect("cargo runs");
        assert!(
            output.status.success(),
            "{} is not built: {}",
            file.display(),
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(path.exists(), "it is not where cargo should have put it: {}", path.display());
    }
    path
}

/// Asks the list of sources that cargo writes beside each program.
fn is_up_to_date(program: &Path) -> bool {
    let written = |path: &Path| -> Option<SystemTime> { fs::metadata(path).ok()?.modified().ok() };
    let Some(built) = written(program) else { return false };
    let Ok(list) = fs::read_to_string(program.with_extension("d")) else { return false };
    let sources = list.split_once(": ").map_or("", |(_, sources)| sources);
    sources.split_whitespace().all(|source| written(Path::new(source)).is_some_and(|changed| changed <= built))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_passwords_and_secrets_are_found_in_what_was_written() {
        let secret = "a-secret-of-the-environment-of-32-bytes".to_owned();
        let token = r#"{"authorization":"Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"}"#;
        for line in [token, PASSWORD, &format!("kid={secret}")] {
            let secrets = [secret.clone()];
            let found = std::panic::catch_unwind(|| assert_silent(&format!("first line\n{line}\n"), &secrets));
            assert!(found.is_err(), "{line}");
        }
        assert_silent("eyJ.. and eyJhbGciOiJIUzI1NiJ9 alone are no token\n", &[secret]);
    }
}
