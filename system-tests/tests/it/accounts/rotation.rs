//! New secrets while the services run: added, promoted, and the old ones retired, with nobody logged out and no request refused. The
//! real programs read them from files again at SIGHUP.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rstest::rstest;
use secrecy::{ExposeSecret, SecretString};
use shared_claims::{Clock, KeyRing, SystemClock, generate_secret};
use system_tests::device::Device;
use system_tests::program::{Program, Service};
use system_tests::redis;
use system_tests::site::Site;
use system_tests::site::Storage::{self, Distributed, Embedded};
use system_tests::tokens::parts;
use system_tests::waiting::eventually;
use tokio::task::JoinSet;

use super::ground::open_site;

const TAKEN: &str = "the secrets were read again";
const NOT_TAKEN: &str = "the new secrets cannot be used; those in use stay";

/// Both services as programs, with a file for each secret and for each list of those that are accepted beside it.
struct Scene {
    auth: Service,
    jobs: Service,
    site: Site,
    _redis: Option<redis::Server>,
}

/// The secrets of both kinds of token: the one that signs, and the others that are accepted.
struct Secrets<'a> {
    access: (&'a SecretString, &'a [&'a SecretString]),
    refresh: (&'a SecretString, &'a [&'a SecretString]),
}

impl Scene {
    async fn open(storage: Storage) -> Self {
        let (site, redis) = open_site(storage, &[]).await;
        let (access, refresh) = (&site.secrets.access, &site.secrets.refresh);
        write(&site, &Secrets { access: (access, &[]), refresh: (refresh, &[]) });
        let serve = async |name: &str, environment: Vec<(String, String)>| {
            Program::new(name, site.directory(), with_files(&site, environment)).serve().await
        };
        let auth = serve("auth-service", site.environment(&[])).await;
        let jobs = serve("jobs-service", site.jobs_environment()).await;
        Self { auth, jobs, site, _redis: redis }
    }

    /// Gives both services other secrets, one after the other, while everybody goes on.
    async fn take(&self, secrets: &Secrets<'_>, load: &mut Load) {
        write(&self.site, secrets);
        for service in [&self.auth, &self.jobs] {
            reload(service, TAKEN).await;
            load.goes_on().await;
        }
    }

    /// What the services have written, which must not have any of these in it.
    fn assert_silent_about(&self, secrets: &[&SecretString]) {
        for log in [self.auth.log(), self.jobs.log()] {
            assert!(
                secrets.iter().all(|secret| !log.contains(secret.expose_secret())),
                "a secret is in the log: {log}"
            );
        }
    }
}

fn file(site: &Site, name: &str) -> PathBuf {
    site.directory().join(name)
}

fn write(site: &Site, secrets: &Secrets<'_>) {
    for (kind, (signing, others)) in [("access", secrets.access), ("refresh", secrets.refresh)] {
        // The one that signs is among those accepted, so that no file is ever empty.
        let accepted: Vec<_> = [&[signing], others].concat().into_iter().map(ExposeSecret::expose_secret).collect();
        fs::write(file(site, kind), format!("{}\n", signing.expose_secret())).expect("the directory is ours");
        fs::write(file(site, &format!("accepted-{kind}")), accepted.join(",")).expect("the directory is ours");
    }
}

/// The environment with the paths of files in the place of secrets.
fn with_files(site: &Site, mut environment: Vec<(String, String)>) -> Vec<(String, String)> {
    for (name, of) in [
        ("ACCESS_SECRET", "access"),
        ("ACCEPTED_ACCESS_SECRETS", "accepted-access"),
        ("REFRESH_SECRET", "refresh"),
        ("ACCEPTED_REFRESH_SECRETS", "accepted-refresh"),
    ] {
        let name = format!("LATCHKEY_TOKENS__{name}");
        environment.retain(|(other, _)| *other != name);
        environment.push((format!("{name}_FILE"), file(site, of).to_str().expect("text").to_owned()));
    }
    environment
}

/// Has a service read its secrets again, and waits until it says what came of that.
async fn reload(service: &Service, outcome: &str) {
    let count = || service.log().matches(outcome).count();
    let before = count();
    service.hang_up();
    eventually(outcome, async || (count() > before).then_some(())).await;
}

fn signing_kid(secret: &SecretString) -> String {
    KeyRing::new(secret, &[]).expect("a good secret").signing_kid().to_owned()
}

fn kid(token: &str) -> String {
    parts(token).0["kid"].as_str().expect("a key id").to_owned()
}

/// Devices that refresh, and read their jobs with what they were given, as fast as they are answered. Nothing may be refused.
struct Load {
    is_over: Arc<AtomicBool>,
    rounds: Arc<AtomicUsize>,
    devices: JoinSet<()>,
}

impl Load {
    async fn start(scene: &Scene) -> Self {
        let mut load = Self { is_over: Arc::default(), rounds: Arc::default(), devices: JoinSet::new() };
        let (auth, jobs) = (scene.auth.client(), scene.jobs.client());
        for _ in 0..2 {
            let person = scene.site.person(SystemClock.now()).await;
            for _ in 0..3 {
                let mut device = Device::login(&auth, &person).await;
                let (auth, jobs) = (auth.clone(), jobs.clone());
                let (is_over, rounds) = (load.is_over.clone(), load.rounds.clone());
                load.devices.spawn(async move {
                    while !is_over.load(Ordering::Relaxed) {
                        let refreshed = device.refresh(&auth).await.expect("auth-service answers");
                        assert_eq!(refreshed.status, 200, "{refreshed:?}");
                        let listed = jobs.job_list(&device.tokens.access_token).await;
                        assert_eq!(listed.status, 200, "{listed:?}");
                        let user = auth.current_user(&device.tokens.access_token).await;
                        assert_eq!(user.status, 200, "{user:?}");
                        rounds.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        }
        load
    }

    /// Waits until the devices have made some rounds more.
    async fn goes_on(&mut self) {
        let before = self.rounds.load(Ordering::Relaxed);
        let more = async || (self.rounds.load(Ordering::Relaxed) > before + 24).then_some(());
        eventually("the load goes on", more).await;
        assert!(self.devices.try_join_next().is_none(), "a device was refused something");
    }

    async fn end(mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        while let Some(device) = self.devices.join_next().await {
            device.expect("no device was refused anything");
        }
    }
}

#[rstest]
#[tokio::test]
async fn both_secrets_are_replaced_under_load_with_nobody_logged_out(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let scene = Scene::open(storage).await;
    let (auth, jobs) = (scene.auth.client(), scene.jobs.client());
    let (old_access, old_refresh) = (&scene.site.secrets.access, &scene.site.secrets.refresh);
    let (new_access, new_refresh) = (&generate_secret(), &generate_secret());
    let person = scene.site.person(SystemClock.now()).await;
    let (mut idle, left_behind) = (Device::login(&auth, &person).await, Device::login(&auth, &person).await);
    let mut load = Load::start(&scene).await;
    load.goes_on().await;

    let added = Secrets { access: (old_access, &[new_access]), refresh: (old_refresh, &[new_refresh]) };
    scene.take(&added, &mut load).await;
    let tokens = auth.login(&person).await;
    assert_eq!(
        (kid(&tokens.access_token), kid(&tokens.refresh_token)),
        (signing_kid(old_access), signing_kid(old_refresh))
    );

    let promoted = Secrets { access: (new_access, &[old_access]), refresh: (new_refresh, &[old_refresh]) };
    scene.take(&promoted, &mut load).await;
    // What was signed before is still good, in both services, and is exchanged for what is signed with the new secrets.
    assert_eq!(jobs.job_list(&idle.tokens.access_token).await.status, 200);
    assert_eq!(idle.refresh(&auth).await.expect("an answer").status, 200);
    let tokens = &idle.tokens;
    assert_eq!(
        (kid(&tokens.access_token), kid(&tokens.refresh_token)),
        (signing_kid(new_access), signing_kid(new_refresh))
    );

    let retired = Secrets { access: (new_access, &[]), refresh: (new_refresh, &[]) };
    scene.take(&retired, &mut load).await;
    jobs.job_list(&left_behind.tokens.access_token).await.assert_problem(401, "access_token_invalid");
    auth.current_user(&left_behind.tokens.access_token).await.assert_problem(401, "access_token_invalid");
    auth.refresh(&left_behind.tokens.refresh_token).await.assert_problem(403, "refresh_token_invalid");
    assert_eq!(idle.refresh(&auth).await.expect("an answer").status, 200);

    load.goes_on().await;
    load.end().await;
    scene.assert_silent_about(&[old_access, old_refresh, new_access, new_refresh]);
}

#[rstest]
#[tokio::test]
async fn secrets_that_cannot_be_used_are_complained_of_and_those_in_use_stay(
    #[values(Embedded, Distributed)] storage: Storage,
) {
    let scene = Scene::open(storage).await;
    let (access, refresh) = (&scene.site.secrets.access, &scene.site.secrets.refresh);
    let (short, new) = (&SecretString::from("hunter2"), &generate_secret());
    let mut load = Load::start(&scene).await;
    for (bad, key) in [
        (Secrets { access: (short, &[access]), refresh: (refresh, &[]) }, "tokens.access_secret"),
        (Secrets { access: (access, &[short]), refresh: (refresh, &[]) }, "tokens.accepted_access_secrets"),
        (Secrets { access: (access, &[]), refresh: (short, &[]) }, "tokens.refresh_secret"),
        // The good half of a bad pair is not taken either.
        (Secrets { access: (new, &[access]), refresh: (access, &[refresh]) }, "tokens.refresh_secret"),
    ] {
        write(&scene.site, &bad);
        reload(&scene.auth, NOT_TAKEN).await;
        let complaint =
            scene.auth.log().lines().rfind(|line| line.contains(NOT_TAKEN)).expect("it was said").to_owned();
        assert!(complaint.contains(key), "{key}: {complaint}");
        load.goes_on().await;
    }
    for name in ["access", "refresh", "accepted-access"] {
        write(&scene.site, &Secrets { access: (access, &[]), refresh: (refresh, &[]) });
        fs::remove_file(file(&scene.site, name)).expect("the file is there");
        reload(&scene.auth, NOT_TAKEN).await;
        load.goes_on().await;
    }
    write(&scene.site, &Secrets { access: (short, &[]), refresh: (refresh, &[]) });
    reload(&scene.jobs, NOT_TAKEN).await;
    load.goes_on().await;

    // What was wrong is mended, and the services go on from there.
    let mended = Secrets { access: (access, &[new]), refresh: (refresh, &[]) };
    scene.take(&mended, &mut load).await;
    load.end().await;
    scene.assert_silent_about(&[access, refresh, short, new]);
}
