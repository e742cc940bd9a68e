//! What goes into PostgreSQL comes out of it again, of every type that our statements use.

use chrono::{DateTime, Utc};
use service_kit::database::{Database, Row, Value};
use shared_claims::random;
use system_tests::postgres::shared;
use uuid::Uuid;

use super::opened;

const INSERT: &str = "INSERT INTO things (id, text, number, truth, time) VALUES ($1, $2, $3, $4, $5)
                      RETURNING id, text, number, truth, time";

async fn returned(values: [Value; 5]) -> Row {
    let (place, values) = (shared().database(), Vec::from(values));
    let database = opened(&place, 1).await;
    database.write(INSERT, values).await.unwrap().remove(0)
}

#[tokio::test]
async fn every_type_comes_back_as_it_was_given() {
    let (id, text) = (random::uuid(), "Größe 大きさ 🦀 ' $1 \\ \n");
    let time = DateTime::from_timestamp_millis(1_900_000_000_123).unwrap();
    for (number, truth) in [(i64::MIN, false), (i64::MAX, true)] {
        let row = returned([id.into(), text.into(), number.into(), truth.into(), time.into()]).await;
        assert_eq!((row.get::<Uuid>(0).unwrap(), row.get::<String>(1).unwrap().as_str()), (id, text));
        assert_eq!((row.get::<i64>(2).unwrap(), row.get::<bool>(3).unwrap()), (number, truth));
        assert_eq!(row.get::<DateTime<Utc>>(4).unwrap(), time);
    }
}

#[tokio::test]
async fn every_type_may_be_absent() {
    let row = returned([Value::Null, None::<String>.into(), Value::Null, Value::Null, Value::Null]).await;
    assert_eq!((row.get::<Option<Uuid>>(0).unwrap(), row.get::<Option<String>>(1).unwrap()), (None, None));
    assert_eq!((row.get::<Option<i64>>(2).unwrap(), row.get::<Option<bool>>(3).unwrap()), (None, None));
    assert_eq!(row.get::<Option<DateTime<Utc>>>(4).unwrap(), None);
}

#[tokio::test]
async fn a_column_that_is_read_as_another_type_or_is_not_there_is_an_error() {
    let row = returned([random::uuid().into(), "x".into(), 1_i64.into(), true.into(), Value::Null]).await;
    assert!(row.get::<i64>(0).is_err() && row.get::<DateTime<Utc>>(4).is_err() && row.get::<i64>(5).is_err());
}

#[tokio::test]
async fn a_value_of_another_type_than_its_column_is_an_error_and_harms_nobody() {
    let place = shared().database();
    let database = opened(&place, 1).await;
    let wrong = vec!["x".into(), "x".into(), 1_i64.into(), true.into(), Value::Null];
    assert!(database.write(INSERT, wrong).await.is_err());
    let right = vec![Value::Null, "x".into(), 1_i64.into(), true.into(), Value::Null];
    assert!(database.write(INSERT, right).await.is_ok());
}
