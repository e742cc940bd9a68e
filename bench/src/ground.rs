//! What all comparisons stand on: the servers, sites over them, and rounds that go to each side in turn.

use std::cell::RefCell;
use std::fs;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use system_tests::postgres;
use system_tests::program::{Program, Service};
use system_tests::redis;
use system_tests::site::{Site, Storage};

use crate::load::{Asker, Crew, LoadError, Round};
use crate::machine::{Load, Watch};
use crate::serve::JOBS_DATABASE;
use crate::table::{median, rate};

/// Connections to each side.
pub(crate) const CONNECTIONS: usize = 32;

/// What PostgreSQL is set to where a test's server would forget what it was told.
const DURABLE: [(&str, &str); 4] =
    [("fsync", "on"), ("full_page_writes", "on"), ("synchronous_commit", "on"), ("shared_buffers", "128MB")];

/// As shipped: limits are on.
const SHIPPED: [(&str, &str); 1] = [("RATE_LIMIT__ENABLED", "true")];

pub(crate) struct Ground {
    pub(crate) rounds: usize,
    pub(crate) length: Duration,
    servers: RefCell<Option<Rc<Servers>>>,
}

/// Redis and PostgreSQL, for all sites.
pub(crate) struct Servers {
    pub(crate) redis: redis::Server,
    postgres: Arc<postgres::Server>,
}

impl Ground {
    pub(crate) fn prepare(rounds: usize, length: Duration) -> Self {
        Self { rounds, length, servers: RefCell::default() }
    }

    /// The servers, started when they are first needed.
    pub(crate) fn servers(&self) -> Rc<Servers> {
        let start =
            || Rc::new(Servers { redis: redis::Server::start(), postgres: postgres::Server::start_with(&DURABLE) });
        self.servers.borrow_mut().get_or_insert_with(start).clone()
    }

    /// Everything in SQLite.
    pub(crate) async fn embedded(&self) -> Site {
        Site::open(Storage::Embedded, &SHIPPED).await
    }

    /// Users and jobs in SQLite, sessions in Redis.
    pub(crate) async fn embedded_with_redis(&self) -> Site {
        let url = self.servers().redis.url();
        Site::open(Storage::Embedded, &[&SHIPPED[..], &[("TOKEN_STORE__URL", &url)]].concat()).await
    }

    /// Users and jobs in PostgreSQL, sessions in Redis.
    pub(crate) async fn distributed(&self) -> Site {
        let servers = self.servers();
        Site::over(&servers.redis.url(), servers.postgres.database(), &SHIPPED).await
    }

    /// Rounds that go to each of two in turn, after one of each that is thrown away.
    pub(crate) async fn interleave<T>(
        &self,
        mut one: impl AsyncFnMut(Duration) -> Result<T, LoadError>,
        mut other: impl AsyncFnMut(Duration) -> Result<T, LoadError>,
    ) -> Result<(Vec<(T, T)>, Load), LoadError> {
        one(self.length / 2).await?;
        other(self.length / 2).await?;
        let watch = self.watch();
        let mut rounds = Vec::new();
        for _ in 0..self.rounds {
            rounds.push((one(self.length).await?, other(self.length).await?));
        }
        Ok((rounds, watch.stop()))
    }

    /// The same at full speed over the connections of each, by their rates.
    pub(crate) async fn race(&self, one: &mut Crew, other: &mut Crew) -> Result<Race, LoadError> {
        let (rounds, load) = self
            .interleave(
                async |length| one.at_full_speed(length).await,
                async |length| other.at_full_speed(length).await,
            )
            .await?;
        let rates: Vec<_> = rounds.iter().map(|(one, other)| (one.rate(), other.rate())).collect();
        Ok(Race { rates, load })
    }

    /// Watches what else goes on.
    pub(crate) fn watch(&self) -> Watch {
        let mut roots = vec![std::process::id()];
        if let Some(servers) = self.servers.borrow().as_ref() {
            // It is nobody's child: `pg_ctl` has started it.
            let file = fs::read_to_string(servers.postgres.data().join("postmaster.pid")).unwrap_or_default();
            roots.extend(file.lines().next().and_then(|id| id.parse::<u32>().ok()));
        }
        Watch::start(roots)
    }
}

/// The rates of both sides, round by round.
pub(crate) struct Race {
    pub(crate) rates: Vec<(f64, f64)>,
    pub(crate) load: Load,
}

impl Race {
    pub(crate) fn ratios(&self) -> Vec<f64> {
        self.rates.iter().map(|(one, other)| one / other).collect()
    }

    /// The medians of both.
    pub(crate) fn figures(&self) -> String {
        let (one, other): (Vec<_>, Vec<_>) = self.rates.iter().copied().unzip();
        format!("{} · {}", rate(median(&one)), rate(median(&other)))
    }
}

/// A p-th percentile of each side, round by round, in milliseconds.
pub(crate) fn percentiles(rounds: &[(Round, Round)], percentile: f64) -> Vec<(f64, f64)> {
    rounds.iter().map(|(one, other)| (one.percentile(percentile), other.percentile(percentile))).collect()
}

/// The services of a site, as programs.
pub(crate) async fn auth_service(site: &Site) -> Service {
    Program::new("auth-service", site.directory(), site.environment(&[])).serve().await
}

pub(crate) async fn jobs_service(site: &Site) -> Service {
    Program::new("jobs-service", site.directory(), site.jobs_environment()).serve().await
}

/// The baselines over what a site keeps.
pub(crate) async fn baselines(site: &Site) -> Service {
    let jobs = site.jobs_environment().into_iter().find(|(name, _)| name == "LATCHKEY_DATABASE__URL");
    let (_, jobs) = jobs.expect("a site has a database");
    let mut environment = site.environment(&[]);
    environment.push((JOBS_DATABASE.to_owned(), jobs));
    Program::new("bench", site.directory(), environment).serve().await
}

/// As many connections as there are, each asking what it is given.
pub(crate) async fn crew(
    address: SocketAddr,
    count: usize,
    mut asker: impl FnMut(usize) -> Box<dyn Asker>,
) -> Result<Crew, LoadError> {
    Ok(Crew::connect(address, (0..count).map(&mut asker).collect()).await?)
}

/// What a list is cut into for so many connections.
pub(crate) fn share<T: Clone>(all: &[T], count: usize, number: usize) -> Vec<T> {
    all.iter().skip(number).step_by(count).cloned().collect()
}

/// Half of what these connections reach.
pub(crate) async fn rate_of_half(crew: &mut Crew, length: Duration) -> Result<f64, LoadError> {
    Ok(crew.at_full_speed(length).await?.rate() / 2.0)
}
