//! How a Redis is reached: TLS with an authority of one's own, users and passwords, databases; and what is said of settings that
//! cannot be meant.

use std::path::PathBuf;

use auth_service::stores::{Redis, RedisSettings, SessionStore, StoreError};
use redis::cmd;
use rstest::rstest;
use shared_claims::{SystemClock, random};
use system_tests::postgres::Authority;
use system_tests::redis::{Cluster, Sentinels, Server};

use super::{User, open, presented, settings};

/// What is easy to find where it must not be, with what has to be percent-encoded in a URL.
const PASSWORD: &str = "dont/show:me@100%?#&=";
const PASSWORD_IN_URL: &str = "dont%2Fshow%3Ame%40100%25%3F%23%26%3D";

fn use_aws_lc() {
    // Another test of this process may have been first.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
}

/// The certificate of an authority, as an operator has it in a file. Here it goes with the server.
fn authority_file(server: &Server, authority: &Authority) -> PathBuf {
    let path = server.directory().join(format!("{}.pem", random::uuid()));
    std::fs::write(&path, authority.pem()).expect("the directory is ours");
    path
}

async fn works(settings: &RedisSettings) {
    let store = open(settings);
    let user = User::new(&store);
    let session = user.start().await;
    user.rotate(&presented(&session)).await;
    assert_eq!(user.list().await.len(), 1);
    store.check().await.expect("the store works");
}

/// Why a store cannot be connected to. It must hold no password.
async fn why_not(settings: &RedisSettings) -> String {
    let store = open(settings);
    let why = match User::new(&store).try_start().await {
        Err(StoreError::Unconnected(why)) => why,
        other => panic!("connected: {other:?}"),
    };
    assert!(!why.contains("dont") && !why.contains("redis://"), "{why}");
    why
}

#[tokio::test]
async fn tls_is_spoken_with_whom_the_authority_in_the_file_vouches_for() {
    use_aws_lc();
    let authority = Authority::new();
    let server = Server::start_with_tls(&authority);
    let url = format!("rediss://{}", server.address());
    works(&RedisSettings { ca_file: Some(authority_file(&server, &authority)), ..settings(&url) }).await;
    let another = RedisSettings { ca_file: Some(authority_file(&server, &Authority::new())), ..settings(&url) };
    let why = why_not(&another).await;
    assert!(why.contains("certificate"), "{why}");
    // Nor do the public authorities know it, nor is it reached without TLS.
    why_not(&settings(&url)).await;
    why_not(&settings(server.url())).await;
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    use_aws_lc();
    let authority = Authority::new();
    let server = Server::start_with_tls(&authority);
    let path = authority_file(&server, &authority);
    let url = format!("rediss://localhost:{}", server.port());
    let why = why_not(&RedisSettings { ca_file: Some(path), ..settings(url) }).await;
    assert!(why.contains("certificate"), "{why}");
}

#[tokio::test]
async fn tls_is_spoken_with_sentinels_and_the_servers_that_they_name() {
    use_aws_lc();
    let authority = Authority::new();
    let all = Sentinels::start_with_tls(&authority);
    let ca_file = Some(authority_file(&all.servers[0], &authority));
    works(&RedisSettings { ca_file, ..settings(all.url().replace("redis-", "rediss-")) }).await;
    why_not(&settings(all.url())).await;
}

#[tokio::test]
async fn tls_is_spoken_with_every_server_of_a_cluster() {
    use_aws_lc();
    let authority = Authority::new();
    let cluster = Cluster::start_with(None, Some(&authority));
    let ca_file = Some(authority_file(&cluster.masters[0], &authority));
    let settings = RedisSettings { ca_file, ..settings(cluster.url().replace("redis-", "rediss-")) };
    // Of so many users each master has some.
    for _ in 0..20 {
        works(&settings).await;
    }
    why_not(&super::settings(cluster.url())).await;
}

#[tokio::test]
async fn a_password_is_sent_to_every_server_of_a_cluster() {
    let cluster = Cluster::start_with(Some(PASSWORD), None);
    let settings = settings(cluster.url_with(&format!("default:{PASSWORD_IN_URL}@")));
    for _ in 0..20 {
        works(&settings).await;
    }
    let why = why_not(&super::settings(cluster.url())).await;
    assert!(why.contains("NOAUTH"), "{why}");
}

#[tokio::test]
async fn a_password_is_sent_as_it_is_and_never_shown() {
    let server = Server::start_with(&[("requirepass", PASSWORD)]);
    works(&settings(format!("redis://:{PASSWORD_IN_URL}@{}", server.address()))).await;
    works(&settings(format!("redis://default:{PASSWORD_IN_URL}@{}", server.address()))).await;
    for credentials in ["", ":dont%2Fshow@", "ada:dont%2Fshow@"] {
        let why = why_not(&settings(format!("redis://{credentials}{}", server.address()))).await;
        assert!(why.contains("NOAUTH") || why.contains("WRONGPASS"), "{why}");
    }
}

#[tokio::test]
async fn a_user_needs_no_more_rights_than_these() {
    let server = Server::start();
    let documented = include_str!("../../../../docs/storage.md").lines().find(|line| line.starts_with("ACL SETUSER"));
    let rights = documented.and_then(|line| line.split_once(">PASSWORD ")).expect("the rights are documented").1;
    let mut acl = cmd("ACL");
    acl.arg("SETUSER").arg("latchkey").arg("on").arg(format!(">{PASSWORD}"));
    server.ask::<()>(acl.arg(rights.split_whitespace().collect::<Vec<_>>()));
    let settings = settings(format!("redis://latchkey:{PASSWORD_IN_URL}@{}", server.address()));
    works(&settings).await;
    // Nor does a look need more, but for the settings themselves.
    let found = open(&settings).inspect(&SystemClock).await.expect("the store can be looked at");
    assert!(found.iter().all(|finding| !finding.what.contains("may not")), "{found:?}");
}

#[tokio::test]
async fn the_number_after_the_slash_is_the_database() {
    let server = Server::start();
    works(&settings(format!("{}/3", server.url()))).await;
    assert_eq!(server.ask::<usize>(&cmd("DBSIZE")), 0);
    let keyspace: String = server.ask(cmd("INFO").arg("keyspace"));
    assert!(keyspace.contains("db3:keys=1"), "{keyspace}");
}

#[rstest]
#[case("redis://", "must name a host")]
#[case("redis-sentinel://a", "name by which the Sentinels know the master")]
#[case("redis-clutser://a", "redis-cluster://")]
#[case("redis://:dont-show@a:b", "port")]
fn a_url_that_cannot_be_meant_is_refused_with_what_is_wrong_and_without_the_url(
    #[case] url: &str,
    #[case] expected: &str,
) {
    let Err(rejected) = Redis::open(&settings(url)) else { panic!("{url} is accepted") };
    assert_eq!(rejected.key, "token_store.url");
    assert!(rejected.reason.contains(expected) && !rejected.reason.contains("dont-show"), "{}", rejected.reason);
}

#[test]
fn settings_that_contradict_the_url_are_refused_by_their_names() {
    let directory = tempfile::tempdir().unwrap();
    let (empty, missing) = (directory.path().join("empty.pem"), directory.path().join("missing.pem"));
    std::fs::write(&empty, "no certificate").unwrap();
    let with_ca = |url: &str, path| RedisSettings { ca_file: Some(path), ..settings(url) };
    let with_sentinels = RedisSettings { sentinel_password: Some("x".into()), ..settings("redis://a") };
    for (settings, key, expected) in [
        (with_ca("redis://a", empty.clone()), "token_store.ca_file", "asks for no TLS"),
        (with_ca("rediss://a", empty), "token_store.ca_file", "no certificate"),
        (with_ca("rediss://a", missing), "token_store.ca_file", "missing.pem"),
        (with_sentinels, "token_store.sentinel_password", "no Sentinels"),
    ] {
        let Err(rejected) = Redis::open(&settings) else { panic!("{settings:?} is accepted") };
        assert_eq!(rejected.key, key);
        assert!(rejected.reason.contains(expected), "{}", rejected.reason);
    }
}
