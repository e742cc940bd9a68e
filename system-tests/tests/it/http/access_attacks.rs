//! Access tokens that no service may take, shown to both. The verifier's own tests have every attack; these show that it stands
//! before every handler, and that after each attack the good token still works.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rstest::rstest;
use serde_json::json;
use shared_claims::{Clock, generate_secret, random};
use system_tests::client::{Answered, Client, Tokens};
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;
use system_tests::tokens::{encode, forge, parts, with_claims, with_header, without_claim};

/// Tokens that somebody without the secret can make.
fn forgeries(tokens: &Tokens) -> Vec<(&'static str, String)> {
    let good = &tokens.access_token;
    let (header, claims) = parts(good);
    let (signed, signature) = good.rsplit_once('.').expect("three segments");
    let foreign = generate_secret();
    let unsigned = |alg: &str| {
        format!("{}.{}.", encode(json!({ "alg": alg, "typ": "at+jwt" }).to_string()), encode(claims.to_string()))
    };
    let raised = {
        let mut claims = claims.clone();
        claims["user"]["username"] = json!("admin");
        format!("{}.{}.{signature}", encode(header.to_string()), encode(claims.to_string()))
    };
    let own_key =
        json!({ "jwk": { "kty": "oct", "k": encode("key") }, "alg": "HS256", "typ": "at+jwt", "kid": header["kid"] });
    vec![
        ("no algorithm", unsigned("none")),
        ("no algorithm, in capitals", unsigned("NONE")),
        ("no algorithm, in both", unsigned("nOnE")),
        ("no signature", format!("{signed}.")),
        ("a signature cut short", format!("{signed}.{}", &signature[..signature.len() - 1])),
        ("another signature", format!("{signed}.{}", encode([0; 32]))),
        ("another secret", with_claims(&foreign, good, &json!({}))),
        ("another payload", raised),
        ("a key of its own", forge(&foreign, own_key.to_string(), claims.to_string())),
        ("a refresh token", tokens.refresh_token.clone()),
        ("a fourth segment", format!("{good}.{signature}")),
        ("two segments", signed.to_owned()),
        ("padding", format!("{signed}.{}", STANDARD.encode([0; 32]))),
        ("nothing but dots", "..".to_owned()),
        ("8 KiB and more", format!("{good}{}", "A".repeat(9_000))),
    ]
}

/// Tokens that only somebody with the secret can make, such as another program that shares it.
fn abuses(stack: &Stack, tokens: &Tokens) -> Vec<(&'static str, String)> {
    let (secret, good, now) = (&stack.site.secrets.access, &tokens.access_token, stack.clock.now().timestamp());
    let (header, claims) = parts(good);
    let claims_text = claims.to_string();
    let doubled = format!("{{\"exp\":{},{}", now + 600, &claims_text[1..]);
    let deep = format!("{{\"deep\":{}1{},{}", "[".repeat(3_000), "]".repeat(3_000), &claims_text[1..]);
    vec![
        ("another algorithm by name", with_header(secret, good, &json!({ "alg": "HS512" }))),
        ("another type", with_header(secret, good, &json!({ "typ": "JWT" }))),
        ("a refresh token's type", with_header(secret, good, &json!({ "typ": "rt+jwt" }))),
        ("an unknown key id", with_header(secret, good, &json!({ "kid": "../../dev/null" }))),
        ("a key id that is no text", with_header(secret, good, &json!({ "kid": ["a"] }))),
        ("something critical", with_header(secret, good, &json!({ "crit": ["exp"] }))),
        ("an address of keys", with_header(secret, good, &json!({ "jku": "https://attacker.test/keys" }))),
        ("another issuer", with_claims(secret, good, &json!({ "iss": "somebody else" }))),
        ("another audience", with_claims(secret, good, &json!({ "aud": ["billing"] }))),
        ("an audience that is a text", with_claims(secret, good, &json!({ "aud": "auth-service" }))),
        ("a subject that is not the user", with_claims(secret, good, &json!({ "sub": random::uuid() }))),
        ("a subject that is no id", with_claims(secret, good, &json!({ "sub": "ada" }))),
        ("no expiry", without_claim(secret, good, "exp")),
        ("an expiry of null", with_claims(secret, good, &json!({ "exp": null }))),
        ("an expiry that is a text", with_claims(secret, good, &json!({ "exp": (now + 600).to_string() }))),
        ("an expiry that is a fraction", with_claims(secret, good, &json!({ "exp": 2_000_000_000.5 }))),
        ("a life of more than a day", with_claims(secret, good, &json!({ "exp": now + 86_401 }))),
        ("a birth in the future", with_claims(secret, good, &json!({ "iat": now + 61, "exp": now + 900 }))),
        ("not valid yet", with_claims(secret, good, &json!({ "nbf": now + 10 }))),
        ("no session", without_claim(secret, good, "sid")),
        ("no user", without_claim(secret, good, "user")),
        ("an expiry that comes twice", forge(secret, header.to_string(), doubled)),
        ("nesting without end", forge(secret, header.to_string(), deep)),
        ("claims that are an array", forge(secret, header.to_string(), "[]")),
        ("a refresh token's claims", forge(secret, header.to_string(), parts(&tokens.refresh_token).1.to_string())),
    ]
}

async fn assert_refused(service: &Client, path: &str, attack: &str, token: &str) {
    let answer = service.get(path).bearer_auth(token).answer().await;
    assert_eq!((answer.status, &answer.json()["code"]), (401, &json!("access_token_invalid")), "{attack}: {answer:?}");
    let challenge = answer.header("www-authenticate").expect("a challenge");
    assert!(
        challenge.starts_with(r#"Bearer realm="latchkey", error="invalid_token", error_description=""#),
        "{attack}: {challenge}"
    );
}

#[rstest]
#[tokio::test]
async fn neither_service_takes_a_token_that_it_should_not(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let jobs = stack.jobs_service().await;
    let tokens = stack.client().login(&stack.person().await).await;
    for (service, path) in [(stack.client(), "/current-user"), (jobs.client(), "/job-list")] {
        for (attack, token) in forgeries(&tokens).into_iter().chain(abuses(&stack, &tokens)) {
            assert_refused(&service, path, attack, &token).await;
            let good = service.get(path).bearer_auth(&tokens.access_token).answer().await;
            assert_eq!(good.status, 200, "a good token after {attack}");
        }
    }
}

#[rstest]
#[tokio::test]
async fn neither_service_takes_a_header_that_is_not_one_token(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let jobs = stack.jobs_service().await;
    let token = stack.client().login(&stack.person().await).await.access_token;
    for (service, path) in [(stack.client(), "/current-user"), (jobs.client(), "/job-list")] {
        let good = format!("Bearer {token}");
        for value in
            [format!("Bearer {token} {token}"), format!("Bearer {token}, Bearer {token}"), "Bearer a\tb".to_owned()]
        {
            let answer = service.get(path).header("authorization", &value).answer().await;
            answer.assert_problem(401, "access_token_invalid");
        }
        let twice = service.get(path).header("authorization", &good).header("authorization", &good);
        twice.answer().await.assert_problem(401, "access_token_invalid");
        let latin = service.get(path).header("authorization", &b"Bearer \xe9\xe8"[..]);
        latin.answer().await.assert_problem(401, "access_token_invalid");
        assert_eq!(service.get(path).header("authorization", &good).answer().await.status, 200);
    }
}

#[rstest]
#[tokio::test]
async fn a_token_for_one_service_is_not_taken_by_another(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start_with(storage, &[("TOKENS__AUDIENCE", "jobs-service")]).await;
    let jobs = stack.jobs_service().await;
    let token = stack.client().login(&stack.person().await).await.access_token;
    assert_eq!(jobs.client().job_list(&token).await.status, 200);
    stack.client().current_user(&token).await.assert_problem(401, "access_token_invalid");
}
