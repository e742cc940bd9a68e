//! What lies in Redis: how long it is kept, how exact its numbers are, and that what cannot be read is an error and never "no session".

use std::time::Duration;

use auth_service::domain::session::{EndReason, Presented, Rotation, Session, SessionRules, after};
use auth_service::stores::{SessionStore, StoreError};
use chrono::TimeDelta;
use redis::cmd;
use rstest::rstest;
use system_tests::redis::shared;
use uuid::Uuid;

use super::{RULES, User, later, now, open, presented, session, settings};

const DAY: i64 = 24 * 60 * 60 * 1_000;

/// How long Redis keeps what it has of a user, in milliseconds.
fn lives(user: &User<'_>) -> i64 {
    shared().ask(cmd("PTTL").arg(user.key()))
}

fn about(expected: i64) -> std::ops::RangeInclusive<i64> {
    expected - 60_000..=expected
}

#[tokio::test]
async fn a_hash_lives_a_day_longer_than_what_is_in_it_by_the_services_clock() {
    let store = open(&settings(shared().url()));
    let user = User::new(&store);
    let session = user.start().await;
    assert!(about(31 * DAY).contains(&lives(&user)), "{}", lives(&user));
    let soon = SessionRules { refresh_ttl: Duration::from_secs(1), ..RULES };
    store
        .start(user.id, Session { expires_at: after(now(), soon.refresh_ttl), ..super::session() }, &soon, now())
        .await
        .unwrap();
    // Neither does a short session shorten the life of another, nor its rotation.
    assert!(about(31 * DAY).contains(&lives(&user)), "{}", lives(&user));
    store.rotate(user.id, &presented(&session), &soon, now()).await.unwrap();
    assert!(about(31 * DAY).contains(&lives(&user)), "{}", lives(&user));
    let forever = SessionRules { refresh_ttl: Duration::from_hours(24 * 365), ..RULES };
    let next = Presented { generation: 1, ..presented(&session) };
    store.rotate(user.id, &next, &forever, now()).await.unwrap();
    assert!(about(366 * DAY).contains(&lives(&user)), "{}", lives(&user));
}

#[tokio::test]
async fn a_hash_with_a_millisecond_left_is_kept_for_a_day_and_not_for_ever() {
    let store = open(&settings(shared().url()));
    let user = User::new(&store);
    let session = Session { expires_at: now() + TimeDelta::milliseconds(1), ..session() };
    store.start(user.id, session, &RULES, now()).await.unwrap();
    assert!(about(DAY + 1).contains(&lives(&user)), "{}", lives(&user));
}

#[tokio::test]
async fn the_reasons_of_ended_sessions_keep_the_hash_alive_and_the_last_one_takes_it_along() {
    let store = open(&settings(shared().url()));
    let user = User::new(&store);
    user.start().await;
    user.try_end_all().await.unwrap();
    assert!(about(31 * DAY).contains(&lives(&user)), "{}", lives(&user));
    let long_after = later(31 * DAY / 1_000);
    let which = auth_service::domain::session::Which::All;
    store.end(user.id, which, None, EndReason::Admin, &RULES, long_after).await.unwrap();
    assert!(!shared().ask::<bool>(cmd("EXISTS").arg(user.key())));
}

#[tokio::test]
async fn a_key_that_has_lost_its_expiry_gets_one_at_the_next_rotation() {
    let store = open(&settings(shared().url()));
    let user = User::new(&store);
    let session = user.start().await;
    shared().ask::<()>(cmd("PERSIST").arg(user.key()));
    user.rotate(&presented(&session)).await;
    assert!(about(31 * DAY).contains(&lives(&user)), "{}", lives(&user));
}

#[rstest]
#[case(i64::MAX)]
#[case(i64::MIN)]
#[case((1 << 53) + 1)]
#[tokio::test]
async fn credential_versions_are_compared_to_the_last_bit(#[case] version: i64) {
    let store = open(&settings(shared().url()));
    let user = User::new(&store);
    let session = Session { credential_version: version, ..session() };
    store.start(user.id, session.clone(), &RULES, now()).await.unwrap();
    assert!(matches!(user.rotate(&presented(&session)).await, Rotation::Rotated(_)));
    let other = Presented { credential_version: Some(version ^ 1), generation: 1, ..presented(&session) };
    assert_eq!(user.rotate(&other).await, Rotation::EndedNow(EndReason::PasswordChanged));
}

#[tokio::test]
async fn generations_are_exact_to_the_largest_that_a_token_may_carry() {
    let store = open(&settings(shared().url()));
    let user = User::new(&store);
    let session = user.start().await;
    let largest = (1 << 53) - 1;
    let ahead = Presented { generation: largest - 1, ..presented(&session) };
    let Rotation::Healed(successor) = user.rotate(&ahead).await else { panic!("it was ahead") };
    assert_eq!(successor.generation, largest);
    let Rotation::Rotated(successor) = user.rotate(&Presented { generation: largest, ..ahead }).await else {
        panic!("it was current")
    };
    assert_eq!(successor.generation, largest + 1);
    assert_eq!(user.list().await[0].generation, largest + 1);
}

/// Every step on this user fails, and what is stored stays as it is.
async fn nothing_can_be_read(user: &User<'_>, session: &Session) {
    let stored = || -> Vec<u8> { shared().ask(cmd("DUMP").arg(user.key())) };
    let before = stored();
    let steps = user.every_step(session).await;
    let [rotate, _, list, start, end] = &steps;
    for step in [rotate, list, start, end] {
        assert!(matches!(step, Err(StoreError::Unreadable(_))), "{steps:?}");
    }
    assert_eq!(stored(), before);
    let other = User::new(user.store);
    other.start().await;
    assert_eq!(other.list().await.len(), 1);
}

#[tokio::test]
async fn a_key_of_the_wrong_type_is_an_error() {
    let store = open(&settings(shared().url()));
    for make in [["SET", "x"].as_slice(), &["SADD", "x"], &["RPUSH", "x"]] {
        let user = User::new(&store);
        let session = session();
        shared().ask::<()>(cmd(make[0]).arg(user.key()).arg(make[1]));
        nothing_can_be_read(&user, &session).await;
    }
}

#[tokio::test]
async fn a_session_of_an_unknown_version_or_shape_is_an_error() {
    let store = open(&settings(shared().url()));
    let intact = {
        let user = User::new(&store);
        let session = user.start().await;
        shared().ask::<Vec<u8>>(cmd("HGET").arg(user.key()).arg(field(b's', session.id)))
    };
    let mut newer = intact.clone();
    newer[0] = 2;
    let mut unknown_flag = intact.clone();
    unknown_flag[61] = 8;
    let mut missing_digest = intact[..66].to_vec();
    missing_digest[61] = 3;
    for value in [vec![], b"{}".to_vec(), intact[..40].to_vec(), newer, unknown_flag, missing_digest] {
        let user = User::new(&store);
        let session = user.start().await;
        shared().ask::<()>(cmd("HSET").arg(user.key()).arg(field(b's', session.id)).arg(&value));
        nothing_can_be_read(&user, &session).await;
    }
}

#[tokio::test]
async fn what_a_newer_version_has_put_beside_the_sessions_is_an_error_where_all_of_them_are_read() {
    let store = open(&settings(shared().url()));
    for name in [field(b'x', Uuid::nil()), b"s".to_vec()] {
        let user = User::new(&store);
        user.start().await;
        shared().ask::<()>(cmd("HSET").arg(user.key()).arg(&name).arg("value"));
        for step in
            [user.try_start().await.map(drop), user.try_list().await.map(drop), user.try_end_all().await.map(drop)]
        {
            assert!(matches!(step, Err(StoreError::Unreadable(_))), "{name:?}: {step:?}");
        }
    }
}

#[tokio::test]
async fn an_ending_of_an_unknown_shape_is_an_error() {
    let store = open(&settings(shared().url()));
    for value in [vec![], vec![1_u8; 13], vec![2; 14], [&[1, 0, 0, 0, 1, 99][..], &[0x7f; 8]].concat()] {
        let user = User::new(&store);
        let session = session();
        shared().ask::<()>(cmd("HSET").arg(user.key()).arg(field(b'e', session.id)).arg(&value));
        let rotation = user.try_rotate(&presented(&session)).await;
        assert!(matches!(rotation, Err(StoreError::Unreadable(_))), "{value:?}: {rotation:?}");
    }
}

fn field(kind: u8, id: Uuid) -> Vec<u8> {
    [&[kind], id.as_bytes().as_slice()].concat()
}
