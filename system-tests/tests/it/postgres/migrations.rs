//! Migrations: safe for instances that start together, apart for services that share a database, clear where they are not allowed.

use futures_util::future::join_all;
use service_kit::database::{Migrations, OpenError, Postgres};
use system_tests::postgres::shared;

use super::{MIGRATIONS, opened, refusal, settings};

async fn open(url: &str, migrations: &Migrations) {
    Postgres::open(&settings(url, 1), migrations).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn eight_instances_of_each_service_start_at_once_in_one_empty_database() {
    let place = shared().database();
    let start = |_| {
        let url = place.url();
        tokio::spawn(async move {
            tokio::join!(
                open(&url, &auth_service::stores::MIGRATIONS),
                open(&url, &jobs_service::database::MIGRATIONS)
            );
        })
    };
    for instance in join_all((0..8).map(start)).await {
        instance.unwrap();
    }
    for table in ["auth_service_migrations", "jobs_service_migrations"] {
        assert_eq!(place.sql(&format!("SELECT count(*) = count(DISTINCT version) FROM {table}")), "t");
    }
    assert_eq!(place.sql("SELECT count(*) FROM users") + &place.sql("SELECT count(*) FROM jobs"), "00");
    assert_eq!(place.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), "0");
}

#[tokio::test]
async fn an_instance_that_finds_nothing_to_do_needs_no_right_to_change_the_schema() {
    let place = shared().database();
    opened(&place, 1).await;
    place.sql("REVOKE ALL ON SCHEMA public FROM PUBLIC, pg_database_owner; GRANT USAGE ON SCHEMA public TO latchkey");
    place.sql("ALTER SCHEMA public OWNER TO postgres");
    place.sql(&format!("ALTER DATABASE {} OWNER TO postgres", place.name));
    opened(&place, 1).await;
}

#[tokio::test]
async fn a_schema_that_may_not_be_changed_is_an_error_that_says_so() {
    let place = shared().database();
    place.sql(&format!("ALTER DATABASE {} OWNER TO postgres", place.name));
    let error = refusal(&settings(&place.url(), 1)).await;
    assert!(matches!(error, OpenError::Migration(_)), "{error:?}");
    assert!(error.to_string().contains("42501 permission denied for schema public"), "{error}");
}

#[tokio::test]
async fn a_migration_that_was_changed_after_it_was_applied_is_an_error() {
    let place = shared().database();
    opened(&place, 1).await;
    place.sql(&format!("UPDATE {} SET checksum = '1'", MIGRATIONS.table));
    let error = refusal(&settings(&place.url(), 1)).await;
    assert!(error.to_string().contains("V1__things is different"), "{error}");
}
