//! The service below a path of another server in the same process, beside the server of its own.

use std::future::pending;
use std::sync::Arc;

use actix_web::web;
use jobs_service::{Config, Service};
use reqwest::{Method, RequestBuilder};
use secrecy::ExposeSecret;
use serde_json::json;
use service_kit::server;
use shared_claims::{generate_secret, random};

use crate::support::{DATABASE, SECRET, Tokens, answer, client, clock, environment};

struct Mounted {
    own: String,
    scoped: String,
    token: String,
    _directory: tempfile::TempDir,
}

impl Mounted {
    fn request(&self, method: Method, url: &str) -> RequestBuilder {
        client().request(method, url).bearer_auth(&self.token)
    }
}

/// The jobs at the root of one server and below `/api/jobs` of another.
async fn mount() -> Mounted {
    let (directory, secret, clock) = (tempfile::tempdir().unwrap(), generate_secret(), clock());
    let database = format!("sqlite:{}", directory.path().join("jobs.db").display());
    let settings = [(SECRET, secret.expose_secret()), (DATABASE, &database)];
    let config = Config::load(None, environment(&settings)).unwrap();
    let service = Service::open(&config, Arc::new(clock.clone())).await.unwrap();
    let own = service.bind(&config.server).unwrap();
    let below = service.clone();
    let scoped = server::bind(&config.server, service.health(), move |app| {
        app.service(web::scope("/api/jobs").configure(|scope| below.configure(scope)));
    })
    .unwrap();
    let token = Tokens::default().mint(&secret, random::uuid(), &clock);
    let url = |address| format!("http://{address}");
    let mounted = Mounted { own: url(own.address()), scoped: url(scoped.address()), token, _directory: directory };
    tokio::spawn(own.run(pending()));
    tokio::spawn(scoped.run(pending()));
    mounted
}

#[actix_web::test]
async fn a_job_made_below_a_path_is_found_at_the_root() {
    let jobs = mount().await;
    let make = jobs.request(Method::POST, &format!("{}/api/jobs/jobs", jobs.scoped)).json(&json!({ "title": "x" }));
    let job = answer(make).await.expect(201);
    let list = jobs.request(Method::GET, &format!("{}/job-list", jobs.own));
    assert_eq!(answer(list).await.expect(200), json!([job]));
}

#[actix_web::test]
async fn links_and_locations_stay_below_the_path() {
    let jobs = mount().await;
    let posted_to: reqwest::Url = format!("{}/api/jobs/jobs", jobs.scoped).parse().unwrap();
    for title in ["First", "Second"] {
        let made = answer(jobs.request(Method::POST, posted_to.as_str()).json(&json!({ "title": title }))).await;
        let location = posted_to.join(made.header("location")).unwrap();
        assert_eq!(answer(jobs.request(Method::GET, location.as_str())).await.expect(200), made.expect(201));
    }
    let listed_at: reqwest::Url = format!("{}/api/jobs/job-list?limit=1", jobs.scoped).parse().unwrap();
    let page = answer(jobs.request(Method::GET, listed_at.as_str())).await;
    let next = page.header("link").trim_start_matches('<').split('>').next().unwrap().to_owned();
    let next = answer(jobs.request(Method::GET, listed_at.join(&next).unwrap().as_str())).await;
    assert_eq!(next.expect(200)[0]["title"], "First");
}

#[actix_web::test]
async fn errors_below_a_path_are_the_same() {
    let jobs = mount().await;
    let below = |path: &str| format!("{}/api/jobs{path}", jobs.scoped);
    answer(client().get(below("/job-list"))).await.expect_problem(401, "access_token_missing");
    answer(jobs.request(Method::GET, &below("/nothing"))).await.expect_problem(404, "not_found");
    let refused = answer(jobs.request(Method::DELETE, &below("/job-list"))).await;
    refused.expect_problem(405, "method_not_allowed");
    assert_eq!(refused.header("allow"), "GET, HEAD");
}
