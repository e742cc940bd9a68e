//! `POST /jobs`, and `GET`, `PUT` and `DELETE /jobs/{id}`: what a user does with a job of their own.

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::support::{answer, start};

#[actix_web::test]
async fn a_new_job_has_everything_that_was_written_and_its_times() {
    let app = start().await;
    let body = json!({ "title": "Water the ferns", "description": "Both of them.\n\t– Not too much", "status": "in_progress" });
    let answer = app.user().post(&body).await;
    let job = answer.expect(201);
    let id: Uuid = job["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(
        job,
        json!({
            "id": id, "title": "Water the ferns", "description": "Both of them.\n\t– Not too much", "status": "in_progress",
            "createdAt": "2026-11-23T12:00:00.000Z", "updatedAt": "2026-11-23T12:00:00.000Z",
        })
    );
    assert_eq!(answer.header("content-type"), "application/json");
}

#[actix_web::test]
async fn a_new_job_is_open_and_not_described_if_nothing_else_is_said() {
    let app = start().await;
    for body in [json!({ "title": "x" }), json!({ "title": "x", "description": null, "status": null })] {
        let job = app.user().post(&body).await.expect(201);
        assert_eq!((&job["description"], &job["status"]), (&json!(""), &json!("open")), "{body}");
    }
}

#[actix_web::test]
async fn the_location_of_a_new_job_leads_to_it() {
    let app = start().await;
    let user = app.user();
    let made = user.post(&json!({ "title": "x" })).await;
    let job = made.expect(201);
    assert_eq!(made.header("location"), format!("jobs/{}", job["id"].as_str().unwrap()));
    let posted_to: reqwest::Url = format!("http://{}/jobs", app.address).parse().unwrap();
    let location = posted_to.join(made.header("location")).unwrap();
    assert_eq!(user.get(location.path()).await.expect(200), job);
}

#[actix_web::test]
async fn a_title_is_kept_without_the_space_around_it() {
    let app = start().await;
    let job = app.user().post(&json!({ "title": "  Water the ferns \n" })).await.expect(201);
    assert_eq!(job["title"], "Water the ferns");
}

#[actix_web::test]
async fn a_job_reads_back_as_it_was_made() {
    let app = start().await;
    let user = app.user();
    let (path, job) = user.make("Größe – 大きさ – 🦀").await;
    assert_eq!(user.get(&path).await.expect(200), job);
}

#[actix_web::test]
async fn times_are_told_in_utc_to_the_millisecond() {
    let app = start().await;
    app.clock.advance(TimeDelta::milliseconds(7));
    let (_, job) = app.user().make("x").await;
    assert_eq!(job["createdAt"], "2026-11-23T12:00:00.007Z");
}

#[actix_web::test]
async fn a_replaced_job_keeps_its_id_and_the_time_it_was_made() {
    let app = start().await;
    let user = app.user();
    let (path, job) = user.make("Water the ferns").await;
    app.clock.advance(TimeDelta::milliseconds(61_001));
    let body = json!({ "title": "Water the roses", "description": "All of them", "status": "done" });
    let replaced = user.put(&path, &body).await.expect(200);
    assert_eq!(
        replaced,
        json!({
            "id": job["id"], "title": "Water the roses", "description": "All of them", "status": "done",
            "createdAt": "2026-11-23T12:00:00.000Z", "updatedAt": "2026-11-23T12:01:01.001Z",
        })
    );
    assert_eq!(user.get(&path).await.expect(200), replaced);
}

#[actix_web::test]
async fn what_a_replacement_leaves_out_is_as_in_a_new_job() {
    let app = start().await;
    let user = app.user();
    let (path, _) = user.make("x").await;
    user.put(&path, &json!({ "title": "x", "description": "More", "status": "done" })).await.expect(200);
    let replaced = user.put(&path, &json!({ "title": "x" })).await.expect(200);
    assert_eq!((&replaced["description"], &replaced["status"]), (&json!(""), &json!("open")));
}

#[actix_web::test]
async fn every_status_can_follow_every_other() {
    let app = start().await;
    let user = app.user();
    let (path, _) = user.make("x").await;
    for status in ["done", "open", "in_progress", "open", "done", "in_progress", "done"] {
        let replaced = user.put(&path, &json!({ "title": "x", "status": status })).await.expect(200);
        assert_eq!(replaced["status"], status);
    }
}

#[actix_web::test]
async fn a_deleted_job_is_gone_for_every_verb() {
    let app = start().await;
    let user = app.user();
    let (path, _) = user.make("x").await;
    let deleted = user.delete(&path).await;
    assert_eq!((deleted.status.as_u16(), deleted.body.as_str()), (204, ""));
    user.get(&path).await.expect_problem(404, "not_found");
    user.put(&path, &json!({ "title": "x" })).await.expect_problem(404, "not_found");
    user.delete(&path).await.expect_problem(404, "not_found");
    assert!(user.jobs().await.is_empty());
}

#[actix_web::test]
async fn head_answers_as_get_does_without_the_body() {
    let app = start().await;
    let user = app.user();
    let (path, _) = user.make("x").await;
    for path in [path.as_str(), "/job-list"] {
        let got = user.get(path).await;
        let head = answer(user.request(Method::HEAD, path)).await;
        assert_eq!((head.status.as_u16(), head.body.as_str()), (200, ""), "{path}");
        assert_eq!(head.header("content-length"), got.body.len().to_string(), "{path}");
    }
}

#[actix_web::test]
async fn fields_that_are_not_known_change_nothing() {
    let app = start().await;
    let user = app.user();
    let body = json!({
        "title": "x", "id": "10000000-0000-4000-8000-00000000000a", "createdAt": "1999-01-01T00:00:00Z", "colour": "blue",
    });
    let job = user.post(&body).await.expect(201);
    assert_ne!(job["id"], body["id"]);
    assert_eq!((&job["createdAt"], job.get("colour")), (&json!("2026-11-23T12:00:00.000Z"), None));
}
