//! `docs/configuration.md` lists every key in both of its forms, with its default, and for the programs that use it.

use std::collections::{BTreeMap, BTreeSet};

use service_kit::config::Key;
use toml::{Table, Value};

const PAGE: &str = include_str!("../../../docs/configuration.md");
const AUTH_DEFAULTS: &str = include_str!("../../../auth-service/src/config.default.toml");
const JOBS_DEFAULTS: &str = include_str!("../../../jobs-service/src/config.default.toml");
const LATCHKEY_DEFAULTS: &str = include_str!("../../src/config.default.toml");

/// What `latchkey` refuses, for one value could not serve both services.
const NOT_OF_LATCHKEY: [&str; 2] = ["server.port", "server.name"];

/// One row of the tables of keys.
struct Documented {
    variable: String,
    default: String,
    programs: String,
    may_be_a_file: bool,
}

/// The rows by the name that a key has in a file.
fn documented() -> BTreeMap<String, Documented> {
    let rows = PAGE.lines().filter(|line| line.starts_with("| `LATCHKEY_"));
    let rows = rows.filter_map(|row| match row.trim_matches('|').split(" | ").map(str::trim).collect::<Vec<_>>()[..] {
        [variable, name, default, programs, meaning] => Some((
            name.trim_matches('`').to_owned(),
            Documented {
                variable: variable.trim_matches('`').to_owned(),
                default: default.to_owned(),
                programs: programs.to_owned(),
                may_be_a_file: meaning.starts_with("*file*"),
            },
        )),
        _ => None,
    });
    rows.collect()
}

fn names(keys: &[Key]) -> BTreeSet<String> {
    keys.iter().map(|key| key.name.to_owned()).collect()
}

/// The keys that a default file gives, with their values as a table of the page shows them.
fn defaults(file: &str) -> BTreeMap<String, String> {
    let mut shown = BTreeMap::new();
    flatten("", &file.parse::<Table>().unwrap(), &mut shown);
    shown
}

fn flatten(section: &str, table: &Table, shown: &mut BTreeMap<String, String>) {
    for (name, value) in table {
        match value {
            Value::Table(inner) => flatten(&format!("{section}{name}."), inner, shown),
            value => drop(shown.insert(format!("{section}{name}"), show(value))),
        }
    }
}

fn show(value: &Value) -> String {
    match value {
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => {
            format!("`{}`", items.iter().map(|item| item.as_str().unwrap()).collect::<Vec<_>>().join(","))
        }
        Value::String(text) => format!("`{text}`"),
        other => format!("`{other}`"),
    }
}

#[test]
fn every_key_is_documented_for_the_programs_that_use_it_and_no_other_key_is() {
    let (auth, jobs) = (names(&auth_service::config::keys()), names(&jobs_service::config::keys()));
    let mut latchkey: BTreeSet<_> = defaults(LATCHKEY_DEFAULTS).into_keys().collect();
    latchkey.extend(auth.union(&jobs).filter(|name| !NOT_OF_LATCHKEY.contains(&name.as_str())).cloned());

    let mut used = BTreeMap::<_, Vec<_>>::new();
    for (letter, keys) in [("A", auth), ("J", jobs), ("L", latchkey)] {
        for name in keys {
            used.entry(name).or_default().push(letter);
        }
    }
    let used: BTreeMap<_, _> = used.into_iter().map(|(name, programs)| (name, programs.join(" "))).collect();
    let told: BTreeMap<_, _> = documented().into_iter().map(|(name, row)| (name, row.programs)).collect();
    assert_eq!(told, used);
}

#[test]
fn each_row_names_the_variable_of_its_key_and_whether_it_may_be_a_file() {
    let rows = documented();
    for key in auth_service::config::keys().into_iter().chain(jobs_service::config::keys()) {
        let row = &rows[key.name];
        assert_eq!((&row.variable, row.may_be_a_file), (&key.variable(), key.from_file), "{}", key.name);
    }
    for (name, row) in &rows {
        assert_eq!(row.variable, format!("LATCHKEY_{}", name.to_uppercase().replace('.', "__")));
    }
}

#[test]
fn the_defaults_that_are_told_are_the_defaults() {
    let rows = documented();
    for file in [AUTH_DEFAULTS, JOBS_DEFAULTS, LATCHKEY_DEFAULTS] {
        for (name, default) in defaults(file) {
            let told = &rows[&name].default;
            assert!(told.contains(&default), "the default of {name} is {default}, and the page says {told}");
        }
    }
    for database in [auth_service::config::DEFAULT_DATABASE, jobs_service::config::DEFAULT_DATABASE] {
        assert!(rows["database.url"].default.contains(database), "{database}");
    }
}

#[test]
fn one_environment_serves_every_program() {
    let is_known = |error: String| !error.contains("there is no such configuration key");
    for Documented { variable, .. } in documented().into_values() {
        let environment = || [(variable.clone(), "x".to_owned())];
        let auth = auth_service::Config::load(None, environment()).unwrap_err().to_string();
        let jobs = jobs_service::Config::load(None, environment()).unwrap_err().to_string();
        assert!(is_known(auth) && is_known(jobs), "{variable}");
    }
}
