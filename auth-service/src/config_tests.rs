//! The bounds of values, to a step on either side. How a refusal reads is tested where programs are started.

use secrecy::ExposeSecret;
use shared_claims::generate_secret;

use super::*;

/// Whether the service would start with these settings beside good secrets.
fn is_taken(settings: &[(&str, &str)]) -> bool {
    let [access, refresh] = [generate_secret(), generate_secret()];
    let secrets =
        [("TOKENS__ACCESS_SECRET", access.expose_secret()), ("TOKENS__REFRESH_SECRET", refresh.expose_secret())];
    let mut environment: std::collections::BTreeMap<_, _> = secrets.into();
    environment.extend(settings.iter().copied());
    let variables = environment.into_iter().map(|(key, value)| (format!("LATCHKEY_{key}"), value.to_owned()));
    Config::load(None, variables).is_ok()
}

#[test]
fn each_value_has_its_bounds() {
    for (key, good, bad) in [
        ("TOKENS__ACCESS_TTL", &["1s", "24h"][..], &["0s", "1500ms", "500ms", "24h 1s"][..]),
        ("TOKENS__REFRESH_TTL", &["1s", "3650days"], &["0s", "1500ms", "3650days 1s"]),
        ("TOKENS__LEEWAY", &["0s", "60s"], &["61s"]),
        ("SESSIONS__MAX_PER_USER", &["1", "1000"], &["0", "1001"]),
        ("SESSIONS__REUSE_LEEWAY", &["0s", "5m"], &["5m 1s"]),
        ("SESSIONS__MAX_LIFETIME", &["1s"], &["0s"]),
        ("RATE_LIMIT__LONGEST_DELAY", &["1h"], &["24h 1s"]),
    ] {
        for (values, is_good) in [(good, true), (bad, false)] {
            for value in values {
                assert_eq!(is_taken(&[(key, value)]), is_good, "{key} {value}");
            }
        }
    }
}

#[test]
fn delays_grow_to_the_longest_and_are_not_forgotten_before_it() {
    let delays = |first, longest, forget_after| {
        is_taken(&[
            ("RATE_LIMIT__FIRST_DELAY", first),
            ("RATE_LIMIT__LONGEST_DELAY", longest),
            ("RATE_LIMIT__FORGET_AFTER", forget_after),
        ])
    };
    assert!(delays("10s", "10s", "10s") && delays("1s", "24h", "24h"));
    assert!(!delays("11s", "10s", "10s") && !delays("10s", "10s", "9s") && !delays("1s", "25h", "25h"));
}

#[test]
fn secrets_are_long_and_each_for_one_kind_of_token() {
    let [one, other] = [generate_secret(), generate_secret()];
    let [one, other] = [one.expose_secret(), other.expose_secret()];
    assert!(is_taken(&[("TOKENS__ACCESS_SECRET", &one[..32])]) && !is_taken(&[("TOKENS__ACCESS_SECRET", &one[..31])]));
    assert!(!is_taken(&[("TOKENS__ACCEPTED_REFRESH_SECRETS", &one[..31])]));
    for access in ["TOKENS__ACCESS_SECRET", "TOKENS__ACCEPTED_ACCESS_SECRETS"] {
        for refresh in ["TOKENS__REFRESH_SECRET", "TOKENS__ACCEPTED_REFRESH_SECRETS"] {
            assert!(is_taken(&[(access, one), (refresh, other)]), "{access} {refresh}");
            assert!(!is_taken(&[(access, one), (refresh, one)]), "{access} {refresh}");
        }
    }
}

#[test]
fn users_in_postgresql_need_a_place_for_sessions() {
    let users = ("DATABASE__URL", "postgres://latchkey@127.0.0.1/latchkey");
    assert!(!is_taken(&[users]) && is_taken(&[users, ("TOKEN_STORE__URL", "redis://127.0.0.1")]));
}
