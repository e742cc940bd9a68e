//! One session may be refreshed far more often than any honest client needs, and not more often than that.

use chrono::TimeDelta;
use rstest::rstest;
use serde_json::json;
use system_tests::client::{Answered, SignedIn, Tokens};
use system_tests::people::Person;

use super::ground::Ground;
use super::visitors::{Visitor, assert_slowed, guarded, signed_in};
use system_tests::site::Storage::{self, Distributed, Embedded};

const FINGERPRINT: &str = "the fingerprint of this device";
const HOME: &str = "203.0.113.7";

/// Refreshes so often, and expects each to be granted.
async fn refresh(visitor: &Visitor, mut tokens: Tokens, times: usize) -> Tokens {
    for _ in 0..times {
        tokens = visitor.refresh(&tokens.refresh_token, Some(FINGERPRINT)).await.tokens();
    }
    tokens
}

async fn login_with_fingerprint(ground: &Ground, person: &Person) -> Tokens {
    let body = json!({ "username": person.username, "password": person.password, "fingerprint": FINGERPRINT });
    ground.client().post("/login", &body).answer().await.read::<SignedIn>(200).tokens
}

#[rstest]
#[tokio::test]
async fn a_burst_of_refreshes_of_one_session_is_slowed_and_no_other_session_is(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let ground = guarded(storage, &[]).await;
    let (home, person) = (Visitor::new(&ground.client(), HOME), ground.person().await);
    let (busy, other) = (signed_in(&home.login(&person).await), signed_in(&home.login(&person).await));
    let busy = refresh(&home, busy, 120).await;
    assert_eq!(assert_slowed(&home.refresh(&busy.refresh_token, None).await), 1);
    refresh(&home, other, 1).await;
    // Nothing was spent by asking too often, and elsewhere there is an allowance of its own.
    let busy = refresh(&Visitor::new(&ground.client(), "203.0.113.8"), busy, 1).await;
    ground.stack.advance(TimeDelta::seconds(1));
    let busy = refresh(&home, busy, 2).await;
    assert_slowed(&home.refresh(&busy.refresh_token, None).await);
    ground.stack.advance(TimeDelta::minutes(1));
    refresh(&home, busy, 120).await;
}

#[rstest]
#[tokio::test]
async fn the_wait_is_true_and_the_limit_a_setting(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = guarded(storage, &[("RATE_LIMIT__REFRESHES_PER_MINUTE", "3")]).await;
    let home = Visitor::new(&ground.client(), HOME);
    let tokens = signed_in(&home.login(&ground.person().await).await);
    let tokens = refresh(&home, tokens, 3).await;
    assert_eq!(assert_slowed(&home.refresh(&tokens.refresh_token, None).await), 20);
    ground.stack.advance(TimeDelta::seconds(19));
    assert_eq!(assert_slowed(&home.refresh(&tokens.refresh_token, None).await), 1);
    ground.stack.advance(TimeDelta::seconds(1));
    let tokens = refresh(&home, tokens, 1).await;
    assert_eq!(assert_slowed(&home.refresh(&tokens.refresh_token, None).await), 20);
    // A clock that is set back keeps nobody out.
    ground.stack.advance(TimeDelta::days(-1));
    refresh(&home, tokens, 1).await;
}

#[rstest]
#[tokio::test]
async fn wrong_fingerprints_use_the_allowance_up_faster(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = guarded(storage, &[]).await;
    let (client, person) = (ground.client(), ground.person().await);
    let tokens = login_with_fingerprint(&ground, &person).await;
    let thief = Visitor::new(&client, "198.51.100.1");
    let mut guesses = 0;
    loop {
        let answer = thief.refresh(&tokens.refresh_token, Some("a wrong one")).await;
        if answer.status == 429 {
            break;
        }
        answer.assert_problem(403, "fingerprint_mismatch");
        guesses += 1;
    }
    assert!((5..=20).contains(&guesses), "{guesses} guesses of 120 refreshes");
    // From then on it goes on at the same price: a minute is good for no more than it was.
    let mut later = 0;
    for _ in 0..60 {
        ground.stack.advance(TimeDelta::seconds(1));
        while thief.refresh(&tokens.refresh_token, Some("a wrong one")).await.status != 429 {
            later += 1;
        }
    }
    assert!((1..=20).contains(&later), "{later} guesses in a minute");
    // The session is as it was, and its owner has not noticed.
    refresh(&Visitor::new(&client, HOME), tokens, 20).await;
}

#[rstest]
#[tokio::test]
async fn a_network_of_ipv6_has_one_allowance(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = guarded(storage, &[("RATE_LIMIT__REFRESHES_PER_MINUTE", "2")]).await;
    let (client, person) = (ground.client(), ground.person().await);
    let tokens = signed_in(&Visitor::new(&client, HOME).login(&person).await);
    let mut tokens = tokens;
    for inside in ["2001:db8:1:2::1", "2001:db8:1:2:3:4:5:6"] {
        tokens = refresh(&Visitor::new(&client, inside), tokens, 1).await;
    }
    assert_slowed(&Visitor::new(&client, "2001:db8:1:2:ffff::").refresh(&tokens.refresh_token, None).await);
    refresh(&Visitor::new(&client, "2001:db8:1:3::1"), tokens, 1).await;
}

/// Three wrong fingerprints are free; the waits are 10 s, 20 s and so on.
const GUESSES: [(&str, &str); 2] = [("RATE_LIMIT__ACCOUNT_ATTEMPTS", "3"), ("RATE_LIMIT__FIRST_DELAY", "10s")];

#[rstest]
#[tokio::test]
async fn wrong_fingerprints_of_one_session_count_together_wherever_they_come_from(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let ground = guarded(storage, &GUESSES).await;
    let second = ground.stack.second_instance().await;
    let (clients, person) = ([ground.client(), second.client()], ground.person().await);
    let tokens = login_with_fingerprint(&ground, &person).await;
    let guess = async |number: u16, fingerprint: &str| {
        let thief = Visitor::number(&clients[usize::from(number) % 2], number);
        thief.refresh(&tokens.refresh_token, Some(fingerprint)).await
    };
    for number in 0..3 {
        guess(number, "a wrong one").await.assert_problem(403, "fingerprint_mismatch");
    }
    for number in 3..7 {
        assert_eq!(assert_slowed(&guess(number, "a wrong one").await), 10);
    }
    // Who has guessed there is not looked at any more, so that the next guess tells nothing, not even the right one.
    for number in 3..7 {
        assert_eq!(assert_slowed(&guess(number, FINGERPRINT).await), 10);
    }
    ground.stack.advance(TimeDelta::seconds(10));
    guess(3, "a wrong one").await.assert_problem(403, "fingerprint_mismatch");
    for number in 4..9 {
        assert_eq!(assert_slowed(&guess(number, "a wrong one").await), 20);
    }
    // Another session is nothing of that.
    let other = login_with_fingerprint(&ground, &person).await;
    let thief = Visitor::number(&clients[0], 4);
    thief.refresh(&other.refresh_token, Some("a wrong one")).await.assert_problem(403, "fingerprint_mismatch");
}

#[rstest]
#[tokio::test]
async fn while_fingerprints_are_guessed_at_their_owner_goes_on_anywhere(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let ground = guarded(storage, &GUESSES).await;
    let second = ground.stack.second_instance().await;
    let (clients, person) = ([ground.client(), second.client()], ground.person().await);
    let mut tokens = login_with_fingerprint(&ground, &person).await;
    for number in 0..20 {
        for client in &clients {
            Visitor::number(client, number).refresh(&tokens.refresh_token, Some("a wrong one")).await;
        }
    }
    for client in clients.iter().cycle().take(4) {
        tokens = refresh(&Visitor::new(client, HOME), tokens, 1).await;
    }
    // The thief shares the owner's address.
    for client in &clients {
        for _ in 0..3 {
            let answer = Visitor::new(client, HOME).refresh(&tokens.refresh_token, Some("a wrong one")).await;
            answer.assert_problem(403, "fingerprint_mismatch");
        }
        tokens = refresh(&Visitor::new(client, HOME), tokens, 1).await;
    }
    // The owner moves.
    for number in 100..110 {
        for client in &clients {
            tokens = refresh(&Visitor::number(client, number), tokens, 1).await;
        }
    }
}

#[rstest]
#[tokio::test]
async fn a_wrong_fingerprint_is_no_answer_while_it_cannot_be_counted(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let ground = guarded(storage, &GUESSES).await;
    let person = ground.person().await;
    let tokens = login_with_fingerprint(&ground, &person).await;
    let thief = Visitor::number(&ground.client(), 0);
    let guess = async || thief.refresh(&tokens.refresh_token, Some("a wrong one")).await;
    guess().await.assert_problem(403, "fingerprint_mismatch");
    ground.spoil_counters().await;
    guess().await.assert_unavailable();
    refresh(&thief, tokens, 2).await;
}
