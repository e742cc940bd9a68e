//! What is seen of a part that is down, while it is and after.

use system_tests::postgres;
use system_tests::redis;
use system_tests::site::Site;
use system_tests::stack::Stack;

use super::Scrape;

const UP: &str = "latchkey_health_check_up";

async fn stack(redis: &redis::Server) -> Stack {
    Stack::on(Site::over(&redis.url(), postgres::shared().database(), &[]).await).await
}

#[tokio::test]
async fn a_token_store_that_is_down_is_shown_as_down_and_its_failures_by_step() {
    let redis = redis::Server::start();
    let stack = stack(&redis).await;
    let (client, person) = (stack.client(), stack.person().await);
    let token = client.login(&person).await.refresh_token;
    let before = Scrape::of(&client).await;
    assert_eq!(before.value(&format!(r#"{UP}{{check="tokenStore"}}"#)), 1.0);

    redis.kill();
    client.refresh(&token).await.assert_unavailable();
    client.try_login(&person.credentials()).await.assert_unavailable();
    client.logout(&token).await.assert_unavailable();
    let down = Scrape::of(&client).await;
    assert_eq!(down.value(&format!(r#"{UP}{{check="tokenStore"}}"#)), 0.0);
    assert_eq!(down.value(&format!(r#"{UP}{{check="database"}}"#)), 1.0);
    let steps = [("operation=rotate", 1), ("operation=start", 1), ("operation=end", 1)];
    down.assert_changes(&before, "latchkey_token_store_failures_total", &steps);
    down.assert_changes(&before, "latchkey_token_store_duration_seconds_count", &steps);
    down.assert_changes(&before, "latchkey_refreshes_total", &[("outcome=unavailable", 1)]);
    down.assert_changes(&before, "latchkey_logins_total", &[("outcome=unavailable", 1)]);
    down.assert_changes(&before, "latchkey_sessions_started_total", &[]);

    redis.start_again();
    system_tests::waiting::eventually("the token store is up", async || {
        (Scrape::of(&client).await.value(&format!(r#"{UP}{{check="tokenStore"}}"#)) == 1.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_database_that_is_down_is_shown_as_down_and_its_failures_by_operation() {
    let server = postgres::Server::start();
    let site = Site::over(&redis::shared().url(), server.database(), &[]).await;
    let stack = Stack::on(site).await;
    let (client, person) = (stack.client(), stack.person().await);
    let token = client.login(&person).await.refresh_token;
    let before = Scrape::of(&client).await;
    server.stop();
    client.refresh(&token).await.assert_unavailable();
    let down = Scrape::of(&client).await;
    assert_eq!(down.value(&format!(r#"{UP}{{check="database"}}"#)), 0.0);
    assert_eq!(down.value(&format!(r#"{UP}{{check="tokenStore"}}"#)), 1.0);
    down.assert_changes(&before, "latchkey_database_failures_total", &[("operation=read", 1)]);
    down.assert_changes(&before, "latchkey_refreshes_total", &[("outcome=unavailable", 1)]);
    assert_eq!(down.value("latchkey_database_connections"), 0.0);
}
