//! Accounts, devices, and keeping guessers out: each test runs over SQLite, and over PostgreSQL with Redis.

mod addresses;
mod audit;
mod commands;
mod counting;
mod credential_races;
mod devices;
mod ending;
mod ground;
mod guessing;
mod pace;
mod passwords;
mod register;
mod renewal;
mod rotation;
mod silence;
mod timing;
mod visitors;

use system_tests::client::Answer;
use system_tests::people::Person;

/// Has the service believe what the tests say of the address they come from.
const TRUSTED_PROXY: (&str, &str) = ("SERVER__TRUSTED_PROXIES", "127.0.0.1");

/// Asserts what an access token is told that was good, and whose session or user is not.
#[track_caller]
fn assert_revoked(answer: &Answer) {
    answer.assert_problem(401, "access_token_revoked");
    let challenge = answer.header("www-authenticate").expect("a challenge");
    assert!(challenge.starts_with(r#"Bearer realm="latchkey", error="invalid_token""#), "{challenge}");
}

/// The fields that a problem complains of, by name.
fn fields(answer: &Answer) -> Vec<String> {
    let problem = answer.json();
    problem["errors"].as_object().expect("errors by field").keys().cloned().collect()
}

/// Passwords that may be set, each with one that looks alike and is another.
fn acceptable_passwords() -> Vec<(String, String)> {
    let longest: String = "kV8!mq2z".chars().cycle().take(128).collect();
    [
        ("kV8!mq2z", "kv8!mq2z"),
        (&longest, &longest[..127]),
        ("🦊🐻🦉🐢🦀🐙🦜🐝", "🦊🐻🦉🐢🦀🐙🦜🐞"),
        // A letter with its accent in one character, and in two: nothing is normalised.
        ("zażółć gęślą jaźń", "zaz\u{307}ółć gęślą jaźń"),
        ("  blanks at both ends  ", "blanks at both ends"),
        ("a zero\u{0} in the middle", "a zero"),
        ("\"quoted\" \\ and 'quoted'", "quoted and quoted"),
    ]
    .map(|(password, other)| (password.to_owned(), other.to_owned()))
    .into()
}

/// Passwords that may not be set, and how the reason for that begins.
fn too_easy_passwords(person: &Person) -> Vec<(String, &'static str)> {
    let too_long: String = "kV8!mq2z".chars().cycle().take(129).collect();
    let mut passwords = vec![
        (String::new(), "must be at least 8 characters long"),
        ("kV8!mq2".to_owned(), "must be at least 8 characters long"),
        // Characters count, not bytes.
        ("🦊🐻🦉🐢🦀🐙🦜".to_owned(), "must be at least 8 characters long"),
        (too_long, "must be at most 128 characters long"),
    ];
    let easy = ["password123", "P@ssw0rd", "12345678", "qwertyuiop", "aaaaaaaaaaaa", &person.username, &person.email];
    passwords.extend(easy.map(|password| (password.to_owned(), "is too easy to guess: ")));
    passwords
}
