//! One place for a connection: made when it is first needed, made again when it broke, with a growing pause between failures. Where each
//! thread has its own, which spares wake-ups, a connection that one of them gets ends the pauses of all.

use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// After a first failure to connect, callers are refused at once for about so long…
const FIRST_PAUSE: Duration = Duration::from_millis(20);
/// …doubling to this, so that a server that is starting is not stormed and is found again soon.
const LONGEST_PAUSE: Duration = Duration::from_millis(320);

/// A place for a connection of this type.
pub struct Line<T> {
    current: ArcSwapOption<T>,
    // Held while connecting, so that one caller connects and the others wait for it.
    connecting: Mutex<Failures>,
    // When any of those that lead to this server got a connection last.
    connected_at: Arc<ArcSwapOption<Instant>>,
}

#[derive(Default)]
struct Failures {
    pause: Duration,
    last: Option<Failure>,
}

struct Failure {
    began: Instant,
    ended: Instant,
    not_before: Instant,
    why: String,
}

/// Lines that lead to one server. Threads beyond their number share them.
pub struct Lines<T>(Vec<Line<T>>);

impl<T> Lines<T> {
    /// So many, and one at the least.
    pub fn new(count: usize) -> Self {
        let connected_at = Arc::default();
        Self((0..count.max(1)).map(|_| Line { connected_at: Arc::clone(&connected_at), ..Line::default() }).collect())
    }

    /// The line of the thread that asks.
    pub fn of_this_thread(&self) -> &Line<T> {
        static THREADS: AtomicUsize = AtomicUsize::new(0);
        thread_local! {
            static THREAD: usize = THREADS.fetch_add(1, Ordering::Relaxed);
        }
        &self.0[THREAD.with(|thread| *thread) % self.0.len()]
    }

    /// All of them.
    pub fn all(&self) -> &[Line<T>] {
        &self.0
    }
}

impl<T> Default for Line<T> {
    fn default() -> Self {
        Self { current: ArcSwapOption::empty(), connecting: Mutex::default(), connected_at: Arc::default() }
    }
}

impl<T> Line<T> {
    /// The connection, if it `is_good`; or a new one, by `dial`. An error is in words for the log: those of the try that the caller
    /// waited for, or that was only just over.
    pub async fn open<F>(&self, is_good: impl Fn(&T) -> bool, dial: impl FnOnce() -> F) -> Result<Arc<T>, String>
    where
        F: Future<Output = Result<T, String>>,
    {
        let good = || self.current().filter(|connection| is_good(connection));
        if let Some(connection) = good() {
            return Ok(connection);
        }
        let asked = Instant::now();
        let mut failures = self.connecting.lock().await;
        if let Some(connection) = good() {
            return Ok(connection);
        }
        failures.forget_those_before(self.connected_at.load().as_deref());
        if let Some(why) = failures.answer(asked) {
            return Err(why);
        }
        let began = Instant::now();
        match dial().await {
            Ok(connection) => {
                *failures = Failures::default();
                let connection = Arc::new(connection);
                self.current.store(Some(connection.clone()));
                self.connected_at.store(Some(Arc::new(Instant::now())));
                Ok(connection)
            }
            Err(why) => {
                failures.note(began, why.clone());
                Err(why)
            }
        }
    }

    /// The connection that there is, whether or not it still serves.
    pub fn current(&self) -> Option<Arc<T>> {
        self.current.load_full()
    }

    /// Lets go of whatever connection there is.
    pub fn hang_up(&self) {
        self.current.store(None);
    }

    /// Lets go of this connection, unless another has taken its place already.
    pub fn forget(&self, connection: &Arc<T>) {
        self.current.compare_and_swap(connection, None);
    }
}

impl Failures {
    /// What was tried before somebody got a connection says nothing about the next try.
    fn forget_those_before(&mut self, connected_at: Option<&Instant>) {
        if self.last.as_ref().is_some_and(|last| connected_at > Some(&last.began)) {
            *self = Self::default();
        }
    }

    /// What the last try came to, for who waited for it and for who comes too soon after it.
    fn answer(&self, asked: Instant) -> Option<String> {
        let last = self.last.as_ref()?;
        let is_answered = asked < last.ended || Instant::now() < last.not_before;
        is_answered.then(|| last.why.clone())
    }

    fn note(&mut self, began: Instant, why: String) {
        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        // A try that took long was pause enough.
        self.last = Some(Failure { began, ended: Instant::now(), not_before: began + jittered(self.pause), why });
    }
}

/// Three to five quarters of it, so that instances that lost a server together do not come back together. What makes hash maps differ is
/// random enough for that.
fn jittered(pause: Duration) -> Duration {
    let part = RandomState::new().hash_one(()) % 1_000;
    pause * 3 / 4 + pause * u32::try_from(part).unwrap_or(0) / 2_000
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use tokio::time::{advance, sleep};

    use super::*;

    /// A server that counts who dials.
    #[derive(Default)]
    struct Server {
        is_up: bool,
        dialled: AtomicUsize,
    }

    impl Server {
        async fn open(&self, line: &Line<usize>) -> Result<Arc<usize>, String> {
            let dial = || async {
                let number = self.dialled.fetch_add(1, Ordering::Relaxed);
                sleep(Duration::from_millis(1)).await;
                if self.is_up { Ok(number) } else { Err("it is down".to_owned()) }
            };
            line.open(|_| true, dial).await
        }

        fn dialled(&self) -> usize {
            self.dialled.load(Ordering::Relaxed)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_come_together_share_one_try_and_its_connection_serves_until_it_is_let_go() {
        let (server, line) = (Server { is_up: true, ..Server::default() }, Line::default());
        for _ in 0..2 {
            for connection in join_all((0..9).map(|_| server.open(&line))).await {
                assert_eq!(*connection.unwrap(), 0);
            }
        }
        let first = line.current().unwrap();
        line.forget(&first);
        assert_eq!(*server.open(&line).await.unwrap(), 1);
        // It is another's place by now.
        line.forget(&first);
        assert_eq!(*server.open(&line).await.unwrap(), 1);
        line.hang_up();
        assert_eq!(*server.open(&line).await.unwrap(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_is_not_good_is_made_anew() {
        let line = Line::default();
        for number in 0..3 {
            let connection = line.open(|there| *there == number, async || Ok(number)).await;
            assert_eq!(*connection.unwrap(), number);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_down_is_tried_more_and_more_rarely_and_at_least_every_400_ms() {
        let (server, line) = (Server::default(), Line::default());
        let mut tries = Vec::new();
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(20) {
            let before = server.dialled();
            let answers = join_all((0..3).map(|_| server.open(&line))).await;
            assert!(answers.iter().all(|answer| answer.as_ref().is_err_and(|why| why == "it is down")));
            tries.push(server.dialled() - before);
            advance(Duration::from_millis(1)).await;
        }
        assert!(tries.iter().all(|tries| *tries <= 1), "who waits for a try takes what it came to");
        let gaps: Vec<usize> = tries.split(|tries| *tries == 1).map(<[usize]>::len).collect();
        let [_, first, .., _] = gaps.as_slice() else { panic!("{gaps:?}") };
        assert!((1..30).contains(first), "{gaps:?}");
        assert!(gaps.len() < 100 && gaps.iter().all(|gap| *gap <= 400), "{gaps:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_one_line_gets_ends_the_pauses_of_all() {
        let (down, up, lines) = (Server::default(), Server { is_up: true, ..Server::default() }, Lines::new(3));
        for line in &lines.all()[1..] {
            down.open(line).await.unwrap_err();
            up.open(line).await.unwrap_err();
        }
        assert_eq!(up.dialled(), 0, "they pause");
        for line in lines.all() {
            up.open(line).await.unwrap();
        }
        assert_eq!(up.dialled(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_after_somebody_got_through_is_paused_after_as_before() {
        let (down, up, lines) = (Server::default(), Server { is_up: true, ..Server::default() }, Lines::new(2));
        up.open(&lines.all()[0]).await.unwrap();
        for _ in 0..2 {
            down.open(&lines.all()[1]).await.unwrap_err();
        }
        assert_eq!(down.dialled(), 1);
    }
}
