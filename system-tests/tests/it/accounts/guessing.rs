//! Guessing at the passwords of one account is slowed down from anywhere, and keeps its owner out of nothing.

use chrono::TimeDelta;
use rstest::rstest;
use system_tests::client::Client;
use system_tests::people::Person;

use super::ground::Ground;
use super::visitors::{Visitor, assert_slowed, assert_wrong, guarded, signed_in};
use system_tests::site::Storage::{self, Distributed, Embedded};

/// Three guesses are free; the waits are 10 s, 20 s, 40 s and then always a minute.
const LIMITS: [(&str, &str); 4] = [
    ("RATE_LIMIT__ACCOUNT_ATTEMPTS", "3"),
    ("RATE_LIMIT__FIRST_DELAY", "10s"),
    ("RATE_LIMIT__LONGEST_DELAY", "1m"),
    ("RATE_LIMIT__FORGET_AFTER", "10m"),
];
const FREE: u16 = 3;
/// Where an owner is at home, and a stranger who was never seen before.
const HOME: &str = "203.0.113.7";

/// Uses up what may be guessed at an account without a wait, each guess from an address of its own.
async fn hammer(client: &Client, username: &str) {
    for number in 0..FREE {
        assert_wrong(&Visitor::number(client, number).guess(username).await);
    }
    assert_slowed(&Visitor::number(client, FREE).guess(username).await);
}

/// A stranger, at an address that nobody used before.
fn stranger(client: &Client, number: u16) -> Visitor {
    Visitor::number(client, 1_000 + number)
}

#[rstest]
#[tokio::test]
async fn guesses_at_one_account_from_anywhere_are_slowed_by_default(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = guarded(storage, &[]).await;
    let (client, person) = (ground.client(), ground.person().await);
    for number in 0..10 {
        assert_wrong(&Visitor::number(&client, number).guess(&person.username).await);
    }
    let mut waits = Vec::new();
    for number in 10..15 {
        let wait = assert_slowed(&Visitor::number(&client, number).guess(&person.username).await);
        ground.stack.advance(TimeDelta::seconds(wait));
        assert_wrong(&Visitor::number(&client, number).guess(&person.username).await);
        waits.push(wait);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16]);
    // Another account is nothing of that.
    assert_wrong(&stranger(&client, 0).guess(&ground.person().await.username).await);
}

#[rstest]
#[tokio::test]
async fn retry_after_is_true_to_the_second(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = guarded(storage, &LIMITS).await;
    let (client, person) = (ground.client(), ground.person().await);
    hammer(&client, &person.username).await;
    for expected in [10, 20, 40] {
        let wait = assert_slowed(&stranger(&client, 0).guess(&person.username).await);
        assert_eq!(wait, expected);
        ground.stack.advance(TimeDelta::seconds(wait - 1));
        assert_eq!(assert_slowed(&stranger(&client, 1).guess(&person.username).await), 1);
        ground.stack.advance(TimeDelta::milliseconds(999));
        assert_eq!(assert_slowed(&stranger(&client, 2).guess(&person.username).await), 1);
        ground.stack.advance(TimeDelta::milliseconds(1));
        assert_wrong(&stranger(&client, 3).guess(&person.username).await);
    }
}

#[rstest]
#[tokio::test]
async fn nobody_is_kept_out_for_good(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = guarded(storage, &LIMITS).await;
    let (client, person) = (ground.client(), ground.person().await);
    hammer(&client, &person.username).await;
    let mut waits = Vec::new();
    for number in 0..7 {
        // To ask again and again while waiting makes no wait longer.
        let asked = assert_slowed(&stranger(&client, number).guess(&person.username).await);
        for _ in 0..5 {
            assert_eq!(assert_slowed(&stranger(&client, number).guess(&person.username).await), asked);
        }
        ground.stack.advance(TimeDelta::seconds(asked));
        assert_wrong(&stranger(&client, number).guess(&person.username).await);
        waits.push(asked);
    }
    assert_eq!(waits, [10, 20, 40, 60, 60, 60, 60]);

    ground.stack.advance(TimeDelta::seconds(60));
    signed_in(&stranger(&client, 100).login(&person).await);
    // After a quiet while all is as if nothing had been.
    ground.stack.advance(TimeDelta::minutes(10));
    hammer(&client, &person.username).await;
}

#[rstest]
#[tokio::test]
async fn while_an_account_is_hammered_its_owner_goes_on(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = guarded(storage, &LIMITS).await;
    let (client, person) = (ground.client(), ground.person().await);
    let home = Visitor::new(&client, HOME);
    let mut tokens = signed_in(&home.login(&person).await);
    hammer(&client, &person.username).await;

    // The session goes on, wherever it is, and so do all that it may do.
    for number in 0..10 {
        tokens = stranger(&client, number).refresh(&tokens.refresh_token, None).await.tokens();
        assert_eq!(client.sessions(&tokens.access_token).await.status, 200);
    }
    // The owner gets in from where they were before, also after a slip, and may change the password there.
    assert_wrong(&home.guess(&person.username).await);
    signed_in(&home.login(&person).await);
    assert_eq!(home.change_password(&tokens, &person.password, "an entirely new password").await.status, 204);
    signed_in(&home.try_login(&person.email, "an entirely new password").await);
    // Elsewhere they wait with everybody else.
    assert_slowed(&stranger(&client, 50).try_login(&person.username, "an entirely new password").await);
}

#[rstest]
#[tokio::test]
async fn an_address_that_signed_in_before_has_an_allowance_of_its_own_and_no_more(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let ground = guarded(storage, &LIMITS).await;
    let (client, person) = (ground.client(), ground.person().await);
    let home = Visitor::new(&client, HOME);
    signed_in(&home.login(&person).await);
    for _ in 0..FREE {
        assert_wrong(&home.guess(&person.username).await);
    }
    let wait = assert_slowed(&home.login(&person).await);
    assert_eq!(wait, 10);
    // What was guessed there costs nobody anything elsewhere.
    assert_wrong(&stranger(&client, 0).guess(&person.username).await);
    ground.stack.advance(TimeDelta::seconds(wait));
    signed_in(&home.login(&person).await);
    for _ in 0..FREE {
        assert_wrong(&home.guess(&person.username).await);
    }
    assert_slowed(&home.guess(&person.username).await);
}

#[rstest]
#[tokio::test]
async fn an_address_is_known_for_ninety_days(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = guarded(storage, &LIMITS).await;
    let (client, person) = (ground.client(), ground.person().await);
    let home = Visitor::new(&client, HOME);
    signed_in(&home.login(&person).await);
    ground.stack.advance(TimeDelta::days(90) - TimeDelta::seconds(1));
    hammer(&client, &person.username).await;
    signed_in(&home.login(&person).await);
    ground.stack.advance(TimeDelta::days(90));
    hammer(&client, &person.username).await;
    assert_slowed(&home.login(&person).await);
}

#[rstest]
#[tokio::test]
async fn what_is_right_is_not_counted(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = guarded(storage, &[&LIMITS[..], &[("RATE_LIMIT__ADDRESS_ATTEMPTS", "3")]].concat()).await;
    let (client, person) = (ground.client(), ground.person().await);
    for number in 0..3 * FREE {
        signed_in(&stranger(&client, number).login(&person).await);
    }
    for _ in 0..3 * FREE {
        signed_in(&Visitor::new(&client, HOME).login(&ground.person().await).await);
    }
    hammer(&client, &person.username).await;
}

/// What a row of guesses is answered, from addresses of its own: status, code, and the wait if there is one.
async fn answers(ground: &Ground, username: &str, first_address: u16) -> Vec<(u16, String, Option<String>)> {
    let mut answers = Vec::new();
    for number in first_address..first_address + FREE + 3 {
        let answer = Visitor::number(&ground.client(), number).guess(username).await;
        let code = answer.json()["code"].as_str().expect("a code").to_owned();
        answers.push((answer.status, code, answer.header("retry-after").map(str::to_owned)));
    }
    answers
}

#[rstest]
#[tokio::test]
async fn who_is_nobody_is_slowed_as_somebody_is(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = guarded(storage, &LIMITS).await;
    let (known, disabled, nobody) = (ground.person().await, ground.person().await, Person::invent());
    let users = &ground.stack.site.stores.users;
    users.set_disabled(disabled.id, true).await.expect("the database works");
    let of_known = answers(&ground, &known.username, 0).await;
    assert_eq!(of_known.iter().map(|(status, ..)| *status).collect::<Vec<_>>(), [401, 401, 401, 429, 429, 429]);
    for (number, name) in [&known.email, &disabled.username, &nobody.username, &nobody.email].into_iter().enumerate() {
        let first_address = 100 * (1 + u16::try_from(number).expect("a small number"));
        // The names of one account are one account.
        if *name == known.email {
            assert_slowed(&Visitor::number(&ground.client(), first_address).guess(name).await);
        } else {
            assert_eq!(answers(&ground, name, first_address).await, of_known, "{name}");
        }
    }
    // However it is written.
    for name in [known.username.to_uppercase(), nobody.username.to_uppercase(), known.email.to_lowercase()] {
        assert_slowed(&stranger(&ground.client(), 0).guess(&name).await);
    }
}

#[rstest]
#[tokio::test]
async fn a_disabled_users_right_password_counts_as_a_wrong_one(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = guarded(storage, &LIMITS).await;
    let (client, person) = (ground.client(), ground.person().await);
    ground.stack.site.stores.users.set_disabled(person.id, true).await.expect("the database works");
    for number in 0..FREE {
        assert_wrong(&stranger(&client, number).login(&person).await);
    }
    assert_slowed(&stranger(&client, FREE).login(&person).await);
}

#[rstest]
#[tokio::test]
async fn a_wrong_current_password_is_a_guess(#[values(Embedded, Distributed)] storage: Storage) {
    const NEW: &str = "an entirely new password";
    let ground = guarded(storage, &LIMITS).await;
    let (client, person) = (ground.client(), ground.person().await);
    let home = Visitor::new(&client, HOME);
    let tokens = signed_in(&home.login(&person).await);
    // A new password that will not do is looked at first, and is no guess.
    for _ in 0..2 * FREE {
        home.change_password(&tokens, "not the one it is", "short").await.assert_problem(422, "validation_failed");
    }
    for _ in 0..FREE {
        home.change_password(&tokens, "not the one it is", NEW).await.assert_problem(422, "validation_failed");
    }
    assert_eq!(assert_slowed(&home.change_password(&tokens, &person.password, NEW).await), 10);
    assert_slowed(&home.login(&person).await);
    ground.stack.advance(TimeDelta::seconds(10));
    assert_eq!(home.change_password(&tokens, &person.password, NEW).await.status, 204);

    // With a stolen access token, from elsewhere: it counts with all other guesses from elsewhere.
    for number in 0..FREE {
        let thief = stranger(&client, number);
        thief.change_password(&tokens, "not the one it is", NEW).await.assert_problem(422, "validation_failed");
    }
    assert_slowed(&stranger(&client, 10).change_password(&tokens, "not the one it is", NEW).await);
    assert_slowed(&stranger(&client, 11).guess(&person.username).await);
}

#[rstest]
#[tokio::test]
async fn where_limits_are_off_nothing_is_slowed(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = guarded(storage, &[&LIMITS[..], &[("RATE_LIMIT__ENABLED", "false")]].concat()).await;
    let (client, person) = (ground.client(), ground.person().await);
    let home = Visitor::new(&client, HOME);
    for _ in 0..30 {
        assert_wrong(&home.guess(&person.username).await);
    }
    let mut tokens = signed_in(&home.login(&person).await);
    for _ in 0..200 {
        tokens = home.refresh(&tokens.refresh_token, None).await.tokens();
    }
    assert_eq!(ground.counters().await, 0);
}
