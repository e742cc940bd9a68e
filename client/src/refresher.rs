//! Exchanges the refresh token for a new pair: once for however many calls ask, in one process at a time, and so that a lost answer
//! can be asked for again. The only place that may find out that the session has ended.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use reqwest::Url;
use reqwest::header::HeaderValue;
use reqwest_middleware::ClientWithMiddleware;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use crate::keeper::Keeper;
use crate::record::{Pair, Session};
use crate::{EndReason, Error, backoff, call, random};

/// How long one refresh may take: the service answers within two seconds, if with a 503.
const ONE_ANSWER: Duration = Duration::from_secs(10);

/// How long before its end an access token is renewed, if it lives for more than twice as long.
const USUAL_LEAD: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub(crate) struct Refresher {
    pub(crate) keeper: Keeper,
    pub(crate) exchange: Exchange,
    /// How long a call waits while refreshes fail.
    patience: Duration,
    running: Mutex<Option<Running>>,
    trouble: Mutex<Option<Trouble>>,
}

/// What a refresh needs beside the token.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) http: ClientWithMiddleware,
    pub(crate) url: Url,
    pub(crate) fingerprint: Option<SecretString>,
}

/// What came of a renewal, for everybody who waits for it.
#[derive(Debug, Clone)]
enum Renewal {
    Renewed(Box<Session>),
    SignedOut(Option<EndReason>),
    Failed(Trouble),
}

/// Why the server cannot be asked, and until when it is left alone.
#[derive(Debug, Clone)]
struct Trouble {
    failures: u32,
    retry_at: Instant,
    cause: Arc<Error>,
}

#[derive(Debug)]
struct Running {
    renewal: Shared<BoxFuture<'static, Renewal>>,
    task: AbortHandle,
}

#[derive(Debug, PartialEq, Eq)]
enum Freshness {
    Fresh,
    /// Good for now, and soon to be renewed.
    Due,
    Outworn,
}

fn freshness(lifetime: Duration, age: Duration) -> Freshness {
    if age >= lifetime {
        Freshness::Outworn
    } else if age >= lifetime.saturating_sub(USUAL_LEAD.min(lifetime / 2)) {
        Freshness::Due
    } else {
        Freshness::Fresh
    }
}

impl Refresher {
    pub(crate) fn new(keeper: Keeper, exchange: Exchange, patience: Duration) -> Self {
        Self { keeper, exchange, patience, running: Mutex::default(), trouble: Mutex::default() }
    }

    /// The session to make a call with. Its access token is renewed aside when it is due, and waited for only when it has run out.
    pub(crate) async fn current(self: &Arc<Self>) -> Result<Session, Error> {
        let session = self.keeper.session().await?;
        match freshness(session.lifetime(), self.keeper.age(&session)) {
            Freshness::Fresh => Ok(session),
            Freshness::Due => {
                drop(self.renewal(&session.access_token));
                Ok(session)
            }
            Freshness::Outworn => {
                let renewed = self.renew(&session.access_token).await?;
                // Somebody has signed in meanwhile, in whose name this call was not made.
                let is_the_same = renewed.session_id == session.session_id;
                is_the_same.then_some(renewed).ok_or(Error::SignedOut(Some(EndReason::SignedOut)))
            }
        }
    }

    /// A session with an access token other than `outworn`, by a refresh only if nobody has refreshed since.
    pub(crate) async fn renew(self: &Arc<Self>, outworn: &SecretString) -> Result<Session, Error> {
        loop {
            let session = self.keeper.session().await?;
            if !session.has_access_token(outworn) {
                return Ok(session);
            }
            match self.renewal(outworn).await {
                // It had begun before `outworn` came into use, and brought just that.
                Renewal::Renewed(session) if session.has_access_token(outworn) => {}
                Renewal::Renewed(session) => return Ok(*session),
                Renewal::SignedOut(because) => return Err(Error::SignedOut(because)),
                Renewal::Failed(trouble) => return Err(trouble.told()),
            }
        }
    }

    /// The renewal that runs, or a new one. It is a task of its own, so that a caller who gives up does not break it off.
    fn renewal(self: &Arc<Self>, outworn: &SecretString) -> Shared<BoxFuture<'static, Renewal>> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = running.as_ref().filter(|running| !running.task.is_finished()) {
            return running.renewal.clone();
        }
        let task = tokio::spawn(Arc::clone(self).renew_patiently(outworn.clone()));
        let handle = task.abort_handle();
        let renewal = task.map(|end| end.unwrap_or_else(|_| Renewal::Failed(Trouble::interrupted()))).boxed().shared();
        *running = Some(Running { renewal: renewal.clone(), task: handle });
        renewal
    }

    async fn renew_patiently(self: Arc<Self>, outworn: SecretString) -> Renewal {
        let give_up = Instant::now() + self.patience;
        loop {
            if let Some(trouble) = self.trouble() {
                if trouble.retry_at > give_up {
                    return Renewal::Failed(trouble);
                }
                sleep_until(trouble.retry_at).await;
            }
            match self.renew_once(&outworn).await {
                Ok(renewal) => return renewal,
                Err(error) => {
                    let trouble = self.failed(error);
                    if !trouble.cause.is_temporary() {
                        return Renewal::Failed(trouble);
                    }
                }
            }
        }
    }

    /// One refresh, with the storage held from before the token is read until its successor is kept.
    async fn renew_once(&self, outworn: &SecretString) -> Result<Renewal, Error> {
        let mut held = self.keeper.hold().await?;
        let Some(session) = held.stored.session.take() else {
            return Ok(Renewal::SignedOut(held.stored.ended_because.clone()));
        };
        if !session.has_access_token(outworn) {
            return Ok(Renewal::Renewed(Box::new(session)));
        }
        let sent_at = Instant::now();
        match self.exchange.send(&session).await {
            Ok(pair) => {
                let successor = Session::begin(pair, session.user);
                held.stored.session = Some(successor.clone());
                // Before anybody uses the new access token. If this fails the old refresh token is still there, with its key.
                held.store().await?;
                self.keeper.received(&successor, sent_at);
                *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = None;
                tracing::debug!(session = %successor.session_id, "the access token was renewed");
                Ok(Renewal::Renewed(Box::new(successor)))
            }
            Err(error) => {
                let because = error.end_of_session().ok_or(error)?;
                tracing::info!(session = %session.session_id, because = because.as_str(), "the session has ended");
                held.stored.end(because.clone());
                // Whoever cannot be told by the storage asks the server, and is told the same.
                if let Err(error) = held.store().await {
                    tracing::warn!(%error, "the end of the session cannot be kept");
                }
                Ok(Renewal::SignedOut(Some(because)))
            }
        }
    }

    fn trouble(&self) -> Option<Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn failed(&self, error: Error) -> Trouble {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = trouble.as_ref().map_or(0, |before| before.failures).saturating_add(1);
        let pause = backoff::pause(failures, random::chance(), error.retry_after());
        tracing::warn!(%error, failures, ?pause, "the access token could not be renewed; the session stands");
        trouble.insert(Trouble { failures, retry_at: Instant::now() + pause, cause: Arc::new(error) }).clone()
    }
}

impl Trouble {
    fn interrupted() -> Self {
        Self { failures: 1, retry_at: Instant::now(), cause: Arc::new(Error::Interrupted) }
    }

    fn told(self) -> Error {
        let retry_after = self.retry_at.saturating_duration_since(Instant::now());
        Error::NotRenewed { retry_after, source: self.cause }
    }
}

impl Exchange {
    async fn send(&self, session: &Session) -> Result<Pair, Error> {
        let mut body = json!({ "refreshToken": session.refresh_token.expose_secret() });
        if let Some(fingerprint) = &self.fingerprint {
            body["fingerprint"] = fingerprint.expose_secret().into();
        }
        let mut key = HeaderValue::from_str(session.idempotency_key.expose_secret()).expect("a key is visible ASCII");
        key.set_sensitive(true);
        let request = self.http.post(self.url.clone()).header("Idempotency-Key", key).json(&body);
        call::read::<Pair>(request.timeout(ONE_ANSWER)).await?.checked()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_due_a_minute_before_its_end_and_a_short_one_after_half_its_life() {
        let freshness = |lifetime, age| freshness(Duration::from_secs(lifetime), Duration::from_secs(age));
        assert_eq!([839, 840, 899].map(|age| freshness(900, age)), [Freshness::Fresh, Freshness::Due, Freshness::Due]);
        assert_eq!([0, 1, 2].map(|age| freshness(2, age)), [Freshness::Fresh, Freshness::Due, Freshness::Outworn]);
        assert_eq!(freshness(900, 900), Freshness::Outworn);
    }
}
