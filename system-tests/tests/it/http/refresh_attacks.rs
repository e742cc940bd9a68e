//! Refresh tokens that must not be taken. None of them ends the session that it talks about, and after each the good one works.

use rstest::rstest;
use serde_json::json;
use shared_claims::{Clock, generate_secret};
use system_tests::client::Tokens;
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;
use system_tests::tokens::{at_generation, encode, forge, parts, with_claims, with_header, without_claim};

fn attacks(stack: &Stack, tokens: &Tokens) -> Vec<(&'static str, String)> {
    let (secret, good, now) = (&stack.site.secrets.refresh, &tokens.refresh_token, stack.clock.now().timestamp());
    let (_, claims) = parts(good);
    let (signed, signature) = good.rsplit_once('.').expect("three segments");
    let jti = claims["jti"].as_str().expect("a text");
    let random = jti.split('.').next().expect("a random value");
    let none = json!({ "alg": "none", "typ": "rt+jwt" });
    let access_header = parts(&tokens.access_token).0.to_string();
    vec![
        ("no token at all", "nonsense".to_owned()),
        ("a space", " ".to_owned()),
        ("a space around it", format!(" {good}")),
        ("the access token", tokens.access_token.clone()),
        ("no algorithm", format!("{}.{}.", encode(none.to_string()), encode(claims.to_string()))),
        ("no signature", format!("{signed}.")),
        ("a signature cut short", format!("{signed}.{}", &signature[..42])),
        ("another secret", with_claims(&generate_secret(), good, &json!({}))),
        ("the access secret", with_claims(&stack.site.secrets.access, good, &json!({}))),
        ("the access secret and its key id", forge(&stack.site.secrets.access, access_header, claims.to_string())),
        ("an access token's type", with_header(secret, good, &json!({ "typ": "at+jwt" }))),
        ("another algorithm by name", with_header(secret, good, &json!({ "alg": "HS384" }))),
        ("another issuer", with_claims(secret, good, &json!({ "iss": "somebody else" }))),
        ("another audience", with_claims(secret, good, &json!({ "aud": ["jobs-service"] }))),
        ("no subject", without_claim(secret, good, "sub")),
        ("no session", without_claim(secret, good, "sid")),
        ("no generation", without_claim(secret, good, "gen")),
        ("no expiry", without_claim(secret, good, "exp")),
        ("an expiry that is a text", with_claims(secret, good, &json!({ "exp": (now + 600).to_string() }))),
        ("a generation that is a text", with_claims(secret, good, &json!({ "gen": "0" }))),
        ("a generation below zero", with_claims(secret, good, &json!({ "gen": -1, "jti": format!("{random}.-1") }))),
        ("a generation that jti does not name", with_claims(secret, good, &json!({ "gen": 1 }))),
        ("no random value", with_claims(secret, good, &json!({ "jti": ".0" }))),
        ("an id without a generation", with_claims(secret, good, &json!({ "jti": random }))),
        ("a session that is no id", with_claims(secret, good, &json!({ "sid": "../../etc/passwd" }))),
        ("a subject that is no id", with_claims(secret, good, &json!({ "sub": "' OR 1=1 --" }))),
        ("a birth after its death", with_claims(secret, good, &json!({ "iat": now + 2_592_001 }))),
        ("8 KiB and more", format!("{good}{}", "A".repeat(9_000))),
    ]
}

#[rstest]
#[tokio::test]
async fn a_token_that_is_not_ours_or_not_well_formed_is_invalid_and_touches_nothing(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let tokens = client.login(&stack.person().await).await;
    for (attack, token) in attacks(&stack, &tokens) {
        let answer = client.refresh(&token).await;
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (403, &json!("refresh_token_invalid")),
            "{attack}: {answer:?}"
        );
        assert_eq!(client.logout(&token).await.status, 204, "{attack}");
    }
    assert_eq!(client.refresh(&tokens.refresh_token).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn a_generation_beyond_what_every_reader_of_json_holds_is_invalid(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let tokens = client.login(&stack.person().await).await;
    for generation in [1 << 53, u64::MAX] {
        let ahead = at_generation(&stack.site.secrets.refresh, &tokens.refresh_token, generation);
        client.refresh(&ahead).await.assert_problem(403, "refresh_token_invalid");
    }
    assert_eq!(client.refresh(&tokens.refresh_token).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn an_expired_token_that_is_also_wrong_is_invalid(#[values(Embedded, Distributed)] storage: Storage) {
    let stack = Stack::start(storage).await;
    let client = stack.client();
    let tokens = client.login(&stack.person().await).await;
    let wrong = with_claims(&generate_secret(), &tokens.refresh_token, &json!({}));
    stack.advance(chrono::TimeDelta::days(31));
    client.refresh(&wrong).await.assert_problem(403, "refresh_token_invalid");
    client.refresh(&tokens.refresh_token).await.assert_problem(403, "refresh_token_expired");
}

#[rstest]
#[tokio::test]
async fn a_secret_that_is_still_accepted_verifies_and_one_that_is_not_does_not(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let stack = Stack::start(storage).await;
    let tokens = stack.client().login(&stack.person().await).await;
    let (old, new) = (stack.site.secrets.clone(), system_tests::tokens::Secrets::generate());
    let [old_access, old_refresh, new_access, new_refresh] =
        [&old.access, &old.refresh, &new.access, &new.refresh].map(secrecy::ExposeSecret::expose_secret);
    let signs = [("TOKENS__ACCESS_SECRET", new_access), ("TOKENS__REFRESH_SECRET", new_refresh)];
    let accepts = [("TOKENS__ACCEPTED_ACCESS_SECRETS", old_access), ("TOKENS__ACCEPTED_REFRESH_SECRETS", old_refresh)];

    let retired = stack.instance_with(&signs).await;
    retired.client().refresh(&tokens.refresh_token).await.assert_problem(403, "refresh_token_invalid");
    retired.client().current_user(&tokens.access_token).await.assert_problem(401, "access_token_invalid");

    let promoted = stack.instance_with(&[signs, accepts].concat()).await;
    assert_eq!(promoted.client().current_user(&tokens.access_token).await.status, 200);
    let next = promoted.client().refresh(&tokens.refresh_token).await.tokens();
    stack.client().refresh(&next.refresh_token).await.assert_problem(403, "refresh_token_invalid");
    assert_eq!(retired.client().refresh(&next.refresh_token).await.status, 200);
}
