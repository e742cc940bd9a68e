use std::net::{Ipv4Addr, Ipv6Addr};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use secrecy::ExposeSecret;

use super::*;

fn at(host: &str, port: u16) -> Address {
    Address { host: host.to_owned(), port }
}

fn servers(url: &str) -> Servers {
    RedisUrl::parse(url).unwrap_or_else(|error| panic!("{url}: {error}")).servers
}

#[test]
fn each_form_of_the_contract_is_understood() {
    let one = |host, port, database| Servers::One { address: at(host, port), database };
    for (url, expected) in [
        ("redis://cache", one("cache", 6379, 0)),
        ("redis://cache:6380/", one("cache", 6380, 0)),
        ("rediss://u:p@cache/7", one("cache", 6379, 7)),
        ("redis://[::1]:7000/2", one("::1", 7000, 2)),
        ("redis://[fe80::7]", one("fe80::7", 6379, 0)),
        (
            "rediss-sentinel://:p@a,b:7,[::1]/main",
            Servers::BehindSentinels {
                sentinels: vec![at("a", 26379), at("b", 7), at("::1", 26379)],
                master: "main".to_owned(),
            },
        ),
        ("redis-cluster://a:1,b", Servers::Cluster { nodes: vec![at("a", 1), at("b", 6379)] }),
        ("redis-cluster://a/", Servers::Cluster { nodes: vec![at("a", 6379)] }),
    ] {
        assert_eq!(servers(url), expected, "{url}");
    }
}

#[test]
fn the_scheme_says_whether_it_is_tls() {
    for (scheme, is_tls) in [("redis", false), ("rediss", true), ("redis-cluster", false), ("rediss-cluster", true)] {
        assert_eq!(RedisUrl::parse(&format!("{scheme}://a")).unwrap().is_tls, is_tls, "{scheme}");
    }
}

#[test]
fn users_and_passwords_are_percent_decoded() {
    let credentials = |url: &str| {
        let RedisUrl { user, password, .. } = RedisUrl::parse(url).unwrap();
        (user, password.map(|password| password.expose_secret().to_owned()))
    };
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(credentials("redis://a"), (None, None));
    assert_eq!(credentials("redis://:p@a"), (None, some("p")));
    assert_eq!(credentials("redis://ada:p%40%2f%3a%25%C3%A9@a"), (some("ada"), some("p@/:%é")));
    assert_eq!(credentials("redis://u:a:b@c@a"), (some("u"), some("a:b@c")));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for url in [
        "redis:a",
        "redis://",
        "redis:///1",
        "redis://:6379",
        "redis://a:0",
        "redis://a:65536",
        "redis://a:b",
        "redis://a:+1",
        "redis://a:",
        "redis://::1",
        "redis://[::1",
        "redis://[a]:1",
        "redis://[::1]x",
        "redis://a/x",
        "redis://a/-1",
        "redis://a/+1",
        "redis://a/99999999999",
        "redis://a,b",
        "redis://a b",
        "redis://a?x=1",
        "redis://a#x",
        "redis://u@a",
        "redis://u:@a",
        "redis://u:p/w@a",
        "redis://u:%zz@a",
        "redis://u:%f@a",
        "redis://u:%ff@a",
        "redis://u:p@",
        "redis-sentinel://a",
        "redis-sentinel://a/",
        "redis-sentinel://a,/m",
        "redis-sentinel://a/m/1",
        "redis-sentinel://a/m%0a",
        "redis-cluster://a/1",
        "redis-cluster://,",
        "redisx://a",
        "redis-other://a",
        "http://a",
        "",
    ] {
        assert!(RedisUrl::parse(url).is_err(), "{url}");
    }
}

#[test]
fn other_stores_urls_are_not_taken_for_redis() {
    for url in ["sqlite:redis.db", "postgres://redis", "", "redis"] {
        assert!(!RedisUrl::is_meant(url), "{url}");
    }
    for url in ["redis:", "redis://a", "rediss://a", "redis-sentinel://a", "redis-cluser://a"] {
        assert!(RedisUrl::is_meant(url), "{url}");
    }
}

fn any_address() -> impl Strategy<Value = Address> {
    let host = prop_oneof![
        "[a-z0-9][a-z0-9.-]{0,20}",
        any::<Ipv4Addr>().prop_map(|address| address.to_string()),
        any::<Ipv6Addr>().prop_map(|address| address.to_string()),
    ];
    (host, 1..=u16::MAX).prop_map(|(host, port)| Address { host, port })
}

proptest! {
    #[test]
    fn what_is_written_by_the_rules_is_read_as_it_was_meant(
        nodes in prop::collection::vec(any_address(), 1..4),
        (user, password) in ("(?s).{0,12}", "(?s).{1,12}"),
        (database, master) in (0..=u32::MAX, "[a-zA-Z0-9._-]{1,20}"),
        is_tls in any::<bool>(),
    ) {
        let s = if is_tls { "s" } else { "" };
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let credentials = format!("{}:{}", encoded(&user), encoded(&password));
        let hosts = nodes.iter().map(Address::to_string).collect::<Vec<_>>().join(",");
        let one = Servers::One { address: nodes[0].clone(), database: database.into() };
        for (url, servers) in [
            (format!("redis{s}://{credentials}@{}/{database}", nodes[0]), one),
            (
                format!("redis{s}-sentinel://{credentials}@{hosts}/{master}"),
                Servers::BehindSentinels { sentinels: nodes.clone(), master: master.clone() },
            ),
            (format!("redis{s}-cluster://{credentials}@{hosts}"), Servers::Cluster { nodes: nodes.clone() }),
        ] {
            let parsed = RedisUrl::parse(&url).map_err(|error| TestCaseError::fail(format!("{url}: {error}")))?;
            prop_assert_eq!((parsed.servers, parsed.is_tls), (servers, is_tls));
            prop_assert_eq!(parsed.user.unwrap_or_default(), user.clone());
            prop_assert_eq!(parsed.password.map(|text| text.expose_secret().to_owned()), Some(password.clone()));
        }
    }

    #[test]
    fn a_server_that_is_accepted_is_one_that_can_be_asked(hosts in "[a1+:%,\\[\\] -]{0,12}", kind in "(-cluster)?") {
        let nodes = match RedisUrl::parse(&format!("redis{kind}://{hosts}")).map(|url| url.servers) {
            Ok(Servers::One { address, .. }) => vec![address],
            Ok(Servers::Cluster { nodes }) => nodes,
            Ok(Servers::BehindSentinels { .. }) | Err(_) => Vec::new(),
        };
        for node in nodes {
            let again = format!("redis://{node}");
            prop_assert_eq!(servers(&again), Servers::One { address: node, database: 0 });
        }
    }

    #[test]
    fn no_text_makes_it_panic_and_no_error_shows_a_password(text in "\\PC{0,60}", password in "[a-z]{12}") {
        for scheme in ["redis", "rediss-sentinel", "redis-cluster"] {
            for url in [format!("{scheme}://u:{password}{text}@a"), format!("{scheme}://{text}{password}")] {
                match RedisUrl::parse(&url) {
                    Err(error) => prop_assert!(!error.to_string().contains(&password)),
                    Ok(parsed) => {
                        let shown = format!("{:?}", parsed.password);
                        prop_assert!(!shown.contains(&password));
                    }
                }
            }
        }
    }
}
