//! The token store in Redis: sessions, and attempts to guess. Each step is one script that runs on one key, so that nothing comes between.
//! Which server is asked, and how it is found again, is the business of `servers`.

mod attempts;
mod cluster;
mod connector;
mod failure;
mod findings;
mod keys;
mod node;
mod record;
mod replicas;
mod script;
mod sentinel;
mod servers;
mod sessions;
mod unreadable;
mod url;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use prometheus::IntCounter;
use redis::FromRedisValue;
use secrecy::{ExposeSecret, SecretString};
use service_kit::config::Rejected;
use service_kit::outage::Outage;
use tracing::Instrument;
use uuid::Uuid;

pub use self::attempts::RedisAttempts;
pub use self::sessions::RedisSessions;

use self::connector::Open;
use self::node::Node;
use self::script::Call;
use self::servers::{Answered, Servers};
use self::unreadable::Unreadables;
use super::StoreError;

/// Where Redis is and how it is reached.
#[derive(Debug, Clone)]
pub struct RedisSettings {
    /// `redis[s]://`, `redis[s]-sentinel://` or `redis[s]-cluster://`, as the contract writes them.
    pub url: SecretString,
    /// The password of the Sentinels themselves.
    pub sentinel_password: Option<SecretString>,
    /// Certificates (PEM) to trust instead of the public ones.
    pub ca_file: Option<PathBuf>,
}

impl RedisSettings {
    /// Whether a URL means a Redis, well-formed or not.
    pub fn are_meant_by(url: &SecretString) -> bool {
        url::RedisUrl::is_meant(url.expose_secret())
    }
}

/// What a session's value in Redis is once it has been read and packed again; `None` where it cannot be read.
#[cfg(feature = "conformance")]
pub fn repacked_session(value: &[u8]) -> Option<Vec<u8>> {
    record::unpack(Uuid::nil(), value).ok().map(|session| record::pack(&session))
}

/// A Redis, whatever its topology, and the connections to it.
pub struct Redis {
    servers: Servers,
    outage: Outage,
    unreadables: Unreadables,
    unreplicated: Outage,
    unconfirmed_endings: IntCounter,
}

impl Redis {
    /// Reads the settings, or says which of them is wrong. Redis itself is not asked before it is needed, and may come up later.
    pub fn open(settings: &RedisSettings) -> Result<Arc<Self>, Rejected> {
        Ok(Arc::new(Self {
            servers: Servers::new(settings)?,
            outage: Outage::new("the token store"),
            unreadables: Unreadables::default(),
            unreplicated: Outage::new("the replication of ended sessions"),
            unconfirmed_endings: unconfirmed_endings(),
        }))
    }

    /// Endings of sessions that no replica is known to have heard of, though there are replicas.
    pub fn unconfirmed_endings(&self) -> IntCounter {
        self.unconfirmed_endings.clone()
    }

    /// Runs one step and reads its answer. The log is told once when steps begin to fail and once when they work again; and the same of
    /// each record that cannot be read, which is no failure of the store.
    async fn run<T: FromRedisValue, R>(
        &self,
        call: Call,
        read: impl FnOnce(T) -> Result<R, StoreError>,
    ) -> Result<R, StoreError> {
        self.run_and_tell(call, read).await.map(|(answer, _)| answer)
    }

    /// The same, and whom it was told.
    async fn run_and_tell<T: FromRedisValue, R>(
        &self,
        call: Call,
        read: impl FnOnce(T) -> Result<R, StoreError>,
    ) -> Result<(R, Told), StoreError> {
        let answer = self
            .servers
            .run(&call)
            .await
            .and_then(|Answered { value, node, open }| Ok((read(script::decoded(value)?)?, Told { node, open })));
        match &answer {
            Err(cause @ StoreError::Unreadable(_)) => self.unreadables.note(&call.key, cause),
            Err(_) => self.outage.observe(&answer),
            Ok(_) => {
                self.outage.observe(&answer);
                self.unreadables.note_read(&call.key);
            }
        }
        answer
    }

    /// Waits for a replica to hear of an ending. It stands whether one does or not: that none does is for the operator to know, also
    /// where the request is over before that is clear.
    async fn confirm_ending(self: &Arc<Self>, told: Told, user_id: Uuid) {
        let redis = self.clone();
        let confirming = async move {
            let outcome = told.node.confirm(&told.open, user_id).await;
            if outcome.is_err() {
                redis.unconfirmed_endings.inc();
            }
            redis.unreplicated.observe(&outcome);
        };
        drop(tokio::spawn(confirming.in_current_span()).await);
    }
}

/// Counts endings that a fail-over would undo, or that it might.
pub(super) fn unconfirmed_endings() -> IntCounter {
    let name = "latchkey_token_store_unconfirmed_endings_total";
    IntCounter::new(name, "Endings of sessions that no replica confirmed in time.").expect("names are well-formed")
}

/// Who was told to change something.
struct Told {
    node: Arc<Node>,
    open: Arc<Open>,
}

/// Rounded up; the end of time where that is too far, which is a number that a script holds exactly.
fn milliseconds(duration: Duration) -> i64 {
    let end = DateTime::<Utc>::MAX_UTC.timestamp_millis();
    let rounded_up = duration.as_nanos().div_ceil(1_000_000);
    i64::try_from(rounded_up).map_or(end, |milliseconds| milliseconds.min(end))
}
