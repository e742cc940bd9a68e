//! Whether the process lives and whether its database works, told to anybody who asks.

use reqwest::Method;
use serde_json::json;

use crate::support::{answer, start};

#[actix_web::test]
async fn a_running_service_is_live() {
    let app = start().await;
    assert_eq!(answer(app.request(Method::GET, "/health/live")).await.expect(200), json!({ "status": "live" }));
}

#[actix_web::test]
async fn a_service_whose_database_works_is_ready_and_depends_on_nothing_else() {
    let app = start().await;
    let ready = answer(app.request(Method::GET, "/health/ready")).await.expect(200);
    let latency = &ready["checks"]["database"]["latencyMs"];
    assert!(latency.as_f64().is_some_and(|latency| latency > 0.0), "{ready}");
    let database = json!({ "status": "up", "latencyMs": latency });
    assert_eq!(ready, json!({ "status": "ready", "checks": { "database": database } }));
}
