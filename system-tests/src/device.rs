//! A device that keeps a session as a client should: one `Idempotency-Key` for each refresh token, and the same request once more
//! where its answer was lost. It remembers every refresh token that it was ever given.

use std::collections::HashMap;

use serde_json::json;
use shared_claims::random;
use uuid::Uuid;

use crate::client::{Answer, Answered, Client, Tokens};
use crate::people::Person;
use crate::tokens::parts;

/// A session on one device.
#[derive(Debug, Clone)]
pub struct Device {
    /// The last pair that it was given.
    pub tokens: Tokens,
    key: String,
    given: HashMap<u64, String>,
}

impl Device {
    /// Logs in.
    pub async fn login(client: &Client, person: &Person) -> Self {
        Self::new(client.login(person).await)
    }

    /// Goes on from these tokens.
    pub fn new(tokens: Tokens) -> Self {
        let mut device = Self { tokens: tokens.clone(), key: String::new(), given: HashMap::new() };
        device.take(tokens);
        device
    }

    /// Refreshes, or repeats the refresh whose answer was lost. The answer is not looked at but for new tokens.
    pub async fn refresh(&mut self, client: &Client) -> Result<Answer, reqwest::Error> {
        let body = json!({ "refreshToken": self.tokens.refresh_token });
        let request = client.post("/refresh-token", &body).header("Idempotency-Key", &self.key);
        let answer = request.try_answer().await?;
        if answer.status == 200 {
            self.take(answer.tokens());
        }
        Ok(answer)
    }

    /// The session.
    pub fn session_id(&self) -> Uuid {
        self.tokens.session_id
    }

    /// The refresh token before the last one.
    pub fn spent_token(&self) -> Option<&str> {
        self.given.get(&generation(&self.tokens.refresh_token).checked_sub(1)?).map(String::as_str)
    }

    /// # Panics
    ///
    /// Where two different tokens of one generation were given, for both of them would be live.
    fn take(&mut self, tokens: Tokens) {
        let generation = generation(&tokens.refresh_token);
        let before = self.given.insert(generation, tokens.refresh_token.clone());
        assert!(
            before.is_none_or(|before| before == tokens.refresh_token),
            "two live tokens of generation {generation}"
        );
        self.key = random::uuid().to_string();
        self.tokens = tokens;
    }
}

fn generation(refresh_token: &str) -> u64 {
    parts(refresh_token).1["gen"].as_u64().expect("a generation")
}
