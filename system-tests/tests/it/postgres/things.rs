//! Tables of the tests' own, made by migrations as a service's are.

use refinery::{Migration, Runner};
use service_kit::database::Migrations;

pub(super) const MIGRATIONS: Migrations = Migrations { sqlite: runner, postgres: runner, table: "test_migrations" };

/// Numbers may come twice: whatever is sent twice shows.
const SQL: &str = "
    CREATE TABLE numbers (number BIGINT);
    CREATE TABLE things (id UUID, text TEXT, number BIGINT, truth BOOLEAN, time TIMESTAMPTZ);
";

fn runner() -> Runner {
    Runner::new(&[Migration::unapplied("V1__things", SQL).unwrap()])
}
