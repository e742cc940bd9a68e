//! What stops the start, and in which words.

use std::collections::HashMap;

use secrecy::ExposeSecret;

use super::*;

#[test]
fn unknown_keys_are_named_with_their_place_and_the_nearest_known_one() {
    for (variable, nearest) in [
        ("LATCHKEY_SERVER__PROT", Some("LATCHKEY_SERVER__PORT")),
        ("LATCHKEY_SERVER_PORT", Some("LATCHKEY_SERVER__PORT")),
        ("LATCHKEY_server__port", None),
        ("LATCHKEY_SERVER__PORT_FILE", Some("LATCHKEY_SERVER__PORT")),
        ("LATCHKEY_TOKENS__ACCES_SECRET_FILE", Some("LATCHKEY_TOKENS__ACCESS_SECRET_FILE")),
        ("LATCHKEY_ZZZ", None),
        ("LATCHKEY_", None),
    ] {
        let hint = nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
        let expected = format!("{variable}: there is no such configuration key{hint}");
        assert_eq!(refusal(&[(variable, "hunter2")]), expected);
    }
    for (content, name, nearest) in [
        ("[server]\nprot = 'hunter2'", "server.prot", Some("server.port")),
        ("[sever]\nport = 1", "sever.port", Some("server.port")),
        ("server = 1", "server", None),
        ("[zzz]", "zzz", None),
        ("[tokens]\naccess_ttl_file = 'x'", "tokens.access_ttl_file", Some("tokens.access_ttl")),
    ] {
        let hint = nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
        let refused = refusal_of_file(content);
        assert!(refused.starts_with(&format!("`{name}` in FILE: there is no such configuration key")), "{refused}");
        assert!(nearest.is_none() || refused.ends_with(&hint), "{refused}");
    }
}

#[test]
fn all_unknown_keys_are_told_at_once() {
    let refused = refusal(&[("LATCHKEY_AAAAAAAA", "1"), ("LATCHKEY_BBBBBBBB", "2")]);
    assert_eq!(refused.lines().count(), 2, "{refused}");
}

#[test]
fn what_is_required_and_missing_is_named_with_every_way_to_give_it() {
    let refused = load(None, &[]).expect_err("a refusal").to_string();
    assert_eq!(
        refused,
        "tokens.access_secret is required: set LATCHKEY_TOKENS__ACCESS_SECRET or LATCHKEY_TOKENS__ACCESS_SECRET_FILE, \
         or `tokens.access_secret` in the configuration file"
    );
}

#[test]
fn both_forms_in_one_layer_are_refused() {
    let both = "LATCHKEY_TOKENS__ACCESS_SECRET and LATCHKEY_TOKENS__ACCESS_SECRET_FILE";
    let refused = refusal(&[("LATCHKEY_TOKENS__ACCESS_SECRET_FILE", "/nowhere")]);
    assert_eq!(refused, format!("tokens.access_secret: {both} both give it; keep one of them"));
    let refused = refusal_of_file("[tokens]\naccess_secret = \"hunter2\"\naccess_secret_file = \"/nowhere\"\n");
    assert!(
        refused.starts_with("tokens.access_secret: ") && refused.ends_with("both give it; keep one of them"),
        "{refused}"
    );
    assert!(!refused.contains("hunter2"));
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let files = Files::new();
    let latin = files.write("latin", b"hunter2\xff");
    let empty = files.write("empty", "\n");
    for (path, says) in [
        (Path::new("/nowhere/secret"), "No such file or directory"),
        (files.0.path(), "Is a directory"),
        (&latin, "it is not UTF-8 text"),
        (&empty, "it is empty"),
    ] {
        let refused = load(None, &[("LATCHKEY_TOKENS__ACCESS_SECRET_FILE", &path.display().to_string())]);
        let refused = refused.expect_err("a refusal").to_string();
        let begins = format!("LATCHKEY_TOKENS__ACCESS_SECRET_FILE: the file {} cannot be read: {says}", path.display());
        assert!(refused.starts_with(&begins), "{refused}");
        assert!(!refused.contains("hunter2"));
    }
    let refused = load(Some(Path::new("/nowhere/latchkey.toml")), &[]).expect_err("a refusal").to_string();
    assert!(
        refused.starts_with("the configuration file /nowhere/latchkey.toml cannot be read: No such file"),
        "{refused}"
    );
}

#[test]
fn a_file_that_is_no_toml_is_told_by_the_place_alone() {
    assert_eq!(refusal_of_file("[tokens]\naccess_secret = hunter2\n"), "FILE is not valid TOML: see line 2, column 17");
    let refused = refusal_of_file("[tokens]\naccess_secret = \"hunter2\"\naccess_secret = \"hunter2\"\n");
    assert!(refused.starts_with("FILE is not valid TOML") && !refused.contains("hunter2"), "{refused}");
}

#[test]
fn a_value_that_may_be_secret_is_never_shown() {
    let files = Files::new();
    for content in [
        "[tokens]\naccess_secret = [\"hunter2\"]",
        "[tokens]\naccess_secret = { hunter2 = 1 }",
        "[database]\nurl = [\"hunter2\"]",
        "[tokens]\naccepted_access_secrets = [[\"hunter2\"]]",
    ] {
        let file = files.write("latchkey.toml", content);
        let refused = load(Some(&file), &[]).expect_err("a refusal");
        assert!(!format!("{refused} {refused:?}").contains("hunter2"), "{refused}");
    }
}

#[test]
fn a_check_across_keys_is_told_with_the_place_of_the_key_at_fault() {
    let keys = keys();
    let loader = Loader { defaults: DEFAULTS, keys: &keys, foreign: FOREIGN };
    let too_short = |sample: &Sample| match sample.tokens.access_secret.expose_secret().len() {
        0..32 => Err(Rejected::new("tokens.access_secret", "it is shorter than 32 bytes")),
        _ => Ok(()),
    };
    let environment = HashMap::from([(SECRET.to_owned(), "hunter2".to_owned())]);
    let refused = loader.load_checked(None, environment, too_short).expect_err("a refusal");
    assert_eq!(
        refused.to_string(),
        "LATCHKEY_TOKENS__ACCESS_SECRET (tokens.access_secret): it is shorter than 32 bytes"
    );
}
