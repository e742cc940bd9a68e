//! The one writer: a thread that takes the steps that wait, runs them in one transaction and answers when it is durable.
//! A step that fails is rolled back alone; its neighbours in the batch are kept.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::StepError;
use crate::database::DatabaseError;

/// Steps that may wait; past it the caller is told at once that there are too many.
const QUEUE: usize = 4_096;
/// Steps in one transaction at the most, so that none waits long for its neighbours.
const BATCH: usize = 256;
/// A writer that never rests would starve the operator's commands, which are another process: after so much work…
const BUSY_SPELL: Duration = Duration::from_millis(50);
/// …it leaves the database alone for so long, several times as long as a waiting process takes to look again.
const PAUSE: Duration = Duration::from_millis(3);

pub(super) struct Writer {
    steps: Option<SyncSender<Box<dyn Step>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(connection: Connection) -> Self {
        let (steps, waiting) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || write(&connection, &waiting))
            .expect("the operating system starts one thread");
        Self { steps: Some(steps), thread: Some(thread) }
    }

    /// Queues a step; the future answers when it is durable.
    pub(super) fn run<T, F>(
        &self,
        step: F,
    ) -> Result<impl Future<Output = Result<T, DatabaseError>> + Send + use<T, F>, DatabaseError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, StepError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let steps = self.steps.as_ref().expect("the sender lives as long as the writer");
        steps.try_send(Box::new(Pending { step: Some(step), outcome: None, reply })).map_err(|error| match error {
            TrySendError::Full(_) => DatabaseError::Overloaded,
            TrySendError::Disconnected(_) => stopped(),
        })?;
        Ok(async move { answer.await.unwrap_or_else(|_| Err(stopped())) })
    }
}

fn stopped() -> DatabaseError {
    DatabaseError::Step("the writer has stopped".to_owned())
}

impl Drop for Writer {
    // Waits for what is queued, so that the file is closed and its log folded in when the process ends.
    fn drop(&mut self) {
        drop(self.steps.take());
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// A step as the writer sees it: run it, then say how the commit of its batch went.
trait Step: Send {
    fn is_awaited(&self) -> bool;
    fn run(&mut self, connection: &Connection) -> bool;
    fn answer(self: Box<Self>, committed: Result<(), Arc<rusqlite::Error>>);
}

struct Pending<T, F> {
    step: Option<F>,
    outcome: Option<Result<T, DatabaseError>>,
    reply: oneshot::Sender<Result<T, DatabaseError>>,
}

impl<T, F> Step for Pending<T, F>
where
    T: Send,
    F: FnOnce(&Connection) -> Result<T, StepError> + Send,
{
    fn is_awaited(&self) -> bool {
        !self.reply.is_closed()
    }

    fn run(&mut self, connection: &Connection) -> bool {
        let Some(step) = self.step.take() else { return false };
        // A panic in one step must not stop the writing of all the others.
        let outcome = catch_unwind(AssertUnwindSafe(|| step(connection)))
            .unwrap_or_else(|_| Err(StepError::Unreadable("it panicked".to_owned())));
        let succeeded = outcome.is_ok();
        self.outcome = Some(outcome.map_err(DatabaseError::from));
        succeeded
    }

    fn answer(self: Box<Self>, committed: Result<(), Arc<rusqlite::Error>>) {
        let outcome = match (committed, self.outcome) {
            (_, Some(Err(error))) => Err(error),
            (Err(error), _) => Err(DatabaseError::Commit(error)),
            (Ok(()), Some(Ok(value))) => Ok(value),
            (Ok(()), None) => Err(stopped()),
        };
        // Nobody may be waiting any more.
        drop(self.reply.send(outcome));
    }
}

#[allow(clippy::disallowed_methods, reason = "measures how long the writer has been busy; decides nothing else")]
fn write(connection: &Connection, waiting: &Receiver<Box<dyn Step>>) {
    let mut busy_since = None;
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let first = match waiting.try_recv() {
            Ok(step) => step,
            Err(_) => {
                busy_since = None;
                let Ok(step) = waiting.recv() else { return };
                step
            }
        };
        if busy_since.get_or_insert_with(Instant::now).elapsed() > BUSY_SPELL {
            std::thread::sleep(PAUSE);
            busy_since = None;
        }
        batch.push(first);
        let committed = run_batch(connection, &mut batch, waiting).map_err(Arc::new);
        for step in batch.drain(..) {
            step.answer(committed.clone());
        }
    }
}

fn run_batch(
    connection: &Connection,
    batch: &mut Vec<Box<dyn Step>>,
    waiting: &Receiver<Box<dyn Step>>,
) -> rusqlite::Result<()> {
    batch.retain(|step| step.is_awaited());
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let outcome = run_steps(connection, batch, waiting).and_then(|()| connection.execute_batch("COMMIT"));
    if outcome.is_err() && !connection.is_autocommit() {
        // The first error is the one worth telling.
        drop(connection.execute_batch("ROLLBACK"));
    }
    outcome
}

fn run_steps(
    connection: &Connection,
    batch: &mut Vec<Box<dyn Step>>,
    waiting: &Receiver<Box<dyn Step>>,
) -> rusqlite::Result<()> {
    let mut next = 0;
    loop {
        while let Some(step) = batch.get_mut(next) {
            run_step(connection, step.as_mut())?;
            next += 1;
        }
        if batch.len() >= BATCH {
            return Ok(());
        }
        match waiting.try_recv() {
            Ok(step) if step.is_awaited() => batch.push(step),
            Ok(_) => {}
            Err(_) => return Ok(()),
        }
    }
}

fn run_step(connection: &Connection, step: &mut dyn Step) -> rusqlite::Result<()> {
    connection.prepare_cached("SAVEPOINT step")?.execute([])?;
    if !step.run(connection) {
        connection.prepare_cached("ROLLBACK TO step")?.execute([])?;
    }
    connection.prepare_cached("RELEASE step")?.execute([])?;
    Ok(())
}
