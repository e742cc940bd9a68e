//! Sessions in Redis, alone, behind Sentinels and in a cluster: the rules of every session store, and what becomes of them when
//! servers fail.

mod attempts;
mod cluster;
mod conformance;
mod connecting;
mod faults;
mod findings;
mod memory;
mod records;
mod replicas;
mod sending;
mod sentinels;

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use auth_service::domain::digest::Digest;
use auth_service::domain::session::{EndReason, Ending, Presented, Rotation, Session, Which, after};
use auth_service::stores::{Redis, RedisSessions, RedisSettings, SessionStore, StoreError};
use chrono::{DateTime, TimeDelta, Utc};
use shared_claims::{SessionRandom, random};
use system_tests::proof::linearizable::RULES;
use tokio::time::Instant;
use uuid::Uuid;

/// Whatever happens to a store, its caller has an answer in this time.
const PROMPT: Duration = Duration::from_secs(2);

fn settings(url: impl Into<String>) -> RedisSettings {
    RedisSettings { url: url.into().into(), sentinel_password: None, ca_file: None }
}

fn open(settings: &RedisSettings) -> RedisSessions {
    RedisSessions(Redis::open(settings).expect("settings that hold"))
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_900_000_000, 0).expect("a moment")
}

fn later(seconds: i64) -> DateTime<Utc> {
    now() + TimeDelta::seconds(seconds)
}

fn session() -> Session {
    Session {
        id: random::uuid(),
        random: SessionRandom::generate(),
        generation: 0,
        credential_version: 1,
        created_at: now(),
        rotated_at: now(),
        expires_at: after(now(), RULES.refresh_ttl),
        fingerprint: None,
        spent_with: None,
        device_name: "Firefox on Linux".to_owned(),
        ip_address: IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7)),
    }
}

/// The refresh that a session's own client would make now, with a key of its own.
fn presented(session: &Session) -> Presented {
    Presented {
        session_id: session.id,
        random: session.random,
        generation: session.generation,
        fingerprint: session.fingerprint,
        idempotency_key: Some(Digest([7; 16])),
        credential_version: Some(session.credential_version),
        ip_address: session.ip_address,
    }
}

/// One user of a store.
struct User<'a> {
    store: &'a RedisSessions,
    id: Uuid,
}

impl<'a> User<'a> {
    fn new(store: &'a RedisSessions) -> Self {
        Self { store, id: random::uuid() }
    }

    /// The key of this user's sessions, as an operator finds it.
    fn key(&self) -> String {
        format!("latchkey:{{{}}}:sessions", self.id)
    }

    async fn try_start(&self) -> Result<Session, StoreError> {
        let session = session();
        prompt(self.store.start(self.id, session.clone(), &RULES, now())).await.map(|_| session)
    }

    async fn start(&self) -> Session {
        self.try_start().await.expect("the store works")
    }

    async fn try_rotate(&self, presented: &Presented) -> Result<Rotation, StoreError> {
        prompt(self.store.rotate(self.id, presented, &RULES, later(1))).await
    }

    async fn rotate(&self, presented: &Presented) -> Rotation {
        self.try_rotate(presented).await.expect("the store works")
    }

    async fn try_list(&self) -> Result<Vec<Session>, StoreError> {
        prompt(self.store.list(self.id, &RULES, later(1))).await
    }

    async fn list(&self) -> Vec<Session> {
        self.try_list().await.expect("the store works")
    }

    async fn try_end_all(&self) -> Result<Ending, StoreError> {
        prompt(self.store.end(self.id, Which::All, None, EndReason::Admin, &RULES, later(1))).await
    }

    /// What each kind of step comes to, of which none must be taken for an answer when the store fails.
    async fn every_step(&self, session: &Session) -> [Result<(), StoreError>; 5] {
        let unknown = Presented { session_id: random::uuid(), ..presented(session) };
        [
            self.try_rotate(&presented(session)).await.map(drop),
            self.try_rotate(&unknown).await.map(drop),
            self.try_list().await.map(drop),
            self.try_start().await.map(drop),
            self.try_end_all().await.map(drop),
        ]
    }
}

/// Fails the test where there is no answer in time.
async fn prompt<T>(call: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let answer = call.await;
    let took = began.elapsed();
    assert!(took < PROMPT, "it took {took:?}");
    answer
}
