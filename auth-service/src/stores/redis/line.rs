//! One place for a connection: made when it is first needed, made again when it broke, with a growing pause between failures.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use shared_claims::random;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::connector::{CONNECT, Open};
use crate::stores::StoreError;

/// After a first failure to connect, callers are refused at once for about so long…
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// …doubling to this, so that a server that is starting is not stormed and is found again soon.
const LONGEST_PAUSE: Duration = Duration::from_millis(320);

#[derive(Default)]
pub(super) struct Line {
    current: ArcSwapOption<Open>,
    // Held while connecting, so that one caller connects and the others wait for it.
    connecting: Mutex<Failures>,
}

#[derive(Default)]
struct Failures {
    pause: Duration,
    not_before: Option<Instant>,
    last: String,
}

impl Line {
    /// The open connection, if it `is_right`; or a new one, by `dial`. An error is in words for the log.
    pub(super) async fn open<F>(
        &self,
        is_right: impl Fn(&Open) -> bool,
        dial: impl FnOnce() -> F,
    ) -> Result<Arc<Open>, StoreError>
    where
        F: Future<Output = Result<Open, String>>,
    {
        let current = || self.current.load_full().filter(|open| !open.is_closed() && is_right(open));
        if let Some(open) = current() {
            return Ok(open);
        }
        let mut failures = self.connecting.lock().await;
        if let Some(open) = current() {
            return Ok(open);
        }
        if failures.not_before.is_some_and(|moment| Instant::now() < moment) {
            return Err(StoreError::Unconnected(failures.last.clone()));
        }
        match tokio::time::timeout(CONNECT, dial()).await {
            Ok(Ok(open)) => {
                *failures = Failures::default();
                let open = Arc::new(open);
                self.current.store(Some(open.clone()));
                Ok(open)
            }
            Ok(Err(why)) => Err(failures.note(why)),
            // So much time has passed that there is no need for a pause.
            Err(_) => Err(StoreError::Unconnected("it took too long to connect".to_owned())),
        }
    }

    /// Lets go of this connection, unless another has taken its place already.
    pub(super) fn forget(&self, open: &Arc<Open>) {
        let current = self.current.load();
        if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, open)) {
            self.current.store(None);
        }
    }
}

impl Failures {
    fn note(&mut self, why: String) -> StoreError {
        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        self.not_before = Some(Instant::now() + jittered(self.pause));
        self.last.clone_from(&why);
        StoreError::Unconnected(why)
    }
}

/// Three to five quarters of it, so that instances that lost a server together do not come back together.
fn jittered(pause: Duration) -> Duration {
    let [byte] = random::bytes();
    pause.mul_f32(0.75 + f32::from(byte) / 512.0)
}
