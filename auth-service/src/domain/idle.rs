//! Threads that run when nothing else wants a processor. A password takes some 30 ms on one anyway; whoever refreshes meanwhile would
//! wait for whole time slices of the scheduler, which makes the slowest hundredth several times as slow.

use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinHandle, spawn_blocking};
use tokio::time::timeout;

/// Work that is not done by then is begun again on a thread like any other: the machine has no time to spare.
const PATIENCE: Duration = Duration::from_millis(200);

pub(super) struct IdleThreads {
    // Of this one only the threads for blocking work are used.
    runtime: Option<Runtime>,
    free: Arc<Semaphore>,
}

impl IdleThreads {
    pub(super) fn new(count: usize) -> Self {
        let mut builder = Builder::new_current_thread();
        builder.thread_name("idle").on_thread_start(stand_back).max_blocking_threads(count);
        let runtime = builder.build().expect("without timer and network a runtime needs nothing of the system");
        Self { runtime: Some(runtime), free: Arc::new(Semaphore::new(count)) }
    }

    /// Does this work, to its end, unless the caller stops waiting. It may be done twice.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Fn() -> T + Send + Sync + 'static,
    ) -> Result<T, JoinError> {
        let work = Arc::new(work);
        if let Some(begun) = self.begin(work.clone())
            && let Ok(done) = timeout(PATIENCE, begun).await
        {
            return done;
        }
        spawn_blocking(move || work()).await
    }

    /// Begins the work where a thread is free. One that is not still has work that was begun again elsewhere: as long as that is so,
    /// there is nothing to be had from idle time.
    fn begin<T: Send + 'static>(&self, work: Arc<impl Fn() -> T + Send + Sync + 'static>) -> Option<JoinHandle<T>> {
        let thread = self.free.clone().try_acquire_owned().ok()?;
        let begun = self.runtime.as_ref()?.spawn_blocking(move || {
            let done = work();
            drop(thread);
            done
        });
        Some(begun)
    }
}

impl Drop for IdleThreads {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // To wait for them is forbidden where this may be dropped.
            runtime.shutdown_background();
        }
    }
}

/// Where the system knows no such thing or forbids it, the thread stays like any other.
fn stand_back() {
    #[cfg(target_os = "linux")]
    {
        use thread_priority::{
            NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
            thread_native_id,
        };
        let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        if let Err(error) = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle) {
            tracing::debug!(%error, "passwords are hashed at the same priority as all else");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn work_is_done_at_idle_priority() {
        use thread_priority::{NormalThreadSchedulePolicy, ThreadSchedulePolicy, thread_schedule_policy};

        let threads = IdleThreads::new(1);
        for _ in 0..3 {
            let policy = threads.begin(Arc::new(|| thread_schedule_policy().unwrap())).unwrap().await.unwrap();
            assert_eq!(policy, ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle));
        }
    }

    #[tokio::test]
    async fn work_that_gets_no_idle_time_is_done_all_the_same_and_the_next_does_not_wait_for_any() {
        let threads = IdleThreads::new(1);
        let (go_on, stopped) = mpsc::channel::<()>();
        let stopped = std::sync::Mutex::new(stopped);
        // On the idle thread it takes until it is told to go on, as it does where the system gives that no time.
        let name = move || {
            let name = thread::current().name().map(str::to_owned);
            if name.as_deref() == Some("idle") {
                stopped.lock().unwrap().recv().unwrap_err();
            }
            name
        };
        assert_ne!(threads.run(name).await.unwrap().as_deref(), Some("idle"));

        let name = || thread::current().name().map(str::to_owned);
        assert_eq!(threads.free.available_permits(), 0, "the first is still at it");
        assert_ne!(threads.run(name).await.unwrap().as_deref(), Some("idle"));
        drop(go_on);
        drop(threads.free.acquire().await.unwrap());
        assert_eq!(threads.begin(Arc::new(name)).unwrap().await.unwrap().as_deref(), Some("idle"));
    }
}
