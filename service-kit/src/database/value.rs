//! What goes into a statement and what comes out of it, alike for SQLite and PostgreSQL.

use std::fmt;

use bytes::BytesMut;
use chrono::{DateTime, Utc};
use rusqlite::types::{FromSql as FromSqlite, FromSqlResult, ToSql as ToSqlite, ToSqlOutput, ValueRef};
use tokio_postgres::types::{FromSqlOwned as FromPostgres, IsNull, ToSql as ToPostgres, Type, to_sql_checked};
use uuid::Uuid;

use super::DatabaseError;

/// A parameter of a statement.
#[derive(Clone)]
pub enum Value {
    /// `TEXT`
    Text(String),
    /// `BIGINT` · `INTEGER`
    Integer(i64),
    /// `BOOLEAN` · `INTEGER`
    Boolean(bool),
    /// `UUID` · `BLOB`
    Uuid(Uuid),
    /// `TIMESTAMPTZ` · `TEXT`
    Time(DateTime<Utc>),
    /// Absent, whatever the type.
    Null,
}

// The client library logs parameters where somebody asks for `debug`, and some of them are hashes of passwords.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text",
            Self::Integer(_) => "Integer",
            Self::Boolean(_) => "Boolean",
            Self::Uuid(_) => "Uuid",
            Self::Time(_) => "Time",
            Self::Null => "Null",
        })
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}
impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}
impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}
impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Boolean(truth)
    }
}
impl From<Uuid> for Value {
    fn from(id: Uuid) -> Self {
        Self::Uuid(id)
    }
}
impl From<DateTime<Utc>> for Value {
    fn from(time: DateTime<Utc>) -> Self {
        Self::Time(time)
    }
}
impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl ToSqlite for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Text(text) => ToSqlite::to_sql(text),
            Self::Integer(number) => ToSqlite::to_sql(number),
            Self::Boolean(truth) => ToSqlite::to_sql(truth),
            Self::Uuid(id) => ToSqlite::to_sql(id),
            Self::Time(time) => ToSqlite::to_sql(time),
            Self::Null => ToSqlite::to_sql(&rusqlite::types::Null),
        }
    }
}

impl ToPostgres for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Text(text) => text.to_sql_checked(ty, out),
            Self::Integer(number) => number.to_sql_checked(ty, out),
            Self::Boolean(truth) => truth.to_sql_checked(ty, out),
            Self::Uuid(id) => id.to_sql_checked(ty, out),
            Self::Time(time) => time.to_sql_checked(ty, out),
            Self::Null => Ok(IsNull::Yes),
        }
    }

    // Each variant checks its own type.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A type that a column of either backend can be read as.
pub trait FromColumn: FromSqlite + FromPostgres {
    /// Reads a column of SQLite.
    fn from_sqlite(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::column_result(value)
    }
}

impl FromColumn for String {}
impl FromColumn for i64 {}
impl FromColumn for bool {}
impl FromColumn for Uuid {}
impl<T: FromColumn> FromColumn for Option<T> {
    fn from_sqlite(value: ValueRef<'_>) -> FromSqlResult<Self> {
        if value == ValueRef::Null { Ok(None) } else { T::from_sqlite(value).map(Some) }
    }
}
impl FromColumn for DateTime<Utc> {
    /// The library reads times by a format that it interprets anew for each, which takes six times as long.
    fn from_sqlite(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let time = DateTime::parse_from_rfc3339(value.as_str()?);
        time.map_or_else(|_| FromSqlite::column_result(value), |time| Ok(time.to_utc()))
    }
}

/// One row of an answer, read by the position of its columns.
#[derive(Debug)]
pub struct Row(pub(super) Columns);

#[derive(Debug)]
pub(super) enum Columns {
    Sqlite(Vec<rusqlite::types::Value>),
    Postgres(tokio_postgres::Row),
}

impl Row {
    /// The column at `position`, counted from 0; an error where the query and its reader disagree.
    pub fn get<T: FromColumn>(&self, position: usize) -> Result<T, DatabaseError> {
        match &self.0 {
            Columns::Sqlite(values) => {
                let value = values.get(position).ok_or(rusqlite::Error::InvalidColumnIndex(position))?;
                Ok(T::from_sqlite(value.into()).map_err(rusqlite::Error::from)?)
            }
            Columns::Postgres(row) => Ok(row.try_get(position)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As SQLite keeps it.
    fn written(value: &Value) -> rusqlite::types::Value {
        match ToSqlite::to_sql(value).unwrap() {
            ToSqlOutput::Owned(value) => value,
            borrowed => panic!("{borrowed:?}"),
        }
    }

    proptest! {
        #[test]
        fn a_time_is_read_as_it_was_written(milliseconds in -62_135_596_800_000..253_402_300_799_999_i64) {
            let time = DateTime::<Utc>::from_timestamp_millis(milliseconds).unwrap();
            let written = written(&time.into());
            prop_assert_eq!(DateTime::from_sqlite((&written).into()).unwrap(), time);
        }
    }

    #[test]
    fn a_time_that_another_program_wrote_is_read_as_well() {
        let time = DateTime::parse_from_rfc3339("2026-11-24T23:30:08Z").unwrap().to_utc();
        for text in ["2026-11-24 23:30:08", "2026-11-24T23:30:08Z", "2026-11-25 00:30:08+01:00"] {
            assert_eq!(DateTime::from_sqlite(ValueRef::Text(text.as_bytes())).unwrap(), time, "{text}");
        }
        assert!(DateTime::<Utc>::from_sqlite(ValueRef::Text(b"yesterday")).is_err());
    }

    #[test]
    fn a_parameter_does_not_show_what_is_in_it() {
        let parameters: Vec<Value> =
            vec!["$argon2id$v=19$secret".into(), 5_i64.into(), Uuid::nil().into(), None::<bool>.into()];
        assert_eq!(format!("{parameters:?}"), "[Text, Integer, Uuid, Null]");
    }
}
