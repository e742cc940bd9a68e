//! Sees to it that no server outlives the process that started it, also where that process is killed: a small shell waits for
//! the end of a pipe that only the process holds, then stops the server and removes its directory.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// `$1` is the directory. A frozen server is woken first; only a process that runs in the directory is taken for the server.
const SCRIPT: &str = r#"
read -r _
data="$1/data"
pid=$(head -n 1 "$data/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ] && [ "$(readlink "/proc/$pid/cwd")" = "$data" ]; then
    all="$pid $(cat "/proc/$pid/task/$pid/children")"
    kill -CONT $all
    kill -QUIT "$pid"
    looks=0
    while kill -0 "$pid" && [ $looks -lt 100 ]; do sleep 0.05; looks=$((looks + 1)); done
    kill -KILL $all
fi 2>/dev/null
# A program that the process was running may still write into it for a moment.
for _ in 1 2 3 4 5; do
    rm -rf "$1" 2>/dev/null && break
    sleep 1
done
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
