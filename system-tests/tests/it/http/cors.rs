//! Pages of other origins: those that are configured may call, with the headers that they need, and all others may not.

use reqwest::Method;
use rstest::rstest;
use system_tests::client::{Answer, Answered, Client};
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;

const PAGE: &str = "https://app.example.test";

async fn preflight(client: &Client, path: &str, origin: &str, headers: &str) -> Answer {
    let request = client.request(Method::OPTIONS, path).header("origin", origin);
    let request =
        request.header("access-control-request-method", "POST").header("access-control-request-headers", headers);
    request.answer().await
}

/// The items of a header with commas between them, in lower case.
fn items(answer: &Answer, name: &str) -> Vec<String> {
    let mut items: Vec<_> =
        answer.header(name).unwrap_or_default().split(',').map(|item| item.trim().to_lowercase()).collect();
    items.sort();
    items
}

#[rstest]
#[tokio::test]
async fn a_page_of_a_configured_origin_may_call(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start_with(storage, &[("SERVER__ALLOWED_ORIGINS", PAGE)]).await;
    let jobs = stack.jobs_service().await;
    for (client, path) in [(stack.client(), "/refresh-token"), (jobs.client(), "/jobs")] {
        let allowed = preflight(&client, path, PAGE, "authorization,content-type,idempotency-key").await;
        assert_eq!(allowed.status, 200, "{allowed:?}");
        assert_eq!(allowed.header("access-control-allow-origin"), Some(PAGE));
        for header in ["authorization", "content-type", "idempotency-key"] {
            assert!(items(&allowed, "access-control-allow-headers").contains(&header.to_owned()), "{allowed:?}");
        }
        assert_eq!(allowed.header("access-control-allow-credentials"), None, "no cookie is involved");

        let called = client.request(Method::POST, path).header("origin", PAGE).json(&7).answer().await;
        assert_eq!(called.header("access-control-allow-origin"), Some(PAGE), "errors can be read too: {called:?}");
        assert_eq!(items(&called, "access-control-expose-headers"), ["link", "retry-after", "x-request-id"]);
    }
}

#[rstest]
#[tokio::test]
async fn a_page_of_any_other_origin_is_told_nothing(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start_with(storage, &[("SERVER__ALLOWED_ORIGINS", PAGE)]).await;
    let client = stack.client();
    for origin in ["https://attacker.test", "null", "http://app.example.test", "https://app.example.test.attacker.test"]
    {
        let refused = preflight(&client, "/login", origin, "content-type").await;
        assert_eq!(refused.header("access-control-allow-origin"), None, "{refused:?}");
        let called = client.get("/health/live").header("origin", origin).answer().await;
        assert_eq!(called.header("access-control-allow-origin"), None, "{called:?}");
    }
    let header = preflight(&client, "/login", PAGE, "x-anything").await;
    assert!(header.status == 400 && !items(&header, "access-control-allow-headers").contains(&"x-anything".to_owned()));
}

#[rstest]
#[tokio::test]
async fn without_configured_origins_there_is_nothing_about_them_in_an_answer(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let answer = stack.client().get("/health/live").header("origin", PAGE).answer().await;
    assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control-")), "{answer:?}");
}
