//! Figures in the pages are those of the files that set them: a page has these words, and a file this setting.

use std::fs;

use rstest::rstest;

use crate::pages::root;

/// The words of a file, however its lines are broken.
fn words(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[rstest]
#[case("64 KiB at most reach a service", "gateway/http.conf", &["client_max_body_size 64k;"])]
#[case("10 s for a client's head, body and reading", "gateway/http.conf", &["client_header_timeout 10s;", "client_body_timeout 10s;", "send_timeout 10s;"])]
#[case("1 s to connect to a service, 15 s for its answer", "gateway/proxy.conf", &["proxy_connect_timeout 1s;", "proxy_read_timeout 15s;"])]
#[case("Nothing is sent to a service twice", "gateway/proxy.conf", &["proxy_next_upstream off;"])]
#[case("(`Strict-Transport-Security`, a year)", "gateway/http.conf", &["\"max-age=31536000\";"])]
#[case("two to ten instances of each service", "kubernetes/base/auth-service.yaml", &["minReplicas: 2 maxReplicas: 10"])]
#[case("two to ten instances of each service", "kubernetes/base/jobs-service.yaml", &["minReplicas: 2 maxReplicas: 10"])]
#[case("two to six of the gateway", "kubernetes/base/gateway.yaml", &["minReplicas: 2 maxReplicas: 6"])]
#[case("one at a time may be evicted", "kubernetes/base/auth-service.yaml", &["kind: PodDisruptionBudget", "spec: maxUnavailable: 1"])]
#[case("three seconds until nobody sends anything any more", "kubernetes/base/auth-service.yaml", &["preStop: sleep: seconds: 3"])]
#[case("three seconds until nobody sends anything any more", "kubernetes/base/jobs-service.yaml", &["preStop: sleep: seconds: 3"])]
#[case("jobs-service reaches PostgreSQL (port 5432) and nothing else, auth-service Redis (6379, 26379) as well", "kubernetes/base/network-policies.yaml", &["port: 5432", "port: 6379", "port: 26379"])]
#[case("It goes five minutes after it has ended", "kubernetes/base/migrate.yaml", &["ttlSecondsAfterFinished: 300"])]
#[case("distroless as user 65532", "kubernetes/base/auth-service.yaml", &["runAsUser: 65532"])]
#[case("the gateway as user 101", "kubernetes/base/gateway.yaml", &["runAsUser: 101"])]
fn what_is_said_of_deploying_is_set(#[case] said: &str, #[case] file: &str, #[case] settings: &[&str]) {
    assert_set("docs/deploying.md", said, &format!("deploy/{file}"), settings);
}

#[rstest]
#[case("Prometheus has had no answer for two minutes", &["expr: up{job=\"latchkey\"} == 0 for: 2m"])]
#[case("More than one answer in a hundred is 5xx", &["rate(latchkey_http_requests_total[5m])) > 0.01"])]
#[case("One refresh in a hundred takes over a quarter of a second", &["histogram_quantile(0.99,", "[5m]))) > 0.25"])]
#[case("Over a tenth of refreshes is refused for other reasons than age", &["rate(latchkey_refreshes_total[15m])) > 0.1"])]
#[case("Over a tenth of the tokens at an instance is signed with a key it does not know", &["rate(latchkey_token_verifications_total[15m])) > 0.1"])]
fn what_is_said_of_an_alert_is_when_it_is_raised(#[case] said: &str, #[case] settings: &[&str]) {
    assert_set("docs/operating.md", said, "deploy/observability/alerts.yml", settings);
}

#[rstest]
#[case(
    "tracing",
    "how long a batch may take, in milliseconds: 5000",
    "service-kit/src/telemetry/export.rs",
    "const PATIENCE: Duration = Duration::from_secs(5);"
)]
#[case(
    "tracing",
    "Up to 4,096 spans that could not be sent",
    "service-kit/src/telemetry/export.rs",
    "const KEPT: usize = 4_096;"
)]
#[case(
    "tracing",
    "At its end a service sends what it has, for a second at the most",
    "service-kit/src/telemetry/export.rs",
    "const LAST_PATIENCE: Duration = Duration::from_secs(1);"
)]
#[case("security", "Of the last 1,024 access tokens", "shared-claims/src/known.rs", "const KEPT: usize = 1_024;")]
#[case(
    "performance",
    "**Refreshes** go round 10 000 sessions",
    "bench/src/comparisons/refresh.rs",
    "const SESSIONS: usize = 10_000;"
)]
#[case("performance", "A closed loop** over 32 connections", "bench/src/ground.rs", "const CONNECTIONS: usize = 32;")]
#[case(
    "storage",
    "(`WAIT 1`), for 150 ms at most",
    "auth-service/src/stores/redis/replicas.rs",
    "const PATIENCE: Duration = Duration::from_millis(150);"
)]
#[case(
    "storage",
    "While requests come they are asked every 300 ms",
    "auth-service/src/stores/redis/sentinel.rs",
    "const RECENT: Duration = Duration::from_millis(300);"
)]
#[case(
    "storage",
    "a starting service waits for it for half a minute",
    "service-kit/src/database/postgres/migrate.rs",
    "const PATIENCE: Duration = Duration::from_secs(30);"
)]
#[case(
    "client",
    "waits up to 10 s (`patience`)",
    "client/src/client.rs",
    "const PATIENCE: Duration = Duration::from_secs(10);"
)]
#[case(
    "web-client",
    "the others wait for it, at most five seconds",
    "web-client/src/app/auth/refresh-lock.ts",
    "const patience = 5_000;"
)]
#[case(
    "web-client",
    "the token is renewed a minute before it expires",
    "web-client/src/app/auth/early-refresh.ts",
    "const usualLead = 60;"
)]
#[case(
    "web-client",
    "after a second, then two, up to half a minute",
    "web-client/src/app/auth/connection.ts",
    "const firstWait = 1_000; const longestWait = 30_000;"
)]
#[case("storage", "above 350 and 1,150 bytes", "system-tests/tests/it/redis/memory.rs", "assert!(one <= 350,")]
#[case("storage", "above 350 and 1,150 bytes", "system-tests/tests/it/redis/memory.rs", "assert!(five <= 1_150,")]
fn what_is_said_of_waiting_and_of_memory_is_in_the_code(
    #[case] page: &str,
    #[case] said: &str,
    #[case] file: &str,
    #[case] setting: &str,
) {
    assert_set(&format!("docs/{page}.md"), said, file, &[setting]);
}

#[track_caller]
fn assert_set(page: &str, said: &str, file: &str, settings: &[&str]) {
    assert!(words(page).contains(said), "{page} does not say: {said}");
    let set = words(file);
    let unset: Vec<_> = settings.iter().filter(|setting| !set.contains(**setting)).collect();
    assert!(unset.is_empty(), "{file} does not have {unset:?}");
}

/// What the comparison says of memory is what `make bench` has measured.
#[test]
fn what_is_said_of_memory_was_measured() {
    let said = "under 20 MB a service before the first login, under 60 MB in a crowd of logins";
    assert!(words("docs/comparison.md").contains(said));
    let table = fs::read_to_string(root().join("docs/performance.md")).unwrap();
    let rows: Vec<_> = table.lines().filter(|line| line.starts_with("| memory of ")).collect();
    assert_eq!(rows.len(), 8, "two services, two kinds of storage, at rest and in a crowd");
    for row in rows {
        let median = row.split(" | ").nth(3).and_then(|cell| cell.strip_suffix(" MB")).unwrap();
        let limit = if row.contains("before the first login") { 20.0 } else { 60.0 };
        assert!(median.parse::<f64>().unwrap() < limit, "{row}");
    }
}

/// What a node is said to carry of logins is reckoned from what is said of one.
#[test]
fn what_is_said_of_logins_on_many_cores_is_reckoned_right() {
    let page = fs::read_to_string(root().join("docs/performance.md")).unwrap();
    let (_, table) = page.split_once("(reckoned: 30 ms a hash, on every core but one) |\n| --- | --- |\n").unwrap();
    let rows: Vec<_> =
        table.lines().map_while(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | ")).collect();
    assert_eq!(rows.len(), 3, "{rows:?}");
    for (cores, logins) in rows {
        let (cores, logins) = (cores.parse::<u32>().unwrap(), logins.replace(' ', "").parse::<u32>().unwrap());
        assert_eq!(logins, (cores - 1) * 1_000 / 30, "{cores} cores");
    }
}
