//! Signing out works without the server, which is told as soon as it can be.

use latchkey_client::{EndReason, Error, Login, SessionState};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::support::{Bench, post, problem};

async fn told_of(bench: &Bench) -> Vec<Value> {
    let orders = bench.calls("/logout").await;
    orders.iter().map(|order| order.body_json::<Value>().unwrap()["refreshToken"].clone()).collect()
}

#[tokio::test]
async fn signing_out_forgets_the_tokens_and_tells_the_server() {
    let bench = Bench::new().await;
    post("/logout").respond_with(ResponseTemplate::new(204)).mount(&bench.auth).await;
    bench.client.logout().await.unwrap();
    assert_eq!(told_of(&bench).await, ["refresh-1"]);
    assert_eq!(bench.stored().await, json!({ "endedBecause": "signed_out" }));
    assert!(matches!(bench.client.current_user().await, Err(Error::SignedOut(Some(EndReason::SignedOut)))));
    bench.client.logout().await.unwrap();
    assert_eq!(told_of(&bench).await.len(), 1);
}

#[tokio::test]
async fn a_server_that_cannot_be_told_is_told_later() {
    let bench = Bench::new().await;
    post("/logout").respond_with(problem(503, "unavailable")).up_to_n_times(1).mount(&bench.auth).await;
    post("/logout").respond_with(ResponseTemplate::new(204)).mount(&bench.auth).await;
    assert!(bench.client.logout().await.unwrap_err().is_temporary());
    let state = bench.client.session().await.unwrap();
    assert_eq!(state, SessionState::SignedOut { because: Some(EndReason::SignedOut) });
    bench.client.logout().await.unwrap();
    assert_eq!(told_of(&bench).await, ["refresh-1", "refresh-1"]);
    assert_eq!(bench.stored().await, json!({ "endedBecause": "signed_out" }));
}

#[tokio::test]
async fn an_order_that_the_server_will_never_take_is_dropped() {
    let bench = Bench::new().await;
    post("/logout").respond_with(problem(400, "bad_request")).mount(&bench.auth).await;
    bench.client.logout().await.unwrap();
    assert_eq!(bench.stored().await, json!({ "endedBecause": "signed_out" }));
}

#[tokio::test]
async fn a_second_login_ends_the_session_that_it_takes_the_place_of() {
    let bench = Bench::new().await;
    post("/logout").respond_with(ResponseTemplate::new(204)).mount(&bench.auth).await;
    let again = bench.client.login(&Login::new("ada", "engine-secret".into()).on_device("again")).await.unwrap();
    assert_eq!(again.ended_sessions[0].device_name.as_deref(), Some("an old one"));
    assert_eq!(told_of(&bench).await, ["refresh-1"]);
    let login: Value = bench.calls("/login").await[1].body_json().unwrap();
    assert_eq!(login, json!({ "username": "ada", "password": "engine-secret", "deviceName": "again" }));
}

#[tokio::test]
async fn a_login_that_is_refused_leaves_what_there_is() {
    let bench = Bench::new().await;
    bench.auth.reset().await;
    post("/login").respond_with(problem(401, "invalid_credentials")).mount(&bench.auth).await;
    let error = bench.client.login(&Login::new("ada", "wrong".into())).await.unwrap_err();
    assert_eq!(error.code().unwrap().as_str(), "invalid_credentials");
    bench.assert_untouched().await;
}
