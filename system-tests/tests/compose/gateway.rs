//! What the gateway adds to an answer, what it drops from a request, and what it says itself.

use reqwest::Method;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde_json::{Value, json};
use system_tests::client::{Answer, Answered};

use crate::stack::{auth, auth_alone, jobs, person, site};

async fn page(path: &str) -> Answer {
    site().get(path).answer().await
}

/// The address of a script in a page, which has the hash of its content in its name.
fn script(page: &Answer) -> String {
    let (_, rest) = page.body.split_once("src=\"main-").expect("a script");
    format!("/main-{}", rest.split_once('"').expect("the end of its name").0)
}

#[tokio::test]
async fn pages_have_the_headers_that_keep_others_out() {
    let index = page("/").await;
    for answer in [&index, &page("/profile").await, &page("/config.json").await, &page(&script(&index)).await] {
        assert_eq!(answer.status, 200, "{answer:?}");
        let policy = answer.header("content-security-policy").expect("a policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"));
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        // Without TLS a browser must not be told to insist on it, and of the server nothing is told but its name.
        assert_eq!(answer.header("strict-transport-security"), None);
        assert_eq!(answer.header("server"), Some("nginx"));
    }
}

#[tokio::test]
async fn files_with_a_hash_in_their_name_are_kept_for_ever_and_nothing_else_is() {
    let index = page("/").await;
    let immutable = page(&script(&index)).await;
    assert_eq!(immutable.header("cache-control"), Some("public, max-age=31536000, immutable"));
    for path in ["/", "/index.html", "/profile", "/config.json", "/theme.js", "/favicon.svg"] {
        assert_eq!(page(path).await.header("cache-control"), Some("no-cache"), "{path}");
    }
    let missing = page("/main-AAAAAAAA.js").await;
    missing.assert_problem(404, "not_found");
    assert_eq!(missing.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn what_a_browser_loads_is_compressed_and_tokens_are_not() {
    let tokens = auth().login(&person().await).await;
    let zipped = |request: reqwest::RequestBuilder| request.header("accept-encoding", "gzip").send();
    let script = zipped(site().get(&script(&page("/").await))).await.expect("an answer");
    assert_eq!(script.headers()[CONTENT_ENCODING], "gzip");
    let body = json!({ "refreshToken": tokens.refresh_token });
    let refreshed = zipped(auth().post("/refresh-token", &body)).await.expect("an answer");
    assert_eq!((refreshed.status().as_u16(), refreshed.headers().get(CONTENT_ENCODING)), (200, None));
}

#[tokio::test]
async fn a_request_id_is_passed_on_and_one_that_is_none_is_replaced() {
    for path in ["/", "/api/auth/current-user", "/api/nowhere", "/api/auth/metrics"] {
        let ask = |id: &'static str| site().get(path).header("x-request-id", id).answer();
        assert_eq!(ask("a.sane-1").await.header("x-request-id"), Some("a.sane-1"), "{path}");
        let replaced = ask("not sane").await;
        assert!(replaced.header("x-request-id").is_some_and(|id| id.len() >= 32 && !id.contains(' ')), "{path}");
    }
}

#[tokio::test]
async fn where_a_request_comes_from_is_not_for_the_client_to_say() {
    let person = person().await;
    for client in [auth(), auth_alone()] {
        let mut request = client.post("/login", &person.credentials());
        for name in ["x-forwarded-for", "forwarded", "x-real-ip"] {
            request = request.header(name, "203.0.113.9");
        }
        let access_token = request.answer().await.tokens().access_token;
        let sessions = client.sessions(&access_token).await.read::<Vec<Value>>(200);
        let current = sessions.iter().find(|session| session["current"] == true).expect("this session");
        let address = current["ipAddress"].as_str().expect("an address");
        // The engine's end of the network that the stack is in: this machine, whichever way it asked, and not the gateway.
        let network = std::env::var("LATCHKEY_NETWORK").expect("the network of the stack");
        assert!(address.starts_with(&network) && address != format!("{network}.10"), "{address}");
    }
}

#[tokio::test]
async fn what_the_gateway_says_itself_is_a_problem_as_the_services_would_say_it() {
    for path in ["/api", "/api/", "/api/nowhere", "/api/authx/login", "/missing.png"] {
        page(path).await.assert_problem(404, "not_found");
    }
    let posted = site().request(Method::POST, "/").answer().await;
    posted.assert_problem(405, "method_not_allowed");
    assert_eq!(posted.header("allow"), Some("GET, HEAD"));
    // One that the services refuse, and one that does not reach them.
    for length in [20_000, 100_000] {
        let request = auth().request(Method::POST, "/login").header(CONTENT_TYPE, "application/json");
        request.body("x".repeat(length)).answer().await.assert_problem(413, "payload_too_large");
    }
    jobs().get(&format!("/job-list?{}", "x".repeat(40_000))).answer().await.assert_problem(414, "uri_too_long");
}
