//! Is there an order in which these operations, done one after the other, would have been answered as they were? If each lies within
//! its call and its return, the history is linearizable (Herlihy and Wing, 1990). The search is Wing and Gong's with Lowe's
//! remembered states: it goes back and forth over what may have come next, and never looks at the same state twice.

use std::collections::HashMap;

use auth_service::domain::session::SessionRules;

use super::history::{Names, Operation};
use super::machine::Machine;

/// The longest history that is looked at.
pub const MOST_OPERATIONS: usize = 128;
/// States that are looked at before a history is given up as undecided.
const MOST_STATES: usize = 1_000_000;
/// The same for each try to leave an operation out of a history that has no order: it is one of very many.
const MOST_STATES_WHILE_SHORTENING: usize = 5_000;

/// A history that has no order.
#[derive(Debug, thiserror::Error)]
#[error("these answers contradict each other, whatever came of the other calls:\n{told}")]
pub struct Violation {
    /// The answers that contradict each other.
    pub core: Vec<Operation>,
    told: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    HasOrder,
    HasNone,
    Undecided,
}

/// Finds an order, or the shortest part of the history that has none.
///
/// # Panics
///
/// Where the history is too long, or so tangled that no verdict is found in reasonable time: such a run proves nothing.
pub fn check(operations: &[Operation], rules: &SessionRules) -> Result<(), Violation> {
    assert!(operations.len() <= MOST_OPERATIONS, "a history of {} operations is too long", operations.len());
    match search(operations, &[], rules, MOST_STATES) {
        Verdict::HasOrder => Ok(()),
        Verdict::HasNone => {
            let core = shortened(operations, rules);
            let told = Names::of(operations).tell(&core);
            Err(Violation { core, told })
        }
        Verdict::Undecided => {
            panic!("undecided after {MOST_STATES} states:\n{}", Names::of(operations).tell(operations))
        }
    }
}

/// What remains when first the end of the history is cut off as far as may be, and then each operation is made one that may have been
/// done or not, with any answer, as long as there is still no order.
fn shortened(operations: &[Operation], rules: &SessionRules) -> Vec<Operation> {
    let mut returns: Vec<u64> = operations.iter().filter_map(returned_at).collect();
    returns.sort_unstable();
    let has_none = |end: u64| search(&until(operations, end), &[], rules, MOST_STATES) == Verdict::HasNone;
    let first = returns.partition_point(|end| !has_none(*end));
    let operations = until(operations, returns[first.min(returns.len() - 1)]);
    let mut is_optional = vec![false; operations.len()];
    for number in (0..operations.len()).rev() {
        is_optional[number] = true;
        let verdict = search(&operations, &is_optional, rules, MOST_STATES_WHILE_SHORTENING);
        is_optional[number] = verdict == Verdict::HasNone;
    }
    let kept = operations.into_iter().zip(is_optional).filter(|(_, is_optional)| !is_optional);
    kept.map(|(operation, _)| operation).filter(|operation| operation.returned.is_some()).collect()
}

/// The history as it was known at that moment.
fn until(operations: &[Operation], end: u64) -> Vec<Operation> {
    let begun = operations.iter().filter(|operation| operation.called < end).cloned();
    let known = |operation: Operation| {
        let is_late = returned_at(&operation).is_some_and(|at| at > end);
        if is_late { Operation { returned: None, ..operation } } else { operation }
    };
    begun.map(known).collect()
}

fn returned_at(operation: &Operation) -> Option<u64> {
    operation.returned.as_ref().map(|(at, _)| *at)
}

struct Search<'a> {
    operations: &'a [Operation],
    is_optional: &'a [bool],
    rules: &'a SessionRules,
    seen: HashMap<u128, Vec<Machine>>,
    left: usize,
}

fn search(operations: &[Operation], is_optional: &[bool], rules: &SessionRules, most_states: usize) -> Verdict {
    let mut search = Search { operations, is_optional, rules, seen: HashMap::new(), left: most_states };
    search.go_on(0, &Machine::new())
}

impl Search<'_> {
    /// `done` has a bit for each operation that has its place in the order, or was left out.
    fn go_on(&mut self, done: u128, machine: &Machine) -> Verdict {
        let open = || (0..self.operations.len()).filter(move |number| done & (1 << number) == 0);
        // Whatever comes next was called before any of the others had returned.
        let Some(first_return) = open().filter_map(|number| returned_at(&self.operations[number])).min() else {
            return Verdict::HasOrder;
        };
        let next: Vec<_> = open().filter(|number| self.operations[*number].called < first_return).collect();
        let seen = self.seen.entry(done).or_default();
        if seen.contains(machine) {
            return Verdict::HasNone;
        }
        if self.left == 0 {
            return Verdict::Undecided;
        }
        self.left -= 1;
        seen.push(machine.clone());
        let mut verdict = Verdict::HasNone;
        for number in next {
            let found = self.place(number, done, machine);
            if found == Verdict::HasOrder {
                return found;
            }
            if found == Verdict::Undecided {
                verdict = found;
            }
        }
        verdict
    }

    /// Puts this operation next, if that could have been.
    fn place(&mut self, number: usize, done: u128, machine: &Machine) -> Verdict {
        let operation = &self.operations[number];
        let is_optional = self.is_optional.get(number).copied().unwrap_or_default();
        let mut after = machine.clone();
        let answer = after.run(number, operation, self.rules);
        // A call that was not answered may as well be left out where it would change nothing.
        if operation.returned.is_none() && after == *machine {
            return Verdict::HasNone;
        }
        let is_as_answered = operation.returned.as_ref().is_none_or(|(_, outcome)| *outcome == answer);
        let done = done | (1 << number);
        let mut verdict = Verdict::HasNone;
        if is_as_answered || is_optional {
            verdict = self.go_on(done, &after);
        }
        if is_optional && verdict == Verdict::HasNone {
            verdict = self.go_on(done, machine);
        }
        verdict
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use shared_claims::{SessionRandom, random};

    use super::super::history::{Call, Identity, Outcome};
    use super::super::linearizable::RULES;
    use super::*;

    /// One client's calls, one after the other; those without an outcome have none that anybody knows.
    fn history(calls: Vec<(Call, Option<Outcome>)>) -> Vec<Operation> {
        let operations = calls.into_iter().zip(0_u64..).map(|((call, outcome), number)| {
            let returned = outcome.map(|outcome| (2 * number + 1, outcome));
            Operation { client: 0, call, called: 2 * number, returned }
        });
        operations.collect()
    }

    /// A login, many calls without an answer, and two refreshes that go on to these generations.
    fn with_many_unanswered(unanswered: fn(Identity) -> Call, generations: [u64; 2]) -> Vec<Operation> {
        let session = Identity { id: random::uuid(), random: SessionRandom::generate() };
        let refresh = |generation| Call::Refresh { session, generation, key: Some(0) };
        let mut calls = vec![(Call::Login, Some(Outcome::SignedIn(session, BTreeSet::new())))];
        calls.extend((0..30).map(|_| (unanswered(session), None)));
        for (generation, to) in (0..).zip(generations) {
            calls.push((refresh(generation), Some(Outcome::Granted(to))));
        }
        history(calls)
    }

    #[test]
    fn calls_without_an_answer_that_would_change_nothing_do_not_hide_a_contradiction() {
        let lists = |session: Identity| Call::List(session.id);
        check(&with_many_unanswered(lists, [1, 2]), &RULES).expect("there is an order");
        let violation = check(&with_many_unanswered(lists, [1, 5]), &RULES).expect_err("no token is of generation 5");
        let refreshes = |operation: &Operation| matches!(operation.call, Call::Refresh { generation: 1, .. });
        assert!(violation.core.iter().any(refreshes), "{violation}");
    }
}
