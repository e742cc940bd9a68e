//! A store against the pure state machine, over random histories: each answer and each list must be the same.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use shared_claims::{SessionRandom, random};
use tokio::runtime::Handle;
use uuid::Uuid;

use super::{Stage, presented, session, start_of_time};
use crate::domain::digest::Digest;
use crate::domain::session::{
    Asking, EndReason, EndedSession, Ending, Presented, Session, SessionRules, UserSessions, WhenFull, Which, after,
};
use crate::stores::SessionStore;

/// Histories that are tried.
const HISTORIES: u32 = 150;
/// Fewer sessions than endings are remembered, so that the order within one ending at once does not show.
const SESSIONS: usize = 12;

#[derive(Debug, Clone)]
enum Call {
    Start { has_fingerprint: bool },
    Rotate { session: usize, generation: i64, is_forged: bool, fingerprint: u8, key: u8, version: u8 },
    End { which: u8, session: usize, asking: Option<(usize, bool)>, reason: usize },
    ChangeCredentials { asking: (usize, bool) },
    Wait { milliseconds: i64 },
}

fn call() -> impl Strategy<Value = Call> {
    let session = || 0..SESSIONS;
    let milliseconds = prop_oneof![0..3_i64, 900..1_100_i64, 40_000..61_000_i64];
    let rotate = (session(), -2..2_i64, prop::bool::weighted(0.05), 0..3_u8, 0..3_u8, 0..20_u8);
    let asker = move || (session(), prop::bool::weighted(0.9));
    let asking = prop::option::weighted(0.4, asker());
    prop_oneof![
        3 => prop::bool::ANY.prop_map(|has_fingerprint| Call::Start { has_fingerprint }),
        8 => rotate.prop_map(|(session, generation, is_forged, fingerprint, key, version)| {
            Call::Rotate { session, generation, is_forged, fingerprint, key, version }
        }),
        2 => (0..8_u8, session(), asking, 0..8_usize).prop_map(|(which, session, asking, reason)| {
            Call::End { which, session, asking, reason }
        }),
        1 => asker().prop_map(|asking| Call::ChangeCredentials { asking }),
        2 => milliseconds.prop_map(|milliseconds| Call::Wait { milliseconds }),
    ]
}

fn rules() -> impl Strategy<Value = SessionRules> {
    let when_full = prop_oneof![Just(WhenFull::EndAll), Just(WhenFull::EndLeastRecent)];
    let leeway = prop_oneof![Just(0), Just(1_000)];
    let max_lifetime = prop_oneof![Just(None), Just(Some(Duration::from_secs(90)))];
    (1..6_usize, when_full, leeway, max_lifetime).prop_map(|(max_per_user, when_full, leeway, max_lifetime)| {
        SessionRules {
            max_per_user,
            when_full,
            reuse_leeway: Duration::from_millis(leeway),
            max_lifetime,
            refresh_ttl: Duration::from_mins(1),
        }
    })
}

/// The store and the state machine side by side.
struct History {
    store: Arc<dyn SessionStore>,
    machine: UserSessions,
    user: Uuid,
    rules: SessionRules,
    now: DateTime<Utc>,
    known: Vec<Session>,
}

#[allow(missing_docs, reason = "its name is the rule")]
pub async fn agrees_with_the_state_machine_over_random_histories(stage: Stage) {
    let runtime = Handle::current();
    let checked = tokio::task::spawn_blocking(move || {
        let config = Config { cases: HISTORIES, failure_persistence: None, ..Config::default() };
        let histories = (rules(), prop::collection::vec(call(), 1..60));
        TestRunner::new(config)
            .run(&histories, |(rules, calls)| runtime.block_on(History::new(&stage, rules).follow(calls)))
    });
    if let Err(error) = checked.await.expect("the comparison ran") {
        panic!("{error}");
    }
}

impl History {
    fn new(stage: &Stage, rules: SessionRules) -> Self {
        let (store, user) = (stage.store.clone(), random::uuid());
        Self { store, machine: UserSessions::default(), user, rules, now: start_of_time(), known: Vec::new() }
    }

    async fn follow(mut self, calls: Vec<Call>) -> Result<(), TestCaseError> {
        for call in calls {
            match call {
                Call::Start { has_fingerprint } => self.start(has_fingerprint).await?,
                Call::Wait { milliseconds } => self.now += TimeDelta::milliseconds(milliseconds),
                Call::End { which, session, asking, reason } => self.end(which, session, asking, reason).await?,
                Call::Rotate { .. } => self.rotate(&call).await?,
                Call::ChangeCredentials { asking } => self.change_credentials(asking).await?,
            }
            let listed = self.store.list(self.user, &self.rules, self.now).await.expect("the store works");
            prop_assert_eq!(listed, self.machine.list(&self.rules, self.now));
        }
        Ok(())
    }

    async fn start(&mut self, has_fingerprint: bool) -> Result<(), TestCaseError> {
        if self.known.len() == SESSIONS {
            return Ok(());
        }
        let started = Session {
            fingerprint: has_fingerprint.then_some(Digest([1; 16])),
            expires_at: after(self.now, self.rules.refresh_ttl),
            ..session(self.now)
        };
        let expected = self.machine.start(started.clone(), &self.rules, self.now);
        let answer =
            self.store.start(self.user, started.clone(), &self.rules, self.now).await.expect("the store works");
        self.known.push(started);
        prop_assert_eq!(sorted(answer), sorted(expected));
        Ok(())
    }

    async fn rotate(&mut self, call: &Call) -> Result<(), TestCaseError> {
        let Call::Rotate { session, generation, is_forged, fingerprint, key, version } = *call else { return Ok(()) };
        let Some(known) = self.known.get(session) else { return Ok(()) };
        let current = self.current(known);
        let request = Presented {
            generation: current.generation.saturating_add_signed(generation),
            random: if is_forged { SessionRandom([0; 16]) } else { known.random },
            fingerprint: match fingerprint {
                0 => None,
                1 => Some(Digest([1; 16])),
                _ => known.fingerprint,
            },
            idempotency_key: (key > 0).then_some(Digest([key; 16])),
            credential_version: match version {
                0 => None,
                1 => Some(current.credential_version + 1),
                _ => Some(current.credential_version),
            },
            ..presented(known)
        };
        let expected = self.machine.rotate(&request, &self.rules, self.now);
        let answer = self.store.rotate(self.user, &request, &self.rules, self.now).await.expect("the store works");
        prop_assert_eq!(answer, expected, "{:?}", request);
        Ok(())
    }

    async fn end(
        &mut self,
        which: u8,
        session: usize,
        asking: Option<(usize, bool)>,
        reason: usize,
    ) -> Result<(), TestCaseError> {
        let Some(known) = self.known.get(session) else { return Ok(()) };
        let which = match which {
            0 => Which::All,
            1 => Which::AllBut(known.id),
            2 => Which::Proven(known.id, SessionRandom([0; 16])),
            3 | 4 => Which::Proven(known.id, known.random),
            _ => Which::One(known.id),
        };
        let asking = asking.and_then(|asking| self.asking(asking));
        let reason = EndReason::ALL[reason];
        let expected = self.machine.end(which, asking, reason, &self.rules, self.now);
        let answer = self.store.end(self.user, which, asking, reason, &self.rules, self.now).await;
        same_ending(answer.expect("the store works"), expected)
    }

    async fn change_credentials(&mut self, asking: (usize, bool)) -> Result<(), TestCaseError> {
        let Some(asking) = self.asking(asking) else { return Ok(()) };
        let new_version = asking.credential_version + 1;
        let expected = self.machine.change_credentials(asking, new_version, &self.rules, self.now);
        let answer = self.store.change_credentials(self.user, asking, new_version, &self.rules, self.now).await;
        same_ending(answer.expect("the store works"), expected)
    }

    /// A session that asks for something, with its credential version as it is now or with another.
    fn asking(&self, (asker, is_current): (usize, bool)) -> Option<Asking> {
        let asker = self.current(self.known.get(asker)?);
        let credential_version = asker.credential_version + i64::from(!is_current);
        Some(Asking { session_id: asker.id, credential_version })
    }

    /// A session as it is now, or as it was when it started where it lives no more.
    fn current(&self, known: &Session) -> Session {
        let live = self.machine.list(&self.rules, self.now).into_iter().find(|live| live.id == known.id);
        live.unwrap_or_else(|| known.clone())
    }
}

fn same_ending(answer: Ending, expected: Ending) -> Result<(), TestCaseError> {
    match (answer, expected) {
        (Ending::Ended(answer), Ending::Ended(expected)) => prop_assert_eq!(sorted(answer), sorted(expected)),
        (answer, expected) => prop_assert_eq!(answer, expected),
    }
    Ok(())
}

fn sorted(mut ended: Vec<EndedSession>) -> Vec<EndedSession> {
    ended.sort_by_key(|session| session.id);
    ended
}
