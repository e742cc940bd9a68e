//! What the typed calls send where a real service would not notice.

use latchkey_client::{ErrorCode, JobStatus};
use serde_json::{Value, json};
use wiremock::ResponseTemplate;
use wiremock::matchers::query_param;

use crate::support::{Bench, SESSION, get, ok, pair, post, problem};

fn job(title: &str) -> Value {
    json!({
        "id": SESSION, "title": title, "description": "", "status": "blocked", "colour": "new to this version",
        "createdAt": "2026-11-23T09:21:00.000Z", "updatedAt": "2026-11-23T09:21:00.000Z",
    })
}

fn page(titles: &[&str], link: Option<&str>) -> ResponseTemplate {
    let jobs: Vec<_> = titles.iter().map(|title| job(title)).collect();
    let answer = ResponseTemplate::new(200).set_body_json(jobs);
    link.into_iter().fold(answer, |answer, link| answer.insert_header("link", link))
}

#[tokio::test]
async fn the_list_goes_on_at_our_own_service_wherever_the_link_points() {
    let jobs = wiremock::MockServer::start().await;
    let bench = Bench::with(|builder| builder.service(jobs.uri())).await;
    let away = r#"<https://elsewhere.test/job-list?after=7&cursor=new>; rel="next""#;
    get("/job-list").and(query_param("after", "7")).respond_with(page(&["two"], None)).mount(&jobs).await;
    get("/job-list").respond_with(page(&["one"], Some(away))).mount(&jobs).await;
    let jobs_calls = bench.client.jobs(&jobs.uri()).unwrap();
    let all = jobs_calls.list_all().await.unwrap();
    assert_eq!(all.iter().map(|job| job.title.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(all[0].status, JobStatus::Other("blocked".to_owned()));
    let asked = jobs.received_requests().await.unwrap();
    let queries: Vec<_> = asked.iter().map(|request| request.url.query()).collect();
    assert_eq!(queries, [None, Some("after=7&cursor=new")]);
}

#[tokio::test]
async fn a_fingerprint_is_sent_at_login_and_at_every_refresh_and_not_kept_with_the_tokens() {
    let bench = Bench::with(|builder| builder.fingerprint("of this machine".into())).await;
    bench.accept_only(2).await;
    post("/refresh-token").respond_with(ok(&pair(2))).mount(&bench.auth).await;
    bench.client.current_user().await.unwrap();
    for call in ["/login", "/refresh-token"] {
        let body: Value = bench.calls(call).await[0].body_json().unwrap();
        assert_eq!(body["fingerprint"], "of this machine", "{call}");
    }
    assert!(!bench.stored().await.to_string().contains("of this machine"));
}

#[tokio::test]
async fn an_error_by_a_code_that_is_new_says_it() {
    let bench = Bench::new().await;
    get("/current-user").respond_with(problem(451, "held_by_a_court")).mount(&bench.auth).await;
    let error = bench.client.current_user().await.unwrap_err();
    assert_eq!(error.code(), Some(&ErrorCode::Other("held_by_a_court".to_owned())));
    assert_eq!(error.to_string(), "A sentence. (451 held_by_a_court)");
}
