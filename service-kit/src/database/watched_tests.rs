use std::io::Write;
use std::sync::Mutex;

use serde_json::Value as Json;
use tracing_subscriber::EnvFilter;

use super::*;
use crate::telemetry;

/// Fails while it is told to.
#[derive(Default)]
struct Faulty {
    is_down: AtomicBool,
}

impl Faulty {
    fn answer(&self) -> Result<Vec<Row>, DatabaseError> {
        if self.is_down.load(Ordering::SeqCst) { Err(DatabaseError::TimedOut) } else { Ok(Vec::new()) }
    }
}

#[async_trait]
impl Database for Faulty {
    async fn read(&self, _: &'static str, _: Vec<Value>) -> Result<Vec<Row>, DatabaseError> {
        self.answer()
    }

    async fn write(&self, _: &'static str, _: Vec<Value>) -> Result<Vec<Row>, DatabaseError> {
        self.answer()
    }

    async fn check(&self) -> Result<(), DatabaseError> {
        self.answer().map(drop)
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Everything that is logged in this thread while the guard lives comes here.
    fn keep(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        tracing::subscriber::set_default(telemetry::json_lines("kit", EnvFilter::new("info"), move || log.clone()))
    }

    fn lines(&self) -> Vec<Json> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

#[tokio::test]
async fn an_outage_is_one_line_when_it_begins_and_one_when_it_ends() {
    let (faulty, log) = (Arc::new(Faulty::default()), Log::default());
    let _guard = log.keep();
    let watched = Watched::new("shop", faulty.clone());
    for is_down in [false, true, false] {
        faulty.is_down.store(is_down, Ordering::SeqCst);
        for _ in 0..3 {
            assert_eq!(watched.read("", Vec::new()).await.is_err(), is_down);
        }
    }
    let lines = log.lines();
    let [begin, end] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((&begin["level"], &begin["message"]), (&"WARN".into(), &"the database fails".into()));
    assert_eq!((&begin["work"], &begin["cause"]), (&"reading".into(), &"no answer from the database in time".into()));
    assert_eq!((&end["level"], &end["message"]), (&"INFO".into(), &"the database works again".into()));
}

#[tokio::test]
async fn reading_and_writing_fail_apart() {
    let (faulty, log) = (Arc::new(Faulty::default()), Log::default());
    let _guard = log.keep();
    let watched = Watched::new("shop", faulty.clone());
    for _ in 0..3 {
        faulty.is_down.store(true, Ordering::SeqCst);
        assert!(watched.write("", Vec::new()).await.is_err());
        faulty.is_down.store(false, Ordering::SeqCst);
        assert!(watched.read("", Vec::new()).await.is_ok());
    }
    let lines = log.lines();
    assert_eq!(lines.iter().map(|line| &line["work"]).collect::<Vec<_>>(), ["writing"]);
}
