//! The machine that is measured on: what it is, what was taken from it (steal), and what others did on it meanwhile. A figure from a
//! machine that was busy with something else is worth little, and a table has to say so.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

/// Above this part of all processor time, taken by the host or by others, a row is unsure.
const QUIET: f64 = 0.10;

/// Processor time so far, in ticks.
#[derive(Debug, Clone, Copy)]
struct Ticks {
    all: u64,
    idle: u64,
    stolen: u64,
    ours: u64,
}

/// What went on beside a measurement, as parts of all processor time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    /// Taken by the host.
    pub(crate) steal: f64,
    /// Used by processes that are none of ours.
    pub(crate) others: f64,
}

impl Load {
    pub(crate) fn is_quiet(&self) -> bool {
        self.steal + self.others <= QUIET
    }
}

/// Watches the machine from when it is made.
pub(crate) struct Watch {
    /// Processes whose children are ours as well.
    roots: Vec<u32>,
    start: Ticks,
}

impl Watch {
    pub(crate) fn start(roots: Vec<u32>) -> Self {
        let start = ticks(&roots);
        Self { roots, start }
    }

    pub(crate) fn stop(&self) -> Load {
        let end = ticks(&self.roots);
        let since = |part: fn(&Ticks) -> u64| part(&end).saturating_sub(part(&self.start));
        let all = since(|ticks| ticks.all).max(1);
        let busy = all.saturating_sub(since(|ticks| ticks.idle)).saturating_sub(since(|ticks| ticks.stolen));
        #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
        let part = |ticks: u64| ticks as f64 / all as f64;
        Load { steal: part(since(|ticks| ticks.stolen)), others: part(busy.saturating_sub(since(|ticks| ticks.ours))) }
    }
}

/// proc(5): `cpu user nice system idle iowait irq softirq steal guest guest_nice`; the last two are part of the first two.
fn ticks(roots: &[u32]) -> Ticks {
    let text = fs::read_to_string("/proc/stat").expect("Linux");
    let line = text.lines().next().unwrap_or_default();
    let fields: Vec<u64> = line.split_whitespace().skip(1).take(8).filter_map(|field| field.parse().ok()).collect();
    let field = |number: usize| fields.get(number).copied().unwrap_or_default();
    Ticks { all: fields.iter().sum(), idle: field(3) + field(4), stolen: field(7), ours: ours(roots) }
}

/// Processor time of these processes and of all that come from them, those included that have ended and were waited for.
fn ours(roots: &[u32]) -> u64 {
    let processes: HashMap<u32, (u32, u64)> = fs::read_dir("/proc")
        .expect("Linux")
        .filter_map(|entry| process(entry.ok()?.file_name().to_str()?.parse().ok()?))
        .collect();
    let roots: HashSet<u32> = roots.iter().copied().collect();
    let is_ours = |id: u32| {
        let mut id = id;
        while id != 0 && !roots.contains(&id) {
            id = processes.get(&id).map_or(0, |(parent, _)| *parent);
        }
        id != 0
    };
    processes.iter().filter(|(id, _)| is_ours(**id)).map(|(_, (_, ticks))| ticks).sum()
}

/// The parent and the time of a process, if it is still there. Its name, in parentheses, may have anything in it.
fn process(id: u32) -> Option<(u32, (u32, u64))> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11..15)?.iter().filter_map(|field| field.parse::<u64>().ok()).sum();
    Some((id, (fields.get(1)?.parse().ok()?, ticks)))
}

/// Memory of a process in MB (10^6 bytes): what `/proc/ID/status` says under this name.
pub(crate) fn memory(process: u32, name: &str) -> f64 {
    let text = fs::read_to_string(format!("/proc/{process}/status")).expect("the service runs");
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap_or_default();
    let kibibytes: f64 = line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number");
    kibibytes * 1_024.0 / 1e6
}

/// One paragraph: processor, kernel, versions, commit and date.
pub(crate) fn describe(node: &str) -> String {
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processors.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let processor = processor.map_or("an unknown processor", |(_, name)| name);
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let memory: u64 = memory.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or_default();
    format!(
        "{} · {} cores of {processor}, {} GiB of memory · Linux {} · {} · {} · {} · Node.js {} · Latchkey {}",
        says("date", &["--utc", "+%Y-%m-%d"]),
        available_parallelism().map_or(1, usize::from),
        memory.div_ceil(1024 * 1024),
        says("uname", &["--kernel-release"]),
        says("rustc", &["--version"]),
        says("redis-server", &["--version"]).split(" sha").next().unwrap_or_default(),
        says("psql", &["--version"]),
        says(node, &["--version"]),
        says("git", &["-C", env!("CARGO_MANIFEST_DIR"), "describe", "--always", "--dirty"]),
    )
}

fn says(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(|_| "unknown".to_owned(), |output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
