//! What is told of changes to accounts and of the ends of sessions.

use rstest::rstest;
use serde_json::{Value, json};
use system_tests::client::Tokens;
use system_tests::people::{PASSWORD, Person};
use system_tests::program::Program;
use system_tests::site::Storage::{self, Distributed, Embedded};
use uuid::Uuid;

use super::{NEW, Scene, assert_events, event, events};

#[rstest]
#[tokio::test]
async fn what_users_do_to_their_account_and_sessions_is_told(#[values(Embedded, Distributed)] storage: Storage) {
    let mut scene = Scene::open(storage, &[("REGISTRATION__ENABLED", "true")]).await;
    let new = Person::invent();
    let body = json!({ "username": new.username, "email": new.email, "password": PASSWORD });
    let (answer, events) = scene.watch(scene.client.post("/register", &body)).await;
    let id: Uuid = answer.read::<Value>(201)["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    assert_events(&events, &[event("registered", id, &json!({}))]);

    let person = Person { id, ..new };
    let ended = |tokens: &Tokens, reason: &str| {
        event("session_ended", id, &json!({ "session_id": tokens.session_id, "reason": reason }))
    };
    let [here, phone, laptop, tablet] = [
        scene.login(&person).await,
        scene.login(&person).await,
        scene.login(&person).await,
        scene.login(&person).await,
    ];
    let delete = |path: String| scene.client.request(reqwest::Method::DELETE, &path).bearer_auth(&here.access_token);
    let requests = [delete(format!("/sessions/{}", phone.session_id)), delete("/sessions?others=true".to_owned())];
    let [one, others] = requests;
    let (_, events) = scene.watch(one).await;
    assert_events(&events, &[ended(&phone, "signed_out_elsewhere")]);
    let (_, mut events) = scene.watch(others).await;
    let mut expected = [ended(&laptop, "signed_out_elsewhere"), ended(&tablet, "signed_out_elsewhere")];
    events.sort_by_key(|event| event["session_id"].to_string());
    expected.sort_by_key(|event| event["session_id"].to_string());
    assert_events(&events, &expected);

    let other = scene.login(&person).await;
    let change = scene.client.password_change(&here.access_token, PASSWORD, NEW);
    let (answer, events) = scene.watch(change).await;
    assert_eq!(answer.status, 204);
    let changed = event("password_changed", id, &json!({ "session_id": here.session_id }));
    assert_events(&events, &[changed, ended(&other, "password_changed")]);

    let logout = scene.client.post("/logout", &json!({ "refreshToken": here.refresh_token }));
    let (_, events) = scene.watch(logout).await;
    let signed_out = event("logout", id, &json!({ "session_id": here.session_id }));
    assert_events(&events, &[signed_out, ended(&here, "signed_out")]);
    // Nothing ends twice.
    let logout = scene.client.post("/logout", &json!({ "refreshToken": here.refresh_token }));
    assert_events(&scene.watch(logout).await.1, &[]);
}

#[rstest]
#[tokio::test]
async fn what_an_operator_does_is_told_where_errors_go(#[values(Embedded, Distributed)] storage: Storage) {
    let scene = Scene::open(storage, &[]).await;
    let program = Program::new("auth-service", scene.site.directory(), scene.site.environment(&[]));
    let run = async |arguments: &[&str]| {
        let finished = program.run(arguments, &format!("{NEW}\n")).await;
        assert_eq!(finished.status.code(), Some(0), "{finished:?}");
        let told = events(&finished.stderr, |_| true);
        let told = told.into_iter().map(|event| (event["event"].clone(), event["user_id"].clone(), event.clone()));
        told.collect::<Vec<_>>()
    };
    let new = Person::invent();
    let added = run(&["users", "add", &new.username, &new.email]).await;
    assert_eq!((added.len(), &added[0].0, &added[0].2["change"]), (1, &json!("user_changed"), &json!("added")));
    let id = added[0].1.clone();

    for (command, change, reason) in [
        ("set-password", "password_set", Some("password_changed")),
        ("disable", "disabled", Some("user_disabled")),
        ("enable", "enabled", None),
        ("delete", "deleted", Some("user_disabled")),
    ] {
        let person = Person { password: NEW.to_owned(), ..new.clone() };
        let session = if reason.is_some() { Some(scene.client.login(&person).await.session_id) } else { None };
        let told = run(&["users", command, &new.username]).await;
        assert_eq!((&told[0].0, &told[0].1, &told[0].2["change"]), (&json!("user_changed"), &id, &json!(change)));
        assert_eq!(told.len(), 1 + usize::from(session.is_some()), "{told:?}");
        if let Some(session) = session {
            let (event, user, ended) = &told[1];
            assert_eq!((event, user), (&json!("session_ended"), &id));
            assert_eq!((&ended["session_id"], &ended["reason"]), (&json!(session), &json!(reason)));
        }
    }

    let person = scene.person().await;
    let session = scene.client.login(&person).await.session_id;
    let told = run(&["sessions", "end", &person.username, &session.to_string()]).await;
    let (event, user, ended) = &told[0];
    assert_eq!((told.len(), event, user), (1, &json!("session_ended"), &json!(person.id)));
    assert_eq!((&ended["session_id"], &ended["reason"]), (&json!(session), &json!("admin")));
}
