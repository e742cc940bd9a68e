//! `doctor` says what must be mended and what to change; a service says the same once in its log, and is ready all the same. To look
//! changes nothing.

use system_tests::postgres;
use system_tests::program::{Finished, Program};
use system_tests::redis::Server;
use system_tests::site::Site;
use system_tests::waiting::eventually;

/// A Redis that is as it should be, but for one thing.
fn redis_but_for(name: &'static str, value: &'static str) -> Server {
    Server::start_with(&[("appendonly", "yes"), ("hash-max-listpack-value", "512"), (name, value)])
}

async fn site_over(redis: &Server) -> Site {
    Site::over(&redis.url(), postgres::shared().database(), &[]).await
}

async fn doctor(site: &Site) -> Finished {
    Program::new("auth-service", site.directory(), site.environment(&[])).run(&["doctor"], "").await
}

fn count(log: &str, words: &str) -> usize {
    log.matches(words).count()
}

#[tokio::test]
async fn a_setting_that_loses_sessions_is_a_problem_and_readiness_does_not_fail_on_it() {
    let redis = redis_but_for("maxmemory-policy", "allkeys-lru");
    let site = site_over(&redis).await;
    let told = doctor(&site).await;
    assert_eq!(told.status.code(), Some(1), "{told:?}");
    let problem = told.stdout.lines().find(|line| line.starts_with("problem")).expect("a problem");
    assert!(problem.contains(&redis.address()) && problem.contains("maxmemory-policy is allkeys-lru"), "{told:?}");
    assert!(told.stdout.contains("Set maxmemory-policy to noeviction"), "{told:?}");

    let service = Program::new("auth-service", site.directory(), site.environment(&[])).serve().await;
    let is_told = async || service.log().contains("maxmemory-policy is allkeys-lru").then_some(());
    eventually("the log tells what was found", is_told).await;
    assert_eq!(service.client().readiness().await.status, 200);
    assert_eq!(count(&service.log(), "maxmemory-policy is allkeys-lru"), 1);
    assert_eq!(count(&service.log(), "Set maxmemory-policy to noeviction"), 1);
}

#[tokio::test]
async fn warnings_alone_are_no_failure() {
    let redis = redis_but_for("hash-max-listpack-entries", "8");
    let site = site_over(&redis).await;
    let told = doctor(&site).await;
    assert_eq!(told.status.code(), Some(0), "{told:?}");
    assert!(told.stdout.lines().any(|line| line.starts_with("warning") && line.contains("entries is 8")), "{told:?}");
    assert_eq!(told.stdout.lines().filter(|line| line.starts_with("ok")).count(), 3, "{told:?}");
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_a_problem() {
    let redis = Server::start();
    let site = site_over(&redis).await;
    redis.kill();
    let told = doctor(&site).await;
    assert_eq!(told.status.code(), Some(1), "{told:?}");
    let problems: Vec<_> = told.stdout.lines().filter(|line| line.starts_with("problem")).collect();
    assert!(problems[0].contains("tokenStore does not answer"), "{told:?}");
}

#[tokio::test]
async fn both_services_in_one_process_warn_as_auth_service_does() {
    let redis = redis_but_for("maxmemory-policy", "allkeys-lru");
    let directory = tempfile::tempdir().expect("a directory");
    let mut environment = vec![("LATCHKEY_TOKEN_STORE__URL".to_owned(), redis.url())];
    for port in ["WEB", "AUTH", "JOBS"] {
        environment.push((format!("LATCHKEY_PORTS__{port}"), "0".to_owned()));
    }
    let latchkey = Program::new("latchkey", directory.path(), environment);
    latchkey.run_until_it_says("maxmemory-policy is allkeys-lru").await;
}
