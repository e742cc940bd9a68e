//! Every call needs an access token, in the `Authorization` header alone. Which tokens are good is tested where the verifier is;
//! here, that each route asks it and that each refusal is told by RFC 6750.

use chrono::TimeDelta;
use reqwest::Method;
use secrecy::ExposeSecret;
use serde_json::json;
use shared_claims::{generate_secret, random};

use crate::support::{Answer, TestApp, Tokens, answer, start, start_with};

const ROUTES: [(Method, &str); 5] = [
    (Method::GET, "/job-list"),
    (Method::POST, "/jobs"),
    (Method::GET, "/jobs/10000000-0000-4000-8000-00000000000a"),
    (Method::PUT, "/jobs/10000000-0000-4000-8000-00000000000a"),
    (Method::DELETE, "/jobs/10000000-0000-4000-8000-00000000000a"),
];

/// Calls every route with this token and expects each to refuse it alike.
async fn refused_everywhere(app: &TestApp, token: &str, code: &str, description: &str) {
    for (method, path) in ROUTES {
        let refused = answer(app.request(method, path).bearer_auth(token).json(&json!({ "title": "x" }))).await;
        expect_refusal(&refused, code, description);
    }
}

#[track_caller]
fn expect_refusal(refused: &Answer, code: &str, description: &str) {
    let problem = refused.expect_problem(401, code);
    assert_eq!(problem["detail"], description);
    let challenge = format!(r#"Bearer realm="latchkey", error="invalid_token", error_description="{description}""#);
    assert_eq!(refused.header("www-authenticate"), challenge);
}

#[actix_web::test]
async fn a_call_without_an_access_token_is_challenged_without_an_error() {
    let app = start().await;
    for (method, path) in ROUTES {
        let refused = answer(app.request(method, path).json(&json!({ "title": "x" }))).await;
        refused.expect_problem(401, "access_token_missing");
        assert_eq!(refused.header("www-authenticate"), r#"Bearer realm="latchkey""#);
    }
}

#[actix_web::test]
async fn another_scheme_is_no_access_token() {
    let app = start().await;
    let refused = answer(app.request(Method::GET, "/job-list").basic_auth("ada", Some("latchkey-demo-ada"))).await;
    refused.expect_problem(401, "access_token_missing");
}

#[actix_web::test]
async fn the_name_of_the_scheme_counts_in_any_case() {
    let app = start().await;
    let token = app.user().token;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let header = format!("{scheme} {token}");
        answer(app.request(Method::GET, "/job-list").header("authorization", header)).await.expect(200);
    }
}

#[actix_web::test]
async fn an_expired_token_is_told_to_have_expired() {
    let app = start().await;
    let user = app.user();
    app.clock.advance(TimeDelta::seconds(899));
    user.get("/job-list").await.expect(200);
    app.clock.advance(TimeDelta::seconds(1));
    refused_everywhere(&app, &user.token, "access_token_expired", "the token has expired").await;
}

#[actix_web::test]
async fn a_token_passes_within_the_leeway_after_its_expiry() {
    let app = start_with(&[("LATCHKEY_TOKENS__LEEWAY", "10s")]).await;
    let user = app.user();
    app.clock.advance(TimeDelta::seconds(909));
    user.get("/job-list").await.expect(200);
    app.clock.advance(TimeDelta::seconds(1));
    user.get("/job-list").await.expect_problem(401, "access_token_expired");
}

#[actix_web::test]
async fn a_token_for_another_service_is_refused() {
    let app = start().await;
    let tokens = Tokens { audience: vec!["auth-service".to_owned()], ..Tokens::default() };
    let token = tokens.mint(&app.secret, random::uuid(), &app.clock);
    refused_everywhere(&app, &token, "access_token_invalid", "the token is for another audience").await;
}

#[actix_web::test]
async fn the_name_of_the_service_is_the_audience_it_takes() {
    let app = start_with(&[("LATCHKEY_SERVER__NAME", "jobs-of-the-north")]).await;
    app.user().get("/job-list").await.expect_problem(401, "access_token_invalid");
    let tokens = Tokens { audience: vec!["jobs-of-the-north".to_owned()], ..Tokens::default() };
    let token = tokens.mint(&app.secret, random::uuid(), &app.clock);
    answer(app.request(Method::GET, "/job-list").bearer_auth(token)).await.expect(200);
}

#[actix_web::test]
async fn a_token_of_another_issuer_is_refused() {
    let app = start().await;
    let token = Tokens { issuer: "padlock", ..Tokens::default() }.mint(&app.secret, random::uuid(), &app.clock);
    refused_everywhere(&app, &token, "access_token_invalid", "the token is from another issuer").await;
}

#[actix_web::test]
async fn a_token_signed_with_another_secret_is_refused() {
    let app = start().await;
    let token = Tokens::default().mint(&generate_secret(), random::uuid(), &app.clock);
    refused_everywhere(&app, &token, "access_token_invalid", "the token is signed with an unknown key").await;
}

#[actix_web::test]
async fn a_refresh_token_is_no_access_token() {
    let app = start().await;
    let token = Tokens::default().mint_refresh(&app.secret, random::uuid(), &app.clock);
    refused_everywhere(&app, &token, "access_token_invalid", "the token is of another type").await;
}

#[actix_web::test]
async fn a_token_with_another_users_claims_is_refused_for_its_signature() {
    let app = start().await;
    let (mine, theirs) = (app.user().token, app.user().token);
    let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
    let token = format!("{}.{}.{}", parts(&mine)[0], parts(&theirs)[1], parts(&mine)[2]);
    refused_everywhere(&app, &token, "access_token_invalid", "the signature is wrong").await;
}

#[actix_web::test]
async fn a_token_in_the_query_or_the_body_counts_for_nothing() {
    let app = start().await;
    let token = app.user().token;
    let query = app.request(Method::GET, &format!("/job-list?access_token={token}&token={token}"));
    answer(query).await.expect_problem(401, "access_token_missing");
    let body = app.request(Method::POST, "/jobs").json(&json!({ "title": "x", "access_token": token }));
    answer(body).await.expect_problem(401, "access_token_missing");
}

#[actix_web::test]
async fn tokens_of_every_accepted_secret_are_taken() {
    let (previous, next) = (generate_secret(), generate_secret());
    let accepted = format!("{},{}", previous.expose_secret(), next.expose_secret());
    let app = start_with(&[("LATCHKEY_TOKENS__ACCEPTED_ACCESS_SECRETS", &accepted)]).await;
    for secret in [&app.secret, &previous, &next] {
        let token = Tokens::default().mint(secret, random::uuid(), &app.clock);
        answer(app.request(Method::GET, "/job-list").bearer_auth(token)).await.expect(200);
    }
}

#[actix_web::test]
async fn a_caller_is_refused_before_the_body_is_looked_at() {
    let app = start().await;
    let refused = answer(app.request(Method::POST, "/jobs").body("{ no json")).await;
    refused.expect_problem(401, "access_token_missing");
}
