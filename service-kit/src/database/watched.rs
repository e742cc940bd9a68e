//! Tells the log when a database begins to fail and when it works again: one line for each change, however many requests meet it.
//! The caller still gets each error, and answers 503 without the cause. Each call is timed for the metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use prometheus::PullingGauge;
use strum::{IntoStaticStr, VariantArray};

use super::{Connections, Database, DatabaseError, Row, Value};
use crate::metrics::{Metrics, Timings, WELL_FORMED};

/// A database whose failures are logged. Reading and writing are told apart: a full disk stops one and not the other.
pub struct Watched {
    database: Arc<dyn Database>,
    timings: Timings<Operation>,
    service: String,
    reads: Watch,
    writes: Watch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, VariantArray, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
enum Operation {
    Read,
    Write,
}

impl Watched {
    /// Watches `database` in the name of `service`.
    pub fn new(service: &str, database: Arc<dyn Database>) -> Arc<Self> {
        let (reads, writes) = (Watch::new("reading"), Watch::new("writing"));
        let timings = Timings::new("database", "the database");
        Arc::new(Self { database, timings, service: service.to_owned(), reads, writes })
    }

    /// Shows how long calls take, how many fail and, where there is a pool, how much of it is in use.
    pub fn show_in(&self, metrics: &Metrics) {
        metrics.register(self.timings.clone());
        let gauge = |name: &str, help: &str, read: fn(Connections) -> usize| {
            let database = self.database.clone();
            #[allow(clippy::cast_precision_loss, reason = "there are a hundred connections at the most")]
            let read = move || database.connections().map_or(0.0, |connections| read(connections) as f64);
            metrics.register(PullingGauge::new(name, help, Box::new(read)).expect(WELL_FORMED));
        };
        if self.database.connections().is_some() {
            gauge("latchkey_database_connections", "Connections to the database that are open.", |pool| pool.open);
            gauge("latchkey_database_connections_max", "Connections to the database at the most.", |pool| pool.most);
        }
    }
}

#[async_trait]
impl Database for Watched {
    async fn read(&self, sql: &'static str, parameters: Vec<Value>) -> Result<Vec<Row>, DatabaseError> {
        let answer = self.timings.time(Operation::Read, self.database.read(sql, parameters)).await;
        self.reads.note(&self.service, &answer);
        answer
    }

    async fn write(&self, sql: &'static str, parameters: Vec<Value>) -> Result<Vec<Row>, DatabaseError> {
        let answer = self.timings.time(Operation::Write, self.database.write(sql, parameters)).await;
        self.writes.note(&self.service, &answer);
        answer
    }

    // Whoever asks notes the answer.
    async fn check(&self) -> Result<(), DatabaseError> {
        self.database.check().await
    }
}

struct Watch {
    work: &'static str,
    is_up: AtomicBool,
}

impl Watch {
    fn new(work: &'static str) -> Self {
        Self { work, is_up: AtomicBool::new(true) }
    }

    fn note(&self, service: &str, answer: &Result<Vec<Row>, DatabaseError>) {
        // Looked at first, for a swap at each call would have the workers wait for each other.
        let is_up = answer.is_ok();
        if self.is_up.load(Ordering::Relaxed) == is_up || self.is_up.swap(is_up, Ordering::Relaxed) == is_up {
            return;
        }
        match answer {
            Ok(_) => tracing::info!(service, work = self.work, "the database works again"),
            Err(cause) => tracing::warn!(service, work = self.work, %cause, "the database fails"),
        }
    }
}

#[cfg(test)]
#[path = "watched_tests.rs"]
mod tests;
