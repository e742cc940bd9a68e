//! What does not end a session, however it looks: it stands, and the next attempt sends the same token with the same key.

use std::time::Duration;

use latchkey_client::{ClientBuilder, Error, TokenStorage};
use rstest::rstest;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use wiremock::ResponseTemplate;

use crate::support::{Bench, builder, get, ok, pair, post, problem, told, user};

/// One attempt a call.
fn hasty(builder: ClientBuilder) -> ClientBuilder {
    builder.patience(Duration::ZERO)
}

fn html(status: u16) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw("<html>No</html>", "text/html")
}

#[rstest]
#[case::a_403_from_something_else(problem(403, "forbidden"))]
#[case::a_403_in_html(html(403))]
#[case::a_403_that_only_looks_like_ours(ResponseTemplate::new(403).set_body_json(json!({ "code": "session_ended" })))]
#[case::a_403_without_a_body(ResponseTemplate::new(403))]
#[case::a_400(problem(400, "bad_request"))]
#[case::a_401(problem(401, "session_ended"))]
#[case::a_404(ResponseTemplate::new(404))]
#[case::a_429(problem(429, "too_many_attempts"))]
#[case::a_500(ResponseTemplate::new(500))]
#[case::a_502_in_html(html(502))]
#[case::a_503_with_one_of_the_codes(problem(503, "session_ended"))]
#[case::a_redirection(ResponseTemplate::new(302).insert_header("location", "/welcome"))]
#[case::a_200_that_is_not_ours(ok(&json!({ "welcome": "to our hotel" })))]
#[case::a_200_in_html(html(200))]
#[case::a_200_without_a_refresh_token(ok(&{ let mut cut = pair(2); cut["refreshToken"] = "".into(); cut }))]
#[tokio::test]
async fn the_session_stands_after(#[case] answer: ResponseTemplate) {
    let bench = Bench::with(hasty).await;
    bench.accept_only(2).await;
    post("/refresh-token").respond_with(answer).up_to_n_times(1).expect(1).mount(&bench.auth).await;
    post("/refresh-token").respond_with(ok(&pair(2))).mount(&bench.auth).await;
    let error = bench.client.current_user().await.unwrap_err();
    let Error::NotRenewed { retry_after, .. } = &error else { panic!("{error:?}") };
    assert!(*retry_after > Duration::ZERO && *retry_after <= Duration::from_millis(250), "{retry_after:?}");
    bench.assert_untouched().await;

    bench.auth.verify().await;
    eventually_served(&bench).await;
    let refreshes = bench.refreshes().await;
    assert_eq!(refreshes.len(), 2);
    assert_eq!(refreshes[0], refreshes[1], "the same token with the same key");
    assert_eq!(refreshes[0].0, "refresh-1");
}

/// Calls until the server is not left alone any more.
async fn eventually_served(bench: &Bench) {
    let served = async {
        while let Err(error) = bench.client.current_user().await {
            tokio::time::sleep(error.retry_after().expect("when to come again")).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), served).await.expect("the session goes on");
}

#[tokio::test]
async fn a_call_waits_while_refreshes_fail_for_a_moment() {
    let bench = Bench::new().await;
    bench.accept_only(2).await;
    post("/refresh-token").respond_with(html(502)).up_to_n_times(2).mount(&bench.auth).await;
    post("/refresh-token").respond_with(ok(&pair(2))).mount(&bench.auth).await;
    assert_eq!(bench.client.current_user().await.unwrap().username, "ada");
    let refreshes = bench.refreshes().await;
    assert_eq!(refreshes.len(), 3);
    assert!(refreshes.iter().all(|refresh| *refresh == refreshes[0]), "{refreshes:?}");
}

#[rstest]
#[tokio::test]
async fn a_server_that_asks_for_time_is_left_alone(#[values(429, 503)] status: u16) {
    let bench = Bench::new().await;
    bench.accept_only(2).await;
    let busy = problem(status, "too_many_attempts").insert_header("retry-after", "3600");
    post("/refresh-token").respond_with(busy).expect(1).mount(&bench.auth).await;
    for _ in 0..3 {
        let error = bench.client.current_user().await.unwrap_err();
        assert!(error.is_temporary(), "{error:?}");
        let wait = error.retry_after().unwrap();
        assert!(wait > Duration::from_mins(59) && wait <= Duration::from_hours(1), "{wait:?}");
    }
    bench.assert_untouched().await;
}

#[tokio::test]
async fn a_token_that_another_process_has_renewed_is_used_whatever_the_trouble() {
    let bench = Bench::with(hasty).await;
    bench.accept_only(2).await;
    let busy = problem(503, "unavailable").insert_header("retry-after", "3600");
    post("/refresh-token").respond_with(busy).mount(&bench.auth).await;
    bench.client.current_user().await.unwrap_err();
    let mut stored = bench.stored().await;
    stored["session"]["accessToken"] = "access-2".into();
    bench.storage.store(&stored.to_string().into()).await.unwrap();
    bench.client.current_user().await.unwrap();
}

/// Reads one request to its end.
async fn request(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    loop {
        let mut chunk = [0; 4_096];
        let length = stream.read(&mut chunk).await.unwrap();
        read.extend_from_slice(&chunk[..length]);
        let text = String::from_utf8_lossy(&read);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return text.into_owned();
        }
    }
}

async fn answer(stream: &mut TcpStream, status: &str, kind: &str, body: &Value) {
    let body = body.to_string();
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {}\r\n", body.len());
    stream.write_all(format!("{head}connection: close\r\n\r\n{body}").as_bytes()).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_is_cut_after_the_request_costs_nothing() {
    let bench = Bench::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = builder(&format!("http://{}", listener.local_addr().unwrap())).storage(bench.storage.clone());
    let client = client.build().unwrap();
    let serving = tokio::spawn(async move {
        let mut refreshes = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let asked = request(&mut stream).await;
            if asked.starts_with("POST /refresh-token") {
                let key = asked.lines().find(|line| line.starts_with("idempotency-key: ")).unwrap().to_owned();
                refreshes.push((key, asked.split("\r\n\r\n").nth(1).unwrap().to_owned()));
                // The first answer is lost: the stream is closed where it goes out of scope.
                if refreshes.len() > 1 {
                    answer(&mut stream, "200 OK", "application/json", &pair(2)).await;
                }
            } else if asked.contains("Bearer access-2") {
                answer(&mut stream, "200 OK", "application/json", &user()).await;
                return refreshes;
            } else {
                let expired = json!({ "code": "access_token_expired" });
                answer(&mut stream, "401 Unauthorized", "application/problem+json", &expired).await;
            }
        }
    });
    client.current_user().await.unwrap();
    let refreshes = serving.await.unwrap();
    assert_eq!(refreshes.len(), 2);
    assert_eq!(refreshes[0], refreshes[1]);
}

#[tokio::test]
async fn no_connection_at_all_keeps_the_session() {
    let bench = Bench::new().await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let jobs = bench.auth.uri();
    let url = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let client = hasty(builder(&url).service(&jobs).storage(bench.storage.clone())).build().unwrap();
    get("/x").respond_with(problem(401, "access_token_expired")).mount(&bench.auth).await;
    let error = Error::from(client.http().get(jobs + "/x").send().await.unwrap_err());
    assert!(error.is_temporary(), "{error:?}");
    bench.assert_untouched().await;
}

#[tokio::test]
async fn no_error_shows_a_token_a_key_or_a_password() {
    let bench = Bench::with(hasty).await;
    bench.accept_only(2).await;
    let odd =
        json!({ "accessToken": 7, "refreshToken": "refresh-2", "expiresIn": "refresh-2", "sessionId": "refresh-2" });
    post("/refresh-token").respond_with(ok(&odd)).mount(&bench.auth).await;
    let error = bench.client.current_user().await.unwrap_err();
    let key = bench.refreshes().await[0].1.clone();
    let told = told(&error) + &format!("{:?} {:?}", bench.client, bench.client.access_tokens());
    for secret in ["access-1", "refresh-1", "refresh-2", "engine-secret", &key] {
        assert!(!told.contains(secret), "{told}");
    }
}

#[tokio::test]
async fn a_storage_that_is_no_session_of_ours_is_like_none() {
    let bench = Bench::new().await;
    bench.storage.store(&SecretString::from("{\"session\": 7}")).await.unwrap();
    let error = bench.client.current_user().await.unwrap_err();
    assert!(matches!(error, Error::SignedOut(None)));
}
