//! What one call does to the sessions of one user.

#![allow(missing_docs, reason = "each test's name is the rule that it holds a store to")]

use std::collections::HashSet;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use chrono::TimeDelta;
use shared_claims::SessionRandom;
use uuid::Uuid;

use super::{DAY, Driver, Stage, at_generation, later, presented, session, start_of_time, with_key};
use crate::domain::digest::Digest;
use crate::domain::session::{
    Asking, EndReason, Ending, Presented, REMEMBERED_ENDINGS, Rotation, Session, Successor, WhenFull, Which, after,
};

const ENDED_UNTOLD: Rotation = Rotation::Ended(None);

fn ended_by(reason: EndReason) -> Rotation {
    Rotation::Ended(Some(reason))
}

impl Driver {
    async fn end(&self, which: Which, reason: EndReason) -> usize {
        let now = later(1);
        match self.store.end(self.user, which, None, reason, &self.rules, now).await.expect("the store works") {
            Ending::Ended(ended) => ended.len(),
            Ending::AskerNotLive => panic!("nobody asked"),
        }
    }

    async fn is_live(&self, session: &Session) -> bool {
        self.live(later(1)).await.iter().any(|live| live.id == session.id)
    }
}

pub async fn a_session_that_started_is_listed_as_it_was_given(stage: Stage) {
    let driver = Driver::new(&stage);
    let given = Session {
        fingerprint: Some(Digest([7; 16])),
        device_name: "🦊".repeat(64),
        ip_address: IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x7f)),
        credential_version: 4_000_000_000,
        ..session(start_of_time())
    };
    assert_eq!(driver.start_this(&given, start_of_time()).await.len(), 0);
    assert_eq!(driver.live(start_of_time()).await, [given]);
}

pub async fn sessions_are_listed_last_used_first(stage: Stage) {
    let driver = Driver::new(&stage);
    let (first, second) = (driver.start(later(0)).await, driver.start(later(1)).await);
    driver.rotated(&presented(&first), later(2)).await;
    let listed: Vec<_> = driver.live(later(3)).await.into_iter().map(|session| session.id).collect();
    assert_eq!(listed, [first.id, second.id]);
}

pub async fn users_do_not_see_or_touch_each_others_sessions(stage: Stage) {
    let (ada, grace) = (Driver::new(&stage), Driver::new(&stage));
    let hers = grace.start(start_of_time()).await;
    assert_eq!(ada.rotate(&presented(&hers), later(1)).await, ENDED_UNTOLD);
    assert_eq!(ada.end(Which::One(hers.id), EndReason::Admin).await, 0);
    assert_eq!(ada.live(later(1)).await, []);
    assert_eq!(grace.live(later(1)).await, [hers]);
}

pub async fn a_rotation_spends_the_token_and_a_second_one_is_reuse(stage: Stage) {
    let driver = Driver::new(&stage);
    let session = driver.start(start_of_time()).await;
    let moved = Presented { ip_address: IpAddr::V6(Ipv6Addr::LOCALHOST), ..presented(&session) };
    let expires_at = after(later(60), driver.rules.refresh_ttl);
    let successor = Successor { generation: 1, rotated_at: later(60), expires_at };
    assert_eq!(driver.rotate(&moved, later(60)).await, Rotation::Rotated(successor));
    let live = driver.live(later(60)).await;
    assert_eq!((live[0].rotated_at, live[0].expires_at), (later(60), expires_at));
    assert_eq!((live[0].created_at, live[0].ip_address), (start_of_time(), moved.ip_address));
    assert_eq!(driver.rotate(&presented(&session), later(61)).await, Rotation::Reused);
    assert_eq!(driver.rotate(&presented(&session), later(62)).await, ended_by(EndReason::ReuseDetected));
}

pub async fn reuse_is_detected_by_another_instance_within_the_same_millisecond(stage: Stage) {
    let driver = Driver::new(&stage);
    let session = driver.start(start_of_time()).await;
    driver.rotated(&presented(&session), start_of_time()).await;
    let other = Driver { store: stage.other, ..driver };
    assert_eq!(other.rotate(&presented(&session), start_of_time()).await, Rotation::Reused);
}

pub async fn reuse_ends_its_session_and_no_other(stage: Stage) {
    let driver = Driver::new(&stage);
    let (stolen, untouched) = (driver.start(start_of_time()).await, driver.start(start_of_time()).await);
    driver.rotated(&presented(&stolen), later(1)).await;
    assert_eq!(driver.rotate(&presented(&stolen), later(2)).await, Rotation::Reused);
    // The thief's or the owner's successor is dead as well.
    assert_eq!(driver.rotate(&at_generation(&stolen, 1), later(3)).await, ended_by(EndReason::ReuseDetected));
    assert_eq!(driver.live(later(3)).await, [untouched]);
}

pub async fn a_hundred_and_twenty_eight_rotations_in_a_row_work(stage: Stage) {
    let driver = Driver::new(&stage);
    let session = driver.start(start_of_time()).await;
    for generation in 0..128 {
        let now = start_of_time() + TimeDelta::milliseconds(i64::try_from(generation).unwrap_or(0));
        let successor = driver.rotated(&at_generation(&session, generation), now).await;
        assert_eq!((successor.generation, successor.rotated_at), (generation + 1, now));
    }
    assert_eq!(driver.rotate(&presented(&session), later(1)).await, Rotation::Reused);
}

pub async fn a_replay_with_its_key_gets_the_same_successor_for_ever(stage: Stage) {
    let driver = Driver::new(&stage);
    let session = driver.start(start_of_time()).await;
    let request = with_key(presented(&session), 1);
    let successor = driver.rotated(&request, later(1)).await;
    for seconds in [1, 2, 3_600, 29 * DAY] {
        assert_eq!(driver.rotate(&request, later(seconds)).await, Rotation::Replayed(successor), "{seconds} s");
    }
    assert_eq!(driver.rotate(&with_key(presented(&session), 2), later(2)).await, Rotation::Reused);
}

pub async fn no_key_never_equals_no_key(stage: Stage) {
    let driver = Driver::new(&stage);
    let (bare, keyed) = (driver.start(start_of_time()).await, driver.start(start_of_time()).await);
    driver.rotated(&presented(&bare), later(1)).await;
    assert_eq!(driver.rotate(&presented(&bare), later(1)).await, Rotation::Reused);
    driver.rotated(&with_key(presented(&keyed), 1), later(1)).await;
    assert_eq!(driver.rotate(&presented(&keyed), later(1)).await, Rotation::Reused);
}

pub async fn a_key_is_good_for_the_rotation_that_it_came_with_alone(stage: Stage) {
    let driver = Driver::new(&stage);
    let session = driver.start(start_of_time()).await;
    driver.rotated(&with_key(presented(&session), 1), later(1)).await;
    driver.rotated(&at_generation(&session, 1), later(2)).await;
    assert_eq!(driver.rotate(&with_key(at_generation(&session, 1), 1), later(2)).await, Rotation::Reused);
}

pub async fn the_parents_parent_is_always_reuse(stage: Stage) {
    let driver = Driver::new(&stage);
    let rules = super::SessionRules { reuse_leeway: Duration::from_mins(1), ..driver.rules };
    let driver = Driver { rules, ..driver };
    let session = driver.start(start_of_time()).await;
    driver.rotated(&with_key(presented(&session), 1), later(1)).await;
    driver.rotated(&with_key(at_generation(&session, 1), 1), later(2)).await;
    assert_eq!(driver.rotate(&with_key(presented(&session), 1), later(2)).await, Rotation::Reused);
}

pub async fn a_replay_never_extends_its_window(stage: Stage) {
    let driver = Driver::new(&stage);
    let rules = super::SessionRules { reuse_leeway: Duration::from_secs(10), ..driver.rules };
    let driver = Driver { rules, ..driver };
    let session = driver.start(start_of_time()).await;
    let successor = driver.rotated(&presented(&session), later(60)).await;
    for milliseconds in [0, 5_000, 9_999] {
        let now = later(60) + TimeDelta::milliseconds(milliseconds);
        assert_eq!(driver.rotate(&presented(&session), now).await, Rotation::Replayed(successor), "{milliseconds} ms");
    }
    assert_eq!(driver.rotate(&presented(&session), later(70)).await, Rotation::Reused);
}

pub async fn a_token_ahead_of_its_session_heals_it(stage: Stage) {
    let driver = Driver::new(&stage);
    let session = driver.start(start_of_time()).await;
    let ahead = with_key(at_generation(&session, 7), 1);
    let expires_at = after(later(1), driver.rules.refresh_ttl);
    let successor = Successor { generation: 8, rotated_at: later(1), expires_at };
    assert_eq!(driver.rotate(&ahead, later(1)).await, Rotation::Healed(successor));
    assert_eq!(driver.rotate(&ahead, later(2)).await, Rotation::Replayed(successor));
    assert_eq!(driver.rotated(&at_generation(&session, 8), later(3)).await.generation, 9);
    assert_eq!(driver.rotate(&ahead, later(4)).await, Rotation::Reused);
}

pub async fn a_token_ahead_of_an_ended_session_heals_nothing(stage: Stage) {
    let driver = Driver::new(&stage);
    let session = driver.start(start_of_time()).await;
    driver.end(Which::All, EndReason::SignedOut).await;
    assert_eq!(driver.rotate(&at_generation(&session, 7), later(2)).await, ended_by(EndReason::SignedOut));
    assert_eq!(driver.rotate(&at_generation(&super::session(later(2)), 7), later(2)).await, ENDED_UNTOLD);
    assert_eq!(driver.live(later(2)).await, []);
}

pub async fn a_wrong_random_value_changes_nothing(stage: Stage) {
    let driver = Driver::new(&stage);
    let session = driver.start(start_of_time()).await;
    driver.rotated(&presented(&session), later(1)).await;
    for generation in [0, 1, 2] {
        let forged = Presented { random: SessionRandom([9; 16]), ..at_generation(&session, generation) };
        assert_eq!(driver.rotate(&forged, later(2)).await, Rotation::Forged, "generation {generation}");
        let outdated = Presented { credential_version: None, ..forged };
        assert_eq!(driver.rotate(&outdated, later(2)).await, Rotation::Forged, "generation {generation}");
    }
    assert_eq!(driver.rotated(&at_generation(&session, 1), later(3)).await.generation, 2);
}

pub async fn a_wrong_fingerprint_changes_nothing(stage: Stage) {
    let driver = Driver::new(&stage);
    let session = Session { fingerprint: Some(Digest([1; 16])), ..session(start_of_time()) };
    driver.start_this(&session, start_of_time()).await;
    driver.rotated(&presented(&session), later(1)).await;
    for fingerprint in [None, Some(Digest([2; 16]))] {
        for generation in [0, 1, 2] {
            let elsewhere = Presented { fingerprint, ..at_generation(&session, generation) };
            assert_eq!(driver.rotate(&elsewhere, later(2)).await, Rotation::FingerprintMismatch { is_at_home: true });
        }
    }
    assert_eq!(driver.rotated(&at_generation(&session, 1), later(3)).await.generation, 2);
}

pub async fn a_wrong_fingerprint_is_at_home_in_the_network_where_the_session_was_used_last(stage: Stage) {
    for (home, near, far) in [
        ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::", "2001:db8:1:3::1"),
        ("32.1.13.184", "32.1.13.184", "2001:db8::"),
        ("2001:db8::", "2001:db8::7", "32.1.13.184"),
    ] {
        let driver = Driver::new(&stage);
        let [home, near, far] = [home, near, far].map(|text| text.parse::<IpAddr>().expect("an address"));
        let session = Session { fingerprint: Some(Digest([1; 16])), ip_address: far, ..session(start_of_time()) };
        driver.start_this(&session, start_of_time()).await;
        driver.rotated(&Presented { ip_address: home, ..presented(&session) }, later(1)).await;
        for (ip_address, is_at_home) in [(home, true), (near, true), (far, false)] {
            let wrong = Presented { fingerprint: None, ip_address, ..at_generation(&session, 1) };
            assert_eq!(driver.rotate(&wrong, later(2)).await, Rotation::FingerprintMismatch { is_at_home });
        }
    }
}

pub async fn a_session_without_a_fingerprint_takes_any(stage: Stage) {
    let driver = Driver::new(&stage);
    let session = driver.start(start_of_time()).await;
    let with_one = Presented { fingerprint: Some(Digest([2; 16])), ..presented(&session) };
    driver.rotated(&with_one, later(1)).await;
    driver.rotated(&at_generation(&session, 1), later(2)).await;
}

pub async fn other_credentials_end_the_session(stage: Stage) {
    let driver = Driver::new(&stage);
    let (changed, gone) = (EndReason::PasswordChanged, EndReason::UserDisabled);
    for (version, reason) in [(Some(2), changed), (Some(0), changed), (None, gone)] {
        let session = driver.start(start_of_time()).await;
        let changed = Presented { credential_version: version, ..presented(&session) };
        assert_eq!(driver.rotate(&changed, later(1)).await, Rotation::EndedNow(reason));
        assert_eq!(driver.rotate(&presented(&session), later(1)).await, ended_by(reason));
    }
}

pub async fn the_first_reason_stays(stage: Stage) {
    let driver = Driver::new(&stage);
    let session = driver.start(start_of_time()).await;
    assert_eq!(driver.end(Which::One(session.id), EndReason::SignedOutElsewhere).await, 1);
    assert_eq!(driver.end(Which::All, EndReason::Admin).await, 0);
    let gone = Presented { credential_version: None, ..presented(&session) };
    assert_eq!(driver.rotate(&gone, later(2)).await, ended_by(EndReason::SignedOutElsewhere));
}

pub async fn an_expired_session_is_gone_and_does_not_count(stage: Stage) {
    let driver = Driver::new(&stage);
    let first = driver.start(start_of_time()).await;
    for _ in 1..4 {
        driver.start(start_of_time()).await;
    }
    let last = driver.start(later(1)).await;
    let expiry = start_of_time() + TimeDelta::days(30);
    let just_before = expiry - TimeDelta::milliseconds(1);
    assert_eq!(driver.live(just_before).await.len(), 5);
    assert_eq!(driver.live(expiry).await, std::slice::from_ref(&last));
    // First of all a login, for any other change forgets them too.
    let fresh = session(expiry);
    assert_eq!(driver.start_this(&fresh, expiry).await.len(), 0);
    assert_eq!(driver.live(expiry).await, [fresh, last]);
    assert_eq!(driver.rotate(&presented(&first), expiry).await, ENDED_UNTOLD);
}

pub async fn a_session_that_is_too_old_ends_with_a_reason(stage: Stage) {
    let driver = Driver::new(&stage);
    let rules = super::SessionRules { max_lifetime: Some(Duration::from_secs(100)), ..driver.rules };
    let driver = Driver { rules, ..driver };
    let session = driver.start(start_of_time()).await;
    let successor = driver.rotated(&presented(&session), later(99)).await;
    assert_eq!(successor.expires_at, later(100), "a refresh does not make it live longer");
    assert_eq!(driver.live(later(99)).await[0].expires_at, later(100));
    assert_eq!(driver.live(later(100)).await, []);
    let too_late = at_generation(&session, 1);
    assert_eq!(driver.rotate(&too_late, later(100)).await, Rotation::EndedNow(EndReason::Expired));
    assert_eq!(driver.rotate(&too_late, later(100)).await, ended_by(EndReason::Expired));
    let five: HashSet<Uuid> = {
        let mut ids = HashSet::new();
        for _ in 0..5 {
            ids.insert(driver.start(later(100)).await.id);
        }
        ids
    };
    assert_eq!(driver.live(later(100)).await.len(), five.len(), "the old one did not count");
}

pub async fn the_last_sixteen_reasons_are_kept(stage: Stage) {
    let driver = Driver::new(&stage);
    let mut sessions = Vec::new();
    for count in 0..=i64::try_from(REMEMBERED_ENDINGS).unwrap_or(0) {
        let session = driver.start(later(count)).await;
        let reason = EndReason::ALL[sessions.len() % EndReason::ALL.len()];
        let which = Which::One(session.id);
        driver.store.end(driver.user, which, None, reason, &driver.rules, later(count)).await.expect("the store works");
        sessions.push((session, reason));
    }
    let (forgotten, _) = sessions.remove(0);
    assert_eq!(driver.rotate(&presented(&forgotten), later(100)).await, ENDED_UNTOLD);
    for (session, reason) in sessions {
        assert_eq!(driver.rotate(&presented(&session), later(100)).await, ended_by(reason));
    }
}

pub async fn a_reason_is_kept_until_its_token_would_have_expired(stage: Stage) {
    let driver = Driver::new(&stage);
    let session = driver.start(start_of_time()).await;
    driver.rotated(&presented(&session), later(10)).await;
    assert_eq!(driver.end(Which::All, EndReason::Admin).await, 1);
    let expiry = later(10) + TimeDelta::days(30);
    let just_before = expiry - TimeDelta::milliseconds(1);
    assert_eq!(driver.rotate(&presented(&session), just_before).await, ended_by(EndReason::Admin));
    assert_eq!(driver.rotate(&presented(&session), expiry).await, ENDED_UNTOLD);
}

pub async fn a_full_house_is_ended_by_one_more_login(stage: Stage) {
    let driver = Driver::new(&stage);
    let mut five = HashSet::new();
    for seconds in 0..5 {
        five.insert(driver.start(later(seconds)).await.id);
    }
    let sixth = session(later(5));
    let ended: HashSet<_> = driver.start_this(&sixth, later(5)).await.into_iter().collect();
    assert_eq!(ended, five);
    assert_eq!(driver.live(later(5)).await, [sixth]);
}

pub async fn the_least_recent_session_makes_room_where_so_configured(stage: Stage) {
    let driver = Driver::new(&stage);
    let rules = super::SessionRules { when_full: WhenFull::EndLeastRecent, ..driver.rules };
    let driver = Driver { rules, ..driver };
    let oldest = driver.start(later(0)).await;
    let unused = driver.start(later(1)).await;
    for seconds in 2..5 {
        driver.start(later(seconds)).await;
    }
    driver.rotated(&presented(&oldest), later(5)).await;
    assert_eq!(driver.start_this(&session(later(6)), later(6)).await, [unused.id]);
    assert_eq!(driver.rotate(&presented(&unused), later(7)).await, ended_by(EndReason::SessionLimit));
    assert_eq!(driver.live(later(7)).await.len(), 5);
    // A cap that was lowered meanwhile is kept at the next login.
    let rules = super::SessionRules { max_per_user: 2, ..driver.rules };
    let driver = Driver { rules, ..driver };
    assert_eq!(driver.start_this(&session(later(8)), later(8)).await.len(), 4);
    assert_eq!(driver.live(later(8)).await.len(), 2);
}

pub async fn sessions_end_one_by_one_all_at_once_and_all_but_one(stage: Stage) {
    let driver = Driver::new(&stage);
    let mut sessions = Vec::new();
    for seconds in 0..5 {
        sessions.push(driver.start(later(seconds - 5)).await);
    }
    assert_eq!(driver.end(Which::One(sessions[0].id), EndReason::SignedOut).await, 1);
    assert_eq!(driver.end(Which::One(sessions[0].id), EndReason::SignedOut).await, 0);
    assert_eq!(driver.end(Which::AllBut(sessions[1].id), EndReason::SignedOutElsewhere).await, 3);
    assert!(driver.is_live(&sessions[1]).await);
    assert_eq!(driver.end(Which::All, EndReason::Admin).await, 1);
    let expected = [EndReason::SignedOut, EndReason::Admin, EndReason::SignedOutElsewhere];
    for (session, reason) in sessions.iter().zip(expected) {
        assert_eq!(driver.rotate(&presented(session), later(2)).await, ended_by(reason));
    }
}

pub async fn only_a_live_and_current_session_may_end_others(stage: Stage) {
    let driver = Driver::new(&stage);
    let (asker, target) = (driver.start(start_of_time()).await, driver.start(start_of_time()).await);
    let gone = session(start_of_time());
    let end = async |session_id, credential_version| {
        let asking = Some(Asking { session_id, credential_version });
        let reason = EndReason::SignedOutElsewhere;
        let ending = driver.store.end(driver.user, Which::One(target.id), asking, reason, &driver.rules, later(1));
        ending.await.expect("the store works")
    };
    assert_eq!(end(gone.id, 1).await, Ending::AskerNotLive);
    assert_eq!(end(asker.id, 2).await, Ending::AskerNotLive);
    assert!(driver.is_live(&target).await);
    let Ending::Ended(ended) = end(asker.id, 1).await else { panic!("the asker is live") };
    assert_eq!((ended[0].id, ended[0].device_name.as_str()), (target.id, "Firefox on Linux"));
    assert_eq!(end(asker.id, 1).await, Ending::Ended(vec![]));
}

pub async fn an_expired_session_may_not_end_others(stage: Stage) {
    let driver = Driver::new(&stage);
    let (asker, target) = (driver.start(later(0)).await, driver.start(later(1)).await);
    let expiry = asker.expires_at;
    let end = async |asking| {
        let ending = driver.store.end(driver.user, Which::All, asking, EndReason::Admin, &driver.rules, expiry);
        ending.await.expect("the store works")
    };
    let asking = Asking { session_id: asker.id, credential_version: 1 };
    assert_eq!(end(Some(asking)).await, Ending::AskerNotLive);
    assert_eq!(driver.live(expiry).await, std::slice::from_ref(&target));
    let Ending::Ended(ended) = end(None).await else { panic!("nobody asked") };
    assert_eq!(ended.iter().map(|session| session.id).collect::<Vec<_>>(), [target.id], "the expired one was none");
}

pub async fn whoever_proves_a_session_may_end_it(stage: Stage) {
    let driver = Driver::new(&stage);
    let (session, other) = (driver.start(start_of_time()).await, driver.start(start_of_time()).await);
    driver.rotated(&presented(&session), start_of_time()).await;
    assert_eq!(driver.end(Which::Proven(session.id, SessionRandom([0; 16])), EndReason::SignedOut).await, 0);
    assert!(driver.is_live(&session).await);
    assert_eq!(driver.end(Which::Proven(session.id, session.random), EndReason::SignedOut).await, 1);
    assert!(!driver.is_live(&session).await && driver.is_live(&other).await);
    assert_eq!(driver.end(Which::Proven(session.id, other.random), EndReason::SignedOut).await, 0);
    assert!(driver.is_live(&other).await);
}

pub async fn a_change_of_credentials_ends_every_session_but_the_one_that_asks(stage: Stage) {
    let driver = Driver::new(&stage);
    let (asker, other) = (driver.start(start_of_time()).await, driver.start(start_of_time()).await);
    let change = async |credential_version| {
        let asking = Asking { session_id: asker.id, credential_version };
        let changed = driver.store.change_credentials(driver.user, asking, 2, &driver.rules, later(1));
        changed.await.expect("the store works")
    };
    assert_eq!(change(7).await, Ending::AskerNotLive);
    assert_eq!(driver.live(later(1)).await.len(), 2);
    let Ending::Ended(ended) = change(1).await else { panic!("the asker is live") };
    assert_eq!(ended.iter().map(|session| session.id).collect::<Vec<_>>(), [other.id]);
    let now_of_version_2 = |session: &Session| Presented { credential_version: Some(2), ..presented(session) };
    assert_eq!(driver.rotate(&now_of_version_2(&other), later(2)).await, ended_by(EndReason::PasswordChanged));
    assert_eq!(driver.rotated(&now_of_version_2(&asker), later(2)).await.generation, 1);
    assert_eq!(change(1).await, Ending::AskerNotLive);
}

pub async fn the_store_says_that_it_is_well(stage: Stage) {
    stage.store.check().await.expect("the store works");
}
