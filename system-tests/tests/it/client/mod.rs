//! `latchkey-client` against the real services: what its users rely on. How it takes odd answers is tested beside its code.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod calls;
mod ended;
mod gateway;
mod many;
mod outages;
mod processes;

use std::net::SocketAddr;
use std::time::Duration;

use chrono::TimeDelta;
use latchkey_client::{Client, ClientBuilder, Jobs, Login, TokenStorage};
use secrecy::ExposeSecret;
use system_tests::people::Person;
use system_tests::site::{Site, Storage};
use system_tests::stack::{Running, Stack};

use crate::metrics::Scrape;

/// Longer than any of these outages lasts.
const PATIENCE: Duration = Duration::from_secs(20);

/// Both services, and somebody who may log in.
struct House {
    stack: Stack,
    jobs: Running,
    person: Person,
}

impl House {
    async fn open(storage: Storage) -> Self {
        Self::on(Site::open(storage, &[]).await).await
    }

    async fn on(site: Site) -> Self {
        let stack = Stack::on(site).await;
        let (jobs, person) = (stack.jobs_service().await, stack.person().await);
        Self { stack, jobs, person }
    }

    fn builder(&self) -> ClientBuilder {
        builder(self.stack.address(), self.jobs.address)
    }

    /// A client of the person's, signed in on a device of this name.
    async fn client(&self, device: &str) -> Client {
        let client = self.builder().build().unwrap();
        client.login(&self.login().on_device(device)).await.unwrap();
        client
    }

    fn login(&self) -> Login {
        Login::new(&self.person.username, self.person.password.as_str().into())
    }

    fn jobs_of(&self, client: &Client) -> Jobs {
        client.jobs(&url(self.jobs.address)).unwrap()
    }

    /// Every access token runs out. The client does not see it come: its own clock does not move.
    fn expire(&self) {
        self.stack.advance(TimeDelta::minutes(16));
    }

    async fn scrape(&self) -> Scrape {
        Scrape::of(&self.stack.client()).await
    }

    /// Asserts what has come of refreshes since an earlier look, and that there were no others.
    async fn assert_refreshes(&self, before: &Scrape, expected: &[(&str, u32)]) {
        self.scrape().await.assert_changes(before, "latchkey_refreshes_total", expected);
    }
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}

/// No TLS is spoken, and reading the system's certificates for each client would take longer than most tests.
fn builder(auth: SocketAddr, jobs: SocketAddr) -> ClientBuilder {
    let http = reqwest::Client::builder().no_proxy().tls_certs_only([]);
    Client::builder(url(auth)).service(url(jobs)).http(http).patience(PATIENCE)
}

/// The refresh token that a client keeps, as whoever copies its storage has it.
async fn stolen_from(storage: &impl TokenStorage) -> String {
    let text = storage.load().await.unwrap().unwrap();
    let stored: serde_json::Value = serde_json::from_str(text.expose_secret()).unwrap();
    stored["session"]["refreshToken"].as_str().unwrap().to_owned()
}
