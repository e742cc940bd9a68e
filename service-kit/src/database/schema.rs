//! Whether the schema of a database is that of this program, by the history of migrations that is kept in it.

use refinery::Migration;

use super::OpenError;

/// Compares what was applied with what this program knows.
pub(super) fn is_known(applied: &[Migration], known: &[Migration]) -> Result<(), OpenError> {
    if !known.iter().all(|migration| applied.contains(migration)) {
        return Err(OpenError::OlderSchema);
    }
    if applied.len() > known.len() { Err(OpenError::NewerSchema) } else { Ok(()) }
}
