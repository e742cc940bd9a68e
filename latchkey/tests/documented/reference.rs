//! The reference of all keys, made from the default files and the services' lists of keys.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use service_kit::config::Key;
use toml::{Table, Value};

/// A program, by the letter that the page has for it, with its default file.
const PROGRAMS: [(char, &str); 3] = [
    ('A', include_str!("../../../auth-service/src/config.default.toml")),
    ('J', include_str!("../../../jobs-service/src/config.default.toml")),
    ('L', include_str!("../../src/config.default.toml")),
];

/// A key, or a section where `name` ends in a dot, as one default file has it.
struct Entry {
    name: String,
    /// As the page shows it; of a section nothing.
    default: String,
    meaning: String,
}

/// What the default files say of every key, in their order.
pub(crate) struct Reference {
    /// The names of keys and, each with a dot at its end, of sections.
    order: Vec<String>,
    meanings: BTreeMap<String, String>,
    defaults: BTreeMap<String, Vec<(char, String)>>,
    /// Which programs use a key.
    used: BTreeMap<String, BTreeSet<char>>,
    /// Which keys may be given as the path of a file.
    from_file: BTreeSet<String>,
}

impl Reference {
    /// `refused` are the keys of services that `latchkey` refuses.
    pub(crate) fn read(refused: &[String]) -> Self {
        let mut read = Self {
            order: Vec::new(),
            meanings: BTreeMap::new(),
            defaults: BTreeMap::new(),
            used: BTreeMap::new(),
            from_file: BTreeSet::new(),
        };
        for (program, keys) in [('A', auth_service::config::keys()), ('J', jobs_service::config::keys())] {
            read.know(program, &keys, refused);
        }
        for (program, file) in PROGRAMS {
            for entry in entries(file) {
                read.add(program, entry);
            }
        }
        let told: BTreeSet<_> = read.defaults.keys().collect();
        assert_eq!(told, read.used.keys().collect(), "the default files have a line for each key, and for no other");
        for name in &read.order {
            assert!(read.meanings.contains_key(name), "no default file says what {name} means");
        }
        read
    }

    fn know(&mut self, program: char, keys: &[Key], refused: &[String]) {
        for key in keys {
            let programs = self.used.entry(key.name.to_owned()).or_default();
            programs.insert(program);
            programs.extend((!refused.iter().any(|name| name == key.name)).then_some('L'));
            if key.from_file {
                self.from_file.insert(key.name.to_owned());
            }
        }
    }

    fn add(&mut self, program: char, Entry { name, default, meaning }: Entry) {
        if !self.order.contains(&name) {
            self.order.push(name.clone());
        }
        if !meaning.is_empty() {
            let told = self.meanings.entry(name.clone()).or_insert_with(|| meaning.clone());
            assert_eq!(*told, meaning, "two default files say different things of {name}");
        }
        if !name.ends_with('.') {
            // Whether a service knows the key its own tests show: a default that it does not know stops its start.
            if program == 'L' {
                self.used.entry(name.clone()).or_default().insert(program);
            }
            self.defaults.entry(name).or_default().push((program, default));
        }
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.order.iter().map(String::as_str).filter(|name| !name.ends_with('.'))
    }

    /// The tables of the page: of each section, after the keys outside any.
    pub(crate) fn page(&self) -> String {
        const HEAD: &str = "\n| environment | in a file | default | for | |\n| --- | --- | --- | --- | --- |\n";
        let mut page = HEAD.to_owned();
        let sections = self.order.iter().filter_map(|name| name.strip_suffix('.'));
        for name in self.keys().filter(|name| !name.contains('.')) {
            self.row(&mut page, name);
        }
        for section in sections {
            let words = &self.meanings[&format!("{section}.")];
            write!(page, "\n### {section}\n\n{}\n{HEAD}", wrapped(&linked(words))).unwrap();
            for name in self.keys().filter(|name| name.split_once('.').is_some_and(|(outer, _)| outer == section)) {
                self.row(&mut page, name);
            }
        }
        page + "\n"
    }

    fn row(&self, page: &mut String, name: &str) {
        let variable = variable(name);
        let or_file = if self.from_file.contains(name) { " or `…_FILE`" } else { "" };
        let programs = self.used[name].iter().map(char::to_string).collect::<Vec<_>>().join(" ");
        let meaning = linked(&self.meanings[name]);
        let default = self.default(name);
        writeln!(page, "| `{variable}`{or_file} | `{name}` | {default} | {programs} | {meaning} |").unwrap();
    }

    /// The default, and of whom it is where they differ.
    fn default(&self, name: &str) -> String {
        let told = &self.defaults[name];
        if told.iter().all(|(_, default)| *default == told[0].1) {
            return told[0].1.clone();
        }
        let mut values: Vec<&String> = told.iter().map(|(_, default)| default).collect();
        values.dedup();
        let of = |value: &String| {
            let programs = told.iter().filter(|(_, default)| default == value);
            programs.map(|(program, _)| program.to_string()).collect::<Vec<_>>().join(" ")
        };
        values.into_iter().map(|value| format!("{value} ({})", of(value))).collect::<Vec<_>>().join(", ")
    }
}

/// The name of a key in the environment.
pub(crate) fn variable(name: &str) -> String {
    format!("LATCHKEY_{}", name.to_uppercase().replace('.', "__"))
}

/// The keys and sections of a default file, each with the comment right above it. `#key = word` is a key without a default,
/// `#[section]` a section of such keys alone.
fn entries(file: &str) -> Vec<Entry> {
    let (mut entries, mut comment, mut section) = (Vec::new(), Vec::new(), String::new());
    for line in file.lines() {
        if let Some(words) = line.strip_prefix("# ") {
            comment.push(words);
            continue;
        }
        let meaning = std::mem::take(&mut comment).join(" ");
        if let Some(name) = line.trim_start_matches('#').strip_prefix('[') {
            section = format!("{}.", name.trim_end_matches(']'));
            entries.push(Entry { name: section.clone(), default: String::new(), meaning });
        } else if let Some((key, value)) = line.split_once(" = ") {
            let absent = key.strip_prefix('#');
            let default = absent.map_or_else(|| shown(value), |_| value.to_owned());
            entries.push(Entry { name: format!("{section}{}", absent.unwrap_or(key)), default, meaning });
        } else {
            assert!(line.is_empty(), "not understood in a default file: {line}");
        }
    }
    entries
}

fn shown(value: &str) -> String {
    let table: Table = format!("value = {value}").parse().unwrap();
    match &table["value"] {
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => {
            format!("`{}`", items.iter().map(|item| item.as_str().unwrap()).collect::<Vec<_>>().join(","))
        }
        Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    }
}

/// Makes links of the pages that are named by their path.
fn linked(text: &str) -> String {
    let link = |word: &str| {
        let target = word.strip_prefix("docs/")?.trim_end_matches(['.', ',', ':']);
        let after = &word["docs/".len() + target.len()..];
        let page = target.split('#').next()?;
        Some(format!("[{page}]({target}){after}"))
    };
    text.split(' ').map(|word| link(word).unwrap_or_else(|| word.to_owned())).collect::<Vec<_>>().join(" ")
}

/// Lines as long as those of the page.
fn wrapped(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().unwrap();
        if line.is_empty() {
            line.push_str(word);
        } else if line.len() + 1 + word.len() <= 125 {
            write!(line, " {word}").unwrap();
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.join("\n")
}
