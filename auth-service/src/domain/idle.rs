//! Threads that run when nothing else wants a processor, and never on one of those that there are. A password takes some 30 ms anyway;
//! whoever refreshes meanwhile would wait for whole time slices of the scheduler, which makes the slowest hundredth several times as slow.

#[cfg(target_os = "linux")]
use std::collections::HashMap;
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

#[cfg(not(target_os = "linux"))]
fn stand_back() {}

/// Where the system forbids it, the thread stays like any other.
#[cfg(target_os = "linux")]
fn stand_back() {
    use thread_priority::{
        NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy,
        thread_native_id,
    };
    let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
    if let Err(error) = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, idle) {
        tracing::debug!(%error, "passwords are hashed at the same priority as all else");
    }
    if let Err(error) = leave_one_processor() {
        tracing::debug!(%error, "passwords are hashed on any processor");
    }
}

/// Keeps this thread off one of the processors that the process may use. Linux shares a processor by what each thread has had so far
/// (EEVDF, since 6.6), so that one which has just had more than its due stands behind those of idle priority too, for milliseconds. On a
/// processor that has none of those it does not, and one that runs out of work takes over what waits on the others.
#[cfg(target_os = "linux")]
fn leave_one_processor() -> std::io::Result<()> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    let mut allowed = sched_getaffinity(None)?;
    let processors: Vec<_> = (0..CpuSet::MAX_CPU).filter(|processor| allowed.is_set(*processor)).collect();
    let interrupts = std::fs::read_to_string("/proc/softirqs").unwrap_or_default();
    if let Some(processor) = processor_to_leave(&processors, &interrupts) {
        allowed.unset(processor);
        sched_setaffinity(None, &allowed)?;
    }
    Ok(())
}

/// Of several processors that to which disks have reported most often, for what waits for a commit is woken there; else the last.
/// `interrupts` are counted for each processor, as proc(5) has them in `/proc/softirqs`, which containers may read.
#[cfg(target_os = "linux")]
fn processor_to_leave(processors: &[usize], interrupts: &str) -> Option<usize> {
    let mut lines = interrupts.lines();
    let names = lines.next().unwrap_or_default().split_whitespace();
    let counts = lines.find_map(|line| line.trim_start().strip_prefix("BLOCK:")).unwrap_or_default();
    let of_disks: HashMap<&str, u64> =
        names.zip(counts.split_whitespace().map(|count| count.parse().unwrap_or_default())).collect();
    let count = |processor: &&usize| of_disks.get(format!("CPU{processor}").as_str()).copied().unwrap_or_default();
    processors.iter().max_by_key(count).copied().filter(|_| processors.len() > 1)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::thread;

    use super::*;

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn work_is_done_at_idle_priority_and_never_on_one_of_several_processors() {
        use rustix::thread::{CpuSet, sched_getaffinity};
        use thread_priority::{NormalThreadSchedulePolicy, ThreadSchedulePolicy, thread_schedule_policy};

        fn allowed() -> Vec<usize> {
            let allowed = sched_getaffinity(None).unwrap();
            (0..CpuSet::MAX_CPU).filter(|processor| allowed.is_set(*processor)).collect()
        }
        let (threads, all) = (IdleThreads::new(1), allowed());
        for _ in 0..3 {
            let work = || (thread_schedule_policy().unwrap(), allowed());
            let (policy, processors) = threads.begin(Arc::new(work)).unwrap().await.unwrap();
            assert_eq!(policy, ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle));
            assert_eq!(processors.len(), (all.len() - 1).max(1), "{processors:?} of {all:?}");
            assert!(processors.iter().all(|processor| all.contains(processor)), "{processors:?} of {all:?}");
        }
        assert_eq!(allowed(), all, "those that serve requests go where they like");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_processor_that_is_left_is_that_of_the_disks_among_those_that_there_are() {
        let interrupts = "\
                    CPU0       CPU1       CPU2       CPU5
          HI:          9          9        999          9
       BLOCK:          1    7387067          0          7
     TASKLET:        888         37        999       1000
";
        let cases: [(&[usize], _); 6] = [
            (&[0, 1, 2, 5], Some(1)),
            (&[0, 2], Some(0)),
            (&[0, 3, 5], Some(5)),
            // Of equals the last: nothing is known of the ninth.
            (&[2, 9], Some(9)),
            (&[1], None),
            (&[], None),
        ];
        for (processors, left) in cases {
            assert_eq!(processor_to_leave(processors, interrupts), left, "{processors:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn where_nothing_of_disks_can_be_read_it_is_the_last() {
        for interrupts in ["", "\n", "CPU0 CPU1\n", "BLOCK: 7 1", "CPU0 CPU1\nBLOCK:", "CPU0 CPU1\nBLOCK: a b"] {
            assert_eq!(processor_to_leave(&[0, 1], interrupts), Some(1), "{interrupts:?}");
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
