//! How a script knows what a command met.

use rstest::rstest;
use system_tests::people::Person;
use system_tests::program::Program;
use system_tests::site::Storage::{self, Distributed, Embedded};

use super::{NOT_FOUND, PASSWORD, REFUSED, Scene, WRONG_USAGE};

#[rstest]
#[tokio::test]
async fn what_is_refused_says_why_and_exits_with_four(#[values(Embedded, Distributed)] storage: Storage) {
    let scene = Scene::open(storage).await;
    let (there, new) = (scene.add().await, Person::invent());
    let tokens = scene.client().login(&there).await;
    let (name, email) = (there.username.as_str(), there.email.to_lowercase());
    let good = format!("{PASSWORD}\n");
    for (arguments, input, why) in [
        (&["users", "add", name, &new.email][..], good.as_str(), name),
        (&["users", "add", &name.to_uppercase(), &new.email], &good, name),
        (&["users", "add", &new.username, &email], &good, &email),
        (&["users", "add", "a@b", &new.email], &good, "username"),
        (&["users", "add", &new.username, "nowhere"], &good, "e-mail address"),
        (&["users", "add", &new.username, &new.email], "short\n", "8 characters"),
        (&["users", "add", &new.username, &new.email], "password123\n", "too easy to guess"),
        (&["users", "add", &new.username, &new.email], "", "8 characters"),
        (&["users", "set-password", name], "short\n", "8 characters"),
        (&["users", "set-password", name], &format!("{name}\n"), "too easy to guess"),
    ] {
        let complaint = scene.run(REFUSED, arguments, input).await.stderr;
        assert!(complaint.contains(why), "{arguments:?}: {complaint}");
    }
    assert_eq!(scene.json(&["users", "list", "--json"], "").await.as_array().map(Vec::len), Some(1));
    assert_eq!(scene.login(&there, PASSWORD).await, 200);
    assert_eq!(scene.client().refresh(&tokens.refresh_token).await.status, 200);
}

#[rstest]
#[tokio::test]
async fn who_is_not_there_is_told_by_exit_code_three(#[values(Embedded, Distributed)] storage: Storage) {
    let scene = Scene::open(storage).await;
    let (there, nobody) = (scene.add().await, Person::invent());
    let (id, session) = (nobody.id.to_string(), nobody.id.to_string());
    for named in [&nobody.username, &nobody.email, &id] {
        for arguments in [
            &["users", "disable", named][..],
            &["users", "enable", named],
            &["users", "set-password", named],
            &["users", "delete", named],
            &["sessions", "list", named],
            &["sessions", "list", named, "--json"],
            &["sessions", "end", named, &session],
        ] {
            scene.run(NOT_FOUND, arguments, &format!("{PASSWORD}\n")).await;
        }
    }
    scene.run(NOT_FOUND, &["sessions", "end", &nobody.username, "--all"], "").await;
    scene.run(NOT_FOUND, &["sessions", "end", &there.username, &session], "").await;
}

#[rstest]
#[tokio::test]
async fn wrong_usage_is_told_by_exit_code_two(#[values(Embedded)] storage: Storage) {
    let scene = Scene::open(storage).await;
    for arguments in [
        &["users"][..],
        &["users", "add"],
        &["users", "add", "name"],
        &["users", "remove", "name"],
        &["users", "list", "name"],
        &["sessions"],
        &["sessions", "list"],
        &["sessions", "end", "name"],
        &["sessions", "end", "name", "no-id"],
        &["sessions", "end", "name", "10000000-0000-4000-8000-000000000001", "--all"],
    ] {
        let finished = scene.program.run(arguments, "").await;
        assert_eq!(finished.status.code(), Some(WRONG_USAGE), "{arguments:?}: {finished:?}");
        assert!(!finished.stderr.is_empty(), "{finished:?}");
    }
}

#[rstest]
#[tokio::test]
async fn what_fails_is_told_by_exit_code_one(#[values(Embedded)] storage: Storage) {
    let scene = Scene::open(storage).await;
    let nowhere = scene.site.environment(&[("TOKEN_STORE__URL", "redis://127.0.0.1:1")]);
    let program = Program::new("auth-service", scene.site.directory(), nowhere);
    let person = scene.add().await;
    for arguments in [
        &["sessions", "list", &person.username][..],
        &["sessions", "end", &person.username, "--all"],
        &["users", "disable", &person.username],
    ] {
        let finished = program.run(arguments, "").await;
        assert_eq!(finished.status.code(), Some(1), "{arguments:?}: {finished:?}");
        assert!(finished.stderr.contains("auth-service: "), "{finished:?}");
    }
    // It could not be told to the sessions, and is done all the same.
    assert_eq!(scene.login(&person, PASSWORD).await, 401);
}
