//! What the pages have typed: every command of their fenced blocks and of what they set in backticks.

use crate::blocks::blocks;
use crate::pages::{pages, prose};

/// A command as a page has it.
#[derive(Debug)]
pub(crate) struct Typed {
    pub(crate) page: String,
    /// The program and what follows it, up to where its output goes.
    pub(crate) words: Vec<String>,
}

impl Typed {
    /// Fails the test, with where the command stands, unless this holds.
    #[track_caller]
    pub(crate) fn assert(&self, holds: bool, what: &str) {
        assert!(holds, "{}: {what}: {}", self.page, self.words.join(" "));
    }

    /// What follows these words, where the command begins with them.
    pub(crate) fn after<'a>(&'a self, start: &str) -> Option<Vec<&'a str>> {
        let mut words = self.words.iter().map(String::as_str);
        let begins = start.split(' ').all(|word| words.next() == Some(word));
        begins.then(|| words.collect())
    }

    /// The value after a flag that is given at most once.
    pub(crate) fn value(&self, flag: &str) -> Option<&str> {
        let at = self.words.iter().position(|word| word == flag)?;
        self.words.get(at + 1).map(String::as_str)
    }

    /// All values of a flag, given as `flag value` or `flag=value`.
    pub(crate) fn values(&self, flag: &str) -> Vec<&str> {
        let pairs = self.words.iter().zip(self.words.iter().skip(1));
        let apart = pairs.filter(|(word, _)| *word == flag).map(|(_, value)| value.as_str());
        let joined = self.words.iter().filter_map(|word| word.strip_prefix(flag)?.strip_prefix('='));
        apart.chain(joined).collect()
    }
}

/// Commands of all pages that begin with these words; a test that finds none would hold nothing.
#[track_caller]
pub(crate) fn commands(start: &str) -> Vec<Typed> {
    let mut found = Vec::new();
    for (path, text) in pages() {
        let page = path.file_name().unwrap().display().to_string();
        let fenced = blocks(&text).into_iter().filter(|block| ["", "sh"].contains(&block.language.as_str()));
        let fenced = fenced.map(|block| block.text.replace("\\\n", " "));
        let prose = prose(&text);
        let spans = prose.split('`').skip(1).step_by(2).map(|span| span.replace('\n', " "));
        let texts: Vec<_> = fenced.chain(spans).collect();
        let lines = texts.iter().flat_map(|text| text.lines()).flat_map(split);
        found.extend(lines.map(|words| Typed { page: page.clone(), words }));
    }
    found.retain(|typed| typed.after(start).is_some());
    assert!(!found.is_empty(), "no page has {start} typed");
    found
}

/// The commands of a line: what is set before them, comments, and where they write is left out.
fn split(line: &str) -> Vec<Vec<String>> {
    let line = line.split(" #").next().unwrap_or_default();
    let commands = line.split(" && ").flat_map(|part| part.split(" | ")).flat_map(|part| part.split(" & "));
    let words = commands.map(|command| {
        let words = command.split_whitespace().skip_while(|word| is_assignment(word) || *word == "export");
        let words = words.take_while(|word| !word.starts_with('>') && !word.starts_with('<') && *word != "&");
        words.map(str::to_owned).collect::<Vec<_>>()
    });
    words.filter(|words| !words.is_empty()).collect()
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && name.chars().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_')
    })
}

#[test]
fn commands_are_found_within_a_line() {
    let line = "A=1 B_2=x make run > log & echo y | docker compose up  # and so on";
    assert_eq!(split(line), [vec!["make", "run"], vec!["echo", "y"], vec!["docker", "compose", "up"]]);
}
