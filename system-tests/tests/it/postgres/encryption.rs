//! TLS to PostgreSQL: where it is asked for it is verified, and what is wrong with it is said by the name of the setting.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use rustls::crypto::aws_lc_rs;
use service_kit::database::{Database, OpenError, Postgres, PostgresSettings};
use system_tests::postgres::{Authority, PASSWORD, Server, shared};
use tempfile::TempDir;

use super::{MIGRATIONS, refusal, settings};

/// A server with a certificate, and the authority that signed it.
fn encrypted() -> &'static (Arc<Server>, Authority) {
    static ENCRYPTED: OnceLock<(Arc<Server>, Authority)> = OnceLock::new();
    ENCRYPTED.get_or_init(|| {
        // As each program does first of all.
        drop(aws_lc_rs::default_provider().install_default());
        let authority = Authority::new();
        (Server::start_with_tls(&authority), authority)
    })
}

struct CaFile(TempDir);

impl CaFile {
    fn of(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("ca.pem"), text).unwrap();
        Self(directory)
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("ca.pem")
    }
}

async fn is_encrypted(settings: &PostgresSettings) -> bool {
    let database = Postgres::open(settings, &MIGRATIONS).await.unwrap();
    let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    database.read(sql, vec![]).await.unwrap()[0].get(0).unwrap()
}

/// What the operator is told: the setting, and nothing of the URL.
async fn complaint(settings: &PostgresSettings) -> String {
    let text = refusal(settings).await.to_string();
    assert!(!text.contains(PASSWORD) && !text.contains("://") && !text.contains("dont%2F"), "{text}");
    text
}

#[tokio::test]
async fn a_ca_file_makes_the_connection_encrypted_and_verified() {
    let (server, authority) = encrypted();
    let (place, file) = (server.database(), CaFile::of(&authority.pem()));
    for url in [place.url_on("localhost"), place.url_on("localhost") + "?sslmode=require"] {
        assert!(is_encrypted(&PostgresSettings { ca_file: Some(file.path()), ..settings(&url, 1) }).await);
    }
}

#[tokio::test]
async fn a_server_that_offers_tls_is_used_without_it_where_nobody_asked() {
    let place = encrypted().0.database();
    assert!(!is_encrypted(&settings(&place.url_on("localhost"), 1)).await);
}

#[tokio::test]
async fn a_certificate_by_another_authority_is_refused() {
    let (place, file) = (encrypted().0.database(), CaFile::of(&Authority::new().pem()));
    let settings = PostgresSettings { ca_file: Some(file.path()), ..settings(&place.url_on("localhost"), 1) };
    let text = complaint(&settings).await;
    assert!(text.contains("UnknownIssuer") && text.contains("LATCHKEY_DATABASE__CA_FILE"), "{text}");
}

#[tokio::test]
async fn without_a_ca_file_the_public_authorities_are_trusted_alone() {
    let place = encrypted().0.database();
    let text = complaint(&settings(&(place.url_on("localhost") + "?sslmode=require"), 1)).await;
    assert!(text.contains("UnknownIssuer") && text.contains("(LATCHKEY_DATABASE__CA_FILE) must hold"), "{text}");
}

#[tokio::test]
async fn a_certificate_for_another_host_is_refused() {
    let (server, authority) = encrypted();
    let (place, file) = (server.database(), CaFile::of(&authority.pem()));
    let settings = PostgresSettings { ca_file: Some(file.path()), ..settings(&place.url_on("127.0.0.1"), 1) };
    let text = complaint(&settings).await;
    assert!(text.contains("not valid for name") && text.contains("name the host"), "{text}");
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_it_is_required() {
    let (_, authority) = encrypted();
    let (place, file) = (shared().database(), CaFile::of(&authority.pem()));
    let url = place.url_on("localhost");
    let by_file = PostgresSettings { ca_file: Some(file.path()), ..settings(&url, 1) };
    for settings in [by_file, settings(&format!("{url}?sslmode=require"), 1)] {
        assert!(complaint(&settings).await.contains("server does not support TLS"));
    }
}

#[tokio::test]
async fn a_ca_file_that_holds_no_certificate_is_named() {
    let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let files = [CaFile::of(""), CaFile::of("no PEM at all"), CaFile::of(garbage)];
    for path in files.iter().map(CaFile::path).chain(["/nowhere/ca.pem".into()]) {
        let error =
            refusal(&PostgresSettings { ca_file: Some(path.clone()), ..settings("postgres://localhost/x", 1) }).await;
        let OpenError::Rejected(rejected) = &error else { panic!("{error:?}") };
        assert_eq!(rejected.key, "database.ca_file");
        assert!(rejected.reason.contains(&path.display().to_string()), "{}", rejected.reason);
    }
}
