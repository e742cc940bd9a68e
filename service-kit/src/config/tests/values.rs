//! How values are written.

use ipnet::IpNet;
use secrecy::ExposeSecret;

use super::*;

#[test]
fn every_kind_of_value_can_come_from_the_environment() {
    let sample = load_with(&[
        ("LATCHKEY_SERVER__HOST", "::"),
        ("LATCHKEY_SERVER__ALLOWED_ORIGINS", "https://a.example.test, http://localhost:4200,"),
        ("LATCHKEY_SERVER__TRUSTED_PROXIES", "10.0.0.0/8,2001:db8::/32, 192.0.2.1"),
        ("LATCHKEY_TOKENS__ACCEPTED_ACCESS_SECRETS", "one,two"),
        ("LATCHKEY_TOKENS__ACCESS_TTL", "1h 30m"),
        ("LATCHKEY_SESSIONS__MAX_LIFETIME", "30d"),
        ("LATCHKEY_SESSIONS__WHEN_FULL", "end_least_recent"),
        ("LATCHKEY_DATABASE__URL", "postgres://user:password@host/db"),
        ("LATCHKEY_DATABASE__CA_FILE", "/etc/ca.pem"),
        ("LATCHKEY_DEMO", "true"),
    ]);
    let sample = sample.expect("a configuration");
    assert_eq!(sample.server.allowed_origins, ["https://a.example.test", "http://localhost:4200"]);
    let proxies: Vec<IpNet> =
        ["10.0.0.0/8", "2001:db8::/32", "192.0.2.1/32"].map(|net| net.parse().expect("a network")).to_vec();
    assert_eq!(sample.server.trusted_proxies, proxies);
    let accepted: Vec<_> = sample.tokens.accepted_access_secrets.iter().map(ExposeSecret::expose_secret).collect();
    assert_eq!(accepted, ["one", "two"]);
    assert_eq!(sample.tokens.access_ttl, Duration::from_mins(90));
    assert_eq!(sample.sessions.max_lifetime, Some(Duration::from_hours(30 * 24)));
    assert_eq!(sample.sessions.when_full, WhenFull::EndLeastRecent);
    assert_eq!(sample.database.ca_file, Some("/etc/ca.pem".into()));
    assert_eq!(sample.database.url.expose_secret(), "postgres://user:password@host/db");
    assert!(sample.demo);
}

#[test]
fn a_list_in_a_file_is_an_array_or_a_text() {
    for list in [r#"["one", "two"]"#, r#""one,two""#] {
        let files = Files::new();
        let file = files
            .write("latchkey.toml", format!("[tokens]\naccess_secret = \"s\"\naccepted_access_secrets = {list}\n"));
        let accepted = load(Some(&file), &[]).expect("a configuration").tokens.accepted_access_secrets;
        assert_eq!(accepted.iter().map(ExposeSecret::expose_secret).collect::<Vec<_>>(), ["one", "two"]);
    }
}

#[test]
fn bad_values_are_named_with_their_place() {
    for (variable, value, says) in [
        ("LATCHKEY_SERVER__PORT", "80a", "(server.port): invalid value: string \"80a\", expected a whole number"),
        // To the library these are numbers too: 1 and 0, and 0 would mean any port at all.
        ("LATCHKEY_SERVER__PORT", "on", "(server.port): invalid value: string \"on\", expected a whole number"),
        ("LATCHKEY_SERVER__PORT", "No", "(server.port): invalid value: string \"No\", expected a whole number"),
        ("LATCHKEY_SERVER__PORT", "+80", "(server.port): invalid value: string \"+80\", expected a whole number"),
        ("LATCHKEY_SERVER__PORT", " 80", "(server.port): invalid value: string \" 80\", expected a whole number"),
        ("LATCHKEY_SERVER__PORT", "-1", "(server.port): invalid value: string \"-1\", expected a whole number"),
        ("LATCHKEY_SERVER__PORT", "70000", "(server.port): invalid value: integer `70000`, expected u16"),
        ("LATCHKEY_SERVER__HOST", "localhost", "(server.host): invalid IP address syntax"),
        ("LATCHKEY_SERVER__NAME", "a,b", "(server.name): a name without spaces or commas is expected"),
        ("LATCHKEY_DEMO", "maybe", "(demo): a boolean is expected, not string \"maybe\""),
        (
            "LATCHKEY_TOKENS__ACCESS_TTL",
            "900",
            "(tokens.access_ttl): `900` is not a duration such as `15m`, `30d` or `0s`",
        ),
        (
            "LATCHKEY_SESSIONS__MAX_LIFETIME",
            "0",
            "(sessions.max_lifetime): `0` is not a duration such as `15m`, `30d` or `0s`",
        ),
        (
            "LATCHKEY_SESSIONS__WHEN_FULL",
            "end",
            "(sessions.when_full): unknown variant `end`, expected `end_all` or `end_least_recent`",
        ),
        (
            "LATCHKEY_SERVER__TRUSTED_PROXIES",
            "10.0.0.0/33",
            "(server.trusted_proxies): `10.0.0.0/33` is neither a network such as `10.0.0.0/8` nor an address",
        ),
    ] {
        assert_eq!(refusal(&[(variable, value)]), format!("{variable} {says}"));
    }
    for (port, found) in [
        (r#""x""#, r#"value: string "x""#),
        ("true", "type: boolean `true`"),
        ("80.6", "type: floating point `80.6`"),
        ("-80", "value: integer `-80`"),
        ("{ x = 1 }", "type: map"),
    ] {
        assert_eq!(
            refusal_of_file(&format!("[server]\nport = {port}")),
            format!("`server.port` in FILE: invalid {found}, expected a whole number")
        );
    }
    assert_eq!(
        refusal_of_file("[server]\nallowed_origins = [1, {}]"),
        "`server.allowed_origins` in FILE: a string is expected, not map"
    );
}

#[test]
fn an_origin_is_scheme_host_and_port_alone() {
    for bad in [
        "*",
        "https://*.example.test",
        "example.test",
        "https://a.test/",
        "https://a.test/x",
        "https://A.test",
        "ftp://a.test",
        "null",
        "https://u@a.test",
        "https://a.test:x",
        "https://",
    ] {
        let refused = refusal(&[("LATCHKEY_SERVER__ALLOWED_ORIGINS", bad)]);
        assert!(refused.contains(&format!("`{bad}` is not an origin")), "{refused}");
    }
    for good in ["http://localhost:4200", "https://a.example.test", "http://[::1]:8080", "http://192.0.2.1"] {
        assert_eq!(
            load_with(&[("LATCHKEY_SERVER__ALLOWED_ORIGINS", good)]).expect(good).server.allowed_origins,
            [good]
        );
    }
}
