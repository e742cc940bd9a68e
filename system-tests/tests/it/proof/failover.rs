//! Sessions go on where another server takes over, and what it never heard of signs nobody out.

use system_tests::proof::failover;
use system_tests::proof::tally::Tally;

#[tokio::test]
async fn to_a_replica_that_fell_behind_heals_rotations_and_tells_of_endings() {
    failover::to_a_replica_that_fell_behind(&Tally::default()).await;
}

#[tokio::test]
async fn to_another_master_of_a_cluster_loses_nothing() {
    failover::to_another_master_of_a_cluster(&Tally::default()).await;
}
