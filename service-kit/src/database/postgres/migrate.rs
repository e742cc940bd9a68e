//! The first connection of a process: waits for a server that is still starting, and brings the schema up to date.

use std::time::Duration;

use refinery::Runner;
use tokio::time::Instant;
use tokio_postgres::Client;

use super::connect::Connector;
use super::refusal::describe;
use crate::database::{DatabaseError, Migrations, OpenError, schema};

/// A server that takes no connections may be starting together with the service, and is waited for so long.
const PATIENCE: Duration = Duration::from_secs(30);
/// The time between two tries.
const PAUSE: Duration = Duration::from_millis(250);
/// Any number will do, as long as every instance takes the same: it queues those that would migrate at once.
const MIGRATION_LOCK: i64 = 0x6c61_7463_686b_6579;
/// Whoever holds a lock for longer than this, on the queue or on a table, is more likely lost than busy.
const SETUP: &str = "SET lock_timeout = '60s'";

/// Applies the migrations that this database has not had yet; of instances that start together one does it.
pub(super) async fn migrate(connector: &Connector, migrations: &Migrations) -> Result<(), OpenError> {
    let mut client = first_connection(connector).await?;
    // In one transaction with their history: a process that is killed in between leaves nothing half done.
    let runner = runner(migrations).set_grouped(true);
    // Most starts find nothing to do. They need no lock, no right to change the schema and no server that takes changes.
    if is_known(&runner, &mut client).await.is_ok() {
        return Ok(());
    }
    let lock = client.execute("SELECT pg_advisory_lock($1)", &[&MIGRATION_LOCK]).await;
    lock.map_err(|error| OpenError::Migration(describe(&error)))?;
    // The lock goes with the connection, at the end of this function, whatever happens.
    runner.run_async(&mut client).await.map_err(|error| OpenError::Migration(explain(&error)))?;
    Ok(())
}

/// Whether this database has had these migrations and no others.
pub(super) async fn check_schema(connector: &Connector, migrations: &Migrations) -> Result<(), OpenError> {
    is_known(&runner(migrations), &mut first_connection(connector).await?).await
}

fn runner(migrations: &Migrations) -> Runner {
    let mut runner = (migrations.postgres)();
    runner.set_migration_table_name(migrations.table);
    runner
}

async fn first_connection(connector: &Connector) -> Result<Client, OpenError> {
    let give_up = Instant::now() + PATIENCE;
    let mut is_waiting = false;
    loop {
        let refusal = match connector.connect(SETUP).await {
            Ok((client, _)) => return Ok(client),
            Err(refusal) => refusal,
        };
        if !refusal.may_pass || Instant::now() + PAUSE > give_up {
            return Err(OpenError::Unavailable(DatabaseError::Unconnected(refusal.why)));
        }
        if !is_waiting {
            tracing::warn!(cause = refusal.why, "waiting up to {PATIENCE:?} for the database");
            is_waiting = true;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn is_known(runner: &Runner, client: &mut Client) -> Result<(), OpenError> {
    // An error is most likely that of a table that is not there yet; any other will show again.
    let applied = runner.get_applied_migrations_async(client).await.unwrap_or_default();
    schema::is_known(&applied, runner.get_migrations())
}

/// What PostgreSQL said, where it is behind the error: the error itself says "db error".
fn explain(error: &refinery::Error) -> String {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(deeper) = cause {
        if let Some(refused) = deeper.downcast_ref() {
            return describe(refused);
        }
        cause = deeper.source();
    }
    error.to_string()
}
