//! The suite that every session store passes: what one call does, what racing calls do, and agreement with the pure
//! state machine over random histories. A backend runs all of it through [`session_store_conformance!`](crate::session_store_conformance).

mod model;
mod races;
mod steps;

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use shared_claims::{SessionRandom, random};
use uuid::Uuid;

use super::SessionStore;
use crate::domain::digest::Digest;
use crate::domain::session::{Presented, Rotation, Session, SessionRules, Successor, WhenFull, after};

pub use model::agrees_with_the_state_machine_over_random_histories;
pub use races::*;
pub use steps::*;

/// A place that sessions are kept in, and how an instance of the service gets at it.
pub trait Backend: Send + Sync {
    /// Opens the store as one more instance of the service would. What one instance keeps, every other finds.
    fn open(&self) -> impl Future<Output = Arc<dyn SessionStore>> + Send;
}

/// Runs one test of the suite, on threads of its own.
pub fn run<B: Backend, F: Future<Output = ()>>(backend: &B, test: impl FnOnce(Stage) -> F) {
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    threads.expect("a runtime starts").block_on(async {
        let stage = Stage { store: backend.open().await, other: backend.open().await };
        test(stage).await;
    });
}

/// Two instances over one place.
pub struct Stage {
    /// The instance that most tests use.
    pub store: Arc<dyn SessionStore>,
    /// Another instance.
    pub other: Arc<dyn SessionStore>,
}

/// Makes a test of each rule of the suite for the backend that the expression gives.
#[macro_export]
macro_rules! session_store_conformance {
    ($backend:expr) => {
        $crate::session_store_conformance!(@each $backend;
            a_session_that_started_is_listed_as_it_was_given
            sessions_are_listed_last_used_first
            users_do_not_see_or_touch_each_others_sessions
            a_rotation_spends_the_token_and_a_second_one_is_reuse
            reuse_is_detected_by_another_instance_within_the_same_millisecond
            reuse_ends_its_session_and_no_other
            a_hundred_and_twenty_eight_rotations_in_a_row_work
            a_replay_with_its_key_gets_the_same_successor_for_ever
            no_key_never_equals_no_key
            a_key_is_good_for_the_rotation_that_it_came_with_alone
            the_parents_parent_is_always_reuse
            a_replay_never_extends_its_window
            a_token_ahead_of_its_session_heals_it
            a_token_ahead_of_an_ended_session_heals_nothing
            a_wrong_random_value_changes_nothing
            a_wrong_fingerprint_changes_nothing
            a_wrong_fingerprint_is_at_home_in_the_network_where_the_session_was_used_last
            a_session_without_a_fingerprint_takes_any
            other_credentials_end_the_session
            the_first_reason_stays
            an_expired_session_is_gone_and_does_not_count
            a_session_that_is_too_old_ends_with_a_reason
            the_last_sixteen_reasons_are_kept
            a_reason_is_kept_until_its_token_would_have_expired
            a_full_house_is_ended_by_one_more_login
            the_least_recent_session_makes_room_where_so_configured
            sessions_end_one_by_one_all_at_once_and_all_but_one
            only_a_live_and_current_session_may_end_others
            an_expired_session_may_not_end_others
            whoever_proves_a_session_may_end_it
            a_change_of_credentials_ends_every_session_but_the_one_that_asks
            the_store_says_that_it_is_well
            one_of_a_hundred_racing_refreshes_rotates
            one_of_a_few_racing_refreshes_rotates_three_hundred_times_over
            racing_refreshes_with_one_key_all_get_the_same_successor
            fifty_racing_logins_never_leave_more_than_five
            a_logout_that_races_a_refresh_wins
            agrees_with_the_state_machine_over_random_histories
        );
    };
    (@each $backend:expr; $($test:ident)*) => {
        $(
            #[test]
            fn $test() {
                $crate::stores::conformance::run(&$backend, $crate::stores::conformance::$test);
            }
        )*
    };
}

/// When the tests begin; their clocks are moved by hand.
pub(super) fn start_of_time() -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 123_000_000).expect("a moment")
}

pub(super) fn later(seconds: i64) -> DateTime<Utc> {
    start_of_time() + TimeDelta::seconds(seconds)
}

pub(super) const DAY: i64 = 86_400;

pub(super) fn rules() -> SessionRules {
    SessionRules {
        max_per_user: 5,
        when_full: WhenFull::EndAll,
        reuse_leeway: Duration::ZERO,
        max_lifetime: None,
        refresh_ttl: Duration::from_hours(24 * 30),
    }
}

pub(super) fn session(now: DateTime<Utc>) -> Session {
    Session {
        id: random::uuid(),
        random: SessionRandom::generate(),
        generation: 0,
        credential_version: 1,
        created_at: now,
        rotated_at: now,
        expires_at: after(now, rules().refresh_ttl),
        fingerprint: None,
        spent_with: None,
        device_name: "Firefox on Linux".to_owned(),
        ip_address: IpAddr::V4(Ipv4Addr::new(203, 0, 113, 7)),
    }
}

/// The refresh that a session's own client would make now.
pub(super) fn presented(session: &Session) -> Presented {
    Presented {
        session_id: session.id,
        random: session.random,
        generation: session.generation,
        fingerprint: session.fingerprint,
        idempotency_key: None,
        credential_version: Some(session.credential_version),
        ip_address: session.ip_address,
    }
}

pub(super) fn at_generation(session: &Session, generation: u64) -> Presented {
    Presented { generation, ..presented(session) }
}

pub(super) fn with_key(presented: Presented, key: u8) -> Presented {
    Presented { idempotency_key: Some(Digest([key; 16])), ..presented }
}

/// A user's sessions, driven through a store; a store that fails fails the test.
pub(super) struct Driver {
    pub(super) store: Arc<dyn SessionStore>,
    pub(super) user: Uuid,
    pub(super) rules: SessionRules,
}

impl Driver {
    pub(super) fn new(stage: &Stage) -> Self {
        Self { store: stage.store.clone(), user: random::uuid(), rules: rules() }
    }

    pub(super) async fn start(&self, now: DateTime<Utc>) -> Session {
        let session = session(now);
        self.start_this(&session, now).await;
        session
    }

    pub(super) async fn start_this(&self, session: &Session, now: DateTime<Utc>) -> Vec<Uuid> {
        let started = self.store.start(self.user, session.clone(), &self.rules, now).await;
        started.expect("the store works").into_iter().map(|ended| ended.id).collect()
    }

    pub(super) async fn rotate(&self, presented: &Presented, now: DateTime<Utc>) -> Rotation {
        self.store.rotate(self.user, presented, &self.rules, now).await.expect("the store works")
    }

    pub(super) async fn rotated(&self, presented: &Presented, now: DateTime<Utc>) -> Successor {
        match self.rotate(presented, now).await {
            Rotation::Rotated(successor) => successor,
            other => panic!("not rotated but {other:?}"),
        }
    }

    pub(super) async fn live(&self, now: DateTime<Utc>) -> Vec<Session> {
        self.store.list(self.user, &self.rules, now).await.expect("the store works")
    }
}
