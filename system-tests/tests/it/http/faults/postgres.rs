//! PostgreSQL fails, and with it the users and the jobs. A lookup that fails spends nothing, so no key is needed to go on.

use std::sync::Arc;

use system_tests::device::Device;
use system_tests::postgres::{ROLE, Server};
use system_tests::redis;
use system_tests::site::Site;
use system_tests::waiting::eventually;

use super::{Ward, in_time};

async fn ward_over(postgres: &Arc<Server>) -> Ward {
    Ward::open(Site::over(&redis::shared().url(), postgres.database(), &[]).await).await
}

/// What holds while PostgreSQL cannot be used.
async fn assert_down(ward: &mut Ward) {
    ward.assert_unavailable().await;
    let (auth, jobs, tokens) = (ward.auth.client(), ward.jobs.client(), &ward.device.tokens);
    let (refresh, current_user, listed, (), ()) = tokio::join!(
        in_time(auth.refresh(&tokens.refresh_token)),
        in_time(auth.current_user(&tokens.access_token)),
        in_time(jobs.job_list(&tokens.access_token)),
        Ward::assert_unready(&auth, &["database"]),
        Ward::assert_unready(&jobs, &["database"]),
    );
    for answer in [refresh, current_user, listed] {
        answer.assert_unavailable();
    }
}

/// The token that met the failure rotates without its key, for it was never spent.
async fn assert_nothing_was_spent(ward: &mut Ward) {
    let client = ward.auth.client();
    let unspent = ward.device.tokens.refresh_token.clone();
    let answer = eventually("the database works again", async || {
        let answer = client.refresh(&unspent).await;
        (answer.status != 503).then_some(answer)
    })
    .await;
    ward.device = Device::new(answer.tokens());
}

#[tokio::test]
async fn stopped() {
    let postgres = Server::start();
    let mut ward = ward_over(&postgres).await;
    postgres.stop();
    assert_down(&mut ward).await;
    postgres.start_again();
    assert_nothing_was_spent(&mut ward).await;
    ward.assert_recovered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_it_is_there_for_nobody_and_then_for_everybody() {
    let postgres = Server::start();
    let ward = ward_over(&postgres).await;
    ward.assert_for_nobody_and_then_for_everybody(|| postgres.stop(), || postgres.start_again()).await;
}

#[tokio::test]
async fn frozen() {
    let postgres = Server::start();
    let mut ward = ward_over(&postgres).await;
    let frozen = postgres.freeze();
    assert_down(&mut ward).await;
    drop(frozen);
    assert_nothing_was_spent(&mut ward).await;
    ward.assert_recovered().await;
}

#[tokio::test]
async fn out_of_connections() {
    let postgres = Server::start();
    let mut ward = ward_over(&postgres).await;
    postgres.sql("postgres", &format!("ALTER ROLE {ROLE} CONNECTION LIMIT 0"));
    postgres.sql(
        "postgres",
        &format!("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = '{ROLE}'"),
    );
    assert_down(&mut ward).await;
    postgres.sql("postgres", &format!("ALTER ROLE {ROLE} CONNECTION LIMIT -1"));
    assert_nothing_was_spent(&mut ward).await;
    ward.assert_recovered().await;
}

#[tokio::test]
async fn a_logout_needs_no_user_and_works_while_the_database_is_down() {
    let postgres = Server::start();
    let mut ward = ward_over(&postgres).await;
    postgres.stop();
    let client = ward.auth.client();
    assert_eq!(in_time(client.logout(&ward.device.tokens.refresh_token)).await.status, 204);
    postgres.start_again();
    let answer = eventually("the database works again", async || {
        let answer = ward.device.refresh(&client).await.expect("an answer");
        (answer.status != 503).then_some(answer)
    })
    .await;
    answer.assert_session_ended(Some("signed_out"));
}

#[tokio::test]
async fn what_happened_is_logged_once() {
    let postgres = Server::start();
    let mut ward = ward_over(&postgres).await;
    postgres.stop();
    ward.assert_unavailable().await;
    postgres.start_again();
    ward.assert_recovered().await;
    ward.assert_logged_once("the database fails", "the database works again").await;
}
