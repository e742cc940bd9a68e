//! What the services answer over HTTP, by the rows of the contract. Each test runs once for each storage.

mod access_attacks;
mod commands;
mod cors;
mod crash;
mod current_user;
mod doctor;
mod errors;
mod faults;
mod heads;
mod health;
mod instances;
mod leaks;
mod login;
mod login_bodies;
mod logout;
mod overload;
mod precedence;
mod races;
mod refresh;
mod refresh_attacks;
mod replay;
mod round_trip;
mod session_life;
mod session_limit;
mod start;
mod stop;

use system_tests::client::Client;

use crate::metrics::Scrape;

/// No client is ahead of its session: nothing that was answered is lost. A refresh would heal it, and hide it from whoever looks at
/// answers alone.
async fn assert_nothing_was_lost(client: &Client) {
    let healed = Scrape::of(client).await.value("latchkey_refreshes_total{outcome=\"healed\"}");
    assert!(healed < 1.0, "{healed} refreshes that were answered are lost");
}
