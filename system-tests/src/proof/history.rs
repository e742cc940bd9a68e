//! What clients asked for, when, and what they were answered. Times are ticks of one counter that every client reads: of two events
//! the one with the smaller tick came first.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use auth_service::domain::session::{EndReason, Which};
use shared_claims::SessionRandom;
use uuid::Uuid;

/// A session as its refresh tokens tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// `sid`
    pub id: Uuid,
    /// From the token's `jti`.
    pub random: SessionRandom,
}

/// What a client asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// `POST /login`
    Login,
    /// `POST /refresh-token`
    Refresh {
        /// Whose token.
        session: Identity,
        /// Which of its tokens.
        generation: u64,
        /// The `Idempotency-Key`; equal numbers are equal keys.
        key: Option<u8>,
    },
    /// `POST /logout`
    Logout(Identity),
    /// `DELETE /sessions…`, with an access token of this session.
    End(Uuid, Which),
    /// `GET /sessions`, with an access token of this session.
    List(Uuid),
}

/// What it was answered. Where it names sessions, these are the numbers of the logins that began them, which the clients give as the
/// names of their devices: so a session is known also where the answer to its login was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A session has begun, and these had to end for it.
    SignedIn(Identity, BTreeSet<usize>),
    /// The token of this generation.
    Granted(u64),
    /// The token was spent before; its session has ended.
    Reused,
    /// The session is not live; and why, where that is told.
    SessionEnded(Option<EndReason>),
    /// Done, and nothing to tell.
    Done,
    /// No such session of this user.
    NotFound,
    /// The session that asks is not live.
    AskerNotLive,
    /// The live sessions.
    Listed(BTreeSet<usize>),
    /// Nothing that a service in order answers: status and code.
    Strange(u16, String),
}

/// One call from its beginning to its end.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Who called.
    pub client: usize,
    /// What for.
    pub call: Call,
    /// When.
    pub called: u64,
    /// When it was answered, and what. Without an answer, or with one that the service could not do it, it may have been done, or be
    /// done at any time from the call on, or never.
    pub returned: Option<(u64, Outcome)>,
}

/// Takes down what the clients of one user do.
#[derive(Default)]
pub struct Recorder {
    ticks: AtomicU64,
    operations: Mutex<Vec<Operation>>,
}

impl Recorder {
    /// Makes a call, which is given its number in the history; `None` is an outcome that nobody knows.
    pub async fn record(&self, client: usize, call: Call, make: impl AsyncFnOnce(usize) -> Option<Outcome>) {
        let number = {
            let mut operations = self.operations();
            operations.push(Operation { client, call, called: self.tick(), returned: None });
            operations.len() - 1
        };
        if let Some(outcome) = make(number).await {
            let returned = Some((self.tick(), outcome));
            self.operations()[number].returned = returned;
        }
    }

    /// All that was taken down.
    pub fn into_operations(self) -> Vec<Operation> {
        self.operations.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn operations(&self) -> MutexGuard<'_, Vec<Operation>> {
        self.operations.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tick(&self) -> u64 {
        self.ticks.fetch_add(1, Ordering::SeqCst)
    }
}

/// Writes operations for a person: a session is called by the number of its login.
pub struct Names(HashMap<Uuid, usize>);

impl Names {
    /// The names that this history tells.
    pub fn of(history: &[Operation]) -> Self {
        let begun = |(number, operation): (usize, &Operation)| match &operation.returned {
            Some((_, Outcome::SignedIn(session, _))) => Some((session.id, number)),
            _ => None,
        };
        Self(history.iter().enumerate().filter_map(begun).collect())
    }

    /// One line for each operation.
    pub fn tell<'a>(&self, operations: impl IntoIterator<Item = &'a Operation>) -> String {
        operations.into_iter().map(|operation| self.line(operation) + "\n").collect()
    }

    fn line(&self, operation: &Operation) -> String {
        let Operation { client, call, called, returned } = operation;
        let call = self.call(call);
        match returned {
            Some((at, outcome)) => format!("{called:>4}–{at:<4} client {client}: {call} → {}", self.outcome(outcome)),
            None => format!("{called:>4}–     client {client}: {call} → nobody knows"),
        }
    }

    fn name(&self, id: Uuid) -> String {
        self.0.get(&id).map_or_else(|| id.to_string(), |number| format!("s{number}"))
    }

    fn call(&self, call: &Call) -> String {
        match *call {
            Call::Login => "log in".to_owned(),
            Call::Refresh { session, generation, key } => {
                let key = key.map_or_else(|| "no key".to_owned(), |key| format!("key {key}"));
                format!("refresh {} at generation {generation} with {key}", self.name(session.id))
            }
            Call::Logout(session) => format!("log out of {}", self.name(session.id)),
            Call::End(asker, Which::One(id)) => format!("{} ends {}", self.name(asker), self.name(id)),
            Call::End(asker, Which::All) => format!("{} ends all", self.name(asker)),
            Call::End(asker, _) => format!("{} ends all others", self.name(asker)),
            Call::List(asker) => format!("{} lists", self.name(asker)),
        }
    }

    fn outcome(&self, outcome: &Outcome) -> String {
        match outcome {
            Outcome::SignedIn(session, ended) => format!("{} has begun, ended {ended:?}", self.name(session.id)),
            Outcome::Granted(generation) => format!("generation {generation}"),
            Outcome::Reused => "reuse".to_owned(),
            Outcome::SessionEnded(reason) => format!("ended: {}", reason.map_or("no reason", EndReason::as_str)),
            Outcome::Done => "done".to_owned(),
            Outcome::NotFound => "no such session".to_owned(),
            Outcome::AskerNotLive => "the asker is not live".to_owned(),
            Outcome::Listed(live) => format!("{live:?}"),
            Outcome::Strange(status, code) => format!("{status} {code}"),
        }
    }
}
