//! The client, and how it is made.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest_middleware::{ClientBuilder as WithMiddleware, ClientWithMiddleware};
use secrecy::SecretString;

use crate::jobs::Jobs;
use crate::keeper::Keeper;
use crate::middleware::AccessTokens;
use crate::refresher::{Exchange, Refresher};
use crate::services::{ServiceUrl, Services};
use crate::{BuildError, MemoryStorage, TokenStorage};

/// How long a connection may take, and how long a whole call: the services answer within two seconds, or say 503.
const TO_CONNECT: Duration = Duration::from_secs(5);
const TO_ANSWER: Duration = Duration::from_secs(30);

/// How long a call waits by default while refreshes fail.
const PATIENCE: Duration = Duration::from_secs(10);

/// One user's client of auth-service and of the services that take its tokens. Clones are the same client: make one and share it.
///
/// It has to be used within a Tokio runtime.
#[derive(Clone)]
pub struct Client {
    /// Sends the access token.
    http: ClientWithMiddleware,
    pub(crate) services: Arc<Services>,
    pub(crate) refresher: Arc<Refresher>,
}

impl Client {
    /// Begins a client of the auth-service at this URL, such as `https://latchkey.example.test/api/auth`.
    pub fn builder(auth_url: impl Into<String>) -> ClientBuilder {
        ClientBuilder {
            auth_url: auth_url.into(),
            service_urls: Vec::new(),
            storage: Arc::new(MemoryStorage::new()),
            fingerprint: None,
            patience: PATIENCE,
            http: None,
        }
    }

    /// For calls of your own: the access token goes to the services that the client was built for, and to no others.
    ///
    /// With [`read`](crate::read) and [`send`](crate::send) they have the same errors as the typed calls:
    ///
    /// ```no_run
    /// # #[derive(serde::Deserialize)] struct Invoice { total: u64 }
    /// # async fn example(client: latchkey_client::Client) -> Result<(), latchkey_client::Error> {
    /// let invoice: Invoice = latchkey_client::read(client.http().get("https://billing.example.test/invoices/7")).await?;
    /// # Ok(()) }
    /// ```
    pub fn http(&self) -> &ClientWithMiddleware {
        &self.http
    }

    /// What [`Client::http`] attaches and renews tokens with, for an HTTP client that has more middlewares.
    pub fn access_tokens(&self) -> AccessTokens {
        AccessTokens { services: Arc::clone(&self.services), refresher: Arc::clone(&self.refresher) }
    }

    /// The calls of the jobs-service at this URL, which the client was built for.
    pub fn jobs(&self, url: &str) -> Result<Jobs, BuildError> {
        let base = ServiceUrl::parse(url)?;
        if self.services.others.iter().any(|known| known == &base) {
            Ok(Jobs::new(self.http.clone(), base))
        } else {
            Err(BuildError::UnknownService { url: url.to_owned() })
        }
    }

    /// For calls that need no access token.
    pub(crate) fn plain(&self) -> &ClientWithMiddleware {
        &self.refresher.exchange.http
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("services", &self.services).finish_non_exhaustive()
    }
}

/// A client in the making.
#[derive(Debug)]
#[must_use]
pub struct ClientBuilder {
    auth_url: String,
    service_urls: Vec<String>,
    storage: Arc<dyn TokenStorage>,
    fingerprint: Option<SecretString>,
    patience: Duration,
    http: Option<reqwest::ClientBuilder>,
}

impl ClientBuilder {
    /// A service that takes the access token: calls of this URL and of all paths below it carry it. Beside auth-service, only those.
    pub fn service(mut self, url: impl Into<String>) -> Self {
        self.service_urls.push(url.into());
        self
    }

    /// Where the session is kept. Without it, in memory.
    pub fn storage(self, storage: impl TokenStorage + 'static) -> Self {
        Self { storage: Arc::new(storage), ..self }
    }

    /// A text that only this client knows, 1 to 512 characters: the login sends it and every refresh repeats it. It is not kept
    /// with the tokens, and helps only where they cannot both be copied.
    pub fn fingerprint(self, fingerprint: SecretString) -> Self {
        Self { fingerprint: Some(fingerprint), ..self }
    }

    /// How long a call that needs a new access token waits while refreshes fail (10 s unless set): so long new attempts begin, with
    /// growing pauses. Zero means one attempt. A call whose token is still good does not wait at all.
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// An HTTP client of your own making, for proxies, certificates or time limits; the usual one gives a connection 5 s and a whole
    /// call 30 s. It is made to follow no redirections: ours
    /// never redirect, and a password or a token must not go where somebody else's answer points.
    pub fn http(self, http: reqwest::ClientBuilder) -> Self {
        Self { http: Some(http), ..self }
    }

    /// Makes it. Nothing is sent.
    pub fn build(self) -> Result<Client, BuildError> {
        let auth = ServiceUrl::parse(&self.auth_url)?;
        let others = self.service_urls.iter().map(|url| ServiceUrl::parse(url)).collect::<Result<_, _>>()?;
        let http = self.http.unwrap_or_else(defaults).redirect(reqwest::redirect::Policy::none());
        let http = http.build().map_err(BuildError::Http)?;

        let url = auth.at(["refresh-token"]);
        let exchange = Exchange { http: http.clone().into(), url, fingerprint: self.fingerprint };
        let refresher = Arc::new(Refresher::new(Keeper::new(self.storage), exchange, self.patience));
        let services = Arc::new(Services { auth, others });
        let tokens = AccessTokens { services: Arc::clone(&services), refresher: Arc::clone(&refresher) };
        Ok(Client { http: WithMiddleware::new(http).with(tokens).build(), services, refresher })
    }
}

fn defaults() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("latchkey-client/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(TO_CONNECT)
        .timeout(TO_ANSWER)
}
