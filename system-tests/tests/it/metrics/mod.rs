//! `GET /metrics` of both services: after known traffic the counts are exact, whatever the storage; the text is what Prometheus reads;
//! and nothing in it grows with users or tells of them.

#![allow(clippy::float_cmp, reason = "counts are whole numbers, which a float holds exactly")]

mod counts;
mod documented;
mod exposition;
mod failures;
mod labels;
mod prometheus;
mod requests;
mod stores;
mod verifications;

use std::collections::BTreeMap;

use system_tests::client::{Answered, Client};

use self::exposition::Exposition;

/// One look at a service's metrics.
pub(crate) struct Scrape(Exposition);

impl Scrape {
    pub(crate) async fn of(client: &Client) -> Self {
        let answer = client.get("/metrics").answer().await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        Self(exposition::parse(&answer.body))
    }

    /// Every series, as `name{label="value",…}` with the labels in alphabetical order and without those that are empty.
    fn series(&self) -> &BTreeMap<String, f64> {
        &self.0.series
    }

    #[track_caller]
    pub(crate) fn value(&self, series: &str) -> f64 {
        *self.series().get(series).unwrap_or_else(|| panic!("there is no {series} in {:#?}", self.series()))
    }

    /// What of a metric has changed since an earlier look, and by how much. What is new was 0 before.
    pub(crate) fn changes_since(&self, before: &Self, metric: &str) -> BTreeMap<String, f64> {
        let of_metric = self.series().iter().filter(|(series, _)| series.split('{').next() == Some(metric));
        let change = |(series, value): (&String, &f64)| {
            let change = value - before.series().get(series).copied().unwrap_or_default();
            let labels = series.strip_prefix(metric).expect("it begins with its name");
            (change != 0.0).then(|| (labels.trim_matches(['{', '}']).replace('"', ""), change))
        };
        of_metric.filter_map(change).collect()
    }

    /// Asserts that exactly this of a metric has changed, each `label=value,…` by so many.
    #[track_caller]
    pub(crate) fn assert_changes(&self, before: &Self, metric: &str, expected: &[(&str, u32)]) {
        let expected = expected.iter().map(|(labels, count)| ((*labels).to_owned(), f64::from(*count)));
        assert_eq!(self.changes_since(before, metric), expected.collect(), "{metric}");
    }
}
