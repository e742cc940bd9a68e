//! A crowd of good clients: each keeps a session as it should, repeats a refresh whose answer it does not have with the same key, and
//! must never be told to log in again, whatever fails.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use shared_claims::{Clock, SystemClock};
use tokio::time::{Instant, timeout};

use super::tally::Tally;
use crate::client::{Answered, Client};
use crate::device::Device;
use crate::site::Site;
use crate::waiting::PATIENCE;

/// The series that counts refreshes which made good a rotation that the store had lost.
pub const HEALED: &str = r#"latchkey_refreshes_total{outcome="healed",reason=""}"#;
/// A client that has no answer by then hangs up.
const HANG_UP: Duration = Duration::from_secs(3);

/// Of each user.
pub(super) const DEVICES: usize = 4;

/// Devices that are signed in.
pub struct Crowd<'a> {
    devices: Vec<Device>,
    tally: &'a Tally,
}

/// What came of one refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Came {
    Granted,
    Nothing,
    SignedOut,
}

impl<'a> Crowd<'a> {
    /// Signs in the devices of so many users.
    pub async fn gather(site: &Site, client: &Client, users: usize, tally: &'a Tally) -> Self {
        let mut devices = Vec::new();
        for _ in 0..users {
            let person = site.person(SystemClock.now()).await;
            for _ in 0..DEVICES {
                devices.push(Device::login(client, &person).await);
            }
        }
        Self { devices, tally }
    }

    /// All refresh, again and again, until that comes true; the last ones have their answers then.
    pub async fn refresh_until(&mut self, client: &Client, over: impl AsyncFnOnce(&AtomicU64)) {
        let (is_over, granted) = (AtomicBool::new(false), AtomicU64::new(0));
        let tally = self.tally;
        let refreshing = join_all(self.devices.iter_mut().map(async |device| {
            while !is_over.load(Ordering::Relaxed) {
                match refresh(device, client, tally).await {
                    Came::Granted => _ = granted.fetch_add(1, Ordering::Relaxed),
                    Came::Nothing => tokio::time::sleep(Duration::from_millis(10)).await,
                    Came::SignedOut => return,
                }
            }
        }));
        let waiting = async {
            over(&granted).await;
            is_over.store(true, Ordering::Relaxed);
        };
        tokio::join!(refreshing, waiting);
    }

    /// Everybody repeats what they wanted until they have it, and goes on from there; answers how long the last one took.
    ///
    /// # Panics
    ///
    /// Where somebody never gets it.
    pub async fn goes_on(&mut self, client: &Client) -> Duration {
        let (began, tally) = (Instant::now(), self.tally);
        let going_on = join_all(self.devices.iter_mut().map(async |device| {
            while refresh(device, client, tally).await == Came::Nothing {
                assert!(began.elapsed() < PATIENCE, "not within {PATIENCE:?}: the session goes on");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }));
        going_on.await;
        let took = began.elapsed();
        tally.note(|counts| counts.slowest_recovery = counts.slowest_recovery.max(took));
        took
    }

    /// Everybody presents the token before the last: nobody has two that are good. The sessions end by that.
    pub async fn present_spent_tokens(&self, client: &Client) {
        for device in &self.devices {
            let Some(spent) = device.spent_token() else { continue };
            let answer = client.refresh(spent).await;
            if answer.status == 200 {
                self.tally.note(|counts| counts.double_tokens += 1);
            } else {
                answer.assert_problem(403, "refresh_token_reused");
                client.refresh(&device.tokens.refresh_token).await.assert_session_ended(Some("reuse_detected"));
            }
        }
    }

    /// The devices.
    pub fn devices(&mut self) -> &mut Vec<Device> {
        &mut self.devices
    }
}

async fn refresh(device: &mut Device, client: &Client, tally: &Tally) -> Came {
    let began = Instant::now();
    let answer = timeout(HANG_UP, device.refresh(client)).await;
    let took = began.elapsed();
    match answer {
        Ok(Ok(answer)) => {
            tally.note(|counts| {
                counts.slowest_answer = counts.slowest_answer.max(took);
                match answer.status {
                    200 => counts.operations += 1,
                    503 => counts.unavailable += 1,
                    _ => {}
                }
            });
            match answer.status {
                200 => Came::Granted,
                503 => Came::Nothing,
                401 | 403 => {
                    eprintln!("a good client was told: {answer:?}");
                    tally.note(|counts| (counts.blamed, counts.sign_outs) = (counts.blamed + 1, counts.sign_outs + 1));
                    Came::SignedOut
                }
                _ => panic!("no answer for a good client: {answer:?}"),
            }
        }
        Ok(Err(_)) | Err(_) => {
            tally.note(|counts| counts.lost += 1);
            Came::Nothing
        }
    }
}

/// The value of one series in a service's metrics.
///
/// # Panics
///
/// Where there is no such series.
pub async fn metric(client: &Client, series: &str) -> u64 {
    let text = client.get("/metrics").answer().await.body;
    value(&text, series).unwrap_or_else(|| panic!("there is no {series} in {text}"))
}

/// The value of a series in what was scraped.
pub(super) fn value(text: &str, series: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?.parse().ok()
}
