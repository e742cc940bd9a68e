//! What `docs/operating.md` says of backups: made as it says beside a busy service, and what becomes of those who are signed in where a
//! service goes on with one.

use std::fs;
use std::path::Path;
use std::process::Command;

use redis::cmd;
use shared_claims::{Clock, SystemClock};
use system_tests::client::{Client, Tokens};
use system_tests::people::{Person, cheap_hash};
use system_tests::program::{Program, Service};
use system_tests::redis::Server;
use system_tests::site::Site;
use system_tests::site::Storage::Embedded;
use system_tests::waiting::eventually;
use system_tests::{postgres, redis as servers};

use super::commands::Load;

const PAGE: &str = include_str!("../../../../docs/operating.md");
const BALLAST: &str = "CREATE TABLE ballast AS
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 50000) SELECT randomblob(400) FROM numbers";
const NEW_PASSWORD: &str = "the password since the backup";

/// Two who are there before the backup, one of them signed in on several devices.
struct People {
    ada: Person,
    untouched: Tokens,
    rotated: Tokens,
    ended: Tokens,
    grace: Person,
}

/// What no backup knows of.
struct Since {
    begun: Tokens,
    /// Grace's, who has another password now.
    of_new_password: Tokens,
}

impl People {
    async fn sign_in(site: &Site, client: &Client) -> Self {
        let (ada, grace) = (site.person(SystemClock.now()).await, site.person(SystemClock.now()).await);
        let (untouched, rotated) = (client.login(&ada).await, client.login(&ada).await);
        let ended = client.login(&ada).await;
        Self { ada, untouched, rotated, ended, grace }
    }

    async fn go_on(&mut self, site: &Site, client: &Client) -> Since {
        for _ in 0..2 {
            self.rotated = client.refresh(&self.rotated.refresh_token).await.tokens();
        }
        client.logout(&self.ended.refresh_token).await;
        client.refresh(&self.ended.refresh_token).await.assert_session_ended(Some("signed_out"));

        let users = &site.stores.users;
        let user = users.find(self.grace.id).await.expect("the database works").expect("the user is there");
        let hash = cheap_hash(NEW_PASSWORD);
        users.set_password(&user, &hash).await.expect("the database works").expect("it changes");
        Since {
            begun: client.login(&self.ada).await,
            of_new_password: client.login(&self.grace_with_new_password()).await,
        }
    }

    fn grace_with_new_password(&self) -> Person {
        Person { password: NEW_PASSWORD.to_owned(), ..self.grace.clone() }
    }

    /// "Users and passwords are as they were."
    async fn assert_users_as_they_were(&self, client: &Client) {
        client.login(&self.grace).await;
        let credentials = self.grace_with_new_password().credentials();
        client.try_login(&credentials).await.assert_problem(401, "invalid_credentials");
    }

    /// "Sessions started since are gone (403 `session_ended`, log in again); rotations since are healed; sessions ended since live again."
    async fn assert_sessions_as_they_were(&self, since: &Since, client: &Client) {
        for tokens in [&self.untouched, &self.rotated, &self.ended] {
            assert_eq!(client.refresh(&tokens.refresh_token).await.status, 200);
        }
        for tokens in [&since.begun, &since.of_new_password] {
            client.refresh(&tokens.refresh_token).await.assert_session_ended(None);
        }
        client.login(&self.ada).await;
    }
}

/// A service on this site, with these settings changed.
async fn serve(site: &Site, changes: &[(&str, &str)]) -> Service {
    Program::new("auth-service", site.directory(), site.environment(changes)).serve().await
}

/// Runs a command in a shell, to its end.
async fn run(command: &str, directory: &Path) {
    let mut shell = Command::new("sh").args(["-c", command]).current_dir(directory).spawn().expect("there is a shell");
    let ended = async || shell.try_wait().expect("the process can be asked");
    assert!(eventually(command, ended).await.success(), "{command}");
}

#[tokio::test]
async fn a_copy_of_sqlite_that_was_made_beside_a_busy_service_is_whole() {
    const COPY: &str = r#"sqlite3 auth.db "VACUUM INTO 'copy.db'""#;
    assert!(PAGE.contains(&format!("| `{COPY}` beside the running service")), "docs/operating.md tells otherwise");
    let site = Site::open(Embedded, &[]).await;
    // So much that it is changed while it is copied.
    run(&format!("sqlite3 auth.db '{BALLAST}'"), site.directory()).await;
    let service = serve(&site, &[]).await;
    let client = service.client();
    let load = Load::start(&site, &client).await;
    let mut people = People::sign_in(&site, &client).await;
    run(COPY, site.directory()).await;
    load.goes_on().await;
    let since = people.go_on(&site, &client).await;
    load.end().await;
    drop(service);

    let restored = serve(&site, &[("DATABASE__URL", "sqlite:copy.db")]).await;
    let client = restored.client();
    people.assert_users_as_they_were(&client).await;
    people.assert_sessions_as_they_were(&since, &client).await;
}

#[tokio::test]
async fn a_restored_postgresql_has_the_old_passwords_and_signs_out_who_changed_theirs() {
    let site = Site::over(&servers::shared().url(), postgres::shared().database(), &[]).await;
    let service = serve(&site, &[]).await;
    let client = service.client();
    let load = Load::start(&site, &client).await;
    let mut people = People::sign_in(&site, &client).await;
    let backup = site.back_up();
    load.goes_on().await;
    let since = people.go_on(&site, &client).await;
    load.end().await;
    drop(service);

    let restored = serve(&site, &[("DATABASE__URL", &backup.url())]).await;
    let client = restored.client();
    people.assert_users_as_they_were(&client).await;
    client.refresh(&since.of_new_password.refresh_token).await.assert_session_ended(Some("password_changed"));
    assert_eq!(client.refresh(&people.rotated.refresh_token).await.status, 200);
    client.refresh(&people.ended.refresh_token).await.assert_session_ended(Some("signed_out"));
}

#[tokio::test]
async fn a_restored_redis_has_the_sessions_of_then_and_heals_what_has_rotated_since() {
    let server = Server::start();
    let site = Site::over(&server.url(), postgres::shared().database(), &[]).await;
    let service = serve(&site, &[]).await;
    let client = service.client();
    let mut people = People::sign_in(&site, &client).await;
    server.ask::<()>(&cmd("SAVE"));
    let [snapshot, backup] = ["dump.rdb", "backup.rdb"].map(|name| server.directory().join(name));
    fs::copy(&snapshot, &backup).expect("Redis has written it");
    let since = people.go_on(&site, &client).await;

    server.kill();
    fs::copy(&backup, &snapshot).expect("the directory is ours");
    server.start_again();
    people.assert_sessions_as_they_were(&since, &client).await;
}
