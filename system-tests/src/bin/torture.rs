//! Everything that tries to break Latchkey, part after part and with new seeds, for as long as it is told. Prints what was seen, and fails
//! where anything happened that never does.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::process::ExitCode;
use std::time::Duration;

use futures_util::FutureExt;
use system_tests::proof::seed::{VARIABLE, seeds};
use system_tests::proof::share::Share;
use system_tests::proof::tally::Tally;
use system_tests::proof::workload::Load;
use system_tests::proof::{crash, failover, linearizable, logins, network};
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::stack::Stack;
use tokio::time::{Instant, timeout_at};

/// Minutes, where nobody says how many.
const MINUTES: u64 = 10;
/// What has begun when the time is over is brought to its end, which may take so long. Whoever takes longer hangs.
const REST: Duration = Duration::from_mins(2);
/// Of each program that is killed, in each round.
const KILLS: usize = 50;
const LOAD: Load = Load { clients: 4, calls: 15 };
/// Fewer where answers are lost: of an operation that nobody knows the outcome of, everything has to be tried.
const LOAD_WHERE_ANSWERS_ARE_LOST: Load = Load { clients: 3, calls: 10 };
/// Groups of histories in each round, and how many are made at once.
const GROUPS: usize = 5;
const HISTORIES: u64 = 4;
/// Turns alone and beside logins, whatever the time: at the end of few a percentile means little.
const TURNS: usize = 12;

#[tokio::main]
async fn main() -> ExitCode {
    let minutes = std::env::args().nth(1).map_or(Ok(MINUTES), |minutes| minutes.parse());
    let Ok(minutes) = minutes else {
        eprintln!("torture MINUTES: {VARIABLE}=SEED makes the choices of an earlier run again");
        return ExitCode::from(2);
    };
    let (began, tally) = (Instant::now(), Tally::default());
    let end = began + Duration::from_mins(minutes);
    let mut done = 0;
    // All of a round have one seed, so that a part is given the same one where the run begins with that.
    let turns = seeds().flat_map(|seed| PARTS.iter().enumerate().map(move |(number, part)| (seed, number, part)));
    for (seed, number, (name, part)) in turns {
        let now = Instant::now();
        if now >= end {
            break;
        }
        println!("{:>5} s  {name}: {VARIABLE}={seed}", began.elapsed().as_secs());
        // What is left is shared by those that have not had their turn in this round.
        let left = u32::try_from(PARTS.len() - number).expect("there are few");
        let until = now + (end - now) / left;
        let running = AssertUnwindSafe(part(seed, until, &tally)).catch_unwind();
        let broken = match timeout_at(end + REST, running).await {
            Ok(Ok(())) => (!tally.counts().are_kept()).then(|| "what never happens has happened".to_owned()),
            Ok(Err(panic)) => Some(words(panic.as_ref())),
            Err(_) => Some("it does not come to its end".to_owned()),
        };
        if let Some(why) = broken {
            println!("\n{}\nbroken: {name}, {VARIABLE}={seed}: {why}", tally.counts());
            return ExitCode::FAILURE;
        }
        done += 1;
    }
    let seconds = began.elapsed().as_secs();
    println!("\n{seconds} s, {done} parts, of {} in a round\n\n{}", PARTS.len(), tally.counts());
    ExitCode::SUCCESS
}

/// What a panic said.
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it panicked".to_owned())
}

type Part = for<'a> fn(u64, Instant, &'a Tally) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

/// What a round is made of. Each does what it does at least once, and then again until its share of the time is over; it panics with
/// what it has found.
const PARTS: [(&str, Part); 13] = [
    ("histories, embedded", |seed, until, tally| Box::pin(histories(Embedded, seed, until, tally))),
    ("histories, distributed", |seed, until, tally| Box::pin(histories(Distributed, seed, until, tally))),
    ("histories over a failing network", |seed, until, tally| {
        Box::pin(histories_over_a_failing_network(seed, until, tally))
    }),
    ("fail-over by Sentinels", |_, _, tally| Box::pin(failover::to_a_replica_that_fell_behind(tally))),
    ("keys moved in a cluster", |_, _, tally| Box::pin(failover::to_another_master_of_a_cluster(tally))),
    ("network to Redis", |_, _, tally| Box::pin(network::between_service_and_store(tally))),
    ("network to clients", |_, _, tally| Box::pin(network::between_clients_and_service(Embedded, tally))),
    ("logins, embedded", |_, _, tally| Box::pin(logins::beside_clients(Embedded, TURNS, tally))),
    ("logins, distributed", |_, _, tally| Box::pin(logins::beside_clients(Distributed, TURNS, tally))),
    ("power cut", |_, _, tally| Box::pin(async { _ = crash::power_cut(500, tally).await })),
    ("Redis killed", |seed, until, tally| Box::pin(crash::of_redis(kills(until), seed, tally))),
    ("service killed, embedded", |seed, until, tally| {
        Box::pin(crash::of_the_service(Embedded, kills(until), seed, tally))
    }),
    ("service killed, distributed", |seed, until, tally| {
        Box::pin(crash::of_the_service(Distributed, kills(until), seed, tally))
    }),
];

fn kills(until: Instant) -> Share {
    Share::times(KILLS).until(until)
}

/// The seeds of one group of histories.
fn group(seed: u64, number: usize) -> impl Iterator<Item = u64> {
    let first = number as u64 * HISTORIES;
    (first..first + HISTORIES).map(move |number| seed.wrapping_add(number << 32))
}

async fn histories(storage: Storage, seed: u64, until: Instant, tally: &Tally) {
    let stack = Stack::start(storage).await;
    let other = stack.second_instance().await;
    let instances = [stack.client(), other.client()];
    for number in Share::times(GROUPS).until(until) {
        let found = linearizable::search(&stack, &instances, LOAD, group(seed, number), tally).await;
        found.unwrap_or_else(|why| panic!("{why}"));
    }
}

async fn histories_over_a_failing_network(seed: u64, until: Instant, tally: &Tally) {
    for number in Share::times(GROUPS).until(until) {
        let seeds: Vec<_> = group(seed, number).collect();
        let found = network::histories(LOAD_WHERE_ANSWERS_ARE_LOST, &seeds, tally).await;
        found.unwrap_or_else(|why| panic!("{why}"));
    }
}
