//! SQLite fails: another program holds on to the file, or a record in it cannot be read.

use rusqlite::Connection;
use shared_claims::{Clock, SystemClock};
use system_tests::site::{Site, Storage};

use super::{Ward, in_time};

async fn ward() -> Ward {
    Ward::open(Site::open(Storage::Embedded, &[]).await).await
}

fn beside(ward: &Ward) -> Connection {
    Connection::open(ward.site.directory().join("auth.db")).expect("the file of the service")
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
    let record: String =
        file.query_row("SELECT record FROM sessions WHERE user_id = $1", [id], |row| row.get(0)).expect("a record");
    for unreadable in ["", "{}", "{\"live\":7,\"ended\":[]}", "nonsense"] {
        let changed = file.execute("UPDATE sessions SET record = $1 WHERE user_id = $2", (unreadable, id));
        assert_eq!(changed.expect("the record is replaced"), 1);
        ward.assert_unavailable().await;
        assert_eq!(ward.auth.client().try_login(&other.credentials()).await.status, 200);
        assert_eq!(ward.auth.client().readiness().await.status, 200);
    }
    file.execute("UPDATE sessions SET record = $1 WHERE user_id = $2", (record, id)).expect("the record is put back");
    ward.assert_recovered().await;
}
