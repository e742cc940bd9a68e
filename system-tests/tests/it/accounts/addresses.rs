//! Guessing from one address is slowed whatever the account, and an address is what a trusted proxy says and nobody else.

use chrono::TimeDelta;
use rstest::rstest;
use system_tests::people::Person;

use super::visitors::{Visitor, assert_slowed, assert_wrong, guarded, signed_in};
use system_tests::site::Storage::{self, Distributed, Embedded};

const LIMITS: [(&str, &str); 2] = [("RATE_LIMIT__ADDRESS_ATTEMPTS", "3"), ("RATE_LIMIT__FIRST_DELAY", "10s")];
const FREE: usize = 3;

/// Somebody whom no service knows, so that no account is guessed at twice.
fn anybody() -> String {
    Person::invent().username
}

#[rstest]
#[tokio::test]
async fn guesses_from_one_address_are_slowed_by_default(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = guarded(storage, &[]).await;
    let client = ground.client();
    let person = ground.person().await;
    let thief = Visitor::new(&client, "203.0.113.7");
    // Three users are guessed at by turns; of each there are a few in a hundred, and the accounts' own limits do not show.
    let mut users = Vec::new();
    for _ in 0..12 {
        users.push(ground.person().await);
    }
    for number in 0..100 {
        assert_wrong(&thief.guess(&users[number % users.len()].username).await);
    }
    let wait = assert_slowed(&thief.guess(&person.username).await);
    assert_eq!(wait, 1);
    ground.stack.advance(TimeDelta::seconds(wait));
    assert_wrong(&thief.guess(&person.username).await);
    assert_eq!(assert_slowed(&thief.guess(&person.username).await), 2);
}

#[rstest]
#[tokio::test]
async fn one_address_is_slowed_and_another_is_not(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = guarded(storage, &LIMITS).await;
    let (client, person) = (ground.client(), ground.person().await);
    let [thief, other, owner] = ["203.0.113.7", "203.0.113.8", "203.0.113.9"].map(|at| Visitor::new(&client, at));
    signed_in(&owner.login(&person).await);
    for visitor in [&thief, &owner] {
        for _ in 0..FREE {
            assert_wrong(&visitor.guess(&anybody()).await);
        }
        assert_eq!(assert_slowed(&visitor.guess(&anybody()).await), 10);
    }
    assert_slowed(&thief.login(&person).await);
    assert_wrong(&other.guess(&person.username).await);
    // Whoever signed in there before gets in; whoever is new there waits, and then gets in too.
    signed_in(&owner.login(&person).await);
    let new = ground.person().await;
    ground.stack.advance(TimeDelta::seconds(assert_slowed(&owner.login(&new).await)));
    signed_in(&owner.login(&new).await);
}

#[rstest]
#[tokio::test]
async fn retry_after_is_true_also_for_who_hammers_one_account_from_one_address(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let limits = [("RATE_LIMIT__ACCOUNT_ATTEMPTS", "2"), ("RATE_LIMIT__ADDRESS_ATTEMPTS", "5")];
    let ground = guarded(storage, &limits).await;
    let (client, person) = (ground.client(), ground.person().await);
    let thief = Visitor::new(&client, "203.0.113.7");
    for _ in 0..2 {
        assert_wrong(&thief.guess(&person.username).await);
    }
    // Guesses that nobody looked at are none, at the address neither.
    for _ in 0..20 {
        assert_eq!(assert_slowed(&thief.guess(&person.username).await), 1);
    }
    for expected in [1, 2] {
        assert_eq!(assert_slowed(&thief.guess(&person.username).await), expected);
        ground.stack.advance(TimeDelta::seconds(expected));
        assert_wrong(&thief.guess(&person.username).await);
    }
    assert_wrong(&thief.guess(&anybody()).await);
    assert_eq!(assert_slowed(&thief.guess(&anybody()).await), 1);
}

#[rstest]
#[tokio::test]
async fn retry_after_is_true_where_the_account_waits_longer_than_the_address(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let limits = [
        ("RATE_LIMIT__ACCOUNT_ATTEMPTS", "1"),
        ("RATE_LIMIT__ADDRESS_ATTEMPTS", "1"),
        ("RATE_LIMIT__FIRST_DELAY", "10s"),
    ];
    let ground = guarded(storage, &limits).await;
    let (client, person) = (ground.client(), ground.person().await);
    let [thief, other] = ["203.0.113.7", "203.0.113.8"].map(|at| Visitor::new(&client, at));
    assert_wrong(&other.guess(&person.username).await);
    ground.stack.advance(TimeDelta::seconds(10));
    // The account has to wait for 20 s from here, the address for 10 s.
    assert_wrong(&thief.guess(&person.username).await);
    assert_eq!(assert_slowed(&thief.guess(&person.username).await), 20);
    assert_eq!(assert_slowed(&thief.guess(&anybody()).await), 10);
    // To ask made neither wait longer.
    ground.stack.advance(TimeDelta::seconds(10));
    assert_eq!(assert_slowed(&thief.guess(&person.username).await), 10);
    ground.stack.advance(TimeDelta::seconds(10));
    assert_wrong(&thief.guess(&person.username).await);
}

#[rstest]
#[tokio::test]
async fn an_address_that_is_only_claimed_changes_nothing(
    #[values(Embedded, Distributed)] storage: Storage,
    #[values("", "10.0.0.0/8,2001:db8::/32")] trusted: &str,
) {
    let ground = guarded(storage, &[&LIMITS[..], &[("SERVER__TRUSTED_PROXIES", trusted)]].concat()).await;
    let client = ground.client();
    for number in 0..FREE {
        let number = u16::try_from(number).expect("a small number");
        assert_wrong(&Visitor::number(&client, number).guess(&anybody()).await);
    }
    assert_slowed(&Visitor::number(&client, 100).guess(&anybody()).await);
    // Nor is a peer taken for its own proxy.
    assert_slowed(&Visitor::new(&client, "10.1.2.3").guess(&anybody()).await);
    assert_slowed(&Visitor::new(&client, "203.0.113.7, 10.1.2.3").guess(&anybody()).await);
}

#[rstest]
#[tokio::test]
async fn what_stands_before_the_entry_of_a_trusted_proxy_is_not_believed(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let ground = guarded(storage, &LIMITS).await;
    let client = ground.client();
    for invented in ["1.2.3.4, 203.0.113.7", "5.6.7.8,203.0.113.7", "127.0.0.1, garbage, 203.0.113.7"] {
        assert_wrong(&Visitor::new(&client, invented).guess(&anybody()).await);
    }
    assert_slowed(&Visitor::new(&client, "9.9.9.9, 203.0.113.7").guess(&anybody()).await);
    assert_wrong(&Visitor::new(&client, "203.0.113.7, 203.0.113.8").guess(&anybody()).await);
}

#[rstest]
#[tokio::test]
async fn a_network_of_ipv6_is_one_address(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = guarded(storage, &LIMITS).await;
    let client = ground.client();
    for inside in ["2001:db8:1:2::1", "2001:db8:1:2:ffff::", "2001:DB8:1:2:0:a:b:c"] {
        assert_wrong(&Visitor::new(&client, inside).guess(&anybody()).await);
    }
    assert_slowed(&Visitor::new(&client, "2001:db8:1:2:3:4:5:6").guess(&anybody()).await);
    for outside in ["2001:db8:1:3::1", "2001:db8:1:1:ffff:ffff:ffff:ffff", "2001:db8::1:2:0:1"] {
        assert_wrong(&Visitor::new(&client, outside).guess(&anybody()).await);
    }
    // An address of IPv4 is the same in either notation.
    for notation in ["203.0.113.7", "::ffff:203.0.113.7", "[::ffff:203.0.113.7]:443"] {
        assert_wrong(&Visitor::new(&client, notation).guess(&anybody()).await);
    }
    assert_slowed(&Visitor::new(&client, "203.0.113.7:80").guess(&anybody()).await);
}

#[rstest]
#[tokio::test]
async fn who_signed_in_from_a_network_of_ipv6_is_known_in_all_of_it(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = guarded(storage, &[("RATE_LIMIT__ACCOUNT_ATTEMPTS", "1")]).await;
    let (client, person) = (ground.client(), ground.person().await);
    signed_in(&Visitor::new(&client, "2001:db8:1:2::1").login(&person).await);
    assert_wrong(&Visitor::new(&client, "203.0.113.7").guess(&person.username).await);
    assert_slowed(&Visitor::new(&client, "203.0.113.8").guess(&person.username).await);
    signed_in(&Visitor::new(&client, "2001:db8:1:2:3:4:5:6").login(&person).await);
    assert_slowed(&Visitor::new(&client, "2001:db8:1:3::1").login(&person).await);
}
