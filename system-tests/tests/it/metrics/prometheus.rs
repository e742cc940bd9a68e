//! A real Prometheus over both services: every query of the dashboard and of the alerts has data after ordinary traffic.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use shared_claims::{Clock, SystemClock};
use system_tests::client::{Answered, Client};
use system_tests::people::Person;
use system_tests::program::Program;
use system_tests::prometheus::Prometheus;
use system_tests::site::Site;
use system_tests::site::Storage::Distributed;
use system_tests::waiting::eventually;

const DASHBOARD: &str = include_str!("../../../../deploy/observability/grafana/dashboards/latchkey.json");
const KEY: &str = "one-key-for-one-refresh";

/// The queries of the dashboard's panels, over the time that Grafana would take.
fn queries_of_the_dashboard() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("JSON");
    let panels = dashboard["panels"].as_array().expect("panels").iter();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().cloned().unwrap_or_default());
    let queries = targets.map(|target| target["expr"].as_str().expect("a query").replace("$__rate_interval", "1m"));
    queries.collect()
}

/// Each thing that a panel shows: tokens rotated, replayed, reused and refused, a guess, a job list with a token and without.
async fn use_everything(auth: &Client, jobs: &Client, person: &Person) {
    let first = auth.login(person).await;
    let second = auth.refresh_keyed(&first.refresh_token, KEY).await.tokens();
    auth.refresh_keyed(&first.refresh_token, KEY).await.tokens();
    auth.refresh("not-a-token").await.assert_problem(403, "refresh_token_invalid");
    assert_eq!(jobs.job_list(&second.access_token).await.status, 200);
    jobs.job_list("not-a-token").await.assert_problem(401, "access_token_invalid");
    auth.refresh(&first.refresh_token).await.assert_problem(403, "refresh_token_reused");
    let guess = json!({ "username": person.username, "password": "not the password" });
    auth.post("/login", &guess).answer().await.assert_problem(401, "invalid_credentials");
}

/// Whether a series has a number: the quantile of nothing is none.
fn is_number(series: &Value) -> bool {
    series["value"][1].as_str().and_then(|value| value.parse::<f64>().ok()).is_some_and(f64::is_finite)
}

#[tokio::test]
async fn every_query_of_the_dashboard_and_of_the_alerts_has_data() {
    let site = Site::open(Distributed, &[]).await;
    let auth = Program::new("auth-service", site.directory(), site.environment(&[])).serve().await;
    let jobs = Program::new("jobs-service", site.directory(), site.jobs_environment()).serve().await;
    let person = site.person(SystemClock.now()).await;
    // Of requests nothing is shown before the first, and of the first alone no rate.
    use_everything(&auth.client(), &jobs.client(), &person).await;
    let prometheus = Prometheus::over(&[auth.address, jobs.address]).await;
    use_everything(&auth.client(), &jobs.client(), &person).await;

    let queries = queries_of_the_dashboard();
    assert!(queries.len() > 30, "only {} queries are looked at", queries.len());
    for query in queries {
        let has_numbers = async || prometheus.query(&query).await.iter().any(is_number).then_some(());
        eventually(&format!("there is data for {query}"), has_numbers).await;
    }
    assert_counts(&prometheus).await;
    assert_rules(&prometheus).await;
}

/// What was done twice is shown as two.
async fn assert_counts(prometheus: &Prometheus) {
    for (query, count) in [
        (r#"sum(latchkey_refreshes_total{outcome="rotated"})"#, "2"),
        (r#"sum(latchkey_refreshes_total{outcome="replayed"})"#, "2"),
        (r#"sum(latchkey_refreshes_total{outcome="refresh_token_reused"})"#, "2"),
        (r#"sum(latchkey_logins_total{outcome="wrong_credentials"})"#, "2"),
        (r#"sum(latchkey_http_requests_total{route="/job-list", status="401"})"#, "2"),
        ("count(latchkey_build_info)", "2"),
    ] {
        let is_so = async || (prometheus.query(query).await.first()?["value"][1] == count).then_some(());
        eventually(&format!("{query} is {count}"), is_so).await;
    }
}

/// Each rule is evaluated without an error, what it looks at is there, and the one that ordinary traffic does not raise by itself is
/// raised: a spent token was presented.
async fn assert_rules(prometheus: &Prometheus) {
    let rules = prometheus.rules().await;
    assert!(rules.len() > 10, "only {} rules are looked at", rules.len());
    for rule in &rules {
        let (name, query) = (rule["name"].as_str().expect("a name"), rule["query"].as_str().expect("a query"));
        let evaluated = async || {
            let now = prometheus.rules().await.into_iter().find(|rule| rule["name"] == name)?;
            (now["health"] == "ok").then_some(())
        };
        eventually(&format!("{name} is evaluated"), evaluated).await;
        for series in selectors(query) {
            assert!(!prometheus.query(series).await.is_empty(), "{name} looks at {series}, which is not there");
        }
    }
    let raised = async || {
        let firing = prometheus.query(r#"ALERTS{alertstate="firing"}"#).await;
        let names: BTreeSet<_> = firing.iter().map(|alert| alert["metric"]["alertname"].to_string()).collect();
        names.contains("\"LatchkeyRefreshTokenReused\"").then_some(names)
    };
    let raised = eventually("reuse is told of", raised).await;
    assert_eq!(raised.len(), 1, "{raised:?}");
}

/// The series that a query selects, but for answers of 5xx, of which there were none.
fn selectors(query: &str) -> Vec<&str> {
    let starts = query.match_indices("latchkey_").map(|(start, _)| &query[start..]);
    let selectors = starts.map(|rest| {
        let name = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(rest.len());
        let labels = if rest[name..].starts_with('{') { rest[name..].find('}').map_or(0, |end| end + 1) } else { 0 };
        &rest[..name + labels]
    });
    selectors.filter(|selector| !selector.contains("status=~\"5..\"")).collect()
}
