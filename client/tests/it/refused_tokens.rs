//! What happens when an access token is refused.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use futures_util::future::join_all;
use latchkey_client::{Error, ErrorCode};
use reqwest::Body;
use rstest::rstest;
use serde_json::json;
use wiremock::matchers::header;
use wiremock::{MockServer, Respond, ResponseTemplate};

use crate::support::{Bench, calls, get, ok, pair, post, problem};

/// No answer of these tests takes so long.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn twenty_calls_that_fail_together_cause_one_refresh_and_are_each_repeated_once() {
    let bench = Bench::new().await;
    bench.accept_only(2).await;
    post("/refresh-token").respond_with(ok(&pair(2))).mount(&bench.auth).await;
    let users = join_all((0..20).map(|_| bench.client.current_user())).await;
    assert!(users.iter().all(|user| user.as_ref().unwrap().username == "ada"));
    assert_eq!(bench.refreshes().await.len(), 1);
    let sent = bench.calls("/current-user").await;
    let with = |token: &str| sent.iter().filter(|request| request.headers["authorization"] == token).count();
    assert!(with("Bearer access-1") <= 20);
    assert_eq!(with("Bearer access-2"), 20);
}

#[tokio::test]
async fn twenty_calls_that_fail_together_ask_once_where_no_token_can_be_had() {
    let bench = Bench::new().await;
    bench.accept_only(2).await;
    let busy = problem(503, "unavailable").insert_header("retry-after", "3600");
    post("/refresh-token").respond_with(busy).mount(&bench.auth).await;
    for failed in join_all((0..20).map(|_| bench.client.current_user())).await {
        assert!(matches!(failed, Err(Error::NotRenewed { .. })), "{failed:?}");
    }
    assert_eq!(bench.refreshes().await.len(), 1);
}

/// Answers with 401 once the test lets it.
struct Late {
    arrived: Mutex<tokio::sync::mpsc::UnboundedSender<()>>,
    may_answer: Mutex<Receiver<()>>,
}

impl Respond for Late {
    fn respond(&self, _: &wiremock::Request) -> ResponseTemplate {
        self.arrived.lock().unwrap().send(()).unwrap();
        self.may_answer.lock().unwrap().recv_timeout(PATIENCE).expect("the test says when");
        problem(401, "access_token_expired")
    }
}

#[tokio::test]
async fn a_late_401_for_a_token_that_was_replaced_meanwhile_is_repeated_without_a_refresh() {
    let jobs = MockServer::start().await;
    let bench = Bench::with(|builder| builder.service(jobs.uri())).await;
    bench.accept_only(2).await;
    post("/refresh-token").respond_with(ok(&pair(2))).mount(&bench.auth).await;
    let ((arrived, mut arrival), (let_go, may_answer)) = (tokio::sync::mpsc::unbounded_channel(), channel());
    let late = Late { arrived: Mutex::new(arrived), may_answer: Mutex::new(may_answer) };
    get("/job-list").and(header("authorization", "Bearer access-1")).respond_with(late).mount(&jobs).await;
    get("/job-list").and(header("authorization", "Bearer access-2")).respond_with(ok(&json!([]))).mount(&jobs).await;

    let client = bench.client.clone();
    let slow = tokio::spawn(async move { client.jobs(&jobs.uri()).unwrap().list(None).await.unwrap() });
    arrival.recv().await.unwrap();
    bench.client.current_user().await.unwrap();
    assert_eq!(bench.refreshes().await.len(), 1);
    let_go.send(()).unwrap();
    assert!(slow.await.unwrap().jobs.is_empty());
    assert_eq!(bench.refreshes().await.len(), 1);
}

#[tokio::test]
async fn a_second_401_is_the_callers_to_see() {
    let bench = Bench::new().await;
    bench.accept_only(99).await;
    post("/refresh-token").respond_with(ok(&pair(2))).mount(&bench.auth).await;
    let error = bench.client.current_user().await.unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::AccessTokenExpired));
    assert_eq!(bench.refreshes().await.len(), 1);
    assert_eq!(bench.calls("/current-user").await.len(), 2);
    assert_eq!(bench.stored().await["session"]["refreshToken"], "refresh-2", "the session goes on");
}

#[rstest]
#[case::that_a_refresh_does_not_cure(problem(401, "access_token_missing"))]
#[case::with_a_code_that_is_new(problem(401, "access_token_frozen"))]
#[case::in_html(ResponseTemplate::new(401).set_body_raw("<html>code: access_token_expired</html>", "text/html"))]
#[case::of_another_kind(ResponseTemplate::new(401).set_body_json(json!({ "code": "access_token_expired" })))]
#[case::empty(ResponseTemplate::new(401))]
#[tokio::test]
async fn a_401_is_handed_on(#[case] answer: ResponseTemplate) {
    let bench = Bench::new().await;
    get("/current-user").respond_with(answer).expect(1).mount(&bench.auth).await;
    let error = bench.client.current_user().await.unwrap_err();
    assert!(matches!(&error, Error::Refused(problem) if problem.status == 401), "{error:?}");
    assert_eq!(bench.refreshes().await, []);
}

#[tokio::test]
async fn a_body_is_sent_again_as_it_was() {
    let bench = Bench::new().await;
    post("/x").and(header("authorization", "Bearer access-2")).respond_with(ok(&json!({}))).mount(&bench.auth).await;
    post("/x").respond_with(problem(401, "access_token_expired")).mount(&bench.auth).await;
    post("/refresh-token").respond_with(ok(&pair(2))).mount(&bench.auth).await;
    let request = bench.client.http().post(bench.auth.uri() + "/x").json(&json!({ "title": "Oil" }));
    assert_eq!(request.send().await.unwrap().status(), 200);
    let bodies: Vec<_> = bench.calls("/x").await.into_iter().map(|request| request.body).collect();
    assert_eq!(bodies, [br#"{"title":"Oil"}"#.to_vec(), br#"{"title":"Oil"}"#.to_vec()]);
}

#[tokio::test]
async fn a_stream_is_sent_once_and_its_401_comes_back_whole_but_the_token_is_renewed() {
    let bench = Bench::new().await;
    bench.accept_only(2).await;
    post("/upload").respond_with(problem(401, "access_token_expired")).expect(1).mount(&bench.auth).await;
    post("/refresh-token").respond_with(ok(&pair(2))).mount(&bench.auth).await;
    get("/download").respond_with(ResponseTemplate::new(200).set_body_string("long")).mount(&bench.auth).await;
    let stream: Body = bench.client.http().get(bench.auth.uri() + "/download").send().await.unwrap().into();
    let refused = bench.client.http().post(bench.auth.uri() + "/upload").body(stream).send().await.unwrap();
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.url().path(), "/upload");
    assert_eq!(refused.headers()["content-type"], "application/problem+json");
    assert!(refused.text().await.unwrap().contains("access_token_expired"));
    bench.client.current_user().await.unwrap();
    assert_eq!(calls(&bench.auth, "/refresh-token").await.len(), 1);
}

#[tokio::test]
async fn what_one_user_asked_for_is_not_repeated_in_the_name_of_another() {
    let bench = Bench::new().await;
    let mut other = pair(7);
    other["sessionId"] = "00000000-0000-4000-8000-000000000007".into();
    get("/current-user").respond_with(problem(401, "access_token_expired")).expect(1).mount(&bench.auth).await;
    post("/refresh-token").respond_with(ok(&other)).mount(&bench.auth).await;
    let error = bench.client.current_user().await.unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::AccessTokenExpired));
}
