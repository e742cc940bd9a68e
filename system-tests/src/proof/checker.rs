//! Is there an order in which these operations, done one after the other, would have been answered as they were? If each lies within
//! its call and its return, the history is linearizable (Herlihy and Wing, 1990). The search is Wing and Gong's with Lowe's
//! remembered states: it goes back and forth over what may have come next, and never looks at the same state twice. Of a state only that
//! is remembered which can still matter.

use std::collections::HashSet;

use auth_service::domain::session::{REMEMBERED_ENDINGS, SessionRules};
use uuid::Uuid;

use super::history::{Call, Names, Operation};
use super::machine::{Machine, State};

/// The longest history that is looked at.
pub const MOST_OPERATIONS: usize = 128;
/// States that are looked at before a history is given up as undecided.
const MOST_STATES: usize = 1_000_000;
/// The same for each try to leave an operation out of a history that has no order: it is one of very many.
const MOST_STATES_WHILE_SHORTENING: usize = 100_000;

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

/// Finds an order, or a part of the history that has none and that nothing can be left out of.
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
    // Of so many logins, some endings may be forgotten.
    may_forget: bool,
    seen: HashSet<(u128, State)>,
    left: usize,
}

fn search(operations: &[Operation], is_optional: &[bool], rules: &SessionRules, most_states: usize) -> Verdict {
    let logins = operations.iter().filter(|operation| operation.call == Call::Login).count();
    let may_forget = logins > REMEMBERED_ENDINGS;
    let mut search = Search { operations, is_optional, rules, may_forget, seen: HashSet::new(), left: most_states };
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
        let here = (done, self.state(open(), machine));
        if self.seen.contains(&here) {
            return Verdict::HasNone;
        }
        if self.left == 0 {
            return Verdict::Undecided;
        }
        self.left -= 1;
        self.seen.insert(here);
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

    /// What of the machine can matter to those that have no place yet.
    fn state(&self, open: impl Iterator<Item = usize>, machine: &Machine) -> State {
        let (mut presented, mut asked_after): (Vec<Uuid>, Vec<Uuid>) = Default::default();
        for number in open {
            if let Call::Refresh { session, .. } = self.operations[number].call {
                presented.push(session.id);
                if self.operations[number].returned.is_some() && !self.is_optional(number) {
                    asked_after.push(session.id);
                }
            }
        }
        machine.state(&presented, &asked_after, self.may_forget, self.rules)
    }

    fn is_optional(&self, number: usize) -> bool {
        self.is_optional.get(number).copied().unwrap_or_default()
    }

    /// Puts this operation next, if that could have been.
    fn place(&mut self, number: usize, done: u128, machine: &Machine) -> Verdict {
        let operation = &self.operations[number];
        let is_optional = self.is_optional(number);
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

    use auth_service::domain::session::Which;
    use proptest::prelude::*;
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

    /// The definition itself, with nothing remembered and nothing left out.
    fn has_order(operations: &[Operation], is_optional: &[bool], done: u128, machine: &Machine) -> bool {
        let open = || (0..operations.len()).filter(|number| done & (1 << number) == 0);
        let Some(first_return) = open().filter_map(|number| returned_at(&operations[number])).min() else {
            return true;
        };
        open().filter(|number| operations[*number].called < first_return).any(|number| {
            let (operation, mut after) = (&operations[number], machine.clone());
            let answer = after.run(number, operation, &RULES);
            let is_as_answered = operation.returned.as_ref().is_none_or(|(_, outcome)| *outcome == answer);
            let done = done | (1 << number);
            (is_as_answered || is_optional[number]) && has_order(operations, is_optional, done, &after)
                || is_optional[number] && has_order(operations, is_optional, done, machine)
        })
    }

    fn identity(login: usize) -> Identity {
        Identity { id: Uuid::from_u128(login as u128), random: SessionRandom([1; 16]) }
    }

    fn call() -> impl Strategy<Value = Call> {
        let what = (0..2_usize, 0..2_usize, 0..2_u64, prop::option::of(0..2_u8), 0..18_u8);
        what.prop_map(|(session, other, generation, key, kind)| {
            let (session, other) = (identity(session), identity(other));
            match kind {
                0 => Call::Login,
                1 | 2 => Call::Logout(session),
                3..6 => Call::End(session.id, Which::One(other.id)),
                6 => Call::End(session.id, Which::All),
                7 => Call::End(session.id, Which::AllBut(session.id)),
                8 => Call::List(session.id),
                _ => Call::Refresh { session, generation, key },
            }
        })
    }

    /// What became of a call, and what is known of that.
    #[derive(Debug, Clone, Copy)]
    enum Fate {
        Answered,
        /// As if nobody had ever logged in.
        AnsweredWrongly,
        Unanswered {
            is_done: bool,
        },
        Optional {
            is_done: bool,
        },
    }

    fn fate() -> impl Strategy<Value = Fate> {
        let unanswered = any::<bool>().prop_map(|is_done| Fate::Unanswered { is_done });
        let optional = any::<bool>().prop_map(|is_done| Fate::Optional { is_done });
        prop_oneof![8 => Just(Fate::Answered), 1 => Just(Fate::AnsweredWrongly), 2 => unanswered, 4 => optional]
    }

    /// Two logins and a few calls, done in the order in which they are here, each within a time that reaches over others; and which of
    /// them are optional.
    fn short_history() -> impl Strategy<Value = (Vec<Operation>, Vec<bool>)> {
        let one = (call(), fate(), 0..45_u64, 1..45_u64);
        prop::collection::vec(one, 1..6).prop_map(|calls| {
            let logins = (0..2).map(|_| (Call::Login, Fate::Answered, 0, 1));
            let mut machine = Machine::new();
            let done = logins.chain(calls).enumerate().map(|(number, (call, fate, since, until))| {
                let at = 10 * (number as u64 + 5);
                let identity = Outcome::SignedIn(identity(number), BTreeSet::new());
                let mut operation = Operation { client: 0, call, called: at - since, returned: Some((at, identity)) };
                let mut after = machine.clone();
                let mut answer = after.run(number, &operation, &RULES);
                if matches!(fate, Fate::AnsweredWrongly) {
                    answer = Machine::new().run(number, &operation, &RULES);
                }
                let is_known = !matches!(fate, Fate::Unanswered { .. });
                operation.returned = is_known.then_some((at + until, answer));
                if !matches!(fate, Fate::Unanswered { is_done: false } | Fate::Optional { is_done: false }) {
                    machine = after;
                }
                (operation, matches!(fate, Fate::Optional { .. }))
            });
            done.unzip()
        })
    }

    proptest! {
        // Few histories depend on why a session has ended.
        #![proptest_config(ProptestConfig::with_cases(20_000))]
        #[test]
        fn what_is_remembered_and_left_out_changes_no_verdict((operations, is_optional) in short_history()) {
            let expected = has_order(&operations, &is_optional, 0, &Machine::new());
            let verdict = search(&operations, &is_optional, &RULES, MOST_STATES);
            prop_assert_eq!(verdict == Verdict::HasOrder, expected, "{:?} of {:?}", verdict, operations);
        }
    }
}
