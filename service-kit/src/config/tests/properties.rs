//! Whatever is given: no panic, and no secret in an error.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn no_environment_makes_it_panic(entries in prop::collection::hash_map("LATCHKEY_[A-Z_]{0,24}", ".*", 0..6)) {
        let keys = keys();
        let loader = Loader { defaults: DEFAULTS, keys: &keys, foreign: FOREIGN };
        let unknown = entries.iter().find(|(name, value)| {
            let known = keys.iter().any(|key| key.variable() == **name || format!("{}_FILE", key.variable()) == **name);
            !known && !value.is_empty()
        });
        let is_named = unknown.map(|(name, _)| name.clone());
        let outcome = loader.load::<Sample>(None, entries);
        if let Some(name) = is_named {
            prop_assert!(outcome.expect_err("an unknown key").to_string().contains(&name));
        }
    }

    #[test]
    fn no_file_makes_it_panic(content in ".*") {
        let files = Files::new();
        let file = files.write("latchkey.toml", &content);
        let _ = load(Some(&file), &[(SECRET, "a secret")]);
    }

    #[test]
    fn no_value_of_a_known_key_makes_it_panic(index in 0..12_usize, value in ".*") {
        let keys = keys();
        let variable = keys[index % keys.len()].variable();
        let _ = load(None, &[(variable.as_str(), value.as_str())]);
    }

    #[test]
    fn no_error_shows_a_secret(secret in "[a-zA-Z0-9]{12}", junk in "[ -~]{0,8}", port in "[a-z]{1,3}") {
        let value = format!("{junk}{secret}{junk}");
        let files = Files::new();
        let quoted = format!("{value:?}");
        for content in [
            format!("[tokens]\naccess_secret = [{quoted}]"),
            format!("[tokens]\naccess_secret = {value}"),
            format!("[tokens]\naccess_secret = \"{value}"),
            format!("[tokens]\naccess_secret = {quoted}\n[server]\nport = {port:?}"),
            format!("[tokens]\naccess_secret = {quoted}\n[database]\nurl = {{ a = {quoted} }}"),
        ] {
            let file = files.write("latchkey.toml", content);
            if let Err(refused) = load(Some(&file), &[]) {
                prop_assert!(!format!("{refused} {refused:?}").contains(&secret), "{refused}");
            }
        }
        for name in ["LATCHKEY_TOKENS__ACCESS_SECRET", "LATCHKEY_TOKENS__ACCEPTED_ACCESS_SECRETS", "LATCHKEY_DATABASE__URL"] {
            let refused = load(None, &[(name, &value), ("LATCHKEY_SERVER__PORT", &port)]).expect_err("a bad port");
            prop_assert!(!format!("{refused} {refused:?}").contains(&secret), "{refused}");
        }
    }
}
