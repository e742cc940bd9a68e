//! Redis fails in every way it can. jobs-service does not notice.

use futures_util::future::join_all;
use redis::cmd;
use shared_claims::{Clock, SystemClock};
use system_tests::client::Answered;
use system_tests::device::Device;
use system_tests::postgres;
use system_tests::redis::Server;
use system_tests::site::Site;
use system_tests::waiting::eventually;

use crate::metrics::Scrape;

use super::{IN_TIME, Ward, in_time};

/// Every write is on disk when it is answered, so that a restart loses nothing.
const DURABLE: [(&str, &str); 2] = [("appendonly", "yes"), ("appendfsync", "always")];

async fn ward_over(redis: &Server) -> Ward {
    Ward::open(Site::over(&redis.url(), postgres::shared().database(), &[]).await).await
}

/// What holds while Redis cannot be used.
async fn assert_down(ward: &mut Ward) {
    ward.assert_unavailable().await;
    let (client, token) = (ward.auth.client(), ward.device.tokens.access_token.clone());
    let sessions = client.get("/sessions").bearer_auth(&token);
    let ((), sessions, current_user, ()) = tokio::join!(
        Ward::assert_unready(&client, &["tokenStore"]),
        in_time(sessions.answer()),
        in_time(client.current_user(&token)),
        ward.assert_jobs_go_on(),
    );
    sessions.assert_unavailable();
    assert_eq!(current_user.status, 200, "who somebody is does not depend on their sessions");
}

fn config(redis: &Server, name: &str, value: &str) {
    redis.ask::<()>(cmd("CONFIG").arg("SET").arg(name).arg(value));
}

#[tokio::test]
async fn stopped() {
    let redis = Server::start_with(&DURABLE);
    let mut ward = ward_over(&redis).await;
    redis.kill();
    assert_down(&mut ward).await;
    in_time(ward.auth.client().logout(&ward.device.tokens.refresh_token)).await.assert_unavailable();
    redis.start_again();
    ward.assert_recovered().await;
    ward.assert_logged_once("the token store fails", "the token store works again").await;
}

#[tokio::test]
async fn restarted_between_two_requests() {
    let redis = Server::start_with(&DURABLE);
    let mut ward = ward_over(&redis).await;
    for _ in 0..3 {
        redis.restart();
        ward.assert_recovered().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn stopped_it_is_there_for_nobody_and_then_for_everybody() {
    let redis = Server::start_with(&DURABLE);
    let ward = ward_over(&redis).await;
    ward.assert_for_nobody_and_then_for_everybody(|| redis.kill(), || redis.start_again()).await;
}

#[tokio::test]
async fn frozen() {
    let redis = Server::start();
    let mut ward = ward_over(&redis).await;
    let frozen = redis.freeze();
    assert_down(&mut ward).await;
    drop(frozen);
    ward.assert_recovered().await;
    ward.assert_logged_once("the token store fails", "the token store works again").await;
}

/// Those that wait for their turn at the hashing have less time left for the store. So many requests at once wait for a turn of the
/// processor as well before the service has read them, so it is the service's own clock that is asked.
#[tokio::test]
async fn frozen_while_logins_wait_for_their_turn() {
    let redis = Server::start();
    let mut ward = ward_over(&redis).await;
    let (client, credentials) = (ward.auth.client(), ward.person.credentials());
    let logins = join_all((0..40).map(|_| client.try_login(&credentials)));
    let freezing = async {
        let many_wait = async || {
            let waiting = Scrape::of(&client).await.value("latchkey_password_hash_waiting");
            (waiting >= 20.0).then_some(())
        };
        eventually("many logins wait", many_wait).await;
        redis.freeze()
    };
    let (answers, frozen) = tokio::join!(logins, freezing);
    let failed: Vec<_> = answers.iter().filter(|answer| answer.status != 200).collect();
    assert!(failed.len() >= 20, "{}", failed.len());
    for answer in failed {
        answer.assert_unavailable();
    }
    let scrape = Scrape::of(&client).await;
    let duration = |what: &str, more: &str| {
        let labels = format!("class=\"5xx\",{more}method=\"POST\",route=\"/login\"");
        scrape.value(&format!("latchkey_http_request_duration_seconds_{what}{{{labels}}}"))
    };
    let (count, mean) = (duration("count", ""), duration("sum", "") / duration("count", ""));
    assert!(mean < IN_TIME.as_secs_f64(), "{mean} s");
    assert!(duration("bucket", "le=\"2.5\",") >= count, "one of them took far longer");
    drop(frozen);
    // One login of the forty at least ended the others, for six are too many.
    ward.device = Device::login(&client, &ward.person).await;
    ward.assert_recovered().await;
}

/// Two parts that are each slower than they should be are not slower together than one that is down.
#[tokio::test]
async fn frozen_behind_a_slow_database() {
    let redis = Server::start();
    let database = postgres::shared().database();
    let site = Site::over(&redis.url(), database, &[]).await;
    let mut ward = Ward::open(site).await;
    ward.site.sql(
        "ALTER TABLE users RENAME TO people;
         CREATE VIEW users AS SELECT people.* FROM people, pg_sleep(1);
         GRANT SELECT ON users TO PUBLIC",
    );
    let frozen = redis.freeze();
    ward.assert_unavailable().await;
    in_time(ward.auth.client().sessions(&ward.device.tokens.access_token)).await.assert_unavailable();
    drop(frozen);
    ward.site.sql("DROP VIEW users; ALTER TABLE people RENAME TO users");
    ward.assert_recovered().await;
}

#[tokio::test]
async fn paused() {
    let redis = Server::start();
    let mut ward = ward_over(&redis).await;
    // It hears nothing that would end the pause.
    redis.ask::<()>(cmd("CLIENT").arg("PAUSE").arg(9_000).arg("ALL"));
    assert_down(&mut ward).await;
    ward.assert_recovered().await;
}

#[tokio::test]
async fn demoted_to_a_replica() {
    let redis = Server::start();
    let mut ward = ward_over(&redis).await;
    redis.ask::<()>(cmd("REPLICAOF").arg("127.0.0.1").arg(1));
    assert_down(&mut ward).await;
    redis.ask::<()>(cmd("REPLICAOF").arg("NO").arg("ONE"));
    ward.assert_recovered().await;
}

#[tokio::test]
async fn out_of_memory() {
    let redis = Server::start_with(&[("maxmemory-policy", "noeviction")]);
    let mut ward = ward_over(&redis).await;
    let leaving = ward.auth.client().login(&ward.person).await;
    config(&redis, "maxmemory", "1");
    ward.assert_unavailable().await;
    Ward::assert_unready(&ward.auth.client(), &["tokenStore"]).await;
    ward.assert_jobs_go_on().await;
    // An ending needs no memory.
    let client = ward.auth.client();
    assert_eq!(client.logout(&leaving.refresh_token).await.status, 204);
    config(&redis, "maxmemory", "0");
    client.refresh(&leaving.refresh_token).await.assert_session_ended(Some("signed_out"));
    ward.assert_recovered().await;
}

#[tokio::test]
async fn full_of_other_clients() {
    let redis = Server::start();
    let mut ward = ward_over(&redis).await;
    config(&redis, "maxclients", "1");
    redis.ask::<()>(cmd("CLIENT").arg("KILL").arg("TYPE").arg("normal").arg("SKIPME").arg("yes"));
    assert_down(&mut ward).await;
    config(&redis, "maxclients", "1000");
    ward.assert_recovered().await;
}

#[tokio::test]
async fn without_its_scripts_nobody_notices() {
    let redis = Server::start();
    let mut ward = ward_over(&redis).await;
    for _ in 0..3 {
        redis.ask::<()>(cmd("SCRIPT").arg("FLUSH"));
        assert_eq!(ward.device.refresh(&ward.auth.client()).await.expect("an answer").status, 200);
        redis.ask::<()>(cmd("SCRIPT").arg("FLUSH"));
        assert_eq!(ward.auth.client().try_login(&ward.person.credentials()).await.status, 200);
    }
}

#[tokio::test]
async fn with_a_record_of_the_wrong_type_one_user_waits_and_the_others_do_not() {
    let redis = Server::start();
    let mut ward = ward_over(&redis).await;
    let other = ward.site.person(SystemClock.now()).await;
    let key = format!("latchkey:{{{}}}:sessions", ward.person.id);
    for times in 1..3 {
        redis.ask::<()>(cmd("RENAME").arg(&key).arg("aside"));
        redis.ask::<()>(cmd("SET").arg(&key).arg("something else"));
        ward.assert_unavailable().await;
        assert_eq!(ward.auth.client().try_login(&other.credentials()).await.status, 200);
        assert_eq!(ward.auth.client().readiness().await.status, 200);
        redis.ask::<()>(cmd("RENAME").arg("aside").arg(&key));
        ward.assert_recovered().await;
        let log = ward.auth.log();
        assert_eq!(log.matches("a record of the token store cannot be read").count(), times, "{log}");
    }
}

#[tokio::test]
async fn emptied_it_has_no_sessions_and_says_so() {
    let redis = Server::start();
    let mut ward = ward_over(&redis).await;
    let client = ward.auth.client();
    redis.ask::<()>(&cmd("FLUSHALL"));
    ward.device.refresh(&client).await.expect("an answer").assert_session_ended(None);
    redis.restart();
    ward.device.refresh(&client).await.expect("an answer").assert_session_ended(None);
    let tokens = client.login(&ward.person).await;
    assert_eq!(client.refresh(&tokens.refresh_token).await.status, 200);
    ward.assert_jobs_go_on().await;
}

#[tokio::test]
async fn behind_by_writes_that_were_acknowledged_it_moves_forward_again() {
    let redis = Server::start();
    let mut ward = ward_over(&redis).await;
    let client = ward.auth.client();
    let key = format!("latchkey:{{{}}}:sessions", ward.person.id);
    let older: Vec<u8> = redis.ask(cmd("DUMP").arg(&key));
    for _ in 0..3 {
        assert_eq!(ward.device.refresh(&client).await.expect("an answer").status, 200);
    }
    let spent = ward.device.spent_token().expect("a spent token").to_owned();
    redis.ask::<()>(cmd("RESTORE").arg(&key).arg(0).arg(older).arg("REPLACE"));

    ward.assert_recovered().await;
    client.refresh(&spent).await.assert_problem(403, "refresh_token_reused");
}
