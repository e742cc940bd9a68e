//! Every typed call, as the services answer it.

use latchkey_client::{Error, ErrorCode, JobDraft, JobStatus, Login, Problem};
use system_tests::people::PASSWORD;
use system_tests::site::Site;
use system_tests::site::Storage::Embedded;
use uuid::Uuid;

use super::House;

fn refusal(error: Error) -> (ErrorCode, Problem) {
    match error {
        Error::Refused(problem) => (problem.code.clone().expect("a code"), *problem),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn accounts() {
    let house = House::on(Site::open(Embedded, &[("REGISTRATION__ENABLED", "true")]).await).await;
    let client = house.builder().build().unwrap();
    let password = PASSWORD.into();
    let mary = client.register("Mary", "mary@example.test", &password).await.unwrap();
    assert_eq!((mary.username.as_str(), mary.email.as_str()), ("mary", "mary@example.test"));
    let (code, taken) = refusal(client.register("mary", "other@example.test", &password).await.unwrap_err());
    assert_eq!(code, ErrorCode::AlreadyTaken);
    assert!(taken.errors.contains_key("username"), "{taken}");

    let (code, _) = refusal(client.login(&Login::new("mary", "wrong".into())).await.unwrap_err());
    assert_eq!(code, ErrorCode::InvalidCredentials);
    let signed_in = client.login(&Login::new("mary@example.test", password.clone())).await.unwrap();
    assert_eq!(signed_in.user, mary);
    assert_eq!(signed_in.ended_sessions, []);
    assert_eq!(client.current_user().await.unwrap(), mary);

    let new = "ammonites and belemnites".into();
    let (code, invalid) = refusal(client.change_password(&"wrong".into(), &new).await.unwrap_err());
    assert_eq!(code, ErrorCode::ValidationFailed);
    assert!(invalid.errors.contains_key("currentPassword") && invalid.request_id.is_some(), "{invalid:?}");
    client.change_password(&password, &new).await.unwrap();
    let devices = client.devices().await.unwrap();
    assert_eq!(
        devices.iter().map(|device| (device.id, device.current)).collect::<Vec<_>>(),
        [(signed_in.session_id, true)]
    );
    let (code, _) = refusal(client.end_session(Uuid::nil()).await.unwrap_err());
    assert_eq!(code, ErrorCode::NotFound);
    client.logout().await.unwrap();
    client.login(&Login::new("mary", new)).await.unwrap();
}

#[tokio::test]
async fn registration_that_is_not_enabled() {
    let house = House::open(Embedded).await;
    let client = house.builder().build().unwrap();
    let (code, problem) = refusal(client.register("mary", "mary@example.test", &PASSWORD.into()).await.unwrap_err());
    assert_eq!((code, problem.status.as_u16()), (ErrorCode::RegistrationDisabled, 403));
}

#[tokio::test]
async fn jobs_one_by_one() {
    let house = House::open(Embedded).await;
    let jobs = house.jobs_of(&house.client("desk").await);
    let job = jobs.create(&JobDraft::new("Oil the engine").description("Both ends.")).await.unwrap();
    assert_eq!((job.description.as_str(), &job.status), ("Both ends.", &JobStatus::Open));
    assert_eq!(jobs.get(job.id).await.unwrap(), job);
    let done = jobs.replace(job.id, &JobDraft::new("Oil the engine").status(JobStatus::Done)).await.unwrap();
    assert_eq!((done.description.as_str(), &done.status), ("", &JobStatus::Done));
    jobs.delete(job.id).await.unwrap();
    for error in [jobs.get(job.id).await.unwrap_err(), jobs.delete(job.id).await.unwrap_err()] {
        assert_eq!(refusal(error).0, ErrorCode::NotFound);
    }
    let (code, invalid) = refusal(jobs.create(&JobDraft::new(" ")).await.unwrap_err());
    assert_eq!(code, ErrorCode::ValidationFailed);
    assert_eq!(invalid.errors["title"], ["must not be empty"]);
}

#[tokio::test]
async fn jobs_page_by_page() {
    let house = House::open(Embedded).await;
    let jobs = house.jobs_of(&house.client("desk").await);
    let mut made = Vec::new();
    for number in 0..105 {
        made.insert(0, jobs.create(&JobDraft::new(format!("Number {number}"))).await.unwrap());
    }
    assert_eq!(jobs.list_all().await.unwrap(), made, "more than one page of them, newest first");

    let mut page = jobs.list(Some(50)).await.unwrap();
    let mut sizes = vec![page.jobs.len()];
    while let Some(next) = page.next {
        // A token that runs out between two pages breaks nothing off.
        house.expire();
        page = jobs.list_next(&next).await.unwrap();
        sizes.push(page.jobs.len());
    }
    assert_eq!(sizes, [50, 50, 5]);
    assert_eq!(refusal(jobs.list(Some(501)).await.unwrap_err()).0, ErrorCode::ValidationFailed);
}
