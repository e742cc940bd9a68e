//! The examples of the pages run from the top as they stand, against a new `latchkey`, and answer what the page shows below them.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use shared_claims::{KeyHandle, KeyRing, SystemClock, Verifier, VerifierSettings};
use tempfile::TempDir;

use crate::blocks::{Block, Shell, blocks};

/// Where the pages say that everything is, in the order in which `latchkey` tells it.
const ADDRESSES: [&str; 3] = ["http://127.0.0.1:8080", "http://127.0.0.1:8081", "http://127.0.0.1:8082"];

/// A running `latchkey` with data of its own; killed with the test.
pub(crate) struct Latchkey {
    process: Child,
    /// What stands for each of [`ADDRESSES`] here.
    pub(crate) addresses: [String; 3],
    pub(crate) directory: TempDir,
}

impl Latchkey {
    pub(crate) fn start() -> Self {
        Self::start_with(None)
    }

    /// With one more variable in its environment, `NAME=value`.
    pub(crate) fn start_with(variable: Option<&str>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
        command.current_dir(&directory).stdout(Stdio::piped());
        for port in ["WEB", "AUTH", "JOBS"] {
            command.env(format!("LATCHKEY_PORTS__{port}"), "0");
        }
        command.envs(variable.map(|variable| variable.split_once('=').unwrap()));
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut address = || {
            let line = lines.find(|line| line.starts_with("  http://")).unwrap();
            line.trim().split(' ').next().unwrap().to_owned()
        };
        let addresses = ADDRESSES.map(|_| address());
        // Whoever does not read what a process writes stops it sooner or later.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, addresses, directory }
    }

    /// Runs the shell blocks one after the other in one shell, and answers what each wrote.
    fn run(&self, blocks: &[&Block]) -> Vec<String> {
        let mut shell = Shell::open(self.directory.path(), &[], &[]);
        let addresses = || ADDRESSES.iter().zip(&self.addresses);
        let here = |text: &str| addresses().fold(text.to_owned(), |text, (told, here)| text.replace(told, here));
        blocks.iter().map(|block| shell.run(&here(&block.text))).collect()
    }
}

impl Drop for Latchkey {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Whether an answer is as it is documented: ids, times and measurements may differ, and a text that ends in `…` goes on.
fn agree(documented: &Value, answered: &Value) -> bool {
    match (documented, answered) {
        (Value::Object(documented), Value::Object(answered)) => {
            documented.len() == answered.len()
                && documented.iter().all(|(name, value)| answered.get(name).is_some_and(|there| agree(value, there)))
        }
        (Value::Array(documented), Value::Array(answered)) => {
            documented.len() == answered.len() && documented.iter().zip(answered).all(|(one, other)| agree(one, other))
        }
        (Value::String(documented), Value::String(answered)) => {
            let is_started = documented.strip_suffix('…').is_some_and(|start| answered.starts_with(start));
            let is_of_the_kind = kind(documented).is_some_and(|told| kind(answered) == Some(told));
            documented == answered || is_started || is_of_the_kind
        }
        (Value::Number(documented), Value::Number(answered)) => {
            documented == answered || (documented.is_f64() && answered.is_f64())
        }
        _ => documented == answered,
    }
}

/// The kind of a text of which each is different: an id or a time.
fn kind(text: &str) -> Option<&'static str> {
    let zeros = |is_digit: fn(&char) -> bool| -> String {
        text.chars().map(|letter| if is_digit(&letter) { '0' } else { letter }).collect()
    };
    if zeros(char::is_ascii_hexdigit) == "00000000-0000-0000-0000-000000000000" {
        return Some("id");
    }
    (zeros(char::is_ascii_digit) == "0000-00-00T00:00:00.000Z").then_some("time")
}

fn hold_to_its_examples(page: &str) {
    let blocks = blocks(page);
    let is_shell = |block: &&Block| block.language == "sh";
    let written = Latchkey::start().run(&blocks.iter().filter(is_shell).collect::<Vec<_>>());
    let following = blocks.iter().skip(1).map(Some).chain([None]);
    let examples = blocks.iter().zip(following).filter(|(block, _)| is_shell(block));
    let mut held = 0;
    for ((example, next), written) in examples.zip(written) {
        let Some(expected) = next.filter(|next| ["json", "text"].contains(&next.language.as_str())) else { continue };
        held += 1;
        let is_held = match expected.language.as_str() {
            "json" => serde_json::from_str(&written)
                .is_ok_and(|written: Value| agree(&serde_json::from_str(&expected.text).unwrap(), &written)),
            _ => written.replace('\r', "").trim_end() == expected.text,
        };
        assert!(is_held, "{}\n\nis said to write\n\n{}\n\nand writes\n\n{written}", example.text, expected.text);
    }
    assert!(held > 0, "the page shows no answer");
}

/// What the README tells a new user to type in another terminal.
#[test]
fn the_story_of_the_readme_works_as_it_stands() {
    let blocks = blocks(include_str!("../../../README.md"));
    let story = blocks.iter().find(|block| block.text.contains("curl")).expect("the README tells a story");
    let written = Latchkey::start().run(&[story]);
    let answers = serde_json::Deserializer::from_str(&written[0]).into_iter::<Value>();
    let answers: Vec<_> = answers.map(|answer| answer.expect("JSON")).collect();
    let [first, second, refused] = &answers[..] else { panic!("not three answers: {written:?}") };
    assert!(first.as_array().is_some_and(|jobs| jobs.len() >= 3), "{first}");
    assert_eq!(first, second);
    assert_eq!(refused["code"], "refresh_token_reused");
}

#[test]
fn the_examples_of_the_api_answer_as_documented() {
    hold_to_its_examples(include_str!("../../../docs/api.md"));
}

#[test]
fn the_examples_of_sessions_answer_as_documented() {
    hold_to_its_examples(include_str!("../../../docs/sessions.md"));
}

#[test]
fn the_examples_of_the_first_steps_answer_as_documented() {
    hold_to_its_examples(include_str!("../../../docs/getting-started.md"));
}

/// The service of the walk-through is tested beside its code; here is what the page has typed around it.
#[test]
fn a_service_of_ones_own_believes_the_token_that_the_walk_through_gets() {
    let page = include_str!("../../../docs/add-a-service.md");
    let (_, page) = page.split_once("## 4. Run it").unwrap();
    let [starting, secret, login] = &blocks(page)[..3] else { panic!("not three examples") };
    let (audience, _) = starting.text.split_once(" make run").unwrap();
    let line = |block: &Block, end: &str| Block {
        language: "sh".into(),
        text: format!("{}\n{end}", block.text.split("\n\n").next().unwrap().replace("cargo run", ": cargo run")),
    };
    let latchkey = Latchkey::start_with(Some(audience));
    let (secret, login) = (line(secret, "printenv LATCHKEY_TOKENS__ACCESS_SECRET"), line(login, "echo $access"));
    let written = latchkey.run(&[&secret, &login]);
    let keys = KeyRing::new(&written[0].trim().into(), &[]).unwrap();
    let settings =
        VerifierSettings { issuer: "latchkey".into(), audience: "notes-service".into(), leeway: Duration::ZERO };
    let verifier = Verifier::new(KeyHandle::new(keys), settings, Arc::new(SystemClock)).unwrap();
    assert_eq!(verifier.verify(written[1].trim()).unwrap().user.username, "ada");

    let reasons = page.lines().filter_map(|row| row.strip_prefix("| the token is ")?.split(" |").next());
    let errors = include_str!("../../../shared-claims/src/error.rs");
    let unsaid: Vec<_> = reasons.filter(|reason| !errors.contains(&format!("\"the token is {reason}\""))).collect();
    assert_eq!(unsaid, Vec::<&str>::new(), "no token is refused with these words");
}
