//! Opening a SQLite file: its directory, its permissions, its pragmas, its schema.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use refinery::Runner;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::database::{Migrations, OpenError, schema};

/// How long a writer waits for another process (an operator's command beside the service) before it gives up.
const BUSY: Duration = Duration::from_millis(1_500);
/// How often it looks meanwhile. SQLite's own back-off grows to 100 ms and would miss the writer's short pauses.
const BUSY_LOOK: Duration = Duration::from_micros(500);
/// Two processes that bring the schema up to date at once collide; the loser looks again at what is left to do.
const MIGRATION_TRIES: u32 = 5;

/// Opens the file for writing and makes it, and its directory, where they are missing.
pub(super) fn writable(path: &Path) -> Result<Connection, OpenError> {
    make_private_file(path).map_err(|source| OpenError::Unwritable { path: path.display().to_string(), source })?;
    configured(path).map_err(|source| OpenError::Corrupt { path: path.display().to_string(), source })
}

/// Opens the file for reading alone.
pub(super) fn read_only(path: &Path) -> rusqlite::Result<Connection> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_timeout(BUSY)?;
    keep_plans(&connection)?;
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF;")?;
    Ok(connection)
}

// The database holds password hashes and what refresh tokens are checked against.
fn make_private_file(path: &Path) -> std::io::Result<()> {
    if let Some(directory) = path.parent().filter(|directory| !directory.as_os_str().is_empty() && !directory.exists())
    {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    fs::OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path).map(drop)
}

/// What the writer may hold of the file in memory, in KiB, and how many pages its log may have before they are folded in. Each is more than
/// SQLite's own, so that the pages of a few thousand users are read, and folded in, once and not again and again.
const WRITER_CACHE_KIB: i64 = 16 * 1024;
const LOG_PAGES: i64 = 4_000;

fn configured(path: &Path) -> rusqlite::Result<Connection> {
    let mut connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.busy_handler(Some(may_look_again))?;
    keep_plans(&connection)?;
    write_ahead(&connection)?;
    connection.execute_batch(&format!(
        "PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA temp_store = MEMORY;
         PRAGMA trusted_schema = OFF;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA cache_size = -{WRITER_CACHE_KIB};
         PRAGMA wal_autocheckpoint = {LOG_PAGES};"
    ))?;
    Ok(connection)
}

/// Has statements planned once, and not anew for each value that is bound to them: a plan that depends on a value costs as much as the
/// whole look.
fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

/// Pauses a writer that found the file busy so often before, or tells it to give up.
fn may_look_again(looks: i32) -> bool {
    std::thread::sleep(BUSY_LOOK);
    BUSY_LOOK.saturating_mul(looks.unsigned_abs()) < BUSY
}

/// Of processes that give a new file its write-ahead log at once, SQLite refuses all but one rather than have them wait.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let mut looks = 0;
    loop {
        match connection.execute_batch("PRAGMA journal_mode = WAL;") {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) && may_look_again(looks) => {
                looks += 1;
            }
            outcome => return outcome,
        }
    }
}

/// Applies the migrations that this database has not had yet.
pub(super) fn migrate(connection: &mut Connection, migrations: &Migrations) -> Result<(), OpenError> {
    // In one transaction with their history: a process that is killed in between leaves nothing half done.
    let runner = runner(migrations).set_grouped(true);
    let mut tries = 1;
    loop {
        match runner.run(connection) {
            Ok(_) => return Ok(()),
            Err(_) if tries < MIGRATION_TRIES => tries += 1,
            Err(error) => return Err(OpenError::Migration(error.to_string())),
        }
    }
}

/// Whether this database has had these migrations and no others.
pub(super) fn check_schema(connection: &mut Connection, migrations: &Migrations) -> Result<(), OpenError> {
    let runner = runner(migrations);
    // Without a history there is no table to read it from, and any other error will show again.
    let applied = runner.get_applied_migrations(connection).unwrap_or_default();
    schema::is_known(&applied, runner.get_migrations())
}

fn runner(migrations: &Migrations) -> Runner {
    let mut runner = (migrations.sqlite)();
    runner.set_migration_table_name(migrations.table);
    runner
}
