//! Starting the real programs with something wrong: they stop at once, name the key, say what to mend, and show no secret.

use std::net::TcpListener;

use rstest::rstest;
use secrecy::ExposeSecret;
use system_tests::program::{Finished, Program};
use system_tests::tokens::Secrets;
use tempfile::TempDir;

/// A program with good settings, some of them spoilt. A value of `None` takes a setting away.
struct Spoilt {
    name: &'static str,
    secrets: Secrets,
    directory: TempDir,
    changes: Vec<(&'static str, Option<String>)>,
}

impl Spoilt {
    fn new(name: &'static str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        Self { name, secrets: Secrets::generate(), directory, changes: Vec::new() }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.changes.push((name, Some(value.into())));
        self
    }

    fn without(mut self, name: &'static str) -> Self {
        self.changes.push((name, None));
        self
    }

    async fn run(&self, arguments: &[&str]) -> Finished {
        let mut environment = vec![
            ("SERVER__PORT", "0".to_owned()),
            ("TOKENS__ACCESS_SECRET", self.secrets.access.expose_secret().to_owned()),
            ("TOKENS__REFRESH_SECRET", self.secrets.refresh.expose_secret().to_owned()),
        ];
        for (name, value) in &self.changes {
            environment.retain(|(other, _)| other != name);
            environment.extend(value.clone().map(|value| (*name, value)));
        }
        let environment = environment.into_iter().map(|(name, value)| (format!("LATCHKEY_{name}"), value)).collect();
        Program::new(self.name, self.directory.path(), environment).run(arguments, "").await
    }

    /// Asserts that it does not start, and that what it says has all of these words and none of its secrets.
    async fn assert_refuses(&self, words: &[&str]) {
        let finished = self.run(&["serve"]).await;
        assert_eq!(finished.status.code(), Some(1), "{finished:?}");
        let said = &finished.stderr;
        for word in words {
            assert!(said.contains(word), "{word} is not in: {said}");
        }
        let all = format!("{}{said}", finished.stdout);
        let secrets = [self.secrets.access.expose_secret(), self.secrets.refresh.expose_secret(), SECRET];
        assert!(secrets.iter().all(|secret| !all.contains(secret)), "a secret is shown: {all}");
        assert!(!all.contains("panicked") && !all.contains("is listening"), "{all}");
    }
}

/// A part of values that must not be shown.
const SECRET: &str = "hunter2";

const BOTH: [&str; 2] = ["auth-service", "jobs-service"];

#[tokio::test]
async fn without_a_secret_it_says_how_to_make_one() {
    for name in BOTH {
        let words = ["LATCHKEY_TOKENS__ACCESS_SECRET", "keygen"];
        Spoilt::new(name).without("TOKENS__ACCESS_SECRET").assert_refuses(&words).await;
        Spoilt::new(name).with("TOKENS__ACCESS_SECRET", "").assert_refuses(&words).await;
    }
    let words = ["LATCHKEY_TOKENS__REFRESH_SECRET", "keygen"];
    Spoilt::new("auth-service").without("TOKENS__REFRESH_SECRET").assert_refuses(&words).await;
}

#[rstest]
#[case::too_short(format!("{SECRET}-hunter-hunter-hunter-h"))]
#[case::with_a_comma(format!("{SECRET},AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))]
#[case::with_a_space(format!("{SECRET} AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"))]
#[case::published("a-string-secret-at-least-256-bits-long".to_owned())]
#[case::an_example("replace-me-with-what-auth-service-keygen-prints".to_owned())]
#[tokio::test]
async fn a_secret_that_is_not_fit_for_use_is_named(#[case] secret: String) {
    for name in BOTH {
        let words = ["LATCHKEY_TOKENS__ACCESS_SECRET", "keygen"];
        Spoilt::new(name).with("TOKENS__ACCESS_SECRET", &secret).assert_refuses(&words).await;
    }
    let words = ["LATCHKEY_TOKENS__REFRESH_SECRET", "keygen"];
    Spoilt::new("auth-service").with("TOKENS__REFRESH_SECRET", &secret).assert_refuses(&words).await;
}

#[tokio::test]
async fn a_secret_of_both_kinds_of_token_is_refused_in_whatever_list_it_stands() {
    let both = Spoilt::new("auth-service");
    let access = both.secrets.access.expose_secret().to_owned();
    both.with("TOKENS__REFRESH_SECRET", &access).assert_refuses(&["LATCHKEY_TOKENS__REFRESH_SECRET", "keygen"]).await;

    let listed = Spoilt::new("auth-service");
    let access = listed.secrets.access.expose_secret().to_owned();
    listed
        .with("TOKENS__ACCEPTED_REFRESH_SECRETS", &access)
        .assert_refuses(&["accepted_refresh_secrets", "keygen"])
        .await;
}

#[tokio::test]
async fn an_accepted_secret_that_is_not_fit_for_use_is_named() {
    let short = Spoilt::new("auth-service").with("TOKENS__ACCEPTED_REFRESH_SECRETS", format!("{SECRET},{SECRET}"));
    short.assert_refuses(&["TOKENS__ACCEPTED_REFRESH_SECRETS", "32 bytes"]).await;
    for name in BOTH {
        let short = Spoilt::new(name).with("TOKENS__ACCEPTED_ACCESS_SECRETS", SECRET);
        short.assert_refuses(&["TOKENS__ACCEPTED_ACCESS_SECRETS", "32 bytes"]).await;
    }
}

#[tokio::test]
async fn a_secret_may_come_from_a_file_and_the_file_is_named_where_it_cannot_be_read() {
    let spoilt = Spoilt::new("auth-service").without("TOKENS__ACCESS_SECRET");
    let missing = spoilt.directory.path().join("no-such-file");
    let spoilt = spoilt.with("TOKENS__ACCESS_SECRET_FILE", missing.to_str().expect("text"));
    spoilt.assert_refuses(&["LATCHKEY_TOKENS__ACCESS_SECRET_FILE", "no-such-file"]).await;

    let twice = Spoilt::new("auth-service").with("TOKENS__ACCESS_SECRET_FILE", "/dev/null");
    twice.assert_refuses(&["LATCHKEY_TOKENS__ACCESS_SECRET_FILE", "keep one"]).await;

    let empty =
        Spoilt::new("auth-service").without("TOKENS__ACCESS_SECRET").with("TOKENS__ACCESS_SECRET_FILE", "/dev/null");
    empty.assert_refuses(&["LATCHKEY_TOKENS__ACCESS_SECRET_FILE", "empty"]).await;
}

#[rstest]
#[case("SERVER__PROT", "8081")]
#[case("TOKENS__SECRET", SECRET)]
#[case("SESSION__MAX_PER_USER", "5")]
#[case("SERVER", "x")]
#[tokio::test]
async fn an_unknown_key_is_named(#[case] key: &'static str, #[case] value: &str) {
    for name in BOTH {
        Spoilt::new(name)
            .with(key, value)
            .assert_refuses(&[&format!("LATCHKEY_{key}"), "no such configuration key"])
            .await;
    }
}

#[rstest]
#[case("SERVER__PORT", "eighty")]
#[case("SERVER__PORT", "65536")]
#[case("SERVER__HOST", "localhost")]
#[case("SERVER__ALLOWED_ORIGINS", "*")]
#[case("SERVER__TRUSTED_PROXIES", "everybody")]
#[case("TOKENS__LEEWAY", "61s")]
#[case("DATABASE__URL", "mysql://user:hunter2@db.test/latchkey")]
#[case("DATABASE__URL", "hunter2")]
#[tokio::test]
async fn a_bad_value_is_named_by_both_services(#[case] key: &'static str, #[case] value: &str) {
    for name in BOTH {
        Spoilt::new(name).with(key, value).assert_refuses(&[&format!("LATCHKEY_{key}")]).await;
    }
}

#[rstest]
#[case("TOKENS__ACCESS_TTL", "15")]
#[case("TOKENS__ACCESS_TTL", "25h")]
#[case("TOKENS__REFRESH_TTL", "0s")]
#[case("SESSIONS__MAX_PER_USER", "0")]
#[case("SESSIONS__MAX_PER_USER", "many")]
#[case("SESSIONS__WHEN_FULL", "end_some")]
#[case("SESSIONS__REUSE_LEEWAY", "1h")]
#[case("SESSIONS__MAX_LIFETIME", "0s")]
#[case("REGISTRATION__ENABLED", "perhaps")]
#[case("TOKEN_STORE__URL", "memcached://:hunter2@store.test")]
#[tokio::test]
async fn a_bad_value_is_named_by_auth_service(#[case] key: &'static str, #[case] value: &str) {
    Spoilt::new("auth-service").with(key, value).assert_refuses(&[&format!("LATCHKEY_{key}")]).await;
}

#[tokio::test]
async fn postgresql_without_a_token_store_is_told_what_is_missing() {
    let spoilt = Spoilt::new("auth-service").with("DATABASE__URL", "postgres://user:hunter2@127.0.0.1:1/latchkey");
    spoilt.assert_refuses(&["LATCHKEY_TOKEN_STORE__URL", "redis://"]).await;
}

#[tokio::test]
async fn a_directory_that_cannot_be_written_is_named() {
    for name in BOTH {
        // Not even root makes a directory below a device.
        let spoilt = Spoilt::new(name).with("DATABASE__URL", "sqlite:/dev/null/data/file.db");
        spoilt.assert_refuses(&["/dev/null/data/file.db", "cannot write"]).await;
    }
}

#[tokio::test]
async fn a_port_in_use_is_named_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address");
    for name in BOTH {
        let spoilt = Spoilt::new(name).with("SERVER__PORT", address.port().to_string());
        spoilt.assert_refuses(&[&address.to_string(), "already in use", "another port"]).await;
    }
}

#[tokio::test]
async fn a_corrupt_database_is_named_and_left_as_it_is() {
    for name in BOTH {
        let spoilt = Spoilt::new(name);
        let file = spoilt.directory.path().join("corrupt.db");
        let garbage = b"SQLite format 3\0 but then it is hunter2 ".repeat(200);
        std::fs::write(&file, &garbage).expect("a file");
        let spoilt = spoilt.with("DATABASE__URL", format!("sqlite:{}", file.display()));
        spoilt.assert_refuses(&["corrupt.db", "backup"]).await;
        assert!(std::fs::read(&file).expect("the file") == garbage, "the file was changed");
    }
}

#[tokio::test]
async fn a_configuration_file_is_read_and_its_mistakes_are_named_by_their_place() {
    for name in BOTH {
        let spoilt = Spoilt::new(name);
        let file = spoilt.directory.path().join("settings.toml");
        let path = file.to_str().expect("text").to_owned();
        for (text, words) in [
            ("[server]\nprot = 1\n", ["`server.prot`", "settings.toml", "`server.port`"]),
            ("[tokens]\nleeway = 15\n", ["`tokens.leeway`", "settings.toml", "duration"]),
            ("[tokens]\naccess_secret = hunter2\n", ["settings.toml", "line 2", "TOML"]),
        ] {
            std::fs::write(&file, text).expect("a file");
            let finished = spoilt.run(&["serve", "--config", &path]).await;
            assert_eq!(finished.status.code(), Some(1), "{finished:?}");
            assert!(words.iter().all(|word| finished.stderr.contains(word)), "{finished:?}");
            assert!(!finished.stderr.contains(SECRET), "{finished:?}");
        }
        let finished = spoilt.run(&["serve", "--config", "no-such-file.toml"]).await;
        assert_eq!(finished.status.code(), Some(1));
        assert!(finished.stderr.contains("no-such-file.toml"), "{finished:?}");
    }
}

#[tokio::test]
async fn wrong_usage_is_told_from_a_failure_by_its_exit_code() {
    for name in BOTH {
        for arguments in [&["sevre"][..], &["serve", "--prot", "1"], &["serve", "more"]] {
            let finished = Spoilt::new(name).run(arguments).await;
            assert_eq!(finished.status.code(), Some(2), "{finished:?}");
        }
    }
}
