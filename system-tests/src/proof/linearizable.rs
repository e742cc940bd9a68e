//! Users whose clients do anything at any time, each with a seed of its own, until one history has no order.

use std::time::Duration;

use auth_service::domain::session::{SessionRules, WhenFull};
use futures_util::future::join_all;

use super::checker::{self, Violation};
use super::seed::VARIABLE;
use super::tally::Tally;
use super::workload::{self, Done, Load};
use crate::client::Client;
use crate::stack::Stack;

/// Users at once.
const TOGETHER: usize = 4;

/// The rules that services have by default.
pub const RULES: SessionRules = SessionRules {
    max_per_user: 5,
    when_full: WhenFull::EndAll,
    reuse_leeway: Duration::ZERO,
    max_lifetime: None,
    refresh_ttl: Duration::from_hours(24 * 30),
};

/// A history that has no order, and how to make it again.
#[derive(Debug, thiserror::Error)]
#[error("{VARIABLE}={seed}: {violation}")]
pub struct Found {
    /// Where its choices came from.
    pub seed: u64,
    /// What is wrong with it.
    pub violation: Violation,
}

/// Lets the clients of a user loose for each seed, and stops at the first history that has no order.
pub async fn search(
    stack: &Stack,
    instances: &[Client],
    load: Load,
    seeds: impl IntoIterator<Item = u64>,
    tally: &Tally,
) -> Result<(), Found> {
    let seeds: Vec<u64> = seeds.into_iter().collect();
    for seeds in seeds.chunks(TOGETHER) {
        let histories = join_all(seeds.iter().map(async |seed| {
            let person = stack.person().await;
            (*seed, workload::run(&person, instances, load, *seed).await)
        }));
        for (seed, Done { operations, double_tokens }) in histories.await {
            let unknown = operations.iter().filter(|operation| operation.returned.is_none()).count();
            tally.note(|counts| {
                counts.double_tokens += double_tokens as u64;
                counts.operations += (operations.len() - unknown) as u64;
                counts.lost += unknown as u64;
            });
            checker::check(&operations, &RULES).map_err(|violation| Found { seed, violation })?;
            tally.note(|counts| counts.histories += 1);
        }
    }
    Ok(())
}
