//! Many requests at once, on one instance and split over two: each change of sessions is one atomic step.

use futures_util::future::join_all;
use rstest::rstest;
use serde_json::json;
use system_tests::client::{Answer, Client, SignedIn};
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::{Running, Stack};

/// A stack with one or two instances of auth-service, and clients that take turns between them.
struct Arena {
    stack: Stack,
    others: Vec<Running>,
}

impl Arena {
    async fn open(storage: Storage, instances: usize) -> Self {
        let stack = Stack::start(storage).await;
        let mut others = Vec::new();
        for _ in 1..instances {
            others.push(stack.second_instance().await);
        }
        Self { stack, others }
    }

    fn clients(&self, count: usize) -> Vec<Client> {
        let instances: Vec<_> =
            std::iter::once(self.stack.client()).chain(self.others.iter().map(Running::client)).collect();
        instances.into_iter().cycle().take(count).collect()
    }
}

fn with_status(answers: &[Answer], status: u16) -> Vec<&Answer> {
    answers.iter().filter(|answer| answer.status == status).collect()
}

#[rstest]
#[tokio::test]
async fn one_of_a_hundred_racing_refreshes_rotates(
    #[values(Embedded, Distributed)] storage: Storage,
    #[values(1, 2)] instances: usize,
) {
    let arena = Arena::open(storage, instances).await;
    let person = arena.stack.person().await;
    let (racing, other) = (arena.stack.client().login(&person).await, arena.stack.client().login(&person).await);
    let clients = arena.clients(100);
    let answers = join_all(clients.iter().map(|client| client.refresh(&racing.refresh_token))).await;

    let [winner] = with_status(&answers, 200)[..] else { panic!("not one winner: {answers:?}") };
    assert_eq!(with_status(&answers, 403).len(), 99);
    let codes: Vec<_> = with_status(&answers, 403).iter().map(|answer| answer.json()["code"].clone()).collect();
    assert_eq!(codes.iter().filter(|code| **code == "refresh_token_reused").count(), 1);
    assert_eq!(codes.iter().filter(|code| **code == "session_ended").count(), 98);
    arena.stack.client().refresh(&winner.tokens().refresh_token).await.assert_session_ended(Some("reuse_detected"));
    assert_eq!(arena.stack.client().refresh(&other.refresh_token).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn racing_refreshes_that_share_a_key_all_get_the_same_successor(
    #[values(Embedded, Distributed)] storage: Storage,
    #[values(1, 2)] instances: usize,
) {
    let arena = Arena::open(storage, instances).await;
    let token = arena.stack.client().login(&arena.stack.person().await).await.refresh_token;
    let clients = arena.clients(100);
    let answers = join_all(clients.iter().map(|client| client.refresh_keyed(&token, "the-key-of-all-the-tabs"))).await;
    let successor = answers[0].tokens().refresh_token;
    assert!(answers.iter().all(|answer| answer.tokens().refresh_token == successor));
    assert_eq!(arena.stack.client().refresh(&successor).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn fifty_racing_logins_never_leave_more_than_five_sessions(
    #[values(Embedded, Distributed)] storage: Storage,
    #[values(1, 2)] instances: usize,
) {
    let arena = Arena::open(storage, instances).await;
    let person = arena.stack.person().await;
    let clients = arena.clients(50);
    let logins: Vec<SignedIn> =
        join_all(clients.iter().map(|client| client.login_on(&person, "a racing device"))).await;

    let tokens = logins.iter().map(|login| login.tokens.refresh_token.clone());
    let client = arena.stack.client();
    let answers = join_all(tokens.map(async |token| client.refresh(&token).await)).await;
    let live = with_status(&answers, 200).len();
    assert!((1..=5).contains(&live), "{live} sessions are left");
    for ended in with_status(&answers, 403) {
        ended.assert_session_ended_by_any(&[Some("session_limit"), None]);
    }
    let mut ended: Vec<_> = logins.iter().flat_map(|login| &login.ended_sessions).map(|ended| ended.id).collect();
    ended.sort_unstable();
    ended.dedup();
    assert_eq!(ended.len() + live, 50, "each session was ended once or lives");
}

#[rstest]
#[tokio::test]
async fn a_logout_that_races_a_refresh_wins(
    #[values(Embedded, Distributed)] storage: Storage,
    #[values(1, 2)] instances: usize,
) {
    let arena = Arena::open(storage, instances).await;
    let client = arena.stack.client();
    let clients = arena.clients(10);
    for _ in 0..10 {
        let tokens = client.login(&arena.stack.person().await).await;
        let refreshes =
            join_all(clients[1..].iter().map(|client| client.refresh_keyed(&tokens.refresh_token, "0123456789abcdef")));
        let (logout, answers) = tokio::join!(clients[0].logout(&tokens.refresh_token), refreshes);
        assert_eq!(logout.status, 204);
        for granted in with_status(&answers, 200) {
            client.refresh(&granted.tokens().refresh_token).await.assert_session_ended(Some("signed_out"));
        }
        for refused in with_status(&answers, 403) {
            refused.assert_session_ended(Some("signed_out"));
        }
        assert!(answers.iter().all(|answer| [200, 403].contains(&answer.status)));
    }
}

#[rstest]
#[tokio::test]
async fn a_fingerprint_that_is_wrong_loses_every_race(#[values(Embedded, Distributed)] storage: Storage) {
    let arena = Arena::open(storage, 1).await;
    let (client, person) = (arena.stack.client(), arena.stack.person().await);
    let body = json!({ "username": person.username, "password": person.password, "fingerprint": "the right one" });
    let tokens: SignedIn = client.try_login(&body).await.read(200);
    let token = &tokens.tokens.refresh_token;
    let thieves = join_all((0..50).map(|_| client.refresh_from(token, "a wrong one")));
    let (owner, thieves) = tokio::join!(client.refresh_from(token, "the right one"), thieves);
    for thief in thieves {
        thief.assert_problem(403, "fingerprint_mismatch");
    }
    assert_eq!(client.refresh_from(&owner.tokens().refresh_token, "the right one").await.status, 200);
}
