//! The families, by the text that they are shown as.

use std::convert::Infallible;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::FutureExt;
use strum::IntoStaticStr;

use super::*;

#[derive(Clone, Copy, PartialEq, strum::VariantArray, IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
enum Fruit {
    Apple,
    WaterMelon,
}

/// The samples whose names begin so.
fn shown(metrics: &Metrics, name: &str) -> Vec<String> {
    let text = metrics.text().unwrap();
    text.lines().filter(|line| line.starts_with(name)).map(str::to_owned).collect()
}

#[test]
fn a_service_says_which_it_is_and_what_its_process_needs() {
    let metrics = Metrics::new("greeter", "1.2.3");
    assert_eq!(shown(&metrics, "latchkey_build"), [r#"latchkey_build_info{service="greeter",version="1.2.3"} 1"#]);
    for name in ["process_resident_memory_bytes ", "process_cpu_seconds_total ", "process_open_fds "] {
        assert_eq!(shown(&metrics, name).len(), 1, "{name}");
    }
}

#[test]
fn services_in_one_process_show_their_own_numbers() {
    let [one, other] = ["one", "other"].map(|name| Metrics::new(name, "1"));
    let counters = Counters::new("fruits_total", "Fruits.", "fruit");
    one.register(counters.clone());
    counters.count(Fruit::Apple);
    assert!(other.text().unwrap().contains("latchkey_build_info{service=\"other\""));
    assert!(shown(&other, "fruits_total").is_empty());
}

#[test]
fn every_value_of_a_label_is_there_from_the_start() {
    let metrics = Metrics::new("greeter", "1");
    let counters = Counters::new("fruits_total", "Fruits.", "fruit");
    metrics.register(counters.clone());
    let counts = |apples, melons| {
        vec![
            format!(r#"fruits_total{{fruit="apple"}} {apples}"#),
            format!(r#"fruits_total{{fruit="water_melon"}} {melons}"#),
        ]
    };
    assert_eq!(shown(&metrics, "fruits_total"), counts(0, 0));
    counters.count(Fruit::WaterMelon);
    counters.count_many(Fruit::WaterMelon, 2);
    counters.count_many(Fruit::Apple, 0);
    assert_eq!(shown(&metrics, "fruits_total"), counts(0, 3));
}

#[tokio::test]
async fn failures_are_timed_and_counted_and_what_nobody_waited_for_is_not() {
    let metrics = Metrics::new("greeter", "1");
    let timings = Timings::new("picking", "the picking of fruits");
    metrics.register(timings.clone());
    let picked = timings.time(Fruit::Apple, async { Ok::<_, Infallible>(7) }).await;
    assert_eq!(picked, Ok(7));
    assert_eq!(timings.time(Fruit::Apple, async { Err::<(), _>("rotten") }).await, Err("rotten"));
    assert!(timings.time(Fruit::WaterMelon, pending::<Result<(), ()>>()).now_or_never().is_none());
    assert_eq!(
        shown(&metrics, "latchkey_picking_duration_seconds_count"),
        [
            r#"latchkey_picking_duration_seconds_count{operation="apple"} 2"#,
            r#"latchkey_picking_duration_seconds_count{operation="water_melon"} 0"#
        ]
    );
    assert_eq!(
        shown(&metrics, "latchkey_picking_failures_total"),
        [
            r#"latchkey_picking_failures_total{operation="apple"} 1"#,
            r#"latchkey_picking_failures_total{operation="water_melon"} 0"#
        ]
    );
}

#[test]
fn counters_that_are_kept_elsewhere_are_read_at_each_scrape() {
    let (metrics, kept) = (Metrics::new("greeter", "1"), Arc::new(AtomicU64::new(7)));
    let read = kept.clone();
    metrics.register(CountersKeptElsewhere::new("kept_total", "Kept.", &["place"], move |counters| {
        counters.with_label_values(&["elsewhere"]).inc_by(read.load(Ordering::Relaxed));
    }));
    assert_eq!(shown(&metrics, "kept_total"), [r#"kept_total{place="elsewhere"} 7"#]);
    kept.store(8, Ordering::Relaxed);
    assert_eq!(shown(&metrics, "kept_total"), [r#"kept_total{place="elsewhere"} 8"#]);
}
