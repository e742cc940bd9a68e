//! `GET /sessions`: the devices that the caller is signed in on.

use chrono::{DateTime, TimeDelta, Utc};
use rstest::rstest;
use serde_json::{Value, json};
use shared_claims::Clock;
use system_tests::client::{Answer, Answered, Client, SignedIn, Tokens};
use system_tests::people::Person;
use system_tests::tokens::with_claims;

use super::ground::Ground;
use super::{TRUSTED_PROXY, assert_revoked, fields};
use system_tests::site::Storage::{self, Distributed, Embedded};

async fn listed(client: &Client, tokens: &Tokens) -> Vec<Value> {
    client.sessions(&tokens.access_token).await.read(200)
}

fn names(sessions: &[Value]) -> Vec<&str> {
    sessions.iter().map(|session| session["deviceName"].as_str().expect("a name")).collect()
}

async fn login_by(client: &Client, person: &Person, user_agent: &str) -> Tokens {
    let request = client.post("/login", &person.credentials()).header("user-agent", user_agent);
    request.answer().await.read::<SignedIn>(200).tokens
}

fn time(moment: DateTime<Utc>) -> String {
    moment.to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}

#[rstest]
#[tokio::test]
async fn the_caller_sees_each_session_the_last_used_first(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = Ground::start(storage).await;
    let (client, person) = (ground.client(), ground.person().await);
    let began = ground.stack.clock.now();
    let mut signed_in = Vec::new();
    for device in ["phone", "laptop", "tablet"] {
        signed_in.push(client.login_on(&person, device).await.tokens);
        ground.stack.advance(TimeDelta::milliseconds(1_001));
    }
    let used = client.refresh(&signed_in[0].refresh_token).await.tokens();

    let session = |number: usize, device: &str, used_at: DateTime<Utc>, is_current: bool| {
        let created_at = began + TimeDelta::milliseconds(1_001) * i32::try_from(number).expect("a small number");
        json!({
            "id": signed_in[number].session_id,
            "deviceName": device,
            "ipAddress": "127.0.0.1",
            "createdAt": time(created_at),
            "lastUsedAt": time(used_at),
            "expiresAt": time(used_at + TimeDelta::days(30)),
            "current": is_current,
        })
    };
    let later = |times: i32| began + TimeDelta::milliseconds(1_001) * times;
    let expected = |current: usize| {
        [
            session(0, "phone", later(3), current == 0),
            session(2, "tablet", later(2), current == 2),
            session(1, "laptop", later(1), current == 1),
        ]
    };
    assert_eq!(listed(&client, &used).await, expected(0));
    assert_eq!(listed(&client, &signed_in[1]).await, expected(1));
    // Looking is no use.
    assert_eq!(listed(&client, &signed_in[2]).await, expected(2));
}

#[rstest]
#[tokio::test]
async fn a_device_is_called_what_it_says_or_what_its_user_agent_tells(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let ground = Ground::start(storage).await;
    let client = ground.client();
    for (user_agent, name) in [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 \
             Safari/605.1.15",
            "Safari on macOS",
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile \
             Safari/537.36",
            "Chrome on Android",
        ),
        ("curl/8.5.0", "curl"),
        ("", "Unknown device"),
        ("<img src=x onerror=alert(1)>", "Unknown device"),
    ] {
        let person = ground.person().await;
        let tokens = login_by(&client, &person, user_agent).await;
        assert_eq!(names(&listed(&client, &tokens).await), [name], "{user_agent}");
    }
    for (said, name) in [("Ada's loom 🧵", "Ada's loom 🧵"), ("  at home ", "at home"), ("", "curl"), (" ", "curl")]
    {
        let person = ground.person().await;
        let request = client.post("/login", &person.credentials_on(said)).header("user-agent", "curl/8");
        let tokens = request.answer().await.read::<SignedIn>(200).tokens;
        assert_eq!(names(&listed(&client, &tokens).await), [name], "{said:?}");
    }
}

#[rstest]
#[tokio::test]
async fn a_name_of_a_device_has_64_characters_at_most(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = Ground::start(storage).await;
    let (client, person) = (ground.client(), ground.person().await);
    let longest = "🧵".repeat(64);
    let tokens = client.login_on(&person, &longest).await.tokens;
    assert_eq!(names(&listed(&client, &tokens).await), [longest.as_str()]);
    for unacceptable in [&"🧵".repeat(65), "a\u{1b}[2Jb", "a\nb", "a\u{0}b"] {
        let answer = client.try_login(&person.credentials_on(unacceptable)).await;
        answer.assert_problem(422, "validation_failed");
        assert_eq!(fields(&answer), ["deviceName"], "{unacceptable:?}");
    }
    // A user agent is nobody's fault: it is left out, and the login stands.
    ground.stack.advance(TimeDelta::seconds(1));
    let tokens = login_by(&client, &person, &format!("{}/1.0", "x".repeat(4_000))).await;
    assert_eq!(names(&listed(&client, &tokens).await)[0], "Unknown device");
}

#[rstest]
#[tokio::test]
async fn the_address_is_that_of_the_last_use_as_a_trusted_proxy_tells_it(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let ground = Ground::start_with(storage, &[TRUSTED_PROXY]).await;
    let (client, person) = (ground.client(), ground.person().await);
    let from = |request: reqwest::RequestBuilder, address: &str| request.header("X-Forwarded-For", address);
    let answer = from(client.post("/login", &person.credentials()), "198.51.100.9, 203.0.113.7").answer().await;
    let tokens = answer.read::<SignedIn>(200).tokens;
    assert_eq!(listed(&client, &tokens).await[0]["ipAddress"], "203.0.113.7");

    let refresh = client.post("/refresh-token", &json!({ "refreshToken": tokens.refresh_token }));
    let tokens = from(refresh, "2001:db8::7").answer().await.tokens();
    assert_eq!(listed(&client, &tokens).await[0]["ipAddress"], "2001:db8::7");
}

#[rstest]
#[tokio::test]
async fn a_forwarded_address_from_anybody_else_is_not_believed(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = Ground::start_with(storage, &[("SERVER__TRUSTED_PROXIES", "10.0.0.0/8")]).await;
    let (client, person) = (ground.client(), ground.person().await);
    let request = client.post("/login", &person.credentials());
    let request = request.header("X-Forwarded-For", "203.0.113.7").header("Forwarded", "for=203.0.113.7");
    let tokens = request.header("X-Real-IP", "203.0.113.7").answer().await.read::<SignedIn>(200).tokens;
    assert_eq!(listed(&client, &tokens).await[0]["ipAddress"], "127.0.0.1");
}

#[rstest]
#[tokio::test]
async fn what_has_ended_or_expired_or_is_somebody_elses_is_not_listed(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let settings = [("TOKENS__REFRESH_TTL", "10m"), ("SESSIONS__MAX_LIFETIME", "14m")];
    let ground = Ground::start_with(storage, &settings).await;
    let (client, person) = (ground.client(), ground.person().await);
    client.login(&ground.person().await).await;
    let [idle, left] = [client.login_on(&person, "idle").await.tokens, client.login_on(&person, "left").await.tokens];
    let here = client.login_on(&person, "here").await.tokens;
    client.logout(&left.refresh_token).await;
    assert_eq!(names(&listed(&client, &here).await).len(), 2);

    ground.stack.advance(TimeDelta::minutes(9));
    let here = client.refresh(&here.refresh_token).await.tokens();
    ground.stack.advance(TimeDelta::minutes(1));
    let sessions = listed(&client, &here).await;
    assert_eq!(names(&sessions), ["here"]);
    // It ends with its longest life, not with its refresh token.
    assert_eq!(sessions[0]["expiresAt"], "2030-03-17T18:00:40.250Z");
    assert_revoked(&client.sessions(&idle.access_token).await);
    ground.stack.advance(TimeDelta::minutes(4));
    assert_revoked(&client.sessions(&here.access_token).await);
}

#[rstest]
#[tokio::test]
async fn only_a_live_session_of_the_user_sees_the_list(#[values(Embedded, Distributed)] storage: Storage) {
    let ground = Ground::start(storage).await;
    let (client, person, other) = (ground.client(), ground.person().await, ground.person().await);
    let [here, gone, elsewhere] =
        [client.login(&person).await, client.login(&person).await, client.login(&other).await];
    client.logout(&gone.refresh_token).await;
    assert_revoked(&client.sessions(&gone.access_token).await);
    // Whoever knows the access secret can sign anything, and knows no session that is not in a token they have seen.
    let forged =
        |sid: &Value| with_claims(&ground.stack.site.secrets.access, &here.access_token, &json!({ "sid": sid }));
    for sid in [json!(elsewhere.session_id), json!(gone.session_id), json!(Person::invent().id)] {
        assert_revoked(&client.sessions(&forged(&sid)).await);
    }
    let missing: Answer = client.get("/sessions").answer().await;
    missing.assert_problem(401, "access_token_missing");

    let users = &ground.stack.site.stores.users;
    users.set_disabled(person.id, true).await.expect("the database works");
    assert_revoked(&client.sessions(&here.access_token).await);
    users.delete(other.id).await.expect("the database works");
    assert_revoked(&client.sessions(&elsewhere.access_token).await);
}
