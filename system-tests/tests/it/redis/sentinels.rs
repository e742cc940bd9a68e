//! A master behind Sentinels: a fail-over is followed by itself and soon, and no session that a replica had is lost by it.

use std::time::Duration;

use auth_service::domain::session::{Presented, Rotation};
use auth_service::stores::{RedisSettings, SessionStore};
use redis::cmd;
use system_tests::redis::{Sentinels, Server};
use system_tests::waiting::eventually;
use tokio::time::Instant;

use super::{User, open, presented, settings};

/// A fail-over that has ended is followed in this time.
const FOLLOWED: Duration = Duration::from_secs(1);

/// Every replica has what the master has.
async fn in_step(all: &Sentinels) {
    let written = all.servers[0].info("master_repl_offset");
    eventually("the replicas are in step", async || {
        all.servers[1..].iter().all(|replica| replica.info("slave_repl_offset") >= written).then_some(())
    })
    .await;
}

/// Lets something happen to the master while refreshes go on, and holds the store to the time that it takes to follow.
async fn is_followed(all: &Sentinels, settings: &RedisSettings, fail: impl AsyncFnOnce(&Server)) {
    let store = open(settings);
    let user = User::new(&store);
    let session = user.start().await;
    in_step(all).await;
    let former = &all.servers[0];
    fail(former).await;
    let refreshing = async {
        let mut generation = 0;
        loop {
            let request = Presented { generation, ..presented(&session) };
            match user.try_rotate(&request).await {
                Ok(Rotation::Rotated(next) | Rotation::Replayed(next) | Rotation::Healed(next)) => {
                    generation = next.generation;
                }
                // Until it is over, an error is all that there is to say.
                Err(_) => {}
                Ok(other) => panic!("{other:?} is not what became of it"),
            }
            tokio::task::yield_now().await;
        }
    };
    let following = async {
        let master = eventually("there is another master", async || all.successor_of(former)).await;
        let over = Instant::now();
        let has_got_there = async || {
            let next = User::new(&store);
            next.try_start().await.is_ok() && master.ask::<bool>(cmd("EXISTS").arg(next.key()))
        };
        while !has_got_there().await {
            assert!(over.elapsed() < FOLLOWED, "it is not followed in time");
        }
        assert!(over.elapsed() < FOLLOWED, "it was followed after {:?}", over.elapsed());
    };
    tokio::select! {
        () = refreshing => {}
        () = following => {}
    }
    store.check().await.expect("the store works");
    assert_eq!(user.list().await.len(), 1, "the session came along");
}

#[tokio::test]
async fn the_failover_of_a_killed_master_is_followed_within_a_second() {
    let all = Sentinels::start();
    is_followed(&all, &settings(all.url()), async |master| master.kill()).await;
    // It comes back, is made a replica, and is not mistaken for the master.
    all.servers[0].start_again();
    let store = open(&settings(all.url()));
    User::new(&store).start().await;
}

#[tokio::test]
async fn the_failover_of_sentinels_that_are_told_what_the_page_says_is_followed() {
    let page = include_str!("../../../../docs/storage.md");
    let (_, block) = page.split_once("\n```\nsentinel monitor ").expect("the page has the lines");
    let (lines, _) = block.split_once("\n```\n").expect("a block has an end");
    let all = Sentinels::start_told(&format!("sentinel monitor {lines}"));
    is_followed(&all, &settings(all.url()), async |master| master.kill()).await;
}

#[tokio::test]
async fn the_failover_of_a_hanging_master_is_followed_within_a_second() {
    let all = Sentinels::start();
    let mut frozen = None;
    is_followed(&all, &settings(all.url()), async |_| frozen = Some(all.servers[0].freeze())).await;
}

#[tokio::test]
async fn a_planned_failover_is_followed_within_a_second() {
    let all = Sentinels::start();
    is_followed(&all, &settings(all.url()), async |_| {
        all.sentinels[0].ask::<()>(cmd("SENTINEL").arg("FAILOVER").arg("the-sessions"));
    })
    .await;
}

#[tokio::test]
async fn sentinels_and_servers_have_passwords_of_their_own() {
    let all = Sentinels::start_with(Some("of-the-servers"), Some("of-the-sentinels"));
    let url = all.url_with(":of-the-servers@");
    let right = RedisSettings { sentinel_password: Some("of-the-sentinels".into()), ..settings(&url) };
    is_followed(&all, &right, async |master| master.kill()).await;
    let wrong = RedisSettings { sentinel_password: Some("something-else".into()), ..right.clone() };
    for settings in [settings(&url), wrong] {
        let store = open(&settings);
        let why = User::new(&store).try_start().await.unwrap_err().to_string();
        assert!(why.contains("NOAUTH") || why.contains("WRONGPASS"), "{why}");
        assert!(!why.contains("of-the-") && !why.contains("something"), "{why}");
    }
}

#[tokio::test]
async fn sentinels_that_hang_or_are_gone_are_not_waited_for_while_another_answers() {
    let all = Sentinels::start();
    let _hangs = all.sentinels[0].freeze();
    all.sentinels[1].kill();
    let store = open(&settings(all.url()));
    User::new(&store).start().await;
}

#[tokio::test]
async fn a_name_that_no_sentinel_knows_is_told() {
    let all = Sentinels::start();
    let store = open(&settings(all.url().replace("/the-sessions", "/something-else")));
    let why = User::new(&store).try_start().await.unwrap_err().to_string();
    assert!(why.contains("knows no master of the name something-else"), "{why}");
}
