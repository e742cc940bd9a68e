//! Whose address a handler sees.

use service_kit::health::Health;

use crate::support::{Service, answer, config, start, start_with};

fn start_behind(proxies: &[&str]) -> Service {
    let mut config = config();
    config.trusted_proxies = proxies.iter().map(|proxy| proxy.parse().expect("a network")).collect();
    start_with(&config, Health::new("kit"))
}

async fn seen(service: &Service, lines: &[&str]) -> String {
    let request = lines.iter().fold(service.get("/address"), |request, line| request.header("x-forwarded-for", *line));
    answer(request).await.body
}

#[tokio::test]
async fn nobody_is_believed_where_no_proxy_is_trusted() {
    assert_eq!(seen(&start(), &["203.0.113.7"]).await, "127.0.0.1");
    assert_eq!(seen(&start_behind(&["10.0.0.0/8"]), &["203.0.113.7"]).await, "127.0.0.1");
}

#[tokio::test]
async fn the_nearest_address_that_is_no_trusted_proxy_counts() {
    let service = start_behind(&["127.0.0.0/8", "10.0.0.0/8", "2001:db8:1::/48"]);
    for (lines, address) in [
        (&[][..], "127.0.0.1"),
        (&["203.0.113.7"], "203.0.113.7"),
        (&["198.51.100.1, 203.0.113.7"], "203.0.113.7"),
        (&["203.0.113.7, 10.0.0.1, 10.9.9.9"], "203.0.113.7"),
        (&["198.51.100.1", "203.0.113.7,10.0.0.1"], "203.0.113.7"),
        (&["203.0.113.7", "10.0.0.1", "10.0.0.2"], "203.0.113.7"),
        (&["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        (&["2001:db8:2::1, 2001:db8:1::1"], "2001:db8:2::1"),
        (&["203.0.113.7:4711"], "203.0.113.7"),
        (&["[2001:db8:2::1]:4711"], "2001:db8:2::1"),
        (&["::ffff:203.0.113.7"], "203.0.113.7"),
    ] {
        assert_eq!(seen(&service, lines).await, address, "{lines:?}");
    }
}

#[tokio::test]
async fn an_entry_that_is_no_address_ends_the_walk_at_the_last_good_one() {
    let service = start_behind(&["127.0.0.1/32", "10.0.0.0/8"]);
    for (lines, address) in [
        (&["unknown"][..], "127.0.0.1"),
        (&["203.0.113.7, nonsense, 10.0.0.1"], "10.0.0.1"),
        (&["203.0.113.7, , 10.0.0.1"], "10.0.0.1"),
        (&["203.0.113.7", ""], "127.0.0.1"),
        (&["203.0.113.7, é"], "127.0.0.1"),
        (&["203.0.113.7 10.0.0.1"], "127.0.0.1"),
        (&["203.0.113.999"], "127.0.0.1"),
    ] {
        assert_eq!(seen(&service, lines).await, address, "{lines:?}");
    }
}

#[tokio::test]
async fn a_handler_below_a_scope_sees_the_same() {
    let service = start_behind(&["127.0.0.1/32"]);
    let request = service.get("/api/kit/address").header("x-forwarded-for", "203.0.113.7");
    assert_eq!(answer(request).await.body, "203.0.113.7");
}
