//! The demo jobs: there at once, only where nothing else is, and once however many instances start.

use std::sync::Arc;

use jobs_service::{Config, Service};
use secrecy::ExposeSecret;
use serde_json::Value;
use shared_claims::generate_secret;
use uuid::Uuid;

use crate::support::{DATABASE, SECRET, TestApp, clock, environment, start, start_with};

const DEMO: (&str, &str) = ("LATCHKEY_DEMO", "true");

/// Ada, Grace and Linus.
fn demo_users() -> [Uuid; 3] {
    [1, 2, 3].map(|number| Uuid::from_u128(0x1000_0000_0000_4000_8000_0000_0000_0000 + number))
}

async fn demo_jobs(app: &TestApp) -> Vec<Vec<Value>> {
    let mut jobs = Vec::new();
    for user in demo_users() {
        jobs.push(app.user_with_id(user).jobs().await);
    }
    jobs
}

#[actix_web::test]
async fn each_demo_user_finds_three_jobs_or_more_of_every_status_newest_first() {
    let app = start_with(&[DEMO]).await;
    for jobs in demo_jobs(&app).await {
        assert!(jobs.len() >= 3);
        for status in ["open", "in_progress", "done"] {
            assert!(jobs.iter().any(|job| job["status"] == status), "{status}: {jobs:?}");
        }
        assert!(jobs.is_sorted_by(|one, next| one["createdAt"].as_str() > next["createdAt"].as_str()), "{jobs:?}");
    }
}

#[actix_web::test]
async fn a_new_job_comes_before_the_demo_jobs() {
    let app = start_with(&[DEMO]).await;
    let ada = app.user_with_id(demo_users()[0]);
    let (_, job) = ada.make("Mine").await;
    assert_eq!(ada.jobs().await[0], job);
}

#[actix_web::test]
async fn nobody_else_has_demo_jobs_and_nobody_has_any_unless_it_is_asked_for() {
    assert!(start_with(&[DEMO]).await.user().jobs().await.is_empty());
    assert_eq!(demo_jobs(&start().await).await.concat().len(), 0);
}

#[actix_web::test]
async fn a_database_that_has_a_job_is_not_seeded() {
    let app = start().await;
    app.user().make("The only one").await;
    let database = format!("sqlite:{}", app.database().display());
    let again = start_with(&[DEMO, (DATABASE, &database)]).await;
    assert_eq!(demo_jobs(&again).await.concat().len(), 0);
}

#[actix_web::test]
async fn a_demo_job_that_was_changed_or_deleted_stays_so_after_a_restart() {
    let app = start_with(&[DEMO]).await;
    let ada = app.user_with_id(demo_users()[0]);
    let path = |job: &Value| format!("/jobs/{}", job["id"].as_str().unwrap());
    let jobs = ada.jobs().await;
    assert_eq!(ada.delete(&path(&jobs[0])).await.status, 204);
    ada.put(&path(&jobs[1]), &serde_json::json!({ "title": "Changed" })).await.expect(200);
    let before = ada.jobs().await;
    let database = format!("sqlite:{}", app.database().display());
    let again = start_with(&[DEMO, (DATABASE, &database)]).await;
    assert_eq!(again.user_with_id(ada.id).jobs().await, before);
}

#[test]
fn instances_that_start_together_on_one_file_seed_it_once() {
    let directory = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", directory.path().join("jobs.db").display());
    let secret = generate_secret();
    let settings = [(SECRET, secret.expose_secret()), (DATABASE, &database), DEMO];
    let config = Config::load(None, environment(&settings)).unwrap();
    let start_one = || {
        actix_web::rt::System::new().block_on(async {
            Service::open(&config, Arc::new(clock())).await.map(drop).unwrap();
        });
    };
    std::thread::scope(|scope| {
        for instance in (0..6).map(|_| scope.spawn(start_one)).collect::<Vec<_>>() {
            instance.join().unwrap();
        }
    });
    actix_web::rt::System::new().block_on(async {
        let app = start_with(&[DEMO, (DATABASE, &database)]).await;
        let seeded = demo_jobs(&start_with(&[DEMO]).await).await;
        assert_eq!(demo_jobs(&app).await, seeded);
    });
}
