//! What ends a session: six codes of `/refresh-token`. And why is told.

use latchkey_client::{EndReason, Error, SessionState};
use rstest::rstest;
use serde_json::json;

use crate::support::{Bench, post, problem, problem_with};

async fn ended(bench: &Bench) -> EndReason {
    match bench.client.current_user().await.unwrap_err() {
        Error::SignedOut(Some(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[tokio::test]
async fn each_of_six_codes_ends_the_session_for_good(
    #[values(
        "refresh_token_missing",
        "refresh_token_invalid",
        "refresh_token_expired",
        "refresh_token_reused",
        "session_ended",
        "fingerprint_mismatch"
    )]
    code: &str,
) {
    let bench = Bench::new().await;
    bench.accept_only(2).await;
    post("/refresh-token").respond_with(problem(403, code)).expect(1).mount(&bench.auth).await;
    assert_eq!(ended(&bench).await.as_str(), code);
    assert_eq!(ended(&bench).await.as_str(), code, "it is told at every call");
    assert_eq!(bench.stored().await, json!({ "endedBecause": code }));
}

#[rstest]
#[case("password_changed", false)]
#[case("reuse_detected", true)]
#[case("moved_house", false)]
#[tokio::test]
async fn the_reason_that_the_server_kept_is_told(#[case] word: &str, #[case] alarming: bool) {
    let bench = Bench::new().await;
    bench.accept_only(2).await;
    let answer = problem_with(403, &json!({ "code": "session_ended", "reason": word }));
    post("/refresh-token").respond_with(answer).mount(&bench.auth).await;
    let reason = ended(&bench).await;
    assert_eq!((reason.as_str(), reason.is_alarming()), (word, alarming));
    let state = bench.client.session().await.unwrap();
    assert_eq!(state, SessionState::SignedOut { because: Some(reason) });
}
