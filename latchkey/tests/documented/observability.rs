//! The alerts and the dashboard speak of metrics that there are, and every alert is explained.

use std::collections::BTreeSet;

use serde_json::Value;

const ALERTS: &str = include_str!("../../../deploy/observability/alerts.yml");
const DASHBOARD: &str = include_str!("../../../deploy/observability/grafana/dashboards/latchkey.json");
const METRICS: &str = include_str!("../../../docs/metrics.md");
const OPERATING: &str = include_str!("../../../docs/operating.md");

/// The names of metrics in a query, with what Prometheus adds for a histogram taken away.
fn metrics(query: &str) -> impl Iterator<Item = &str> {
    let words = query.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let names = words.filter(|word| word.starts_with("latchkey_") || word.starts_with("process_"));
    names.map(|name| name.strip_suffix("_bucket").unwrap_or(name))
}

/// All texts that a document has under this name.
fn texts<'a>(document: &'a Value, name: &str) -> Vec<&'a str> {
    match document {
        Value::Array(items) => items.iter().flat_map(|item| texts(item, name)).collect(),
        Value::Object(members) => {
            let own = members.get(name).and_then(Value::as_str);
            own.into_iter().chain(members.values().flat_map(|member| texts(member, name))).collect()
        }
        _ => Vec::new(),
    }
}

fn assert_documented(names: &BTreeSet<&str>) {
    assert!(names.len() > 5, "there is something to look at: {names:?}");
    let unknown: Vec<_> = names.iter().filter(|name| !METRICS.contains(&format!("| `{name}` |"))).collect();
    assert!(unknown.is_empty(), "no metric of ours: {unknown:?}");
}

#[test]
fn alerts_and_dashboard_ask_for_metrics_that_there_are() {
    assert_documented(&metrics(ALERTS).collect());
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    assert_documented(&texts(&dashboard, "expr").into_iter().flat_map(metrics).collect());
}

#[test]
fn every_alert_is_explained_where_it_says_and_none_is_that_does_not_exist() {
    let alerts: BTreeSet<_> = ALERTS.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let explained: BTreeSet<_> = OPERATING.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    assert_eq!(alerts, explained);
    for alert in alerts {
        let runbook = format!("runbook: docs/operating.md#{}\n", alert.to_lowercase());
        assert!(ALERTS.contains(&runbook), "{alert}");
    }
}
