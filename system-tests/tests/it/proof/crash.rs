//! `kill -9` in the middle of refreshes: no session ever has two live tokens, and no client that repeats its request is logged out.

use rstest::rstest;
use system_tests::proof::crash;
use system_tests::proof::seed::seeds;
use system_tests::proof::share::Share;
use system_tests::proof::tally::Tally;
use system_tests::site::Storage::{self, Distributed, Embedded};

const KILLS: usize = 4;

fn seed() -> u64 {
    let seed = seeds().next().expect("there is always one more");
    println!("{}={seed}", system_tests::proof::seed::VARIABLE);
    seed
}

#[rstest]
#[tokio::test]
async fn of_the_service_signs_nobody_out(#[values(Embedded, Distributed)] storage: Storage) {
    let tally = Tally::default();
    crash::of_the_service(storage, Share::times(KILLS), seed(), &tally).await;
    tally.assert_kept();
}

#[tokio::test]
async fn of_redis_signs_nobody_out_and_loses_nothing_where_it_always_writes_first() {
    let tally = Tally::default();
    crash::of_redis(Share::times(KILLS), seed(), &tally).await;
    tally.assert_kept();
}

#[tokio::test]
async fn of_the_power_loses_what_was_not_on_the_disk_and_signs_nobody_out() {
    let tally = Tally::default();
    let cut = crash::power_cut(100, &tally).await;
    tally.assert_kept();
    // Everybody had refreshed in what was lost, or had not; nobody is healed twice.
    assert!((1..=16).contains(&cut.healed) && cut.lost >= 100, "{cut:?}");
}
