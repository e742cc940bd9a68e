//! The suite that the users pass on every database: what each statement does, and what is left when many race. A database
//! runs all of it through [`users_suite!`](crate::users_suite!).
#![allow(missing_docs, reason = "each name is the sentence that it holds to")]

use std::future::Future;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use secrecy::{ExposeSecret, SecretString};
use service_kit::database::Database;
use shared_claims::random;
use uuid::Uuid;

use super::{Inserted, NewUser, Users};
use crate::domain::user::{Email, User, Username};

/// Makes a test of each rule of the suite. The expression is an async function that answers an empty database with our schema
/// as two instances of the service have it, and whatever has to live as long.
#[macro_export]
macro_rules! users_suite {
    ($open:expr) => {
        $crate::users_suite!(@each $open;
            a_user_is_found_as_they_were_added
            names_and_addresses_are_compared_without_case
            what_nobody_is_called_finds_nobody
            a_taken_name_or_address_is_told_and_adds_nobody
            users_are_listed_by_the_bytes_of_their_names
            a_new_password_makes_a_new_version_and_an_old_version_changes_nothing
            a_change_of_password_can_be_taken_back_unless_another_came_after_it
            a_hash_is_renewed_only_while_it_is_the_same
            disabling_and_enabling_make_new_versions_where_they_change_something
            who_is_deleted_is_gone_and_leaves_their_names
            the_demo_users_are_added_where_nobody_has_their_names
            of_fifty_who_want_one_name_one_gets_it
            of_fifty_who_want_one_address_one_gets_it
            of_racing_changes_of_password_one_counts
            of_racing_deletions_one_finds_the_user
            eight_instances_that_seed_at_once_leave_three_users
        );
    };
    (@each $open:expr; $($test:ident)*) => {
        $(
            #[test]
            fn $test() {
                $crate::stores::users_suite::run($open, $crate::stores::users_suite::$test);
            }
        )*
    };
}

/// Runs one test of the suite, on threads of its own.
pub fn run<K, F: Future<Output = ()>>(
    open: impl AsyncFnOnce() -> ([Arc<dyn Database>; 2], K),
    test: impl FnOnce([Users; 2]) -> F,
) {
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build();
    threads.expect("a runtime starts").block_on(async {
        let (databases, _kept) = open().await;
        test(databases.map(Users::new)).await;
    });
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_millis(1_900_000_000_123).expect("a moment")
}

fn new_user(username: &str, email: &str) -> NewUser {
    NewUser {
        id: random::uuid(),
        username: Username::parse(username).expect("a username"),
        email: Email::parse(email).expect("an address"),
        password_hash: format!("$argon2id$of {username}").into(),
        created_at: now(),
    }
}

async fn add(users: &Users, username: &str, email: &str) -> User {
    let new = new_user(username, email);
    assert_eq!(users.insert(&new).await.expect("the database works"), Inserted::Yes);
    new.into_user()
}

async fn found(users: &Users, id: Uuid) -> Option<User> {
    users.find(id).await.expect("the database works")
}

/// Everything that is known of a user, to compare.
fn facts(user: &User) -> (Uuid, &str, &str, &str, i64, bool, DateTime<Utc>) {
    let hash = user.password_hash.expose_secret();
    let (version, is_disabled) = (user.credential_version, user.is_disabled);
    (user.id, &user.username, &user.email, hash, version, is_disabled, user.created_at)
}

async fn is_as(users: &Users, expected: &User) {
    assert_eq!(found(users, expected.id).await.as_ref().map(facts), Some(facts(expected)));
}

/// What became of the same thing done many times at once, half of it by each instance.
async fn race<T: Send + 'static, F: Future<Output = T> + Send + 'static>(
    instances: &[Users; 2],
    contenders: usize,
    act: impl Fn(Users, usize) -> F,
) -> Vec<T> {
    let acts = (0..contenders).map(|number| tokio::spawn(act(instances[number % 2].clone(), number)));
    join_all(acts.collect::<Vec<_>>()).await.into_iter().map(|outcome| outcome.expect("it does not panic")).collect()
}

pub async fn a_user_is_found_as_they_were_added([users, other]: [Users; 2]) {
    assert!(users.is_empty().await.expect("the database works"));
    for (position, created_at) in [now(), now() + TimeDelta::milliseconds(1)].into_iter().enumerate() {
        let new = NewUser { created_at, ..new_user(&format!("ada{position}"), &format!("Ada{position}@Example.Test")) };
        assert_eq!(users.insert(&new).await.expect("the database works"), Inserted::Yes);
        is_as(&other, &new.into_user()).await;
    }
    assert!(!other.is_empty().await.expect("the database works"));
}

pub async fn names_and_addresses_are_compared_without_case([users, other]: [Users; 2]) {
    let ada = add(&users, "Ada.L", "Ada@Example.Test").await;
    let grace = add(&users, "grace", "grace@example.test").await;
    let logins =
        [("ada.l", &ada), ("ADA.L", &ada), ("ada@example.test", &ada), ("ADA@EXAMPLE.TEST", &ada), ("Grace", &grace)];
    for (typed, user) in logins {
        let found = other.find_by_login(typed).await.expect("the database works");
        assert_eq!(found.as_ref().map(facts), Some(facts(user)), "{typed}");
    }
}

pub async fn what_nobody_is_called_finds_nobody([users, _]: [Users; 2]) {
    add(&users, "ada", "ada@example.test").await;
    let long = "a".repeat(100_000);
    for typed in ["", " ada", "ada ", "ad", "ada%", "' OR '1' = '1", "ada\0", "\0", "$1", "ädä", "🦀", &long] {
        assert!(users.find_by_login(typed).await.expect("the database works").is_none(), "{typed:?}");
    }
    assert!(found(&users, random::uuid()).await.is_none());
}

pub async fn a_taken_name_or_address_is_told_and_adds_nobody([users, other]: [Users; 2]) {
    let ada = add(&users, "ada", "Ada@example.test").await;
    add(&users, "grace", "grace@example.test").await;
    let same_id = NewUser { id: ada.id, ..new_user("linus", "linus@example.test") };
    let attempts = [
        (new_user("ADA", "new@example.test"), (true, false)),
        (new_user("new", "ADA@Example.test"), (false, true)),
        (new_user("ada", "ada@example.test"), (true, true)),
        (new_user("ada", "grace@example.test"), (true, true)),
        (same_id, (false, false)),
    ];
    for (new, (username, email)) in attempts {
        assert_eq!(other.insert(&new).await.expect("the database works"), Inserted::Taken { username, email });
    }
    assert_eq!(users.list().await.expect("the database works").len(), 2);
    is_as(&users, &ada).await;
}

pub async fn users_are_listed_by_the_bytes_of_their_names([users, other]: [Users; 2]) {
    // A language would pass over the signs and put the digits elsewhere.
    let ordered = ["a-c", "a.b", "a0a", "a_a", "aab", "ab-", "abc", "b--"];
    for position in [3, 0, 7, 5, 1, 6, 2, 4] {
        add(&users, ordered[position], &format!("{position}@example.test")).await;
    }
    let listed = other.list().await.expect("the database works");
    assert_eq!(listed.iter().map(|user| user.username.as_str()).collect::<Vec<_>>(), ordered);
}

pub async fn a_new_password_makes_a_new_version_and_an_old_version_changes_nothing([users, other]: [Users; 2]) {
    let (ada, grace) = (add(&users, "ada", "ada@example.test").await, add(&users, "grace", "grace@example.test").await);
    let set = async |user: &User, hash: &str| {
        other.set_password(user, &SecretString::from(hash)).await.expect("the database works")
    };
    assert_eq!(set(&ada, "second").await, Some(2));
    assert_eq!(set(&ada, "by somebody who knew the first").await, None);
    let second = User { password_hash: "second".into(), credential_version: 2, ..ada };
    is_as(&users, &second).await;
    is_as(&users, &grace).await;
    assert_eq!(set(&new_user("nobody", "nobody@example.test").into_user(), "x").await, None);
}

pub async fn a_change_of_password_can_be_taken_back_unless_another_came_after_it([users, _]: [Users; 2]) {
    let ada = add(&users, "ada", "ada@example.test").await;
    let set = async |user: &User| users.set_password(user, &"new".into()).await.expect("the database works");
    let version = set(&ada).await.expect("it is changed");
    users.restore_password(&ada, version).await.expect("the database works");
    is_as(&users, &ada).await;
    let second = User { credential_version: set(&ada).await.expect("it is changed"), ..ada.clone() };
    let third = set(&second).await.expect("it is changed");
    users.restore_password(&ada, version).await.expect("the database works");
    is_as(&users, &User { credential_version: third, password_hash: "new".into(), ..ada }).await;
}

pub async fn a_hash_is_renewed_only_while_it_is_the_same([users, other]: [Users; 2]) {
    let ada = add(&users, "ada", "ada@example.test").await;
    let renew = async |hash: &str| other.renew_hash(&ada, &hash.into()).await.expect("the database works");
    renew("stronger").await;
    renew("by somebody who saw the first").await;
    is_as(&users, &User { password_hash: "stronger".into(), ..ada.clone() }).await;
}

pub async fn disabling_and_enabling_make_new_versions_where_they_change_something([users, other]: [Users; 2]) {
    let ada = add(&users, "ada", "ada@example.test").await;
    for (credential_version, is_disabled) in [(1, false), (2, true), (2, true), (3, false), (3, false)] {
        assert!(users.set_disabled(ada.id, is_disabled).await.expect("the database works"));
        is_as(&other, &User { credential_version, is_disabled, ..ada.clone() }).await;
    }
    assert!(!users.set_disabled(random::uuid(), true).await.expect("the database works"));
}

pub async fn who_is_deleted_is_gone_and_leaves_their_names([users, other]: [Users; 2]) {
    let (ada, grace) = (add(&users, "ada", "ada@example.test").await, add(&users, "grace", "grace@example.test").await);
    assert!(users.delete(ada.id).await.expect("the database works"));
    assert!(!other.delete(ada.id).await.expect("the database works"));
    assert!(found(&other, ada.id).await.is_none());
    is_as(&other, &grace).await;
    is_as(&users, &add(&other, "ada", "ada@example.test").await).await;
}

fn demo() -> [NewUser; 3] {
    ["ada", "grace", "linus"].map(|name| new_user(name, &format!("{name}@example.test")))
}

pub async fn the_demo_users_are_added_where_nobody_has_their_names([users, other]: [Users; 2]) {
    let grace = add(&users, "grace", "somewhere@example.test").await;
    let demo = demo();
    users.insert_demo(&demo).await.expect("the database works");
    let [ada, _, linus] = demo.map(NewUser::into_user);
    for user in [&ada, &grace, &linus] {
        is_as(&other, user).await;
    }
    assert_eq!(users.list().await.expect("the database works").len(), 3);
}

async fn one_gets_it(instances: [Users; 2], names: impl Fn(usize) -> NewUser) {
    let outcomes = race(&instances, 50, |users, number| {
        let new = names(number);
        async move { users.insert(&new).await.expect("the database works") }
    })
    .await;
    let added = outcomes.iter().filter(|outcome| **outcome == Inserted::Yes).count();
    assert_eq!((added, instances[0].list().await.expect("the database works").len()), (1, 1), "{outcomes:?}");
    let taken = |outcome: &Inserted| *outcome != Inserted::Taken { username: false, email: false };
    assert!(outcomes.iter().all(taken), "{outcomes:?}");
}

pub async fn of_fifty_who_want_one_name_one_gets_it(instances: [Users; 2]) {
    one_gets_it(instances, |number| new_user("wanted", &format!("{number}@example.test"))).await;
}

pub async fn of_fifty_who_want_one_address_one_gets_it(instances: [Users; 2]) {
    one_gets_it(instances, |number| new_user(&format!("user{number}"), "wanted@example.test")).await;
}

pub async fn of_racing_changes_of_password_one_counts(instances: [Users; 2]) {
    let ada = add(&instances[0], "ada", "ada@example.test").await;
    let outcomes = race(&instances, 20, |users, number| {
        let ada = ada.clone();
        async move { users.set_password(&ada, &number.to_string().into()).await.expect("the database works") }
    })
    .await;
    let winners: Vec<_> = (0..outcomes.len()).filter(|number| outcomes[*number] == Some(2)).collect();
    let [winner] = winners.as_slice() else { panic!("{outcomes:?}") };
    is_as(&instances[0], &User { credential_version: 2, password_hash: winner.to_string().into(), ..ada }).await;
}

pub async fn of_racing_deletions_one_finds_the_user(instances: [Users; 2]) {
    let ada = add(&instances[0], "ada", "ada@example.test").await;
    let delete = |users: Users, _| async move { users.delete(ada.id).await.expect("the database works") };
    let outcomes = race(&instances, 20, delete).await;
    assert_eq!(outcomes.iter().filter(|found| **found).count(), 1, "{outcomes:?}");
}

pub async fn eight_instances_that_seed_at_once_leave_three_users(instances: [Users; 2]) {
    race(&instances, 8, |users, _| async move { users.insert_demo(&demo()).await.expect("the database works") }).await;
    let listed = instances[0].list().await.expect("the database works");
    let names: Vec<_> = listed.iter().map(|user| (user.username.as_str(), user.created_at)).collect();
    assert_eq!(names, [("ada", now()), ("grace", now()), ("linus", now())]);
}
