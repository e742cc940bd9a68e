//! Families of counters and of times whose labels are enums: what a label can say is known when the program is built, each value is
//! shown from the start, and none comes from a request.

use std::future::Future;
use std::marker::PhantomData;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts};
use strum::VariantArray;
use tracing::Instrument;

use super::WELL_FORMED;
use crate::stopwatch::Stopwatch;
use crate::telemetry;

/// The bounds of all times in seconds: from what a lookup in memory takes to what no answer may.
pub(super) const BUCKETS: [f64; 15] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// What a label can say: an enum that derives `VariantArray` and `IntoStaticStr` of strum.
pub trait Label: VariantArray + Into<&'static str> + Copy + PartialEq + Send + Sync {}

impl<L: VariantArray + Into<&'static str> + Copy + PartialEq + Send + Sync> Label for L {}

fn position<L: Label>(value: L) -> usize {
    L::VARIANTS.iter().position(|variant| *variant == value).expect("strum lists every variant")
}

fn opts_of_durations(name: &str, help: &str) -> HistogramOpts {
    HistogramOpts::new(name, help).buckets(BUCKETS.to_vec())
}

pub(super) fn durations_by(name: &str, help: &str, labels: &[&str]) -> HistogramVec {
    HistogramVec::new(opts_of_durations(name, help), labels).expect(WELL_FORMED)
}

/// A histogram of times in seconds; its name ends in `_seconds`.
pub fn durations(name: &str, help: &str) -> Histogram {
    Histogram::with_opts(opts_of_durations(name, help)).expect(WELL_FORMED)
}

/// A counter for each value of one label. Cloning it gives the same ones again.
#[derive(Clone)]
pub struct Counters<L> {
    family: IntCounterVec,
    // By the position of the value: neither a lock nor a look-up when something is counted.
    each: Vec<IntCounter>,
    label: PhantomData<L>,
}

impl<L: Label> Counters<L> {
    /// Counters at 0. The name ends in `_total`.
    pub fn new(name: &str, help: &str, label: &str) -> Self {
        let family = IntCounterVec::new(Opts::new(name, help), &[label]).expect(WELL_FORMED);
        let each = L::VARIANTS.iter().map(|value| family.with_label_values(&[(*value).into()])).collect();
        Self { family, each, label: PhantomData }
    }

    /// Counts one more.
    pub fn count(&self, value: L) {
        self.count_many(value, 1);
    }

    /// Counts so many more.
    pub fn count_many(&self, value: L, many: usize) {
        self.each[position(value)].inc_by(many as u64);
    }
}

/// How long each kind of operation takes, and how many of them failed. Cloning it gives the same ones again.
#[derive(Clone)]
pub struct Timings<L> {
    family: HistogramVec,
    each: Vec<Histogram>,
    failures: Counters<L>,
    name: &'static str,
}

impl<L: Label> Timings<L> {
    /// The metrics `latchkey_NAME_duration_seconds` and `latchkey_NAME_failures_total` of what the help calls `subject`, with the label `operation`.
    pub fn new(name: &'static str, subject: &str) -> Self {
        let help = format!("Time that an operation of {subject} took, failed ones included.");
        let family = durations_by(&format!("latchkey_{name}_duration_seconds"), &help, &["operation"]);
        let each = L::VARIANTS.iter().map(|value| family.with_label_values(&[(*value).into()])).collect();
        let help = format!("Operations of {subject} that failed.");
        Self {
            family,
            each,
            failures: Counters::new(&format!("latchkey_{name}_failures_total"), &help, "operation"),
            name,
        }
    }

    /// Waits for an operation, within a span of its own, and notes how it went. One that nobody waits for any more is not counted.
    pub async fn time<T, E>(&self, operation: L, outcome: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let stopwatch = Stopwatch::start();
        let span = telemetry::step(self.name, operation.into());
        let outcome = outcome.instrument(span.clone()).await;
        self.each[position(operation)].observe(stopwatch.elapsed().as_secs_f64());
        if outcome.is_err() {
            self.failures.count(operation);
            telemetry::step_failed(&span);
        }
        outcome
    }
}

/// Counters whose numbers are kept elsewhere, and read at each scrape.
pub struct CountersKeptElsewhere<F> {
    opts: Opts,
    labels: Vec<&'static str>,
    description: IntCounterVec,
    read: F,
}

impl<F: Fn(&IntCounterVec) + Send + Sync> CountersKeptElsewhere<F> {
    /// `read` is given counters at 0, and sets them. What it puts into labels must be few and known.
    pub fn new(name: &str, help: &str, labels: &[&'static str], read: F) -> Self {
        let opts = Opts::new(name, help);
        let description = IntCounterVec::new(opts.clone(), labels).expect(WELL_FORMED);
        Self { opts, labels: labels.to_vec(), description, read }
    }
}

impl<L: Label> Collector for Counters<L> {
    fn desc(&self) -> Vec<&Desc> {
        self.family.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.family.collect()
    }
}

impl<L: Label> Collector for Timings<L> {
    fn desc(&self) -> Vec<&Desc> {
        [self.family.desc(), self.failures.desc()].concat()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        [self.family.collect(), self.failures.collect()].concat()
    }
}

impl<F: Fn(&IntCounterVec) + Send + Sync> Collector for CountersKeptElsewhere<F> {
    fn desc(&self) -> Vec<&Desc> {
        self.description.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let counters = IntCounterVec::new(self.opts.clone(), &self.labels).expect(WELL_FORMED);
        (self.read)(&counters);
        counters.collect()
    }
}
