//! Which layer counts.

use secrecy::ExposeSecret;

use super::*;

#[test]
fn the_defaults_hold_where_nothing_else_is_given() {
    let sample = load_with(&[]).expect("defaults");
    assert_eq!((sample.server.port, sample.server.name.as_str(), sample.demo), (8081, "auth-service", false));
    assert_eq!(sample.tokens.access_ttl, Duration::from_mins(15));
    assert_eq!((sample.sessions.when_full, sample.sessions.max_lifetime), (WhenFull::EndAll, None));
    assert_eq!(sample.database.url.expose_secret(), "sqlite:data/sample.db");
    assert!(sample.database.ca_file.is_none());
}

#[test]
fn the_file_beats_the_defaults_and_the_environment_beats_the_file() {
    let files = Files::new();
    let file = files.write("latchkey.toml", "demo = true\n[server]\nport = 1\nname = \"from-file\"\n");
    let sample = load(Some(&file), &[(SECRET, "a secret"), ("LATCHKEY_SERVER__PORT", "2")]).expect("a configuration");
    assert_eq!((sample.server.port, sample.server.name.as_str(), sample.demo), (2, "from-file", true));
}

#[test]
fn an_empty_variable_is_the_same_as_none() {
    let empty = [
        ("LATCHKEY_DATABASE__URL", ""),
        ("LATCHKEY_SERVER__PORT", ""),
        ("LATCHKEY_DATABASE__URL_FILE", ""),
        ("LATCHKEY_UNHEARD_OF", ""),
    ];
    let sample = load_with(&empty).expect("a configuration");
    assert_eq!(sample.database.url.expose_secret(), "sqlite:data/sample.db");
    assert_eq!(sample.server.port, 8081);
}

#[test]
fn variables_without_our_prefix_are_not_ours() {
    load_with(&[("LATCH", "x"), ("PATH", "/bin"), ("latchkey_server__port", "x"), ("XLATCHKEY_DEMO", "x")])
        .expect("a configuration");
}

#[test]
fn another_services_keys_are_ignored_in_the_environment_and_in_the_file() {
    let files = Files::new();
    let file = files.write("latchkey.toml", "token_store.url = \"x\"\n[rate_limit]\nenabled = 3\n");
    let environment =
        [(SECRET, "s"), ("LATCHKEY_TOKEN_STORE__URL_FILE", "/nowhere"), ("LATCHKEY_RATE_LIMIT__ENABLED", "x")];
    load(Some(&file), &environment).expect("a configuration");
}

#[test]
fn a_secret_can_come_from_a_file_less_one_line_break() {
    let files = Files::new();
    for (content, secret) in
        [("plain", "plain"), ("line\n", "line"), ("line\r\n", "line"), ("two\n\n", "two\n"), (" a b ", " a b ")]
    {
        let path = files.write("secret", content).display().to_string();
        let sample = load(None, &[("LATCHKEY_TOKENS__ACCESS_SECRET_FILE", &path)]).expect("a configuration");
        assert_eq!(sample.tokens.access_secret.expose_secret(), secret);
        let config = files.write("latchkey.toml", format!("[tokens]\naccess_secret_file = {path:?}\n"));
        assert_eq!(load(Some(&config), &[]).expect("a configuration").tokens.access_secret.expose_secret(), secret);
    }
}

#[test]
fn the_higher_layer_counts_whichever_form_it_takes() {
    let files = Files::new();
    let secret = files.write("secret", "from the secret's file").display().to_string();
    let by_value = files.write("value.toml", "[tokens]\naccess_secret = \"from the file\"\n");
    let by_path = files.write("path.toml", "[tokens]\naccess_secret_file = \"/nowhere\"\n");
    let loaded = |file: &Path, variable: &str, value: &str| {
        let sample = load(Some(file), &[(variable, value)]).expect("a configuration");
        sample.tokens.access_secret.expose_secret().to_owned()
    };
    assert_eq!(loaded(&by_value, "LATCHKEY_TOKENS__ACCESS_SECRET_FILE", &secret), "from the secret's file");
    assert_eq!(loaded(&by_path, SECRET, "from the environment"), "from the environment");
}

#[test]
fn a_configuration_prints_without_its_secrets() {
    let sample = load_with(&[
        ("LATCHKEY_DATABASE__URL", "postgres://u:hunter2@h/d"),
        ("LATCHKEY_TOKENS__ACCEPTED_ACCESS_SECRETS", "hunter2"),
    ]);
    assert!(!format!("{sample:?}").contains("hunter2"));
}
