//! What is found about the servers of a store by asking them: settings that lose sessions or waste memory, replicas that lag, a
//! clock that is off. Only here is Redis's own clock looked at.

use std::collections::HashMap;
use std::fmt::Display;
use std::sync::Arc;

use chrono::TimeDelta;
use futures_util::future::try_join_all;
use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, RedisResult};
use shared_claims::Clock;

use super::node::Node;
use super::servers::Servers;
use super::{failure, record};
use crate::stores::{Finding, Severity, StoreError};

const OLDEST_VERSION: (u32, u32) = (6, 2);
/// A clock that is off by more is worth a word.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::seconds(2);
/// A replica reports every second; one that has been silent for so many seconds lags.
const REPLICA_SILENCE: u64 = 5;
/// A replica that lacks so many bytes lags.
const REPLICA_BACKLOG: u64 = 1 << 20;
/// Fields of a user with the sessions and the endings that are kept by default.
const FIELDS: u64 = 21;

/// Looks at every server that sessions are written to.
pub(super) async fn look(servers: &Servers, clock: &dyn Clock) -> Result<Vec<Finding>, StoreError> {
    let masters = servers.masters().await?;
    let each = masters.iter().map(async |node| look_at(node, clock, matches!(servers, Servers::Cluster(_))).await);
    let mut findings: Vec<Finding> = try_join_all(each).await?.into_iter().flatten().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    Ok(findings)
}

async fn look_at(node: &Arc<Node>, clock: &dyn Clock, is_cluster: bool) -> Result<Vec<Finding>, StoreError> {
    let open = node.open().await?;
    let mut server =
        Server { name: open.address.to_string(), connection: open.connection.clone(), findings: Vec::new() };
    let info: Option<String> = server.ask_if_allowed(&["INFO"]).await.inspect_err(|error| {
        if failure::breaks_connection(error) {
            node.forget(&open);
        }
    })?;
    if let Some(info) = info.as_deref().map(Info::parse) {
        server.version(&info);
        server.memory(&info);
        server.persistence(&info).await;
        server.replication(&info);
    }
    server.clock(clock).await?;
    server.listpack_limits().await;
    if is_cluster {
        server.cluster().await?;
    }
    Ok(server.findings)
}

struct Server {
    name: String,
    connection: MultiplexedConnection,
    findings: Vec<Finding>,
}

impl Server {
    async fn ask<T: FromRedisValue>(&self, words: &[&str]) -> RedisResult<T> {
        let (name, arguments) = words.split_first().unwrap_or((&"PING", &[]));
        redis::cmd(name).arg(arguments).query_async(&mut self.connection.clone()).await
    }

    /// The same where our user may lack the right: then that is found, and what could be seen with it is not.
    async fn ask_if_allowed<T: FromRedisValue>(&mut self, words: &[&str]) -> RedisResult<Option<T>> {
        match self.ask(words).await {
            Err(error) if failure::is_forbidden(&error) => {
                let (command, right) = (words.join(" "), words.join("|").to_lowercase());
                let what = format!("our user may not use {command}, so not everything can be looked at");
                self.add(Severity::Warning, what, format!("Give it the right: ACL SETUSER … +{right}"));
                Ok(None)
            }
            answer => answer.map(Some),
        }
    }

    /// A setting, where it may be read: managed services mostly forbid it.
    async fn setting(&self, name: &str) -> Option<String> {
        let answer: RedisResult<HashMap<String, String>> = self.ask(&["CONFIG", "GET", name]).await;
        answer.ok()?.remove(name)
    }

    fn add(&mut self, severity: Severity, what: impl Display, advice: impl Into<String>) {
        self.findings.push(Finding { severity, what: format!("{}: {what}", self.name), advice: advice.into() });
    }

    fn version(&mut self, info: &Info<'_>) {
        if let Some(version) = info.text("redis_version").filter(|version| is_too_old(version)) {
            self.add(Severity::Problem, format!("Redis {version} is too old"), "Use Redis 6.2 or newer, or Valkey.");
        }
    }

    fn memory(&mut self, info: &Info<'_>) {
        if let Some(policy) = info.text("maxmemory_policy").filter(|policy| *policy != "noeviction") {
            let what = format!("maxmemory-policy is {policy}: where memory runs short, users are signed out at random");
            self.add(Severity::Problem, what, "Set maxmemory-policy to noeviction, and maxmemory large enough.");
        }
        if let Some(evicted) = info.number("evicted_keys").filter(|evicted| *evicted > 0) {
            let what = format!("{evicted} keys were evicted since it started: so many users may have been signed out");
            self.add(Severity::Problem, what, "Give it more memory, and set maxmemory-policy to noeviction.");
        }
    }

    async fn persistence(&mut self, info: &Info<'_>) {
        if info.number("aof_enabled") != Some(0) {
            return;
        }
        let (what, severity) = match self.setting("save").await.as_deref() {
            Some("") => ("nothing is written to disk: a restart signs everybody out", Severity::Problem),
            _ => ("the append-only file is off: a crash loses the logins since the last snapshot", Severity::Warning),
        };
        self.add(severity, what, "Set appendonly to yes, with appendfsync everysec or always.");
    }

    fn replication(&mut self, info: &Info<'_>) {
        let advice = "Look after the network and the replica: what it lacks is lost in a fail-over.";
        let written = info.number("master_repl_offset").unwrap_or(0);
        for number in 0..info.number("connected_slaves").unwrap_or(0) {
            let Some(replica) = info.text(&format!("slave{number}")) else { continue };
            let fields: HashMap<&str, &str> = replica.split(',').filter_map(|field| field.split_once('=')).collect();
            let number = |name| fields.get(name).and_then(|number| number.parse::<u64>().ok());
            let state = fields.get("state").copied().unwrap_or("unknown");
            let (silence, behind) = (number("lag").unwrap_or(0), written.saturating_sub(number("offset").unwrap_or(0)));
            if state != "online" {
                self.add(Severity::Warning, format!("a replica is {state}"), advice);
            } else if silence > REPLICA_SILENCE || behind > REPLICA_BACKLOG {
                let what = format!("a replica lags by {behind} bytes, last heard of {silence} s ago");
                self.add(Severity::Warning, what, advice);
            }
        }
    }

    async fn clock(&mut self, clock: &dyn Clock) -> Result<(), StoreError> {
        let before = clock.now();
        let Some((seconds, microseconds)) = self.ask_if_allowed::<(i64, i64)>(&["TIME"]).await? else { return Ok(()) };
        let after = clock.now();
        let Some(its_time) = chrono::DateTime::from_timestamp_micros(seconds * 1_000_000 + microseconds) else {
            return Ok(());
        };
        // Its clock was read at some moment in between.
        let off = (before - its_time).max(its_time - after);
        if off > CLOCK_TOLERANCE {
            let what = format!("its clock and this machine's differ by {} s", off.num_seconds());
            self.add(
                Severity::Warning,
                what,
                "Let both machines take their time from NTP. Expiry goes by this machine's.",
            );
        }
        Ok(())
    }

    async fn listpack_limits(&mut self) {
        let advice = "Set hash-max-listpack-value to 512 (hash-max-ziplist-value before Redis 7).";
        let mut are_known = false;
        // A user with a value that is longer, or with more of them, is kept in a form that takes half as much again.
        for (kind, needed) in [("value", record::LONGEST), ("entries", FIELDS)] {
            let limit = match self.setting(&format!("hash-max-listpack-{kind}")).await {
                Some(limit) => Some(limit),
                None => self.setting(&format!("hash-max-ziplist-{kind}")).await,
            };
            let Some(limit) = limit.and_then(|limit| limit.parse::<u64>().ok()) else { continue };
            are_known = true;
            if limit < needed {
                let what = format!(
                    "hash-max-listpack-{kind} is {limit}: users with more than that take half as much memory again"
                );
                self.add(Severity::Warning, what, advice);
            }
        }
        if !are_known && self.has_sprawling_sessions().await == Some(true) {
            self.add(
                Severity::Warning,
                "sessions are not stored compactly, and take half as much memory again",
                advice,
            );
        }
    }

    /// Whether the first sessions that come along are stored in the form that takes more memory.
    async fn has_sprawling_sessions(&self) -> Option<bool> {
        let scan = ["SCAN", "0", "MATCH", "latchkey:*:sessions", "COUNT", "1000"];
        let (_, keys): (String, Vec<String>) = self.ask(&scan).await.ok()?;
        let encoding: String = self.ask(&["OBJECT", "ENCODING", keys.first()?]).await.ok()?;
        Some(encoding == "hashtable")
    }

    async fn cluster(&mut self) -> Result<(), StoreError> {
        let Some(info) = self.ask_if_allowed::<String>(&["CLUSTER", "INFO"]).await? else { return Ok(()) };
        let info = Info::parse(&info);
        let (state, served) = (info.text("cluster_state").unwrap_or("unknown"), info.number("cluster_slots_ok"));
        if state != "ok" || served != Some(16_384) {
            let served = served.unwrap_or(0);
            let what = format!("the cluster is in state {state} and serves {served} of 16384 slots");
            self.add(Severity::Problem, what, "See `redis-cli --cluster check`.");
        }
        Ok(())
    }
}

fn is_too_old(version: &str) -> bool {
    let mut numbers = version.split('.').map_while(|number| number.parse::<u32>().ok());
    matches!((numbers.next(), numbers.next()), (Some(major), Some(minor)) if (major, minor) < OLDEST_VERSION)
}

/// Lines of `name:value`.
struct Info<'a>(HashMap<&'a str, &'a str>);

impl<'a> Info<'a> {
    fn parse(text: &'a str) -> Self {
        Self(text.lines().filter_map(|line| line.trim_end().split_once(':')).collect())
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        self.0.get(name).copied()
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        for version in ["2.8.0", "6.0.16", "6.1.240"] {
            assert!(is_too_old(version), "{version}");
        }
        for version in ["6.2.0", "6.10.0", "7.0.15", "7.2.4", "8.0.0", "10.0", "unstable"] {
            assert!(!is_too_old(version), "{version}");
        }
    }
}
