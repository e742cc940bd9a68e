//! Clocks that disagree. Two services thirty seconds apart serve one client by turns, and a Redis that is minutes off, or that is put
//! right by minutes, deletes nothing that is still worth something.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use redis::cmd;
use rstest::rstest;
use serde_json::Value;
use shared_claims::{Clock, ManualClock};
use system_tests::client::Tokens;
use system_tests::postgres;
use system_tests::redis::Server;
use system_tests::site::Site;
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;

const APART: TimeDelta = TimeDelta::seconds(30);

fn moment(session: &Value, name: &str) -> DateTime<Utc> {
    session[name].as_str().and_then(|text| text.parse().ok()).expect("a moment")
}

#[rstest]
#[tokio::test]
async fn services_half_a_minute_apart_serve_one_client_by_turns(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let ahead = ManualClock::new(stack.clock.now() + APART);
    let ahead = stack.instance_at(&ahead).await;
    let clients = [stack.client(), ahead.client()];
    let mut tokens = stack.client().login(&stack.person().await).await;
    for turn in 0..20 {
        // The key of one token; the first answer is lost, and the other service is asked again.
        let key = format!("the-key-of-turn-{turn:04}");
        let (one, other) = (&clients[turn % 2], &clients[(turn + 1) % 2]);
        let granted: Tokens = one.refresh_keyed(&tokens.refresh_token, &key).await.tokens();
        let again = other.refresh_keyed(&tokens.refresh_token, &key).await.tokens();
        assert_eq!(again.refresh_token, granted.refresh_token);
        assert_eq!((granted.expires_in, again.expires_in), (900, 900));
        // What is left of a refresh token differs by the skew at most.
        assert!(granted.refresh_expires_in.abs_diff(again.refresh_expires_in) <= 30, "{granted:?} {again:?}");
        for client in &clients {
            assert_eq!(client.current_user(&granted.access_token).await.status, 200);
            let sessions: Value = client.sessions(&again.access_token).await.read(200);
            let session = &sessions[0];
            let life = moment(session, "expiresAt") - moment(session, "lastUsedAt");
            assert_eq!(life, TimeDelta::days(30), "neither negative nor endless");
        }
        tokens = granted;
    }
}

#[rstest]
#[tokio::test]
async fn what_one_service_takes_for_expired_the_other_takes_for_half_a_minute_longer(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let ahead = ManualClock::new(stack.clock.now() + APART);
    let instance = stack.instance_at(&ahead).await;
    let tokens = stack.client().login(&stack.person().await).await;
    let nearly = TimeDelta::minutes(15) - TimeDelta::seconds(10);
    stack.advance(nearly);
    ahead.advance(nearly);
    assert_eq!(stack.client().current_user(&tokens.access_token).await.status, 200);
    instance.client().current_user(&tokens.access_token).await.assert_problem(401, "access_token_expired");
    assert_eq!(instance.client().refresh(&tokens.refresh_token).await.status, 200);
}

#[rstest]
#[case(TimeDelta::minutes(10))]
#[case(TimeDelta::minutes(-10))]
#[tokio::test]
async fn a_redis_whose_clock_is_put_right_by_minutes_keeps_every_session(#[case] jump: TimeDelta) {
    let redis = Server::start();
    let stack = Stack::on(Site::over(&redis.url(), postgres::shared().database(), &[]).await).await;
    let person = stack.person().await;
    let tokens = stack.client().login(&person).await;
    let key = format!("latchkey:{{{}}}:sessions", person.id);
    let left = || -> i64 { redis.ask(cmd("PTTL").arg(&key)) };
    let before = left();
    // Redis keeps the moment at which a key expires: a clock that jumps is as much less, or more, that is left of it.
    redis.ask::<()>(cmd("PEXPIRE").arg(&key).arg(before - jump.num_milliseconds()));
    stack.advance(TimeDelta::days(30) - TimeDelta::seconds(1));
    assert!(left() > 0);
    let refreshed = stack.client().refresh(&tokens.refresh_token).await.tokens();
    assert_eq!(stack.client().refresh(&refreshed.refresh_token).await.status, 200);
    // Nothing is kept for ever: a month, and the day that clocks may differ by.
    let month_and_day = Duration::from_hours(24 * 31).as_millis();
    let most = i64::try_from(month_and_day).expect("a small number") + jump.num_milliseconds().abs();
    assert!((0..=most).contains(&left()), "{}", left());
}
