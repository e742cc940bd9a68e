//! Rows of the table: a goal, what each round has shown, and how quiet the machine was. Printed as they come; a whole run is also written
//! into `docs/performance.md`.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use crate::machine::Load;

const BEGIN: &str = "<!-- make bench writes from here -->";
const END: &str = "<!-- make bench writes to here -->";

/// What a row shall show.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal {
    /// A part of the other side's rate, at the least.
    PartAtLeast(f64),
    /// So many times the other side's rate, at the least.
    TimesAtLeast(f64),
    /// So many times the other side's time, at the most.
    TimesAtMost(f64),
    /// So many MB, at the most.
    MegabytesAtMost(f64),
}

impl Goal {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::PartAtLeast(goal) | Self::TimesAtLeast(goal) => value >= goal,
            Self::TimesAtMost(goal) | Self::MegabytesAtMost(goal) => value <= goal,
        }
    }

    fn show(self, value: f64) -> String {
        match self {
            Self::PartAtLeast(_) => format!("{:.0} %", value * 100.0),
            Self::TimesAtLeast(_) | Self::TimesAtMost(_) => format!("{value:.2} ×"),
            Self::MegabytesAtMost(_) => format!("{value:.1} MB"),
        }
    }

    fn text(self) -> String {
        match self {
            Self::PartAtLeast(goal) | Self::TimesAtLeast(goal) => format!("≥ {}", self.show(goal)),
            Self::TimesAtMost(goal) if goal < 1.0 => format!("≤ 1/{:.0}", 1.0 / goal),
            Self::TimesAtMost(goal) | Self::MegabytesAtMost(goal) => format!("≤ {}", self.show(goal)),
        }
    }
}

/// One comparison, measured.
pub(crate) struct Row {
    pub(crate) this: String,
    pub(crate) against: String,
    pub(crate) goal: Goal,
    /// What is held against the goal, one value for each round.
    pub(crate) values: Vec<f64>,
    /// The absolute figures behind it, for this machine.
    pub(crate) figures: String,
    pub(crate) load: Load,
}

impl Row {
    fn line(&self) -> String {
        let median = median(&self.values);
        let (low, high) = spread(&self.values);
        let met = if self.goal.is_met(median) { "yes" } else { "**no**" };
        let unsure = if self.load.is_quiet() { "" } else { " (unsure)" };
        format!(
            "| {} | {} | {} | {} | {} – {} | {met}{unsure} | {} | {:.0} % · {:.0} % |",
            self.this,
            self.against,
            self.goal.text(),
            self.goal.show(median),
            self.goal.show(low),
            self.goal.show(high),
            self.figures,
            self.load.steal * 100.0,
            self.load.others * 100.0,
        )
    }

    /// As it is printed while the run goes on.
    pub(crate) fn print(&self) {
        println!("{}", self.line());
    }
}

/// The value in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => sorted[count / 2],
        count => f64::midpoint(sorted[count / 2 - 1], sorted[count / 2]),
    }
}

fn spread(values: &[f64]) -> (f64, f64) {
    let fold = |start: f64, pick: fn(f64, f64) -> f64| values.iter().copied().fold(start, pick);
    (fold(f64::INFINITY, f64::min), fold(f64::NEG_INFINITY, f64::max))
}

/// A rate with a blank between thousands.
pub(crate) fn rate(per_second: f64) -> String {
    let digits = format!("{per_second:.0}");
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text + "/s"
}

/// The head of the table.
pub(crate) const HEAD: &str = "\
| this | against | goal | median | spread | met | figures | steal · others |
| --- | --- | --- | --- | --- | --- | --- | --- |";

/// Writes the table between the marks in a page.
pub(crate) fn write(page: &Path, machine: &str, method: &str, rows: &[Row]) -> io::Result<()> {
    let text = fs::read_to_string(page)?;
    let (before, rest) = text.split_once(BEGIN).ok_or(io::ErrorKind::InvalidData)?;
    let (_, after) = rest.split_once(END).ok_or(io::ErrorKind::InvalidData)?;
    let mut table = String::new();
    for row in rows {
        writeln!(table, "{}", row.line()).expect("a text grows");
    }
    fs::write(page, format!("{before}{BEGIN}\n{machine}\n\n{method}\n\n{HEAD}\n{table}{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_value_in_the_middle() {
        let medians = [median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0, 2.0, 3.0])];
        assert_eq!(medians.map(|median| format!("{median:.1}")), ["2.0", "2.5"]);
    }

    #[test]
    fn thousands_are_told_apart() {
        assert_eq!([999.6, 12_345.0, 1_234_567.0].map(rate), ["1 000/s", "12 345/s", "1 234 567/s"]);
    }

    #[test]
    fn a_goal_is_met_from_the_side_that_it_names() {
        assert!(Goal::PartAtLeast(0.8).is_met(0.8) && !Goal::PartAtLeast(0.8).is_met(0.79));
        assert!(Goal::TimesAtMost(2.0).is_met(2.0) && !Goal::TimesAtMost(2.0).is_met(2.01));
        assert_eq!(Goal::TimesAtMost(0.125).text(), "≤ 1/8");
    }

    #[test]
    fn a_row_from_a_busy_machine_is_unsure() {
        let load = Load { steal: 0.06, others: 0.05 };
        let (this, against) = ("this".to_owned(), "that".to_owned());
        let row = Row { this, against, goal: Goal::PartAtLeast(0.8), values: vec![0.9], figures: String::new(), load };
        assert!(row.line().contains("yes (unsure)"), "{}", row.line());
    }
}
