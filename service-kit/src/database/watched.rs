//! Tells the log when a database begins to fail and when it works again: one line for each change, however many requests meet it.
//! The caller still gets each error, and answers 503 without the cause.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;

use super::{Database, DatabaseError, Row, Value};

/// A database whose failures are logged. Reading and writing are told apart: a full disk stops one and not the other.
pub struct Watched {
    database: Arc<dyn Database>,
    service: String,
    reads: Watch,
    writes: Watch,
}

impl Watched {
    /// Watches `database` in the name of `service`.
    pub fn new(service: &str, database: Arc<dyn Database>) -> Arc<Self> {
        let (reads, writes) = (Watch::new("reading"), Watch::new("writing"));
        Arc::new(Self { database, service: service.to_owned(), reads, writes })
    }
}

#[async_trait]
impl Database for Watched {
    async fn read(&self, sql: &'static str, parameters: Vec<Value>) -> Result<Vec<Row>, DatabaseError> {
        let answer = self.database.read(sql, parameters).await;
        self.reads.note(&self.service, &answer);
        answer
    }

    async fn write(&self, sql: &'static str, parameters: Vec<Value>) -> Result<Vec<Row>, DatabaseError> {
        let answer = self.database.write(sql, parameters).await;
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
