//! How many sessions a user may have, and what a login beyond that does.

use chrono::TimeDelta;
use rstest::rstest;
use system_tests::client::{Client, EndedSession, SignedIn};
use system_tests::people::Person;
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;

/// Logs in on each of the devices, a second apart, and expects that nothing ends.
async fn fill(stack: &Stack, person: &Person, devices: &[&str]) -> Vec<SignedIn> {
    let mut sessions = Vec::new();
    for device in devices {
        let session = stack.client().login_on(person, device).await;
        assert_eq!(session.ended_sessions, [], "{device}");
        sessions.push(session);
        stack.advance(TimeDelta::seconds(1));
    }
    sessions
}

fn ended(mut sessions: Vec<EndedSession>) -> Vec<EndedSession> {
    sessions.sort();
    sessions
}

fn named(sessions: &[SignedIn], devices: &[&str]) -> Vec<EndedSession> {
    let pairs = sessions.iter().zip(devices);
    ended(
        pairs
            .map(|(session, device)| EndedSession { id: session.tokens.session_id, device_name: (*device).to_owned() })
            .collect(),
    )
}

async fn assert_ended_by_limit(client: &Client, sessions: &[SignedIn]) {
    for session in sessions {
        client.refresh(&session.tokens.refresh_token).await.assert_session_ended(Some("session_limit"));
    }
}

async fn assert_live(client: &Client, sessions: &[SignedIn]) {
    for session in sessions {
        assert_eq!(client.refresh(&session.tokens.refresh_token).await.status, 200);
    }
}

const FIVE: [&str; 5] = ["phone", "Työasema \u{1f5a5}", "tablet", "work", "library"];

#[rstest]
#[tokio::test]
async fn a_login_that_finds_five_sessions_ends_them_all_and_names_them(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let person = stack.person().await;
    let five = fill(&stack, &person, &FIVE).await;
    let sixth = stack.client().login_on(&person, "sixth").await;
    assert_eq!(ended(sixth.ended_sessions.clone()), named(&five, &FIVE));
    assert_ended_by_limit(&stack.client(), &five).await;
    assert_live(&stack.client(), &[sixth]).await;
}

#[rstest]
#[tokio::test]
async fn five_sessions_of_one_user_are_nothing_to_another(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let (one, other) = (stack.person().await, stack.person().await);
    let five = fill(&stack, &one, &FIVE).await;
    fill(&stack, &other, &FIVE).await;
    stack.client().login(&other).await;
    assert_live(&stack.client(), &five).await;
}

#[rstest]
#[tokio::test]
async fn the_one_unused_for_longest_makes_room_where_so_configured(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start_with(storage, &[("SESSIONS__WHEN_FULL", "end_least_recent")]).await;
    let person = stack.person().await;
    let client = stack.client();
    let mut five = fill(&stack, &person, &FIVE).await;
    // A refresh is a use: the oldest session is not the one unused for longest any more.
    let used = client.refresh(&five[0].tokens.refresh_token).await.tokens();
    stack.advance(TimeDelta::seconds(1));

    let sixth = client.login_on(&person, "sixth").await;
    assert_eq!(sixth.ended_sessions, named(&five[1..2], &FIVE[1..2]));
    assert_ended_by_limit(&client, &five[1..2]).await;
    five.remove(1);
    five[0].tokens = used;
    assert_live(&client, &five).await;
}

#[rstest]
#[tokio::test]
async fn the_limit_is_a_setting(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start_with(storage, &[("SESSIONS__MAX_PER_USER", "1")]).await;
    let person = stack.person().await;
    let mut before = stack.client().login_on(&person, "first").await;
    for device in ["second", "third"] {
        let next = stack.client().login_on(&person, device).await;
        assert_eq!(next.ended_sessions.len(), 1);
        assert_eq!(next.ended_sessions[0].id, before.tokens.session_id);
        assert_ended_by_limit(&stack.client(), &[before]).await;
        before = next;
    }
}

#[rstest]
#[tokio::test]
async fn a_limit_that_was_lowered_holds_from_the_next_login_on(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let person = stack.person().await;
    let five = fill(&stack, &person, &FIVE).await;
    let lowered = [("SESSIONS__MAX_PER_USER", "2"), ("SESSIONS__WHEN_FULL", "end_least_recent")];
    let strict = stack.instance_with(&lowered).await;
    let next = strict.client().login_on(&person, "next").await;
    assert_eq!(ended(next.ended_sessions.clone()), named(&five[..4], &FIVE[..4]));
    assert_live(&strict.client(), &five[4..]).await;
}

#[rstest]
#[tokio::test]
async fn sessions_that_expired_or_ended_do_not_count(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let person = stack.person().await;
    let client = stack.client();
    let five = fill(&stack, &person, &FIVE).await;
    for gone in &five[..2] {
        client.logout(&gone.tokens.refresh_token).await;
    }
    fill(&stack, &person, &["sixth", "seventh"]).await;

    stack.advance(TimeDelta::days(31));
    fill(&stack, &person, &FIVE).await;
    assert_eq!(client.login_on(&person, "once more").await.ended_sessions.len(), 5);
}
