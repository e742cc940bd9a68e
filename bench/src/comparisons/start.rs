//! From the start of the process to the first 200 with something in it.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use system_tests::program::Program;
use tokio::time::{Instant, sleep};

use super::Rows;
use crate::connection::Connection;
use crate::express;
use crate::ground::{Ground, jobs_service};
use crate::seed::{self, JOBS};
use crate::table::{Goal, Row, median};

/// The time between two tries. A start takes a few milliseconds.
const TRY_AGAIN: Duration = Duration::from_micros(500);

pub(super) async fn start(ground: &Ground) -> Rows {
    let site = ground.embedded_with_redis().await;
    let people = seed::signed_in(&site, 1).await;
    drop(jobs_service(&site).await);
    seed::jobs(&site, &people).await;
    let request = format!(
        "GET /job-list?limit={JOBS} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {}\r\n\r\n",
        people[0].access_token
    );
    let watch = ground.watch();
    let mut times = Vec::new();
    for _ in 0..ground.rounds {
        let address = free_address();
        let mut environment = site.jobs_environment();
        environment.retain(|(name, _)| name != "LATCHKEY_SERVER__PORT");
        environment.push(("LATCHKEY_SERVER__PORT".to_owned(), address.port().to_string()));
        let ours = first_answer(&Program::new("jobs-service", site.directory(), environment), address, &request).await;
        let address = free_address();
        let theirs = first_answer(&express::program(&site, address.port()), address, &request).await;
        times.push((ours.as_secs_f64() * 1e3, theirs.as_secs_f64() * 1e3));
    }
    let load = watch.stop();
    let (ones, others): (Vec<_>, Vec<_>) = times.iter().copied().unzip();
    Ok(vec![Row {
        this: "time to the first 200 of a job list".to_owned(),
        against: "Express 5, cluster".to_owned(),
        goal: Goal::TimesAtMost(1.0 / 8.0),
        values: times.iter().map(|(one, other)| one / other).collect(),
        figures: format!("{:.0} ms · {:.0} ms", median(&ones), median(&others)),
        load,
    }])
}

/// A port that was free just now.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("there is a free port");
    listener.local_addr().expect("it is bound")
}

async fn first_answer(program: &Program, address: SocketAddr, request: &str) -> Duration {
    let start = Instant::now();
    let answered = async {
        loop {
            if let Ok(mut connection) = Connection::open(address).await
                && let Ok(answer) = connection.ask(request.as_bytes()).await
                && answer.status == 200
            {
                return start.elapsed();
            }
            sleep(TRY_AGAIN).await;
        }
    };
    let (mut service, took) = tokio::join!(program.serve(), answered);
    // It waits for the processes that it has started, so that their time is known to be the run's.
    service.terminate();
    service.ended().await;
    took
}
