//! The servers of one store, whatever their topology: one master, or a cluster of several.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::select_ok;
use redis::Value;
use secrecy::ExposeSecret;
use service_kit::config::Rejected;

use super::cluster::Cluster;
use super::connector::{Connector, Open, Tls};
use super::node::{Node, Way};
use super::script::{self, Call};
use super::sentinel::Sentinels;
use super::url::{self, RedisUrl};
use super::{RedisSettings, failure, keys};
use crate::stores::StoreError;

/// No call takes longer than this, whatever has to be found and connected for it.
const DEADLINE: Duration = Duration::from_millis(1_800);
/// Readiness is asked for within a second.
const CHECK_DEADLINE: Duration = Duration::from_millis(900);

/// An answer, and who gave it.
pub(super) struct Answered {
    pub(super) value: Value,
    pub(super) node: Arc<Node>,
    pub(super) open: Arc<Open>,
}

pub(super) enum Servers {
    Master(Arc<Node>),
    Cluster(Box<Cluster>),
}

impl Servers {
    /// Reads the settings. Nothing is connected before it is needed: a service must survive a store that comes up later.
    pub(super) fn new(settings: &RedisSettings) -> Result<Self, Rejected> {
        let rejected = |key, reason: String| Rejected::new(key, reason);
        let url = RedisUrl::parse(settings.url.expose_secret())
            .map_err(|error| rejected("token_store.url", error.to_string()))?;
        let tls = tls(&url, settings.ca_file.as_deref())?;
        let is_behind_sentinels = matches!(url.servers, url::Servers::BehindSentinels { .. });
        if settings.sentinel_password.is_some() && !is_behind_sentinels {
            let reason = "is given, but token_store.url names no Sentinels";
            return Err(rejected("token_store.sentinel_password", reason.to_owned()));
        }
        let connector = |database| Connector::new(url.user.as_deref(), url.password.as_ref(), database, tls.clone());
        let one = |connector, way| Self::Master(Arc::new(Node::new(connector, way)));
        Ok(match &url.servers {
            url::Servers::One { address, database } => one(connector(*database), Way::Master(address.clone())),
            url::Servers::BehindSentinels { sentinels, master } => {
                let asking = Connector::new(None, settings.sentinel_password.as_ref(), 0, tls.clone());
                one(connector(0), Way::Named(Sentinels::new(asking, sentinels.clone(), master.clone())))
            }
            url::Servers::Cluster { nodes } => Self::Cluster(Box::new(Cluster::new(connector(0), nodes.clone()))),
        })
    }

    /// Runs a script, and answers in time.
    pub(super) async fn run(&self, call: &Call) -> Result<Answered, StoreError> {
        let answer = async {
            match self {
                Self::Master(node) => run_on_master(node, call).await,
                Self::Cluster(cluster) => cluster.run(call).await,
            }
        };
        tokio::time::timeout(DEADLINE, answer).await.unwrap_or(Err(StoreError::TimedOut))
    }

    /// Asks whether something could be written. A cluster that serves a part of the users is not told off for the others: it has
    /// itself been told whether to.
    pub(super) async fn check(&self) -> Result<(), StoreError> {
        let asked = async {
            let numbers = match self {
                Self::Master(_) => vec![0],
                Self::Cluster(cluster) => cluster.numbers(keys::check).await?,
            };
            let calls = numbers.into_iter().map(|number| {
                let call = Call::read(&script::CHECK, keys::check(number));
                Box::pin(async move { self.run(&call).await })
            });
            select_ok(calls).await.map(drop)
        };
        tokio::time::timeout(CHECK_DEADLINE, asked).await.unwrap_or(Err(StoreError::TimedOut))
    }

    /// Every server that sessions are written to.
    pub(super) async fn masters(&self) -> Result<Vec<Arc<Node>>, StoreError> {
        match self {
            Self::Master(node) => Ok(vec![node.clone()]),
            Self::Cluster(cluster) => cluster.masters().await,
        }
    }
}

async fn run_on_master(node: &Arc<Node>, call: &Call) -> Result<Answered, StoreError> {
    let mut is_first = true;
    loop {
        let open = node.open().await?;
        let error = match call.send(&mut open.connection.clone()).await {
            Ok(value) => return Ok(Answered { value, node: node.clone(), open }),
            Err(error) => error,
        };
        if failure::breaks_connection(&error) {
            node.forget(&open);
        }
        // Nothing has run there, or nothing could have been changed; anything else must never be sent twice.
        let may_repeat = failure::is_elsewhere(&error)
            || (call.is_read && failure::breaks_connection(&error) && !error.is_timeout());
        if !is_first || !may_repeat {
            return Err(error.into());
        }
        is_first = false;
    }
}

fn tls(url: &RedisUrl, ca_file: Option<&Path>) -> Result<Option<Tls>, Rejected> {
    match (url.is_tls, ca_file) {
        (false, None) => Ok(None),
        // Whoever names an authority believes that the connection is encrypted.
        (false, Some(_)) => {
            let reason = "is given, but token_store.url asks for no TLS: write rediss in place of redis";
            Err(Rejected::new("token_store.ca_file", reason))
        }
        (true, ca_file) => Tls::new(ca_file).map(Some).map_err(|why| {
            let path = ca_file.unwrap_or(Path::new("")).display();
            Rejected::new("token_store.ca_file", format!("no certificate could be read from {path}: {why}"))
        }),
    }
}
