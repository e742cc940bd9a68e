//! Everything that tries to break Latchkey, part after part and with new seeds, for as long as it is told. Prints what was seen, and fails
//! where anything happened that never does.

use std::pin::Pin;
use std::process::ExitCode;
use std::time::Duration;

use system_tests::proof::seed::{VARIABLE, seeds};
use system_tests::proof::tally::Tally;
use system_tests::proof::workload::Load;
use system_tests::proof::{crash, failover, linearizable, network};
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;
use tokio::time::Instant;

/// Minutes, where nobody says how many.
const MINUTES: u64 = 10;
/// Of each program that is killed, in each round.
const KILLS: usize = 50;
const LOAD: Load = Load { clients: 4, calls: 15 };
/// Fewer where answers are lost: of an operation that nobody knows the outcome of, everything has to be tried.
const LOAD_WHERE_ANSWERS_ARE_LOST: Load = Load { clients: 3, calls: 10 };
const HISTORIES: usize = 20;

#[tokio::main]
async fn main() -> ExitCode {
    let minutes = std::env::args().nth(1).map_or(Ok(MINUTES), |minutes| minutes.parse());
    let Ok(minutes) = minutes else {
        eprintln!("torture MINUTES: {VARIABLE}=SEED makes the choices of an earlier run again");
        return ExitCode::from(2);
    };
    let (began, tally) = (Instant::now(), Tally::default());
    let mut seeds = seeds();
    let mut parts = 0;
    for (name, part) in PARTS.iter().cycle() {
        if began.elapsed() >= Duration::from_mins(minutes) {
            break;
        }
        let seed = seeds.next().expect("there is always one more");
        println!("{:>5} s  {name}: {VARIABLE}={seed}", began.elapsed().as_secs());
        part(seed, &tally).await;
        let counts = tally.counts();
        if [counts.sign_outs, counts.double_tokens, counts.blamed] != [0; 3] {
            println!("\n{counts}\nbroken: {name}, {VARIABLE}={seed}");
            return ExitCode::FAILURE;
        }
        parts += 1;
    }
    let seconds = began.elapsed().as_secs();
    println!("\n{seconds} s, {parts} parts, of {} in a round\n\n{}", PARTS.len(), tally.counts());
    ExitCode::SUCCESS
}

type Part = for<'a> fn(u64, &'a Tally) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

/// What a round is made of, the short ones first. Each panics with what it has found.
const PARTS: [(&str, Part); 11] = [
    ("histories, embedded", |seed, tally| Box::pin(histories(Embedded, seed, tally))),
    ("histories, distributed", |seed, tally| Box::pin(histories(Distributed, seed, tally))),
    ("histories over a failing network", |seed, tally| Box::pin(histories_over_a_failing_network(seed, tally))),
    ("fail-over by Sentinels", |_, tally| Box::pin(failover::to_a_replica_that_fell_behind(tally))),
    ("keys moved in a cluster", |_, tally| Box::pin(failover::to_another_master_of_a_cluster(tally))),
    ("network to Redis", |_, tally| Box::pin(network::between_service_and_store(tally))),
    ("network to clients", |_, tally| Box::pin(network::between_clients_and_service(Embedded, tally))),
    ("power cut", |_, tally| Box::pin(async { _ = crash::power_cut(500, tally).await })),
    ("Redis killed", |seed, tally| Box::pin(crash::of_redis(KILLS, seed, tally))),
    ("service killed, embedded", |seed, tally| Box::pin(crash::of_the_service(Embedded, KILLS, seed, tally))),
    ("service killed, distributed", |seed, tally| Box::pin(crash::of_the_service(Distributed, KILLS, seed, tally))),
];

async fn histories(storage: Storage, seed: u64, tally: &Tally) {
    let stack = Stack::start(storage).await;
    let other = stack.second_instance().await;
    let seeds = (0..HISTORIES as u64).map(|number| seed.wrapping_add(number << 32));
    let found = linearizable::search(&stack, &[stack.client(), other.client()], LOAD, seeds, tally).await;
    found.unwrap_or_else(|why| panic!("{why}"));
}

async fn histories_over_a_failing_network(seed: u64, tally: &Tally) {
    let seeds: Vec<_> = (0..HISTORIES as u64).map(|number| seed.wrapping_add(number << 32)).collect();
    let found = network::histories(LOAD_WHERE_ANSWERS_ARE_LOST, &seeds, tally).await;
    found.unwrap_or_else(|why| panic!("{why}"));
}
