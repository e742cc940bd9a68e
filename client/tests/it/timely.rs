//! The access token is renewed before it runs out, by a clock that no one can set.

use std::time::Duration;

use latchkey_client::Error;
use serde_json::Value;

use crate::support::{Bench, ok, pair, post, problem};

/// Lets so much time pass between two calls.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// Looks until a refresh has arrived and come to its end.
async fn renewed(bench: &Bench) -> Value {
    let renewed = async {
        loop {
            let stored = bench.stored().await;
            if stored["session"]["refreshToken"] != "refresh-1" {
                return stored;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), renewed).await.expect("it is renewed")
}

#[tokio::test]
async fn a_token_is_renewed_beside_the_calls_a_minute_before_its_end() {
    let bench = Bench::new().await;
    bench.accept_only(1).await;
    post("/refresh-token").respond_with(ok(&pair(2))).expect(1).mount(&bench.auth).await;
    pass(Duration::from_secs(830)).await;
    bench.client.current_user().await.unwrap();
    assert_eq!(bench.refreshes().await, []);

    pass(Duration::from_secs(20)).await;
    bench.client.current_user().await.unwrap();
    assert_eq!(renewed(&bench).await["session"]["accessToken"], "access-2");
    let sent = bench.calls("/current-user").await;
    assert!(sent.iter().all(|request| request.headers["authorization"] == "Bearer access-1"));
}

#[tokio::test]
async fn a_call_whose_token_is_still_good_does_not_mind_that_it_cannot_be_renewed() {
    let bench = Bench::new().await;
    bench.accept_only(1).await;
    let busy = problem(503, "unavailable").insert_header("retry-after", "3600");
    post("/refresh-token").respond_with(busy).expect(1).mount(&bench.auth).await;
    pass(Duration::from_secs(850)).await;
    bench.client.current_user().await.unwrap();
    let asked = async {
        while bench.refreshes().await.is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asked).await.expect("a refresh is tried");
    bench.client.current_user().await.unwrap();

    pass(Duration::from_mins(1)).await;
    let error = bench.client.current_user().await.unwrap_err();
    assert!(matches!(error, Error::NotRenewed { .. }), "{error:?}");
}

#[tokio::test]
async fn a_token_that_has_run_out_is_not_sent() {
    let bench = Bench::new().await;
    bench.accept_only(2).await;
    post("/refresh-token").respond_with(ok(&pair(2))).mount(&bench.auth).await;
    pass(Duration::from_secs(901)).await;
    bench.client.current_user().await.unwrap();
    let sent = bench.calls("/current-user").await;
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].headers["authorization"], "Bearer access-2");
    assert_eq!(bench.refreshes().await.len(), 1);
}

#[tokio::test]
async fn the_age_of_a_token_that_was_found_is_counted_from_then() {
    let bench = Bench::new().await;
    bench.accept_only(1).await;
    pass(Duration::from_secs(901)).await;
    let found = crate::support::builder(&bench.auth.uri()).storage(bench.storage.clone()).build().unwrap();
    found.current_user().await.unwrap();
    assert_eq!(bench.refreshes().await, []);
}
