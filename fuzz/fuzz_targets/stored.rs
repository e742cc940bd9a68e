//! Whatever a store, a client's storage or a server's answer holds is read or refused, and what is read is kept as it was.
#![no_main]

use std::sync::{LazyLock, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use auth_service::domain::digest::Digest;
use auth_service::domain::session::{EndReason, Presented, SessionRules, UserSessions, WhenFull, Which};
use auth_service::stores::repacked_session;
use latchkey_client::{Client, Error, SecretString, SessionState, StorageError, StorageLock, TokenStorage};
use latchkey_fuzz::replaced;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Middleware, Next};
use serde_json::Value;
use shared_claims::{Clock, SessionRandom, SystemClock};
use tokio::runtime::{Builder, Runtime};
use uuid::Uuid;

#[derive(Arbitrary, Debug)]
enum Input<'a> {
    /// The value of a field in Redis.
    Packed(&'a [u8]),
    /// A row of SQLite, and a good one with a piece replaced.
    Row { text: &'a str, at: u16, length: u8 },
    /// What a client's storage has.
    Storage { text: &'a str, at: u16, length: u8 },
    /// What a service answers a client.
    Answer { status: u16, retry_after: &'a [u8], is_problem: bool, body: &'a [u8] },
}

fuzz_target!(|input: Input<'_>| match input {
    Input::Packed(value) => {
        if let Some(packed) = repacked_session(value) {
            // The place among the others is the store's own.
            assert!(packed.len() == value.len() && packed[0] == value[0] && packed[5..] == value[5..]);
        }
    }
    Input::Row { text, at, length } => {
        use_row(text);
        use_row(&replaced(&ROW, at, length, text));
    }
    Input::Storage { text, at, length } => {
        read_storage(text.to_owned());
        read_storage(replaced(STORAGE, at, length, text));
    }
    Input::Answer { status, retry_after, is_problem, body } => read_answer(status, retry_after, is_problem, body),
});

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Builder::new_current_thread().build().expect("a runtime"));

const RULES: SessionRules = SessionRules {
    max_per_user: 2,
    when_full: WhenFull::EndLeastRecent,
    reuse_leeway: Duration::from_secs(1),
    max_lifetime: Some(Duration::from_hours(24)),
    refresh_ttl: Duration::from_hours(1),
};

const ID: Uuid = Uuid::from_u128(1);

/// A row with a session and the reason of another.
static ROW: LazyLock<String> = LazyLock::new(|| {
    let now = SystemClock.now().timestamp_millis();
    let session = format!(
        r#"{{"id":"{ID}","random":"AAAAAAAAAAAAAAAAAAAAAA","generation":3,"credential_version":1,"created_at":{now},"rotated_at":{now},"expires_at":{0},"fingerprint":"AAAAAAAAAAAAAAAAAAAAAA","spent_with":null,"device_name":"curl","ip_address":"127.0.0.1"}}"#,
        now + 3_600_000
    );
    let ended = format!(r#"{{"id":"{}","reason":"signed_out","until":{}}}"#, Uuid::nil(), now + 3_600_000);
    let row = format!(r#"{{"live":[{session}],"ended":[{ended}]}}"#);
    assert_eq!(serde_json::from_str::<UserSessions>(&row).expect("a row").list(&RULES, SystemClock.now()).len(), 1);
    row
});

fn use_row(row: &str) {
    let Ok(mut sessions) = serde_json::from_str::<UserSessions>(row) else { return };
    let written = serde_json::to_string(&sessions).expect("a row can be written");
    assert_eq!(serde_json::from_str::<UserSessions>(&written).expect("and read"), sessions);
    let now = SystemClock.now();
    let presented = Presented {
        session_id: ID,
        random: SessionRandom([0; 16]),
        generation: 3,
        fingerprint: Some(Digest([0; 16])),
        idempotency_key: None,
        credential_version: Some(1),
        ip_address: [127, 0, 0, 1].into(),
    };
    sessions.rotate(&presented, &RULES, now);
    sessions.end(Which::All, None, EndReason::Admin, &RULES, now);
    assert!(sessions.list(&RULES, now).is_empty());
}

const STORAGE: &str = r#"{"session":{"accessToken":"a.b.c","refreshToken":"d.e.f","idempotencyKey":"0123456789abcdef0123456789abcdef","expiresIn":900,"sessionId":"00000000-0000-0000-0000-000000000001","user":{"id":"00000000-0000-0000-0000-000000000001","username":"ada","email":"ada@example.test","createdAt":"2026-01-01T00:00:00Z"}}}"#;

/// What [`Storage`] has.
static STORED: Mutex<String> = Mutex::new(String::new());

#[derive(Debug)]
struct Storage;

#[async_trait]
impl TokenStorage for Storage {
    async fn load(&self) -> Result<Option<SecretString>, StorageError> {
        Ok(Some(STORED.lock().expect("nobody panicked").clone().into()))
    }

    async fn store(&self, _: &SecretString) -> Result<(), StorageError> {
        Ok(())
    }

    async fn lock(&self) -> Result<StorageLock, StorageError> {
        Ok(StorageLock::new(()))
    }
}

static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    let client = Client::builder("http://127.0.0.1:1").storage(Storage).build().expect("a client");
    STORAGE.clone_into(&mut STORED.lock().expect("nobody panicked"));
    let state = RUNTIME.block_on(client.session()).expect("what is stored");
    assert!(matches!(state, SessionState::SignedIn { .. }));
    client
});

fn read_storage(text: String) {
    let client = &*CLIENT;
    *STORED.lock().expect("nobody panicked") = text;
    RUNTIME.block_on(client.session()).expect("a state, whatever is stored");
}

type Answer = http::Response<Vec<u8>>;

/// What [`Answering`] answers next.
static ANSWER: Mutex<Option<Answer>> = Mutex::new(None);

struct Answering;

#[async_trait]
impl Middleware for Answering {
    async fn handle(
        &self,
        _: reqwest::Request,
        _: &mut http::Extensions,
        _: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        Ok(ANSWER.lock().expect("nobody panicked").take().expect("an answer").into())
    }
}

static ANSWERED: LazyLock<ClientWithMiddleware> =
    LazyLock::new(|| ClientBuilder::new(reqwest::Client::new()).with(Answering).build());

fn read_answer(status: u16, retry_after: &[u8], is_problem: bool, body: &[u8]) {
    let kind = if is_problem { "application/problem+json" } else { "application/json" };
    let answer = http::Response::builder()
        .status(status % 900 + 100)
        .header("retry-after", retry_after)
        .header("content-type", kind)
        .body(body.to_vec());
    let Ok(answer) = answer else { return };
    *ANSWER.lock().expect("nobody panicked") = Some(answer);
    match RUNTIME.block_on(latchkey_client::read::<Value>(ANSWERED.get("http://127.0.0.1:1"))) {
        Err(Error::Refused(problem)) => {
            let is_number = (1..=6).contains(&retry_after.len()) && retry_after.iter().all(u8::is_ascii_digit);
            assert_eq!(problem.retry_after.is_some(), is_number);
            drop(problem.to_string());
        }
        Err(error) => drop(error.to_string()),
        Ok(_) => {}
    }
}
