//! SQLite fails: another program holds on to the file, or a record in it cannot be read.

use rusqlite::Connection;
use shared_claims::{Clock, SystemClock};
use system_tests::site::{Site, Storage};
use uuid::Uuid;

use super::{Ward, in_time};

async fn ward() -> Ward {
    Ward::open(Site::open(Storage::Embedded, &[]).await).await
}

fn beside(ward: &Ward) -> Connection {
    Connection::open(ward.site.directory().join("auth.db")).expect("the file of the service")
}

fn record(file: &Connection, user_id: Uuid) -> String {
    let record = file.query_row("SELECT record FROM sessions WHERE user_id = $1", [user_id], |row| row.get(0));
    record.expect("the user has sessions")
}

fn replace(file: &Connection, user_id: Uuid, record: &str) {
    let changed = file.execute("UPDATE sessions SET record = $1 WHERE user_id = $2", (record, user_id));
    assert_eq!(changed.expect("a turn to write"), 1);
}

#[tokio::test]
async fn locked_by_another_program() {
    let mut ward = ward().await;
    let other = beside(&ward);
    other.execute_batch("BEGIN IMMEDIATE").expect("a turn to write");
    ward.assert_unavailable().await;
    let current_user = in_time(ward.auth.client().current_user(&ward.device.tokens.access_token)).await;
    assert_eq!(current_user.status, 200, "reading needs no lock");
    Ward::assert_unready(&ward.auth.client(), &["database", "tokenStore"]).await;
    ward.assert_jobs_go_on().await;
    other.execute_batch("ROLLBACK").expect("the turn is over");
    ward.assert_recovered().await;
}

#[tokio::test]
async fn with_a_record_that_cannot_be_read_one_user_waits_and_the_others_do_not() {
    let mut ward = ward().await;
    let other = ward.site.person(SystemClock.now()).await;
    let file = beside(&ward);
    let id = ward.person.id;
    let readable = record(&file, id);
    for unreadable in ["", "{}", "{\"live\":7,\"ended\":[]}", "nonsense"] {
        replace(&file, id, unreadable);
        ward.assert_unavailable().await;
        assert_eq!(ward.auth.client().try_login(&other.credentials()).await.status, 200);
        assert_eq!(ward.auth.client().readiness().await.status, 200);
    }
    replace(&file, id, &readable);
    ward.assert_recovered().await;
}

#[tokio::test]
async fn behind_by_writes_that_were_acknowledged_it_moves_forward_again() {
    let mut ward = ward().await;
    let client = ward.auth.client();
    let (file, id) = (beside(&ward), ward.person.id);
    let older = record(&file, id);
    for _ in 0..3 {
        assert_eq!(ward.device.refresh(&client).await.expect("an answer").status, 200);
    }
    let spent = ward.device.spent_token().expect("a spent token").to_owned();
    replace(&file, id, &older);

    ward.assert_recovered().await;
    client.refresh(&spent).await.assert_problem(403, "refresh_token_reused");
}
