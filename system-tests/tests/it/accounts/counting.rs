//! How guesses are counted: by all instances together, never more at once than are allowed, in no more counters than meant, and not
//! at all only where an operator says so.

use std::collections::{HashMap, HashSet};

use auth_service::domain::attempts::Bucket;
use chrono::TimeDelta;
use futures_util::future::join_all;
use rstest::rstest;
use system_tests::client::Answer;
use system_tests::people::Person;

use super::visitors::{Visitor, assert_slowed, assert_wrong, guarded, signed_in};
use system_tests::site::Storage::{self, Distributed, Embedded};

fn with_status(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

#[rstest]
#[tokio::test]
async fn instances_count_together(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = guarded(storage, &[("RATE_LIMIT__ACCOUNT_ATTEMPTS", "4")]).await;
    let second = ground.stack.second_instance().await;
    let (clients, person) = ([ground.client(), second.client()], ground.person().await);
    for number in 0..4 {
        let client = &clients[usize::from(number) % 2];
        assert_wrong(&Visitor::number(client, number).guess(&person.username).await);
    }
    for client in &clients {
        assert_slowed(&Visitor::number(client, 10).guess(&person.username).await);
    }
    // An address that is known to one is known to the other.
    ground.stack.advance(TimeDelta::seconds(1));
    signed_in(&Visitor::number(&clients[0], 20).login(&person).await);
    assert_wrong(&Visitor::number(&clients[1], 21).guess(&person.username).await);
    assert_slowed(&Visitor::number(&clients[0], 22).guess(&person.username).await);
    signed_in(&Visitor::number(&clients[1], 20).login(&person).await);
}

#[rstest]
#[case::at_an_account(false)]
#[case::from_an_address(true)]
#[tokio::test]
async fn of_a_hundred_guesses_at_once_no_more_are_looked_at_than_allowed(
    #[values(Embedded, Distributed)] storage: Storage,
    #[case] from_one_address: bool,
) {
    let allowed = if from_one_address { "RATE_LIMIT__ADDRESS_ATTEMPTS" } else { "RATE_LIMIT__ACCOUNT_ATTEMPTS" };
    let ground = guarded(storage, &[(allowed, "10"), ("RATE_LIMIT__FIRST_DELAY", "1m")]).await;
    let second = ground.stack.second_instance().await;
    let clients = [ground.client(), second.client()];
    let mut people = Vec::new();
    for _ in 0..if from_one_address { 20 } else { 1 } {
        people.push(ground.person().await);
    }
    let answers = join_all((0..100_u16).map(async |number| {
        let client = &clients[usize::from(number) % 2];
        let address = if from_one_address { 0 } else { number };
        Visitor::number(client, address).guess(&people[usize::from(number) % people.len()].username).await
    }))
    .await;
    assert_eq!((with_status(&answers, 401), with_status(&answers, 429)), (10, 90), "{answers:?}");
}

#[rstest]
#[tokio::test]
async fn the_right_password_is_refused_too_once_the_guesses_are_used_up(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    // A thief finds it only if it is one of the first ten, however many are tried at once.
    let ground = guarded(storage, &[("RATE_LIMIT__FIRST_DELAY", "1m")]).await;
    let (client, person) = (ground.client(), ground.person().await);
    let wrong = join_all((0..10).map(async |number| Visitor::number(&client, number).guess(&person.username).await));
    assert_eq!(with_status(&wrong.await, 401), 10);
    let right = join_all((10..40).map(async |number| Visitor::number(&client, number).login(&person).await)).await;
    assert_eq!(with_status(&right, 429), 30, "{right:?}");
}

#[rstest]
#[tokio::test]
async fn logins_are_refused_while_attempts_cannot_be_counted(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = guarded(storage, &[("RATE_LIMIT__ACCOUNT_ATTEMPTS", "3")]).await;
    let (client, person) = (ground.client(), ground.person().await);
    let home = Visitor::number(&client, 0);
    let tokens = signed_in(&home.login(&person).await);
    assert_wrong(&Visitor::number(&client, 1).guess(&person.username).await);
    ground.take_store_away().await;
    for visitor in [&home, &Visitor::number(&client, 2)] {
        visitor.login(&person).await.assert_unavailable();
        visitor.guess(&person.username).await.assert_unavailable();
        visitor.guess(&Person::invent().username).await.assert_unavailable();
        visitor.change_password(&tokens, "not the one it is", "an entirely new one").await.assert_unavailable();
    }
    ground.give_store_back().await;
    // What was counted before still counts, and what was refused meanwhile does not.
    for number in 3..5 {
        assert_wrong(&Visitor::number(&client, number).guess(&person.username).await);
    }
    assert_slowed(&Visitor::number(&client, 5).guess(&person.username).await);
    signed_in(&home.login(&person).await);
}

/// Pairs of names that share a counter, for there are more names than counters.
fn names_that_share(pairs: usize) -> Vec<[String; 2]> {
    let mut seen = HashMap::new();
    let mut found = Vec::new();
    for number in 0.. {
        let name = format!("nobody-{number}");
        if let Some(other) = seen.insert(Bucket::of_account(&name).0, name.clone()) {
            found.push([other, name]);
        }
        if found.len() == pairs {
            break;
        }
    }
    found
}

#[rstest]
#[tokio::test]
async fn names_made_up_at_random_share_a_bounded_number_of_counters(#[values(Embedded, Distributed)] storage: Storage) {
    const PAIRS: usize = 8;
    let ground = guarded(storage, &[("RATE_LIMIT__ACCOUNT_ATTEMPTS", "2"), ("RATE_LIMIT__FIRST_DELAY", "1m")]).await;
    let thief = Visitor::number(&ground.client(), 0);
    for pair in names_that_share(PAIRS) {
        for name in &pair {
            assert_wrong(&thief.guess(name).await);
        }
        // Whoever shares a counter waits with the other.
        for name in &pair {
            assert_slowed(&thief.guess(name).await);
        }
    }
    // One for each pair, one for the address.
    assert_eq!(ground.counters().await, PAIRS + 1);

    // However long a name is, its counter is as small as any other.
    let long: HashSet<_> = (0..1_000).map(|number| Bucket::of_account(&"n".repeat(number * 16)).0).collect();
    assert!(long.iter().all(|bucket| bucket[1..12] == [0; 11] && bucket[12] < 16), "there are 2^20 counters");
}

#[rstest]
#[tokio::test]
async fn counters_that_nobody_needs_any_more_are_dropped(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = guarded(storage, &[("RATE_LIMIT__FORGET_AFTER", "15m")]).await;
    let client = ground.client();
    for number in 0..6 {
        assert_wrong(&Visitor::number(&client, number).guess(&Person::invent().username).await);
    }
    assert_eq!(ground.counters().await, 12);
    ground.stack.advance(TimeDelta::minutes(15));
    if storage == Distributed {
        // Redis has its own clock, which does not move with the service's; the counters are given a life by it.
        let lives = ground.lives_of_counters();
        assert!(lives.iter().all(|milliseconds| (1..=16 * 60_000).contains(milliseconds)), "{lives:?}");
        return;
    }
    // Each guess takes more old counters along than it makes.
    for (number, left) in [(10, 10), (11, 8), (12, 6)] {
        assert_wrong(&Visitor::number(&client, number).guess(&Person::invent().username).await);
        assert_eq!(ground.counters().await, left);
    }
}
