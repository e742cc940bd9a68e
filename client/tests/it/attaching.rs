//! Which requests carry the access token.

use latchkey_client::{BuildError, Client, Error};
use reqwest_middleware::ClientBuilder;
use wiremock::matchers::{any, header};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::{Bench, NoToken, builder, calls, get, ok, user};

#[tokio::test]
async fn our_services_are_told_who_calls_and_another_server_is_not() {
    let (jobs, elsewhere) = (MockServer::start().await, MockServer::start().await);
    let bench = Bench::with(|builder| builder.service(format!("{}/api", jobs.uri()))).await;
    get("/api/x").and(header("authorization", "Bearer access-1")).respond_with(ok(&user())).mount(&jobs).await;
    get("/apix").and(NoToken).respond_with(ok(&user())).mount(&jobs).await;
    get("/api/x").and(NoToken).respond_with(ok(&user())).mount(&elsewhere).await;
    for url in [jobs.uri() + "/api/x", jobs.uri() + "/apix", elsewhere.uri() + "/api/x"] {
        assert_eq!(bench.client.http().get(&url).send().await.unwrap().status(), 200, "{url}");
    }
}

#[tokio::test]
async fn a_redirection_is_not_followed_and_no_token_goes_with_it() {
    let elsewhere = MockServer::start().await;
    let bench = Bench::new().await;
    let moved = ResponseTemplate::new(307).insert_header("location", elsewhere.uri());
    get("/current-user").respond_with(moved).mount(&bench.auth).await;
    Mock::given(any()).respond_with(ok(&user())).expect(0).mount(&elsewhere).await;
    let error = bench.client.current_user().await.unwrap_err();
    assert!(matches!(&error, Error::Refused(problem) if problem.status == 307), "{error:?}");
}

#[tokio::test]
async fn a_request_with_an_authorization_of_its_own_keeps_it() {
    let bench = Bench::new().await;
    get("/own").and(header("authorization", "Basic abc")).respond_with(ok(&user())).mount(&bench.auth).await;
    let request = bench.client.http().get(bench.auth.uri() + "/own").header("authorization", "Basic abc");
    assert_eq!(request.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_middleware_works_in_an_http_client_of_the_callers_own() {
    let bench = Bench::new().await;
    bench.accept_only(1).await;
    let plain = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    let http = ClientBuilder::new(plain).with(bench.client.access_tokens()).build();
    let answer = http.get(bench.auth.uri() + "/current-user").send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn nothing_is_sent_where_nobody_is_signed_in() {
    let server = MockServer::start().await;
    let client = builder(&server.uri()).build().unwrap();
    let error = client.current_user().await.unwrap_err();
    assert!(matches!(error, Error::SignedOut(None)), "{error:?}");
    assert_eq!(calls(&server, "/current-user").await.len(), 0);
}

#[test]
fn a_service_that_was_not_named_has_no_typed_calls() {
    let client = Client::builder("http://127.0.0.1:1").service("http://127.0.0.1:2/").build().unwrap();
    assert!(client.jobs("http://127.0.0.1:2").is_ok());
    assert!(matches!(client.jobs("http://127.0.0.1:3"), Err(BuildError::UnknownService { .. })));
}
