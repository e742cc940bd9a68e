//! What holds for every history of calls, whatever the store. What single calls do is in the suite of the stores.

use std::collections::{HashMap, HashSet};
use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;

const SESSIONS: u128 = 8;

const RULES: SessionRules = SessionRules {
    max_per_user: 5,
    when_full: WhenFull::EndAll,
    reuse_leeway: Duration::ZERO,
    max_lifetime: None,
    refresh_ttl: Duration::from_mins(1),
};

#[derive(Debug, Clone)]
enum Call {
    Start,
    Rotate { session: u128, back: u64, ahead: u64, key: Option<u8>, version: Option<i64> },
    End { session: u128 },
    Wait(i64),
}

fn call() -> impl Strategy<Value = Call> {
    let key = prop::option::of(0..3_u8);
    let version = prop_oneof![20 => Just(Some(1)), 1 => Just(Some(2)), 1 => Just(None)];
    prop_oneof![
        3 => Just(Call::Start),
        10 => (0..SESSIONS, 0..3_u64, 0..2_u64, key, version).prop_map(|(session, back, ahead, key, version)| {
            Call::Rotate { session, back, ahead, key, version }
        }),
        1 => (0..SESSIONS).prop_map(|session| Call::End { session }),
        2 => (0..40_000_i64).prop_map(Call::Wait),
    ]
}

fn rules() -> impl Strategy<Value = SessionRules> {
    let when_full = prop_oneof![Just(WhenFull::EndAll), Just(WhenFull::EndLeastRecent)];
    let max_lifetime = prop::option::of(Just(Duration::from_secs(100)));
    (1..6_usize, when_full, max_lifetime).prop_map(|(max_per_user, when_full, max_lifetime)| SessionRules {
        max_per_user,
        when_full,
        reuse_leeway: Duration::ZERO,
        max_lifetime,
        refresh_ttl: Duration::from_mins(1),
    })
}

fn session(number: u128, now: DateTime<Utc>, rules: &SessionRules) -> Session {
    Session {
        id: Uuid::from_u128(number),
        random: SessionRandom([1; 16]),
        generation: 0,
        credential_version: 1,
        created_at: now,
        rotated_at: now,
        expires_at: after(now, rules.refresh_ttl),
        fingerprint: None,
        spent_with: None,
        device_name: "Unknown device".to_owned(),
        ip_address: Ipv4Addr::LOCALHOST.into(),
    }
}

/// What an onlooker has seen so far.
#[derive(Default)]
struct Seen {
    started: u128,
    generations: HashMap<Uuid, u64>,
    live: HashSet<Uuid>,
    gone: HashSet<Uuid>,
}

impl Seen {
    fn look(&mut self, sessions: &UserSessions, rules: &SessionRules, now: DateTime<Utc>) -> Result<(), TestCaseError> {
        let live = sessions.list(rules, now);
        prop_assert!(live.len() <= rules.max_per_user);
        prop_assert!(sessions.ended.len() <= REMEMBERED_ENDINGS);
        let ids: HashSet<_> = live.iter().map(|session| session.id).collect();
        self.gone.extend(self.live.difference(&ids));
        prop_assert!(self.gone.is_disjoint(&ids), "a session came back");
        for session in live {
            let before = self.generations.insert(session.id, session.generation).unwrap_or(0);
            prop_assert!(session.generation >= before, "a generation went back");
            prop_assert!(session.expires_at > now);
        }
        self.live = ids;
        Ok(())
    }
}

fn rotate(
    sessions: &mut UserSessions,
    seen: &Seen,
    call: &Call,
    rules: &SessionRules,
    now: DateTime<Utc>,
) -> Result<(), TestCaseError> {
    let Call::Rotate { session, back, ahead, key, version } = *call else { return Ok(()) };
    let session_id = Uuid::from_u128(session);
    let current = seen.generations.get(&session_id).copied().unwrap_or(0);
    let request = Presented {
        session_id,
        random: SessionRandom([1; 16]),
        generation: (current + ahead).saturating_sub(back),
        fingerprint: None,
        idempotency_key: key.map(|key| Digest([key; 16])),
        credential_version: version,
        ip_address: Ipv4Addr::LOCALHOST.into(),
    };
    let was_live = seen.live.contains(&session_id);
    match sessions.rotate(&request, rules, now) {
        Rotation::Rotated(successor) => {
            prop_assert!(was_live && request.generation == current);
            prop_assert_eq!((successor.generation, successor.rotated_at), (current + 1, now));
        }
        Rotation::Healed(successor) => {
            prop_assert!(was_live && request.generation > current);
            prop_assert_eq!(successor.generation, request.generation + 1);
        }
        Rotation::Replayed(successor) => {
            prop_assert!(was_live && request.generation + 1 == current && key.is_some());
            prop_assert_eq!(successor.generation, current);
        }
        Rotation::Reused => prop_assert!(was_live && request.generation < current),
        Rotation::Ended(_) => prop_assert!(!was_live),
        // One that is too old is not listed any more before a refresh finds it.
        Rotation::EndedNow(EndReason::Expired) => prop_assert!(!was_live),
        Rotation::EndedNow(_) => prop_assert!(was_live && version != Some(1)),
        other @ (Rotation::FingerprintMismatch { .. } | Rotation::Forged) => prop_assert!(false, "{:?}", other),
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_history_breaks_the_cap_revives_a_session_or_turns_a_generation_back(
        rules in rules(),
        calls in prop::collection::vec(call(), 1..120),
    ) {
        let (mut sessions, mut seen) = (UserSessions::default(), Seen::default());
        let mut now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        for call in calls {
            seen.look(&sessions, &rules, now)?;
            match call {
                Call::Start if seen.started < SESSIONS => {
                    sessions.start(session(seen.started, now, &rules), &rules, now);
                    seen.started += 1;
                }
                Call::Start => {}
                Call::Rotate { .. } => rotate(&mut sessions, &seen, &call, &rules, now)?,
                Call::End { session } => {
                    sessions.end(Which::One(Uuid::from_u128(session)), None, EndReason::Admin, &rules, now);
                }
                Call::Wait(milliseconds) => now += TimeDelta::milliseconds(milliseconds),
            }
            seen.look(&sessions, &rules, now)?;
            let written = serde_json::to_string(&sessions).unwrap();
            prop_assert_eq!(serde_json::from_str::<UserSessions>(&written).unwrap(), sessions.clone());
        }
    }

    #[test]
    fn a_record_that_is_cut_or_changed_never_panics(cut in 0..400_usize, byte in any::<u8>()) {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let mut sessions = UserSessions::default();
        sessions.start(session(1, now, &RULES), &RULES, now);
        let mut written = serde_json::to_vec(&sessions).unwrap();
        let cut = cut % written.len();
        written[cut] = byte;
        drop(serde_json::from_slice::<UserSessions>(&written));
        prop_assert!(serde_json::from_slice::<UserSessions>(&written[..cut]).is_err());
    }
}

#[test]
fn a_record_is_worth_keeping_as_long_as_anything_in_it() {
    let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
    let mut sessions = UserSessions::default();
    assert_eq!(sessions.worth_keeping_until(), None);
    for (number, begins) in [(1, now), (2, now + TimeDelta::seconds(10))] {
        sessions.start(session(number, begins, &RULES), &RULES, begins);
    }
    let last = Some(now + TimeDelta::seconds(70));
    assert_eq!(sessions.worth_keeping_until(), last);
    for number in [1, 2] {
        let ending = Which::One(Uuid::from_u128(number));
        sessions.end(ending, None, EndReason::Admin, &RULES, now + TimeDelta::seconds(20));
        assert_eq!(sessions.worth_keeping_until(), last, "a live session, then a reason");
    }
}

#[test]
fn every_reason_has_the_word_that_is_stored_for_it() {
    for reason in EndReason::ALL {
        assert_eq!(serde_json::to_string(&reason).unwrap(), format!("\"{}\"", reason.as_str()));
    }
}
