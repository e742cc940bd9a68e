//! What connections ask: the same request again and again, or the chain of refreshes that each need the last one's answer.

use std::collections::VecDeque;

use serde::Deserialize;
use shared_claims::random;

use crate::connection::Answer;
use crate::load::Asker;

/// The head of a request on a connection that stays open.
fn get(path: &str, access_token: Option<&str>) -> Vec<u8> {
    let authorization = access_token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    format!("GET {path} HTTP/1.1\r\nhost: bench\r\n{authorization}\r\n").into_bytes()
}

fn post(path: &str, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    let head = "host: bench\r\ncontent-type: application/json";
    format!("POST {path} HTTP/1.1\r\n{head}\r\n{headers}content-length: {length}\r\n\r\n{body}").into_bytes()
}

/// Asks the same few requests in turn.
pub(crate) struct Repeat {
    requests: Vec<Vec<u8>>,
    next: usize,
    status: u16,
    bytes: Option<usize>,
    may_be_busy: bool,
}

impl Repeat {
    fn new(requests: Vec<Vec<u8>>, status: u16) -> Self {
        Self { requests, next: 0, status, bytes: None, may_be_busy: false }
    }

    /// `GET path`, with no token or with each of these in turn.
    pub(crate) fn get(path: &str, access_tokens: &[&str], status: u16) -> Self {
        if access_tokens.is_empty() {
            return Self::new(vec![get(path, None)], status);
        }
        Self::new(access_tokens.iter().map(|token| get(path, Some(token))).collect(), status)
    }

    /// `GET` each of these in turn, with no token.
    pub(crate) fn get_each(paths: &[String], status: u16) -> Self {
        Self::new(paths.iter().map(|path| get(path, None)).collect(), status)
    }

    /// `POST path` with nothing in it.
    pub(crate) fn post_empty(path: &str, status: u16) -> Self {
        Self::new(vec![post(path, "", "")], status)
    }

    /// `POST path` with each of these bodies in turn.
    pub(crate) fn post_each(path: &str, bodies: &[String], status: u16) -> Self {
        Self::new(bodies.iter().map(|body| post(path, "", body)).collect(), status)
    }

    /// 503 is an answer too: where more is asked than can be done, that is the right one. Nothing may be said of a rate then.
    pub(crate) fn or_busy(mut self) -> Self {
        self.may_be_busy = true;
        self
    }

    /// Every answer has at least so many bytes: twenty rows are no empty list.
    pub(crate) fn of_at_least(mut self, bytes: usize) -> Self {
        self.bytes = Some(bytes);
        self
    }
}

impl Asker for Repeat {
    fn next(&mut self) -> &[u8] {
        self.next = (self.next + 1) % self.requests.len();
        &self.requests[self.next]
    }

    fn answered(&mut self, answer: &Answer<'_>) -> Result<(), String> {
        if self.may_be_busy && answer.status == 503 {
            return Ok(());
        }
        answer.expect(self.status)?;
        match self.bytes {
            Some(bytes) if answer.body.len() < bytes => Err(format!("{} bytes are too few", answer.body.len())),
            _ => Ok(()),
        }
    }
}

/// Refreshes its sessions in turn, each with a new `Idempotency-Key`, as a client should.
pub(crate) struct Refresh {
    /// The live refresh token of each session. The first is in flight, or next.
    tokens: VecDeque<String>,
    request: Vec<u8>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Refreshed<'a> {
    refresh_token: &'a str,
}

impl Refresh {
    pub(crate) fn new(tokens: impl IntoIterator<Item = String>) -> Self {
        Self { tokens: tokens.into_iter().collect(), request: Vec::new() }
    }
}

impl Asker for Refresh {
    fn next(&mut self) -> &[u8] {
        let token = self.tokens.front().expect("a connection has sessions");
        let key = format!("idempotency-key: {}\r\n", random::uuid());
        self.request = post("/refresh-token", &key, &format!(r#"{{"refreshToken":"{token}"}}"#));
        &self.request
    }

    fn answered(&mut self, answer: &Answer<'_>) -> Result<(), String> {
        answer.expect(200)?;
        let refreshed: Refreshed<'_> = serde_json::from_slice(answer.body).map_err(|error| error.to_string())?;
        self.tokens.push_back(refreshed.refresh_token.to_owned());
        self.tokens.pop_front();
        Ok(())
    }
}
