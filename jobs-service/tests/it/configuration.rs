//! What stops the start, in words that say what to mend and show no secret; and what does not.

use std::sync::Arc;

use jobs_service::{Application, Config};
use rstest::rstest;
use secrecy::ExposeSecret;
use service_kit::database::DatabaseUrl;
use shared_claims::generate_secret;

use crate::support::{DATABASE, SECRET, clock, environment};

/// Loads a good secret and these settings, which win over it.
fn load(settings: &[(&str, &str)]) -> Result<Config, String> {
    let secret = generate_secret();
    let settings = [&[(SECRET, secret.expose_secret()), ("LATCHKEY_SERVER__PORT", "")], settings].concat();
    Config::load(None, environment(&settings)).map_err(|error| error.to_string())
}

/// Why the service does not start with these settings.
async fn start_error(settings: &[(&str, &str)]) -> String {
    let secret = generate_secret();
    let settings = [&[(SECRET, secret.expose_secret())], settings].concat();
    let config = Config::load(None, environment(&settings)).unwrap();
    Application::build(&config, Arc::new(clock())).await.err().expect("it must not start").to_string()
}

#[test]
fn with_a_secret_alone_everything_has_its_documented_default() {
    let config = load(&[]).unwrap();
    assert_eq!((config.server.host.to_string().as_str(), config.server.port), ("127.0.0.1", 8082));
    assert_eq!((config.server.name.as_str(), config.tokens.issuer.as_str()), ("jobs-service", "latchkey"));
    assert!(config.server.allowed_origins.is_empty() && config.server.trusted_proxies.is_empty());
    assert!(config.tokens.leeway.is_zero() && !config.demo);
    assert_eq!(config.database.max_connections, 4);
    assert!(matches!(config.database(), Ok(DatabaseUrl::Sqlite(path)) if path.to_str() == Some("data/jobs.db")));
}

#[rstest]
#[case::no_secret(SECRET, "", "tokens.access_secret")]
#[case::short_secret(SECRET, "hunter2-is-too-short", "tokens.access_secret")]
#[case::secret_of_two_words(SECRET, "hunter2 hunter2 hunter2 hunter2 hunter2", "tokens.access_secret")]
#[case::example_secret(SECRET, "replace-me-with-what-auth-service-keygen-prints", "tokens.access_secret")]
#[case::short_accepted_secret("LATCHKEY_TOKENS__ACCEPTED_ACCESS_SECRETS", "hunter2", "tokens.accepted_access_secrets")]
fn a_secret_that_is_missing_or_bad_is_named_with_the_way_to_a_good_one(
    #[case] variable: &str,
    #[case] value: &str,
    #[case] key: &str,
) {
    let error = load(&[(variable, value)]).unwrap_err();
    assert!(error.contains(key) && error.contains(variable) && error.contains("auth-service keygen"), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
}

#[rstest]
#[case::port("LATCHKEY_SERVER__PORT", "80820")]
#[case::host("LATCHKEY_SERVER__HOST", "localhost")]
#[case::name("LATCHKEY_SERVER__NAME", "jobs service")]
#[case::origin("LATCHKEY_SERVER__ALLOWED_ORIGINS", "*")]
#[case::proxies("LATCHKEY_SERVER__TRUSTED_PROXIES", "somewhere")]
#[case::leeway_without_a_unit("LATCHKEY_TOKENS__LEEWAY", "5")]
#[case::long_leeway("LATCHKEY_TOKENS__LEEWAY", "61s")]
#[case::database(DATABASE, "mysql://ada:hunter2@example.test/jobs")]
#[case::database_in_memory(DATABASE, "sqlite::memory:")]
#[case::connections("LATCHKEY_DATABASE__MAX_CONNECTIONS", "0")]
#[case::demo("LATCHKEY_DEMO", "perhaps")]
fn a_bad_value_is_named_by_its_variable(#[case] variable: &str, #[case] value: &str) {
    let error = load(&[(variable, value)]).unwrap_err();
    assert!(error.contains(variable) && !error.contains("hunter2"), "{error}");
}

#[test]
fn an_unknown_key_is_named_with_the_one_that_was_meant() {
    let error = load(&[("LATCHKEY_SERVER__PROT", "8082")]).unwrap_err();
    assert!(error.contains("LATCHKEY_SERVER__PROT") && error.contains("LATCHKEY_SERVER__PORT"), "{error}");
}

#[test]
fn the_keys_of_the_other_service_are_known_and_ignored() {
    let foreign = [
        ("LATCHKEY_TOKENS__REFRESH_SECRET", "x"),
        ("LATCHKEY_TOKENS__REFRESH_SECRET_FILE", "/nowhere"),
        ("LATCHKEY_TOKENS__ACCEPTED_REFRESH_SECRETS", "x"),
        ("LATCHKEY_TOKENS__ACCESS_TTL", "x"),
        ("LATCHKEY_TOKENS__REFRESH_TTL", "x"),
        ("LATCHKEY_TOKENS__AUDIENCE", "x"),
        ("LATCHKEY_SESSIONS__MAX_PER_USER", "x"),
        ("LATCHKEY_SESSIONS__WHEN_FULL", "x"),
        ("LATCHKEY_SESSIONS__REUSE_LEEWAY", "x"),
        ("LATCHKEY_SESSIONS__MAX_LIFETIME", "x"),
        ("LATCHKEY_TOKEN_STORE__URL", "x"),
        ("LATCHKEY_TOKEN_STORE__URL_FILE", "/nowhere"),
        ("LATCHKEY_TOKEN_STORE__SENTINEL_PASSWORD", "x"),
        ("LATCHKEY_TOKEN_STORE__CA_FILE", "x"),
        ("LATCHKEY_REGISTRATION__ENABLED", "x"),
        ("LATCHKEY_RATE_LIMIT__ENABLED", "x"),
        ("LATCHKEY_DATA_DIR", "x"),
        ("LATCHKEY_PORTS__WEB", "x"),
        ("LATCHKEY_PORTS__AUTH", "x"),
        ("LATCHKEY_PORTS__JOBS", "x"),
    ];
    assert_eq!(load(&foreign).err(), None);
}

#[test]
fn the_environment_wins_over_the_file_and_a_secret_may_have_a_file_of_its_own() {
    let directory = tempfile::tempdir().unwrap();
    let (file, secret) = (directory.path().join("jobs.toml"), directory.path().join("secret"));
    std::fs::write(&file, "demo = true\n[server]\nport = 9000\nname = \"from-the-file\"\n").unwrap();
    std::fs::write(&secret, format!("{}\n", generate_secret().expose_secret())).unwrap();
    let variables = [
        ("LATCHKEY_SERVER__PORT".to_owned(), "9001".to_owned()),
        (format!("{SECRET}_FILE"), secret.display().to_string()),
    ];
    let config = Config::load(Some(&file), variables).unwrap();
    assert_eq!((config.server.port, config.server.name.as_str(), config.demo), (9001, "from-the-file", true));
}

#[actix_web::test]
async fn a_port_in_use_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let held = std::net::TcpListener::bind(taken).unwrap();
    let port = held.local_addr().unwrap().port().to_string();
    let database = format!("sqlite:{}", directory.path().join("jobs.db").display());
    let error = start_error(&[("LATCHKEY_SERVER__PORT", &port), (DATABASE, &database)]).await;
    assert!(error.contains(&format!("127.0.0.1:{port} is already in use")), "{error}");
}

#[actix_web::test]
async fn a_directory_that_cannot_be_written_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().join("jobs.db");
    let error = start_error(&[(DATABASE, &format!("sqlite:{}", path.display()))]).await;
    assert!(error.contains(&format!("cannot write to {}", path.display())), "{error}");
}

#[actix_web::test]
async fn a_file_that_is_no_database_is_named_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("jobs.db");
    std::fs::write(&path, "my diary, and nothing else: ".repeat(100)).unwrap();
    let error = start_error(&[(DATABASE, &format!("sqlite:{}", path.display()))]).await;
    assert!(error.contains(&path.display().to_string()) && error.contains("not a usable SQLite database"), "{error}");
    assert!(std::fs::read_to_string(&path).unwrap().starts_with("my diary"));
}
