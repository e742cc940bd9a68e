//! Whose jobs they are comes from the access token alone, and another user's job is as good as none.

use reqwest::Method;
use serde_json::json;
use shared_claims::random;
use uuid::Uuid;

use crate::support::{Answer, answer, start};

/// All of an answer but what differs between any two: its request id and its time.
fn comparable(answer: &Answer) -> (u16, Vec<(String, String)>, &str) {
    let headers = answer.headers.iter().filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()));
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let mut headers: Vec<_> = headers.collect();
    headers.sort();
    (answer.status.as_u16(), headers, &answer.body)
}

#[actix_web::test]
async fn another_users_job_answers_like_one_that_does_not_exist() {
    let app = start().await;
    let (owner, other) = (app.user(), app.user());
    let (theirs, job) = owner.make("Mine alone").await;
    let nobodys = format!("/jobs/{}", random::uuid());
    for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE] {
        let call = |path: &str| match method {
            Method::PUT => other.request(Method::PUT, path).json(&json!({ "title": "Yours no more" })),
            _ => other.request(method.clone(), path),
        };
        let (forbidden, missing) = (answer(call(&theirs)).await, answer(call(&nobodys)).await);
        assert_eq!(forbidden.status, 404, "{method}");
        assert_eq!(comparable(&forbidden), comparable(&missing), "{method}");
    }
    assert_eq!(owner.get(&theirs).await.expect(200), job);
}

#[actix_web::test]
async fn a_body_that_is_not_acceptable_does_not_tell_whether_the_job_exists() {
    let app = start().await;
    let (owner, other) = (app.user(), app.user());
    let (theirs, _) = owner.make("Mine alone").await;
    let nobodys = format!("/jobs/{}", random::uuid());
    for body in [json!({ "title": "" }), json!({ "title": 1 }), json!({})] {
        let (forbidden, missing) = (other.put(&theirs, &body).await, other.put(&nobodys, &body).await);
        assert_eq!(comparable(&forbidden), comparable(&missing), "{body}");
    }
}

#[actix_web::test]
async fn each_user_lists_their_own_jobs_alone() {
    let app = start().await;
    let (ada, grace) = (app.user(), app.user());
    let (_, adas) = ada.make("Ada's").await;
    let (_, graces) = grace.make("Grace's").await;
    assert_eq!((ada.jobs().await, grace.jobs().await), (vec![adas], vec![graces]));
    assert!(app.user().jobs().await.is_empty());
}

#[actix_web::test]
async fn another_users_job_as_a_place_in_the_list_shows_nothing_of_it() {
    let app = start().await;
    let (ada, grace) = (app.user(), app.user());
    let (_, older) = ada.make("Older").await;
    let (_, graces) = grace.make("Between").await;
    ada.make("Newer").await;
    let page = ada.get(&format!("/job-list?after={}", graces["id"].as_str().unwrap())).await;
    assert_eq!(page.expect(200), json!([older]));
}

#[actix_web::test]
async fn naming_another_user_in_the_query_changes_nothing() {
    let app = start().await;
    let (ada, grace) = (app.user(), app.user());
    grace.make("Grace's").await;
    for name in ["user_id", "userId", "owner_id", "ownerId", "sub", "user"] {
        assert_eq!(ada.get(&format!("/job-list?{name}={}", grace.id)).await.expect(200), json!([]), "{name}");
        let request = ada.request(Method::POST, &format!("/jobs?{name}={}", grace.id)).json(&json!({ "title": "x" }));
        let job = answer(request).await.expect(201);
        let path = format!("/jobs/{}?{name}={}", job["id"].as_str().unwrap(), grace.id);
        assert_eq!(ada.get(&path).await.expect(200), job, "{name}");
        assert_eq!(ada.delete(&path).await.status, 204, "{name}");
    }
    assert_eq!(grace.jobs().await.len(), 1);
}

#[actix_web::test]
async fn naming_another_user_in_the_body_or_a_header_changes_nothing() {
    let app = start().await;
    let (ada, grace) = (app.user(), app.user());
    let body = json!({
        "title": "x", "user_id": grace.id, "userId": grace.id, "owner_id": grace.id, "ownerId": grace.id,
        "sub": grace.id, "user": { "id": grace.id },
    });
    let request = ada.request(Method::POST, "/jobs").header("x-user-id", grace.id.to_string()).json(&body);
    let job = answer(request).await.expect(201);
    ada.put(&format!("/jobs/{}", job["id"].as_str().unwrap()), &body).await.expect(200);
    assert_eq!((ada.jobs().await.len(), grace.jobs().await.len()), (1, 0));
}

#[actix_web::test]
async fn an_id_that_is_no_uuid_names_nothing() {
    let app = start().await;
    let user = app.user();
    for id in
        ["1", "me", "019a8e3c-0000-7000-8000-00000000000g", "%00", "'%20OR%201=1", "..%2Fjob-list", &"a".repeat(4_000)]
    {
        let path = format!("/jobs/{id}");
        user.get(&path).await.expect_problem(404, "not_found");
        user.put(&path, &json!({ "title": "x" })).await.expect_problem(404, "not_found");
        user.delete(&path).await.expect_problem(404, "not_found");
    }
}

#[actix_web::test]
async fn the_least_and_the_greatest_id_name_nothing() {
    let app = start().await;
    let user = app.user();
    user.make("x").await;
    for id in [Uuid::nil(), Uuid::max()] {
        user.get(&format!("/jobs/{id}")).await.expect_problem(404, "not_found");
    }
    assert_eq!(user.get(&format!("/job-list?after={}", Uuid::nil())).await.expect(200), json!([]));
    assert_eq!(user.get(&format!("/job-list?after={}", Uuid::max())).await.expect(200).as_array().unwrap().len(), 1);
}
