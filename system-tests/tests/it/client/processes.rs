//! The client's example, in processes that share a file of tokens, while access tokens live for two seconds at most.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::join_all;
use latchkey_client::{Client, FileStorage, SessionState};
use shared_claims::{Clock, SystemClock};
use system_tests::people::Person;
use system_tests::program::{Program, Service};
use system_tests::site::Site;
use system_tests::site::Storage::Embedded;
use uuid::Uuid;

use super::builder;
use crate::metrics::Scrape;

/// What the processes do, for so long.
const WORK: [&str; 4] = ["--for", "6s", "--pause", "20ms"];

/// Both services as programs, and a file of tokens.
struct Workshop {
    auth: Service,
    jobs: Service,
    person: Person,
    tokens: PathBuf,
    site: Site,
}

impl Workshop {
    async fn open() -> Self {
        let site = Site::open(Embedded, &[("TOKENS__ACCESS_TTL", "2s")]).await;
        let auth = Program::new("auth-service", site.directory(), site.environment(&[])).serve().await;
        let jobs = Program::new("jobs-service", site.directory(), site.jobs_environment()).serve().await;
        let (person, tokens) = (site.person(SystemClock.now()).await, site.directory().join("tokens.json"));
        Self { auth, jobs, person, tokens, site }
    }

    fn client(&self) -> Client {
        builder(self.auth.address, self.jobs.address).storage(FileStorage::new(&self.tokens)).build().unwrap()
    }

    async fn session(&self) -> Uuid {
        match self.client().session().await.unwrap() {
            SessionState::SignedIn { session_id, .. } => session_id,
            other => panic!("{other:?}"),
        }
    }

    fn example(&self, keeps_its_tokens: bool) -> Program {
        let set = |name: &str, value: String| (name.to_owned(), value);
        let mut environment = vec![
            set("JOBS_AUTH_URL", super::url(self.auth.address)),
            set("JOBS_URL", super::url(self.jobs.address)),
            set("JOBS_USERNAME", self.person.username.clone()),
            set("JOBS_PASSWORD", self.person.password.clone()),
        ];
        if keeps_its_tokens {
            environment.push(set("JOBS_TOKEN_FILE", self.tokens.display().to_string()));
        }
        Program::example("latchkey-client", "jobs", self.site.directory(), environment)
    }
}

#[tokio::test]
async fn processes_that_share_a_file_stay_signed_in_over_many_expiries() {
    let workshop = Workshop::open().await;
    let login = latchkey_client::Login::new(&workshop.person.username, workshop.person.password.as_str().into());
    let session = workshop.client().login(&login).await.unwrap().session_id;
    let before = Scrape::of(&workshop.auth.client()).await;
    let example = workshop.example(true);
    let ended = join_all((0..4).map(|_| example.run(&WORK, ""))).await;
    for ended in &ended {
        assert!(ended.status.success(), "{ended:?}");
        assert!(ended.stdout.starts_with("going on as "), "{ended:?}");
        assert!(ended.stdout.trim_end().ends_with(" 0 delays"), "{ended:?}");
        assert!(!ended.stderr.contains("eyJ"), "a token is logged: {ended:?}");
    }
    assert_eq!(workshop.session().await, session);

    // A second after each there is the next, whoever makes it. What an ending process had begun is repeated by the others.
    let changes = Scrape::of(&workshop.auth.client()).await.changes_since(&before, "latchkey_refreshes_total");
    assert!(
        changes.keys().all(|outcome| ["outcome=rotated", "outcome=replayed"].contains(&outcome.as_str())),
        "{changes:?}"
    );
    assert!((3.0..=12.0).contains(&changes["outcome=rotated"]), "{changes:?}");

    let client = workshop.client();
    client.current_user().await.unwrap();
    assert_eq!(client.devices().await.unwrap().len(), 1);
    assert_eq!(fs::metadata(&workshop.tokens).unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_process_that_is_killed_again_and_again_stays_signed_in() {
    let workshop = Workshop::open().await;
    let example = workshop.example(true);
    assert!(example.run(&["--for", "0s"], "").await.status.success());
    let session = workshop.session().await;
    let others = async {
        let ended = example.run(&WORK, "").await;
        assert!(ended.status.success(), "{ended:?}");
    };
    let killed = async {
        for round in 0..20 {
            // At a different moment of its life each time; it is killed (SIGKILL) where it is dropped.
            let life = Duration::from_millis(60 + 17 * round);
            assert!(tokio::time::timeout(life, example.run(&["--for", "1m", "--pause", "1ms"], "")).await.is_err());
        }
    };
    tokio::join!(others, killed);
    assert_eq!(workshop.session().await, session);
    let client = workshop.client();
    client.current_user().await.unwrap();
    assert_eq!(client.devices().await.unwrap().iter().map(|device| device.id).collect::<Vec<_>>(), [session]);
}

#[tokio::test]
async fn without_a_file_it_signs_in_and_out() {
    let workshop = Workshop::open().await;
    let ended = workshop.example(false).run(&["--for", "3s", "--pause", "100ms"], "").await;
    assert!(ended.status.success(), "{ended:?}");
    assert!(ended.stdout.starts_with(&format!("signed in as {}\n", workshop.person.username)), "{ended:?}");
    assert!(ended.stderr.contains("the access token was renewed"), "{ended:?}");
    assert!(!workshop.tokens.exists());
    let login = latchkey_client::Login::new(&workshop.person.username, workshop.person.password.as_str().into());
    let client = workshop.client();
    client.login(&login).await.unwrap();
    assert_eq!(client.devices().await.unwrap().len(), 1, "its session has ended with it");
}
