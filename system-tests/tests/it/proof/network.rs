//! A network that delays, throttles, cuts, stalls, refuses and lets connections die, and heals.

use rstest::rstest;
use system_tests::proof::network;
use system_tests::proof::tally::Tally;
use system_tests::site::Storage::{self, Distributed, Embedded};

#[tokio::test]
async fn between_a_service_and_its_redis_costs_nobody_a_session() {
    network::between_service_and_store(&Tally::default()).await;
}

#[rstest]
#[tokio::test]
async fn between_clients_and_a_service_costs_nobody_a_session(#[values(Embedded, Distributed)] storage: Storage) {
    network::between_clients_and_service(storage, &Tally::default()).await;
}

#[rstest]
#[tokio::test]
async fn a_delayed_duplicate_is_a_replay_until_its_successor_is_spent(
    #[values(Embedded, Distributed)] storage: Storage,
    #[values(false, true)] is_too_late: bool,
) {
    network::delayed_duplicate(storage, is_too_late).await;
}
