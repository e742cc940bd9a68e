//! `doctor` says what must be mended and what to change; a service says the same once in its log, and is ready all the same. To look
//! changes nothing.

use std::path::Path;

use rstest::rstest;
use system_tests::postgres;
use system_tests::program::{Finished, Program};
use system_tests::redis::Server;
use system_tests::site::Site;
use system_tests::site::Storage::{self, Distributed, Embedded};
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
async fn nothing_is_found_where_redis_is_set_as_the_page_says() {
    let page = include_str!("../../../../docs/storage.md");
    let (_, block) = page.split_once("Settings that lose no session\n\n```\n").expect("the page has the settings");
    let lines =
        block.lines().take_while(|line| *line != "```").map(|line| line.split(" #").next().expect("text").trim());
    let settings: Vec<_> = lines.map(|line| line.split_once(' ').expect("a name and a value")).collect();
    assert_eq!(settings.len(), 4, "{settings:?}");
    let redis = Server::start_with(&settings);
    let site = site_over(&redis).await;
    let told = doctor(&site).await;
    assert_eq!(told.status.code(), Some(0), "{told:?}");
    assert!(told.stdout.lines().all(|line| line.starts_with("ok")), "{told:?}");
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
async fn a_store_that_cannot_be_looked_at_is_told_once_and_looked_at_when_it_is_there() {
    let redis = redis_but_for("maxmemory-policy", "allkeys-lru");
    let site = site_over(&redis).await;
    redis.kill();
    let service = Program::new("auth-service", site.directory(), site.environment(&[])).serve().await;
    let cannot = "the token store cannot be looked at yet";
    eventually("the log tells that it could not look", async || service.log().contains(cannot).then_some(())).await;
    redis.start_again();
    let is_told = async || service.log().contains("maxmemory-policy is allkeys-lru").then_some(());
    eventually("the log tells what was found", is_told).await;
    assert_eq!(count(&service.log(), cannot), 1);
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

/// Commands that look and change nothing.
fn looks() -> [&'static [&'static str]; 3] {
    [&["doctor"], &["users", "list"], &["sessions", "list", "ada"]]
}

fn databases(directory: &Path) -> usize {
    let files = directory.read_dir().expect("a directory").map(|file| file.expect("a file").file_name());
    files.filter(|name| !name.to_string_lossy().starts_with("output-")).count()
}

#[tokio::test]
async fn to_look_makes_no_database() {
    let (site, directory) = (Site::open(Embedded, &[]).await, tempfile::tempdir().expect("a directory"));
    let environment = site.environment(&[("DATABASE__URL", "sqlite:data/auth.db")]);
    let program = Program::new("auth-service", directory.path(), environment);
    for arguments in looks() {
        let told = program.run(arguments, "").await;
        assert_eq!(told.status.code(), Some(1), "{arguments:?}: {told:?}");
        assert!(told.stderr.contains("data/auth.db") && told.stderr.contains("`migrate`"), "{told:?}");
        assert_eq!(databases(directory.path()), 0, "{arguments:?}");
    }
}

#[rstest]
#[case("DELETE FROM auth_service_migrations", "older")]
#[case("INSERT INTO auth_service_migrations VALUES (99, 'of_tomorrow', '2030-01-01T00:00:00Z', '1')", "newer")]
#[tokio::test]
async fn to_look_leaves_another_schema_as_it_is(
    #[case] change: &'static str,
    #[case] what: &str,
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let site = Site::open(storage, &[]).await;
    let database = &site.stores.database;
    let history = async || {
        let rows = database.read("SELECT version FROM auth_service_migrations", vec![]).await.expect("the history");
        rows.len()
    };
    database.write(change, vec![]).await.expect("the history changes");
    let before = history().await;
    let program = Program::new("auth-service", site.directory(), site.environment(&[]));
    for arguments in looks() {
        let told = program.run(arguments, "").await;
        assert_eq!(told.status.code(), Some(1), "{arguments:?}: {told:?}");
        assert!(told.stderr.contains(what), "{arguments:?}: {told:?}");
        assert_eq!(history().await, before, "{arguments:?}");
    }
}
