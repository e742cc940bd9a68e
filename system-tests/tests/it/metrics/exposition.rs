//! Reads the Prometheus text format 0.0.4, strictly, and holds it to what Prometheus advises: help and type for every metric, each metric in
//! one place, no series twice, counters ending in `_total`, times in seconds, histograms that add up.

use std::collections::{BTreeMap, BTreeSet};

/// What a text shows.
pub(super) struct Exposition {
    /// Every metric by its name.
    pub(super) metrics: BTreeMap<String, Metric>,
    /// Every series as it is written, with its labels sorted and without those that are empty.
    pub(super) series: BTreeMap<String, f64>,
}

/// One metric: its type, and the labels of its series but for a histogram's `le`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Metric {
    pub(super) kind: String,
    pub(super) labels: BTreeSet<String>,
}

/// One sample: the name, its labels, its value.
struct Sample<'text> {
    name: &'text str,
    labels: BTreeMap<&'text str, &'text str>,
    value: f64,
}

/// Reads a text.
///
/// # Panics
///
/// Where Prometheus or its linter would complain, with what is wrong.
pub(super) fn parse(text: &str) -> Exposition {
    assert!(text.ends_with('\n'), "the last line has no end");
    let (mut series, mut metrics) = (BTreeMap::new(), BTreeMap::new());
    let mut lines = text.lines().peekable();
    while let Some(help) = lines.next() {
        let (name, help) = comment(help, "HELP");
        assert!(help.ends_with('.'), "{name} has no help");
        let (typed, kind) = comment(lines.next().expect("a type"), "TYPE");
        assert_eq!(typed, name, "the type of another");
        let mut samples = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with('#')) {
            samples.push(sample(line));
        }
        check_metric(name, kind, &samples);
        let labels = samples.iter().flat_map(|sample| sample.labels.keys()).filter(|label| **label != "le");
        let metric = Metric { kind: kind.to_owned(), labels: labels.map(|label| (*label).to_owned()).collect() };
        assert!(metrics.insert(name.to_owned(), metric).is_none(), "{name} comes twice");
        for Sample { name, labels, value } in samples {
            let series_name = named(name, &labels);
            assert!(series.insert(series_name.clone(), value).is_none(), "{series_name} comes twice");
        }
    }
    Exposition { metrics, series }
}

fn comment<'text>(line: &'text str, kind: &str) -> (&'text str, &'text str) {
    let rest = line.strip_prefix("# ").and_then(|rest| rest.strip_prefix(kind)).and_then(|rest| rest.strip_prefix(' '));
    rest.and_then(|rest| rest.split_once(' ')).unwrap_or_else(|| panic!("no {kind}: {line}"))
}

fn sample(line: &str) -> Sample<'_> {
    let (series, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value: {line}"));
    let (name, labels) = match series.split_once('{') {
        None => (series, BTreeMap::new()),
        Some((name, labels)) => (name, read_labels(labels.strip_suffix('}').unwrap_or_else(|| panic!("{line}")))),
    };
    assert!(is_name(name) && name.starts_with(|first: char| first.is_ascii_lowercase()), "{line}");
    let value = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
    Sample { name, labels, value }
}

/// `a="x",b="y"`. A value that would have to be escaped has no business in a label of ours.
fn read_labels(text: &str) -> BTreeMap<&str, &str> {
    let mut labels = BTreeMap::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"").unwrap_or_else(|| panic!("no label: {rest}"));
        let (value, after) = after.split_once('"').unwrap_or_else(|| panic!("an open value: {rest}"));
        assert!(is_name(name) && !value.contains('\\'), "{rest}");
        assert!(labels.insert(name, value).is_none(), "{name} comes twice: {text}");
        rest = after.strip_prefix(',').unwrap_or_else(|| {
            assert!(after.is_empty(), "{text}");
            after
        });
    }
    labels
}

fn is_name(text: &str) -> bool {
    let is_inner = |character: char| character.is_ascii_alphanumeric() || character == '_';
    !text.starts_with(|first: char| first.is_ascii_digit()) && !text.is_empty() && text.chars().all(is_inner)
}

fn check_metric(name: &str, kind: &str, samples: &[Sample<'_>]) {
    assert!(name.starts_with("latchkey_") || name.starts_with("process_"), "{name}");
    assert!(!samples.is_empty(), "{name} is announced and not there");
    match kind {
        "counter" => {
            assert!(name.ends_with("_total"), "{name} counts and does not say so");
            assert!(samples.iter().all(|sample| sample.name == name && sample.value >= 0.0), "{name}");
        }
        "gauge" => {
            assert!(!["_total", "_count", "_sum", "_bucket"].iter().any(|suffix| name.ends_with(suffix)), "{name}");
            assert!(samples.iter().all(|sample| sample.name == name), "{name}");
        }
        "histogram" => check_histogram(name, samples),
        other => panic!("{name} is of the unknown type {other}"),
    }
}

/// The samples of one histogram: the bounds with their counts, in the order of the text.
#[derive(Default)]
struct Histogram {
    buckets: Vec<(f64, f64)>,
    sum: Option<f64>,
    count: Option<f64>,
}

fn check_histogram(name: &str, samples: &[Sample<'_>]) {
    assert!(name.ends_with("_seconds"), "{name} measures no time");
    let mut histograms: BTreeMap<_, Histogram> = BTreeMap::new();
    for sample in samples {
        let mut labels = sample.labels.clone();
        let bound = labels.remove("le").map(|bound| bound.parse::<f64>().expect("a bound"));
        let histogram = histograms.entry(labels).or_default();
        match (sample.name.strip_prefix(name), bound) {
            (Some("_bucket"), Some(bound)) => histogram.buckets.push((bound, sample.value)),
            (Some("_sum"), None) => assert!(histogram.sum.replace(sample.value).is_none(), "{name}"),
            (Some("_count"), None) => assert!(histogram.count.replace(sample.value).is_none(), "{name}"),
            _ => panic!("{} among the samples of {name}", sample.name),
        }
    }
    for (labels, Histogram { buckets, sum, count }) in histograms {
        assert!(buckets.is_sorted_by(|one, other| one.0 < other.0 && one.1 <= other.1), "{name} {labels:?}");
        assert_eq!(buckets.last().copied(), count.map(|count| (f64::INFINITY, count)), "{name} {labels:?}");
        assert!(sum.is_some_and(|sum| sum >= 0.0), "{name} {labels:?}");
    }
}

fn named(name: &str, labels: &BTreeMap<&str, &str>) -> String {
    let labels = labels.iter().filter(|(_, value)| !value.is_empty());
    let labels: Vec<_> = labels.map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    if labels.is_empty() { name.to_owned() } else { format!("{name}{{{}}}", labels.join(",")) }
}
