//! docs/metrics.md lists every metric with its type and its labels, and none that is not there.

use std::collections::BTreeMap;

use serde_json::json;
use system_tests::client::Answered;
use system_tests::site::Storage::Distributed;
use system_tests::stack::Stack;

use super::Scrape;
use super::exposition::Metric;

const PAGE: &str = include_str!("../../../../docs/metrics.md");

/// The rows of the page's tables: `` | `name` | type | `label`, `label` | … | ``, each of a service that is told above the table.
fn documented(service: &str) -> BTreeMap<String, Metric> {
    let sections =
        PAGE.split("\n## ").filter(|section| section.lines().next().is_some_and(|title| title.contains(service)));
    let rows = sections.flat_map(str::lines).filter(|line| line.starts_with("| `"));
    let metric = |row: &str| {
        let cells: Vec<_> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [name, kind, labels, _] = cells.as_slice() else { panic!("not four cells: {row}") };
        let labels = labels.split(',').map(|label| label.trim().trim_matches('`').to_owned());
        let labels = labels.filter(|label| !label.is_empty()).collect();
        (name.trim_matches('`').to_owned(), Metric { kind: (*kind).to_owned(), labels })
    };
    rows.map(metric).collect()
}

#[tokio::test]
async fn the_page_lists_every_metric_of_both_services_and_no_other() {
    let stack = Stack::start(Distributed).await;
    let running = stack.jobs_service().await;
    let (auth, jobs) = (stack.client(), running.client());
    // Requests are shown from the first on.
    auth.post("/login", &json!({})).answer().await;
    jobs.get("/job-list").answer().await;
    let own = Scrape::of(&auth).await.0.metrics;
    assert_eq!(own, [documented("Every service"), documented("auth-service")].into_iter().flatten().collect());
    assert_eq!(Scrape::of(&jobs).await.0.metrics, documented("Every service"));
}
