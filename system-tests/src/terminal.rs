//! A command on a terminal of its own, for what programs do only there: ask for a password without showing it.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use crate::program::Program;
use crate::waiting::eventually;

/// A command and the person before it. The command is killed when this is dropped.
pub struct Terminal {
    child: Child,
    keyboard: File,
    screen: Arc<Mutex<String>>,
    reading: JoinHandle<()>,
}

impl Terminal {
    /// Starts a command of the program.
    ///
    /// # Panics
    ///
    /// Where there is no terminal to be had, or no `setsid` (util-linux).
    pub fn start(program: &Program, arguments: &[&str]) -> Self {
        let keyboard = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        grantpt(&keyboard).expect("the terminal is ours");
        unlockpt(&keyboard).expect("the terminal is ours");
        let name = ptsname(&keyboard, Vec::new()).expect("the terminal has a name");
        let line = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty());
        let line = File::from(line.expect("the terminal can be opened"));
        let end = || Stdio::from(line.try_clone().expect("a file can be opened twice"));
        // It is the terminal of its session, for a password is asked of that, whatever standard input is.
        let mut command = program.command_through("setsid", &["--ctty", "--wait"]);
        let child = command.args(arguments).stdin(end()).stdout(end()).stderr(end()).spawn().expect("setsid runs");
        let keyboard = File::from(keyboard);
        let screen = Arc::<Mutex<String>>::default();
        let reading = show(keyboard.try_clone().expect("a file can be opened twice"), screen.clone());
        Self { child, keyboard, screen, reading }
    }

    /// All that was shown until now.
    fn screen(&self) -> String {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until this is asked and what is typed is not shown, and types an answer.
    pub async fn answer(&mut self, question: &str, answer: &str) {
        eventually(question, async || self.screen().contains(question).then_some(())).await;
        let is_hidden = || !tcgetattr(&self.keyboard).expect("a terminal").local_modes.contains(LocalModes::ECHO);
        eventually("what is typed is hidden", async || is_hidden().then_some(())).await;
        self.keyboard.write_all(format!("{answer}\n").as_bytes()).expect("the terminal is there");
    }

    /// Waits until the command has ended. Answers how, and with all that was shown.
    pub async fn ended(mut self) -> (ExitStatus, String) {
        let ended = async || self.child.try_wait().expect("the process can be asked");
        let status = eventually("the command ends", ended).await;
        eventually("all is read", async || self.reading.is_finished().then_some(())).await;
        (status, self.screen())
    }
}

/// Reads to the end, which is an error where the other side is closed.
fn show(mut terminal: File, screen: Arc<Mutex<String>>) -> JoinHandle<()> {
    thread::spawn(move || {
        let mut some = [0; 1024];
        while let Ok(length @ 1..) = terminal.read(&mut some) {
            let text = String::from_utf8_lossy(&some[..length]).into_owned();
            screen.lock().unwrap_or_else(PoisonError::into_inner).push_str(&text);
        }
    })
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
