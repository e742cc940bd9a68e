//! The walk through `X-Forwarded-For`, whatever stands in it. Plain cases are tested over HTTP.

use actix_web::http::header::HeaderValue;
use actix_web::test::TestRequest;
use proptest::prelude::*;

use super::*;

fn trusted() -> TrustedProxies {
    TrustedProxies::new(&["10.0.0.0/8".parse().expect("a network"), "2001:db8::/32".parse().expect("a network")])
}

fn headers(lines: &[Vec<u8>]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines.iter().filter_map(|line| HeaderValue::from_bytes(line).ok()) {
        headers.append(X_FORWARDED_FOR, line);
    }
    headers
}

const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));

#[test]
fn a_request_without_a_peer_has_no_address() {
    let request = TestRequest::default().app_data(trusted()).to_http_request();
    assert_eq!(ClientAddress::of(&request).0, IpAddr::V4(Ipv4Addr::UNSPECIFIED));
}

#[test]
fn an_ipv4_peer_on_an_ipv6_socket_is_known_by_its_ipv4_address() {
    let peer = "[::ffff:10.0.0.1]:4711".parse().expect("an address");
    let request = TestRequest::default().app_data(trusted()).peer_addr(peer);
    let request = request.insert_header(("x-forwarded-for", "203.0.113.7")).to_http_request();
    assert_eq!(ClientAddress::of(&request).0.to_string(), "203.0.113.7");
}

#[test]
fn the_walk_ends_at_the_first_address_that_is_no_proxys_and_at_what_is_none() {
    for (line, client) in [
        ("203.0.113.7", "203.0.113.7"),
        ("203.0.113.7:4711", "203.0.113.7"),
        ("[2001:db9::7]:4711, 10.0.0.2", "2001:db9::7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("203.0.113.7, ::ffff:10.0.0.2", "203.0.113.7"),
        ("203.0.113.7, nonsense", "10.0.0.1"),
        ("203.0.113.7, nonsense, 10.0.0.2", "10.0.0.2"),
        ("", "10.0.0.1"),
    ] {
        assert_eq!(walk(PROXY, &trusted(), &headers(&[line.into()])).to_string(), client, "{line}");
    }
}

proptest! {
    #[test]
    fn no_header_makes_it_panic(lines in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..4)) {
        let address = walk(PROXY, &trusted(), &headers(&lines));
        prop_assert!(address == PROXY || !lines.is_empty());
    }

    #[test]
    fn a_peer_that_is_not_trusted_is_the_client_whatever_it_sends(
        line in prop_oneof![".*", "203\\.0\\.113\\.[1-9]"],
        octets in any::<[u8; 4]>(),
    ) {
        let peer = IpAddr::from(octets);
        prop_assume!(!trusted().contain(peer));
        prop_assert_eq!(walk(peer, &trusted(), &headers(&[line.into_bytes()])), peer);
    }

    #[test]
    fn what_a_caller_invents_before_the_proxys_own_entry_changes_nothing(
        invented in "[0-9a-f.:, ]{0,60}",
        client in any::<[u8; 4]>(),
        proxies in prop::collection::vec(any::<[u8; 3]>(), 0..4),
    ) {
        let client = IpAddr::from(client);
        prop_assume!(!trusted().contain(client));
        let proxies = proxies.iter().map(|[b, c, d]| format!(", 10.{b}.{c}.{d}")).collect::<Vec<_>>().concat();
        let line = format!("{invented}, {client}{proxies}");
        prop_assert_eq!(walk(PROXY, &trusted(), &headers(&[line.into_bytes()])), client);
    }
}
