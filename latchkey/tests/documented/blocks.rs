//! The fenced blocks of a page, and a shell to paste them into.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Lines, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

/// A fenced block of a page.
pub(crate) struct Block {
    pub(crate) language: String,
    pub(crate) text: String,
}

pub(crate) fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let text: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push(Block { language: language.to_owned(), text: text.join("\n") });
        }
    }
    blocks
}

/// One bash for several blocks, in which a command that fails is the end of the test. All that was started there is killed with it.
pub(crate) struct Shell {
    process: Child,
    keyboard: ChildStdin,
    screen: Lines<BufReader<ChildStdout>>,
    directory: PathBuf,
    pasted: usize,
}

impl Shell {
    /// In this directory, with these variables and nothing else of the environment but where programs are: first in `programs`.
    pub(crate) fn open(directory: &Path, programs: &[&Path], environment: &[(&str, &str)]) -> Self {
        let inherited = std::env::var("PATH").unwrap();
        let programs = programs.iter().map(|directory| directory.display().to_string());
        let path = programs.chain([inherited]).collect::<Vec<_>>().join(":");
        let mut process = Command::new("bash")
            .current_dir(directory)
            .env_clear()
            .env("PATH", path)
            .envs(environment.iter().copied())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the examples need bash");
        let mut keyboard = process.stdin.take().unwrap();
        let screen = BufReader::new(process.stdout.take().unwrap()).lines();
        keyboard.write_all(b"set -eu\n").unwrap();
        Self { process, keyboard, screen, directory: directory.to_owned(), pasted: 0 }
    }

    /// Runs a text to its end, and answers what it wrote.
    pub(crate) fn run(&mut self, text: &str) -> String {
        self.run_and_answer(text, "")
    }

    /// The same, with something to read for what asks.
    pub(crate) fn run_and_answer(&mut self, text: &str, answers: &str) -> String {
        self.pasted += 1;
        let file = |kind| self.directory.join(format!("pasted-{}.{kind}", self.pasted));
        fs::write(file("sh"), text).unwrap();
        fs::write(file("in"), answers).unwrap();
        File::create(file("out")).unwrap();
        let paths = ["sh", "in", "out"].map(|kind| file(kind).display().to_string());
        // Braces, for what is started and set has to outlive the text.
        writeln!(self.keyboard, "{{ . {}; }} < {} > {}\necho done", paths[0], paths[1], paths[2]).unwrap();
        let is_done = self.screen.next().is_some_and(|line| line.unwrap() == "done");
        assert!(is_done, "an example of the page fails:\n{text}");
        self.written_by(self.pasted)
    }

    /// What the text with this number, from 1, has written until now: what it started may go on.
    pub(crate) fn written_by(&self, number: usize) -> String {
        fs::read_to_string(self.directory.join(format!("pasted-{number}.out"))).unwrap()
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let group = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw).unwrap();
        // It may have ended by itself, and all that it started too.
        let _ = kill_process_group(group, Signal::KILL);
        drop(self.process.wait());
    }
}
