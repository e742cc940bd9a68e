//! From a login to the end of a session across both services, through the gateway and beside it.

use serde_json::{Value, json};
use system_tests::client::{Answered, Client};
use system_tests::device::Device;
use system_tests::people::Person;

use crate::stack::{add_job, auth, auth_alone, compose, compose_with, jobs, jobs_alone, person, site};

#[tokio::test]
async fn a_person_logs_in_sees_their_jobs_refreshes_and_logs_out() {
    let person = person().await;
    for (auth, jobs) in [(auth(), jobs()), (auth_alone(), jobs_alone())] {
        let mut device = Device::login(&auth, &person).await;
        add_job(&device.tokens.access_token, "Oil the hinges").await;
        let listed = jobs.job_list(&device.tokens.access_token).await.read::<Vec<Value>>(200);
        assert_eq!(listed[0]["title"], "Oil the hinges");

        assert_eq!(device.refresh(&auth).await.expect("an answer").status, 200);
        assert_eq!(jobs.job_list(&device.tokens.access_token).await.status, 200);
        let spent = device.spent_token().expect("a spent token");
        auth.refresh(spent).await.assert_problem(403, "refresh_token_reused");
        assert_eq!(auth.logout(&device.tokens.refresh_token).await.status, 204);
        auth.refresh(&device.tokens.refresh_token).await.assert_session_ended(Some("reuse_detected"));
    }
}

#[tokio::test]
async fn jobs_are_their_owners_alone() {
    let (ada, grace) = (auth().login(&person().await).await, auth().login(&person().await).await);
    add_job(&ada.access_token, "Nobody else's").await;
    assert_eq!(jobs().job_list(&grace.access_token).await.read::<Vec<Value>>(200), Vec::<Value>::new());
    jobs().job_list("").await.assert_problem(401, "access_token_missing");
}

#[tokio::test]
async fn demo_users_are_there_and_the_page_tells_of_them() {
    let body = json!({ "username": "ada", "password": "latchkey-demo-ada" });
    let access_token = auth().try_login(&body).await.tokens().access_token;
    assert!(jobs().job_list(&access_token).await.read::<Vec<Value>>(200).len() >= 3);
    let offers = site().get("/config.json").answer().await.read::<Value>(200);
    assert_eq!(offers, json!({ "registration": true, "demo": true }));
}

#[tokio::test]
async fn an_operator_adds_a_user_and_asks_after_everything() {
    let person = Person::invent();
    let add = ["run", "--rm", "-T", "auth-service", "users", "add", &person.username, &person.email];
    compose_with(&add, &format!("{}\n", person.password)).await;
    let tokens = auth().login(&person).await;
    assert_eq!(jobs().job_list(&tokens.access_token).await.status, 200);
    for service in ["auth-service", "jobs-service"] {
        compose(&["run", "--rm", "-T", service, "doctor"]).await;
    }
}

#[tokio::test]
async fn metrics_are_at_the_services_own_ports_alone() {
    for client in [auth_alone(), jobs_alone()] {
        let answer = client.get("/metrics").answer().await;
        assert!(answer.status == 200 && answer.body.contains("latchkey_build_info"), "{answer:?}");
    }
    for (client, path) in hidden() {
        client.get(path).answer().await.assert_problem(404, "not_found");
    }
}

fn hidden() -> impl Iterator<Item = (Client, &'static str)> {
    let below = ["/metrics", "//metrics", "/./metrics", "/%6detrics", "/x/../metrics", "/metrics?x"];
    let paths = below.into_iter().flat_map(|path| [(auth(), path), (jobs(), path)]);
    paths.chain([(site(), "/metrics")])
}
