//! What the writer promises: shared commits, neighbours kept apart, a turn for other processes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::StatementStatus;

use super::*;

mod migrations {
    refinery::embed_migrations!("tests/migrations");
}

fn migrations() -> Migrations {
    let runner = migrations::migrations::runner;
    Migrations { sqlite: runner, postgres: runner, table: "test_migrations" }
}

fn database(directory: &tempfile::TempDir) -> Arc<Sqlite> {
    Sqlite::open(&directory.path().join("test.db"), &migrations()).unwrap()
}

async fn count(database: &Sqlite) -> i64 {
    database.read("SELECT COUNT(*) FROM numbers", vec![]).await.unwrap()[0].get(0).unwrap()
}

#[tokio::test]
async fn a_step_that_fails_or_panics_leaves_its_neighbours_alone() {
    let directory = tempfile::tempdir().unwrap();
    let database = database(&directory);
    let steps = (0..300_i64).map(|number| {
        let database = database.clone();
        async move {
            let step = move |connection: &Connection| {
                connection.execute("INSERT INTO numbers VALUES ($1)", [number])?;
                match number % 3 {
                    0 => Ok(()),
                    1 => Err(StepError::Unreadable("on purpose".to_owned())),
                    _ => panic!("on purpose"),
                }
            };
            database.step(step).await.is_ok()
        }
    });
    let outcomes = futures_util::future::join_all(steps).await;
    assert_eq!(outcomes.iter().filter(|kept| **kept).count(), 100);
    assert_eq!(count(&database).await, 100);
}

#[tokio::test]
async fn a_step_that_nobody_waits_for_any_more_is_not_run() {
    let directory = tempfile::tempdir().unwrap();
    let database = database(&directory);
    let (release, held) = std::sync::mpsc::channel::<()>();
    // The first step holds the writer; its future has to live on, or it would be dropped with its reply.
    let first = database.writer.run(move |_| {
        let _ = held.recv();
        Ok(())
    });
    let first = first.unwrap();
    let insert = |connection: &Connection| Ok(connection.execute("INSERT INTO numbers VALUES (1)", []).map(drop)?);
    drop(database.writer.run(insert).unwrap());
    release.send(()).unwrap();
    first.await.unwrap();
    database.step(|_| Ok(())).await.unwrap();
    assert_eq!(count(&database).await, 0);
}

#[tokio::test]
async fn what_was_answered_is_there_after_the_database_is_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let first = database(&directory);
    first.write("INSERT INTO numbers VALUES ($1)", vec![7_i64.into()]).await.unwrap();
    drop(first);
    assert_eq!(count(&database(&directory)).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn another_process_gets_its_turn_while_the_writer_is_never_idle() {
    let directory = tempfile::tempdir().unwrap();
    let (busy, other) = (database(&directory), database(&directory));
    let stop = Arc::new(AtomicBool::new(false));
    let load: Vec<_> = (0..32)
        .map(|_| {
            let (busy, stop) = (busy.clone(), stop.clone());
            tokio::spawn(async move {
                while !stop.load(Ordering::Relaxed) {
                    busy.write("INSERT INTO numbers VALUES ($1)", vec![1_i64.into()]).await.unwrap();
                }
            })
        })
        .collect();
    for _ in 0..20 {
        other.write("INSERT INTO numbers VALUES ($1)", vec![2_i64.into()]).await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    for client in load {
        client.await.unwrap();
    }
    let sql = "SELECT COUNT(*) FROM numbers WHERE number = 2";
    assert_eq!(busy.read(sql, vec![]).await.unwrap()[0].get::<i64>(0).unwrap(), 20);
}

#[test]
fn several_that_open_a_new_database_at_once_migrate_it_once() {
    let directory = tempfile::tempdir().unwrap();
    for round in 0..100 {
        let path = directory.path().join(format!("{round}.db"));
        let open = || Sqlite::open(&path, &migrations()).map(drop);
        let opened: Vec<_> = std::thread::scope(|scope| {
            let openers: Vec<_> = (0..8).map(|_| scope.spawn(open)).collect();
            openers.into_iter().map(|opener| opener.join().unwrap()).collect()
        });
        assert!(opened.iter().all(Result::is_ok), "{opened:?}");
    }
}

#[test]
fn a_file_that_is_no_database_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("test.db");
    std::fs::write(&path, "not a database, but long enough to have a header ".repeat(40)).unwrap();
    let error = Sqlite::open(&path, &migrations()).err().unwrap();
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error:?}");
    assert!(error.to_string().contains("test.db"), "{error}");
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Sqlite::open(&file.join("test.db"), &migrations()).err().unwrap();
    assert!(matches!(error, OpenError::Unwritable { .. }), "{error:?}");
}

#[tokio::test]
async fn what_is_committed_is_on_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let database = database(&directory);
    let pragmas = database.step(|connection| {
        let journal_mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        // 2 is FULL: in WAL mode each commit is synced; with 1 a power cut takes the last ones back.
        let synchronous: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
        Ok((journal_mode, synchronous))
    });
    assert_eq!(pragmas.await.unwrap(), ("wal".to_owned(), 2));
}

#[test]
fn the_file_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("data").join("test.db");
    let database = Sqlite::open(&path, &migrations()).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    drop(database);
}

#[tokio::test]
async fn a_statement_is_planned_once_whatever_is_asked_of_it() {
    let directory = tempfile::tempdir().unwrap();
    let database = database(&directory);
    let sql = "SELECT number FROM numbers WHERE number < $1 AND number LIKE $2 LIMIT $3";
    let plans = |connection: &Connection| {
        let mut statement = connection.prepare_cached(sql)?;
        for (limit, like) in [(1, "1%"), (2, "%"), (3, "_")] {
            statement.query_map((limit * 10, like, limit), |row| row.get::<_, i64>(0))?.for_each(drop);
        }
        Ok(statement.get_status(StatementStatus::RePrepare))
    };
    assert_eq!(database.look(plans).unwrap(), 0);
    assert_eq!(database.step(plans).await.unwrap(), 0);
}
