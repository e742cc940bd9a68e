//! An unknown user, a wrong password and a disabled user take as long as each other. A property of the code, measured: the same work
//! is done for each.

use std::time::{Duration, Instant};

use auth_service::domain::password::PasswordHasher;
use rstest::rstest;
use serde_json::{Value, json};
use system_tests::client::Client;
use system_tests::people::Person;
use system_tests::site::Storage::{self, Distributed, Embedded};

use super::ground::Ground;

/// Tries of each kind at a time, by turns, so that whatever else the machine does meets them all alike.
const TRIES: usize = 60;
/// How far the slowest median may be from the fastest, in hundredths.
const NEAR: u128 = 15;

/// A person whose hash costs what a hash costs today.
async fn person(ground: &Ground) -> Person {
    let person = ground.person().await;
    let users = &ground.stack.site.stores.users;
    let user = users.find(person.id).await.expect("the database works").expect("the user is there");
    let hash = PasswordHasher::new(1).hash(person.password.clone().into()).await.expect("a hash");
    users.renew_hash(&user, &hash).await.expect("the database works");
    person
}

#[allow(clippy::disallowed_methods, reason = "this measures how long an answer takes")]
async fn time(client: &Client, body: &Value) -> Duration {
    let began = Instant::now();
    let answer = client.try_login(body).await;
    let took = began.elapsed();
    answer.assert_problem(401, "invalid_credentials");
    took
}

/// Tries each kind so often, and adds how long that took, in microseconds.
async fn measure(client: &Client, bodies: &[Value; 3], times: &mut [Vec<u128>; 3]) {
    for turn in 0..TRIES {
        for place in 0..3 {
            // The order changes, so that none is always the one after another.
            let kind = (turn + place) % 3;
            times[kind].push(time(client, &bodies[kind]).await.as_micros());
        }
    }
}

fn medians(times: &mut [Vec<u128>; 3]) -> [u128; 3] {
    [0, 1, 2].map(|kind| {
        times[kind].sort_unstable();
        times[kind][times[kind].len() / 2]
    })
}

#[rstest]
#[tokio::test]
async fn unknown_users_wrong_passwords_and_disabled_users_take_equally_long(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let limits = [
        ("RATE_LIMIT__ENABLED", "true"),
        ("RATE_LIMIT__ACCOUNT_ATTEMPTS", "1000"),
        ("RATE_LIMIT__ADDRESS_ATTEMPTS", "10000"),
    ];
    let ground = Ground::start_with(storage, &limits).await;
    let (there, disabled) = (person(&ground).await, person(&ground).await);
    ground.stack.site.stores.users.set_disabled(disabled.id, true).await.expect("the database works");
    let bodies = [
        json!({ "username": Person::invent().username, "password": there.password }),
        json!({ "username": there.username, "password": "not the password of anybody" }),
        disabled.credentials(),
    ];
    let mut times = [const { Vec::new() }; 3];
    // On a machine with much else to do it takes more tries until chance evens out.
    for _ in 0..3 {
        measure(&ground.client(), &bodies, &mut times).await;
        let medians = medians(&mut times);
        let (fastest, slowest) = (medians.iter().min().copied(), medians.iter().max().copied());
        if slowest.zip(fastest).is_some_and(|(slowest, fastest)| slowest * 100 <= fastest * (100 + NEAR)) {
            return;
        }
    }
    panic!("medians of unknown, wrong and disabled, in microseconds: {:?}", medians(&mut times));
}
