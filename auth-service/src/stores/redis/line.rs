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
    last: Option<Failure>,
}

struct Failure {
    at: Instant,
    not_before: Instant,
    why: String,
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
        let asked = Instant::now();
        let mut failures = self.connecting.lock().await;
        if let Some(open) = current() {
            return Ok(open);
        }
        if let Some(why) = failures.answer(asked) {
            return Err(why);
        }
        let dialled = tokio::time::timeout(CONNECT, dial()).await;
        match dialled.unwrap_or_else(|_| Err("it took too long to connect".to_owned())) {
            Ok(open) => {
                *failures = Failures::default();
                let open = Arc::new(open);
                self.current.store(Some(open.clone()));
                Ok(open)
            }
            Err(why) => Err(failures.note(asked, why)),
        }
    }

    /// Lets go of whatever connection there is.
    pub(super) fn hang_up(&self) {
        self.current.store(None);
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
    /// What the last attempt came to, for who waited for it and for who comes too soon after it.
    fn answer(&self, asked: Instant) -> Option<StoreError> {
        let last = self.last.as_ref()?;
        let is_answered = asked < last.at || Instant::now() < last.not_before;
        is_answered.then(|| StoreError::Unconnected(last.why.clone()))
    }

    fn note(&mut self, began: Instant, why: String) -> StoreError {
        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        let at = Instant::now();
        // An attempt that took long was pause enough.
        let not_before = at.max(began + jittered(self.pause));
        self.last = Some(Failure { at, not_before, why: why.clone() });
        StoreError::Unconnected(why)
    }
}

/// Three to five quarters of it, so that instances that lost a server together do not come back together.
fn jittered(pause: Duration) -> Duration {
    let [byte] = random::bytes();
    pause.mul_f32(0.75 + f32::from(byte) / 512.0)
}
