//! Load on one service over connections that stay open: each asks, waits for the answer, and asks again (a closed loop), either as fast
//! as it goes or at a fixed rate. What is asked is the `Asker`'s.
//!
//! Everything runs on the thread that calls, so that the generator takes as little as it can from the cores that it shares with the
//! service.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::try_join_all;
use hdrhistogram::Histogram;
use tokio::time::{Instant, sleep_until};

use crate::connection::{Answer, Connection};

/// What one connection asks, one request after the other.
pub(crate) trait Asker {
    /// The next request, complete.
    fn next(&mut self) -> &[u8];

    /// Takes its answer, or says what is wrong with it.
    fn answered(&mut self, answer: &Answer<'_>) -> Result<(), String>;
}

/// Why a round is worth nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    #[error("an answer that was not expected: {0}")]
    Answer(String),
}

/// The connections to one service.
pub(crate) struct Crew {
    members: Vec<(Connection, Box<dyn Asker>)>,
}

/// What a round has shown.
pub(crate) struct Round {
    pub(crate) requests: u64,
    pub(crate) took: Duration,
    /// In microseconds.
    pub(crate) latencies: Histogram<u64>,
}

impl Round {
    /// Requests a second.
    pub(crate) fn rate(&self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
        let requests = self.requests as f64;
        requests / self.took.as_secs_f64()
    }

    /// A percentile of the latencies, in milliseconds.
    pub(crate) fn percentile(&self, percentile: f64) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "far below 2^52")]
        let microseconds = self.latencies.value_at_quantile(percentile / 100.0) as f64;
        microseconds / 1_000.0
    }
}

impl Crew {
    /// Opens a connection for each asker.
    pub(crate) async fn connect(address: SocketAddr, askers: Vec<Box<dyn Asker>>) -> io::Result<Self> {
        let mut members = Vec::new();
        for asker in askers {
            members.push((Connection::open(address).await?, asker));
        }
        Ok(Self { members })
    }

    /// As many requests as the service answers.
    pub(crate) async fn at_full_speed(&mut self, length: Duration) -> Result<Round, LoadError> {
        self.run(length, None).await
    }

    /// So many requests a second, spread evenly. Latencies are corrected for coordinated omission: a request that could not be sent when
    /// it was due, for the answer before it was late, has waited since then.
    pub(crate) async fn at_rate(&mut self, per_second: f64, length: Duration) -> Result<Round, LoadError> {
        self.run(length, Some(per_second)).await
    }

    async fn run(&mut self, length: Duration, per_second: Option<f64>) -> Result<Round, LoadError> {
        let start = Instant::now();
        let members = u32::try_from(self.members.len()).expect("a few connections");
        let interval = per_second.map(|rate| Duration::from_secs_f64(f64::from(members) / rate));
        let runs = self.members.iter_mut().zip(0_u32..).map(|((connection, asker), number)| {
            let pace = interval.map(|interval| Pace { due: start + interval * number / members, interval });
            member(connection, &mut **asker, start + length, pace)
        });
        let mut latencies = histogram();
        for own in try_join_all(runs).await? {
            latencies.add(own).expect("both have the same bounds");
        }
        Ok(Round { requests: latencies.len(), took: start.elapsed(), latencies })
    }
}

/// When the requests of one connection are due.
struct Pace {
    due: Instant,
    interval: Duration,
}

async fn member(
    connection: &mut Connection,
    asker: &mut dyn Asker,
    end: Instant,
    mut pace: Option<Pace>,
) -> Result<Histogram<u64>, LoadError> {
    let mut latencies = histogram();
    while Instant::now() < end {
        let mut since = Instant::now();
        if let Some(Pace { due, interval }) = &mut pace {
            if *due >= end {
                break;
            }
            if *due > since {
                // The timer's own lateness, up to a millisecond, is not the service's.
                sleep_until(*due).await;
                since = Instant::now();
            } else {
                since = *due;
            }
            *due += *interval;
        }
        let answer = connection.ask(asker.next()).await?;
        latencies.saturating_record(u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX));
        asker.answered(&answer).map_err(LoadError::Answer)?;
    }
    Ok(latencies)
}

/// Up to a minute, to three significant digits.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3).expect("bounds that make sense")
}
