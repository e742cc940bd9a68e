//! `docs/configuration.md` has every key, as the default files and the services' lists of keys tell of it.

use std::process::Command;

use rstest::rstest;

use crate::generated;
use crate::reference::{Reference, variable};

const UNKNOWN: &str = ": there is no such configuration key";

/// The keys of services that `latchkey` refuses, for one value could not serve both. It names all that it does not know at once.
fn refused_by_latchkey() -> Vec<String> {
    let keys = [auth_service::config::keys(), jobs_service::config::keys()].concat();
    let mut latchkey = Command::new(env!("CARGO_BIN_EXE_latchkey"));
    latchkey.env_clear().envs(keys.iter().map(|key| (key.variable(), "x")));
    let output = latchkey.output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let is_refused = |name: &&str| said.contains(&format!("{}{UNKNOWN}", variable(name)));
    keys.iter().map(|key| key.name).filter(is_refused).map(str::to_owned).collect()
}

#[test]
fn the_defaults_that_are_told_are_the_defaults() {
    let refused = refused_by_latchkey();
    assert!(refused.contains(&"server.port".to_owned()), "{refused:?}");
    let markers = ["<!-- make generated writes from here -->", "<!-- make generated writes to here -->"];
    generated::hold_between("docs/configuration.md", markers, &Reference::read(&refused).page());
}

#[test]
fn one_environment_serves_every_program() {
    for name in Reference::read(&[]).keys() {
        let environment = || [(variable(name), "x".to_owned())];
        let auth = auth_service::Config::load(None, environment()).unwrap_err().to_string();
        let jobs = jobs_service::Config::load(None, environment()).unwrap_err().to_string();
        assert!(!auth.contains(UNKNOWN) && !jobs.contains(UNKNOWN), "{name}");
    }
}

/// Loads auth-service's configuration with these keys, and secrets that are fit for use.
fn load(keys: &[(&str, &str)]) -> Result<auth_service::Config, String> {
    let secrets = ["access", "refresh"].map(|kind| (format!("tokens.{kind}_secret"), format!("{kind:->40}")));
    let given = keys.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let environment = secrets.into_iter().chain(given).map(|(name, value)| (variable(&name), value));
    auth_service::Config::load(None, environment).map_err(|error| error.to_string())
}

/// The limits that the reference tells: a value at the limit is taken, the next is not.
#[rstest]
#[case("server.port", "65535", "65536")]
#[case("tokens.access_ttl", "1s", "999ms")]
#[case("tokens.access_ttl", "24h", "24h 1s")]
#[case("tokens.access_ttl", "2s", "1500ms")]
#[case("tokens.refresh_ttl", "1s", "0s")]
#[case("tokens.refresh_ttl", "3650d", "3650d 1s")]
#[case("tokens.leeway", "60s", "61s")]
#[case("sessions.max_per_user", "1", "0")]
#[case("sessions.max_per_user", "1000", "1001")]
#[case("sessions.when_full", "end_least_recent", "end_some")]
#[case("sessions.reuse_leeway", "5m", "5m 1s")]
#[case("sessions.max_lifetime", "1s", "0s")]
#[case("database.max_connections", "1", "0")]
#[case("database.max_connections", "100", "101")]
#[case("database.timeout", "100ms", "99ms")]
#[case("database.timeout", "1800ms", "1801ms")]
#[case("database.connect_timeout", "100ms", "99ms")]
#[case("database.connect_timeout", "1800ms", "1801ms")]
#[case("rate_limit.account_attempts", "1", "0")]
#[case("rate_limit.address_attempts", "1", "0")]
#[case("rate_limit.refreshes_per_minute", "1", "0")]
#[case("rate_limit.first_delay", "15m", "15m 1s")]
#[case("rate_limit.forget_after", "15m", "14m 59s")]
fn the_limits_that_are_told_are_the_limits(#[case] name: &str, #[case] taken: &str, #[case] refused: &str) {
    load(&[(name, taken)]).unwrap();
    let error = load(&[(name, refused)]).unwrap_err();
    assert!(error.contains(&variable(name)), "{error}");
}

/// 24 h are the longest wait, but not with the other defaults: what is forgotten sooner could not wait so long.
#[test]
fn the_longest_wait_is_a_day() {
    let load = |longest| load(&[("rate_limit.longest_delay", longest), ("rate_limit.forget_after", "48h")]);
    load("24h").unwrap();
    assert!(load("24h 1s").unwrap_err().contains("LATCHKEY_RATE_LIMIT__LONGEST_DELAY"));
}

/// What `docs/storage.md` has exported is taken, each kind of token store with that database.
#[test]
fn the_stores_that_are_told_can_be_configured() {
    let page = include_str!("../../../docs/storage.md");
    let lines = page.lines().filter_map(|line| line.strip_prefix("export "));
    let settings = lines.map(|line| {
        let (variable, value) = line.split(" #").next().unwrap().split_once('=').unwrap();
        (variable.to_owned(), value.trim().trim_matches('\'').to_owned())
    });
    let is_store = |(variable, _): &(String, String)| variable == "LATCHKEY_TOKEN_STORE__URL";
    let (stores, database): (Vec<_>, Vec<_>) = settings.partition(is_store);
    assert_eq!((stores.len(), database.len()), (3, 2));
    let secrets =
        ["access", "refresh"].map(|kind| (variable(&format!("tokens.{kind}_secret")), format!("{kind:->40}")));
    for store in stores {
        let environment = secrets.iter().chain(&database).chain([&store]).cloned();
        assert!(auth_service::Config::load(None, environment).is_ok(), "{store:?}");
    }
}
