//! People at addresses of their own, as the proxy tells them that the service trusts; and a service that slows guessing down.

use serde_json::json;
use system_tests::client::{Answer, Answered, Client, SignedIn, Tokens};
use system_tests::people::Person;

use super::TRUSTED_PROXY;
use super::ground::Ground;
use system_tests::site::Storage;

/// Starts a service that limits logins, behind a trusted proxy.
pub(super) async fn guarded(storage: Storage, limits: &[(&str, &str)]) -> Ground {
    Ground::start_with(storage, &[&[TRUSTED_PROXY, ("RATE_LIMIT__ENABLED", "true")], limits].concat()).await
}

/// Somebody at one address.
#[derive(Clone)]
pub(super) struct Visitor {
    pub(super) client: Client,
    address: String,
}

impl Visitor {
    pub(super) fn new(client: &Client, address: &str) -> Self {
        Self { client: client.clone(), address: address.to_owned() }
    }

    /// Somebody at the address of this number, which no other number has.
    pub(super) fn number(client: &Client, number: u16) -> Self {
        let [high, low] = number.to_be_bytes();
        Self::new(client, &format!("198.18.{high}.{low}"))
    }

    /// Tries a password.
    pub(super) async fn try_login(&self, username: &str, password: &str) -> Answer {
        let request = self.client.post("/login", &json!({ "username": username, "password": password }));
        request.header("X-Forwarded-For", &self.address).answer().await
    }

    /// Guesses wrong.
    pub(super) async fn guess(&self, username: &str) -> Answer {
        self.try_login(username, "not the password of anybody").await
    }

    /// Logs in with the right password.
    pub(super) async fn login(&self, person: &Person) -> Answer {
        self.try_login(&person.username, &person.password).await
    }

    /// Tries to change a password.
    pub(super) async fn change_password(&self, tokens: &Tokens, current: &str, new: &str) -> Answer {
        let request = self.client.password_change(&tokens.access_token, current, new);
        request.header("X-Forwarded-For", &self.address).answer().await
    }

    /// Refreshes, with a fingerprint if there is one.
    pub(super) async fn refresh(&self, refresh_token: &str, fingerprint: Option<&str>) -> Answer {
        let body = json!({ "refreshToken": refresh_token, "fingerprint": fingerprint });
        self.client.post("/refresh-token", &body).header("X-Forwarded-For", &self.address).answer().await
    }
}

/// The tokens of a login that has to succeed.
#[track_caller]
pub(super) fn signed_in(answer: &Answer) -> Tokens {
    answer.read::<SignedIn>(200).tokens
}

/// Asserts that the guess was looked at, and was wrong.
#[track_caller]
pub(super) fn assert_wrong(answer: &Answer) {
    answer.assert_problem(401, "invalid_credentials");
    assert_eq!(answer.header("retry-after"), None, "{answer:?}");
}

/// Asserts that nothing was looked at, and gives the seconds to wait.
#[track_caller]
pub(super) fn assert_slowed(answer: &Answer) -> i64 {
    answer.assert_problem(429, "too_many_attempts");
    let seconds = answer.header("retry-after").and_then(|text| text.parse().ok()).expect("Retry-After in seconds");
    assert!(seconds >= 1, "{answer:?}");
    seconds
}
