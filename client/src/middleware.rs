//! Sends the access token with calls to our own services, and when it is refused gets another and repeats the call, once. Which
//! calls those are is in `services`; how a token is renewed is the refresher's.

use std::sync::Arc;

use async_trait::async_trait;
use http::Extensions;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Request, Response, StatusCode};
use reqwest_middleware::{Error as MiddlewareError, Middleware, Next};
use secrecy::ExposeSecret;

#[cfg(doc)]
use crate::Error;
use crate::record::Session;
use crate::refresher::Refresher;
use crate::services::Services;
use crate::{ErrorCode, Problem, call};

/// A middleware for [`reqwest_middleware`] that attaches the access token, to calls of the services that its client was built
/// for and to no others, and renews it. For HTTP clients that have more middlewares; [`Client::http`](crate::Client::http) has
/// this one alone. A request that already has an `Authorization` goes out as it is.
///
/// Its own errors are [`Error`], within `reqwest_middleware::Error`; `Error::from` brings them back.
#[derive(Debug, Clone)]
pub struct AccessTokens {
    pub(crate) services: Arc<Services>,
    pub(crate) refresher: Arc<Refresher>,
}

#[async_trait]
impl Middleware for AccessTokens {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<Response> {
        if !self.services.carry_token(request.url()) || request.headers().contains_key(AUTHORIZATION) {
            return next.run(request, extensions).await;
        }
        let session = self.refresher.current().await.map_err(MiddlewareError::middleware)?;
        // A body that is a stream is gone once it was sent.
        let again = request.try_clone();
        let response = next.clone().run(authorized(request, &session), extensions).await?;
        if response.status() != StatusCode::UNAUTHORIZED {
            return Ok(response);
        }
        let (response, problem) = call::peek(response).await?;
        if !is_curable(problem.as_ref()) {
            return Ok(response);
        }
        let renewed = self.refresher.renew(&session.access_token).await.map_err(MiddlewareError::middleware)?;
        match again {
            // What one user asked for is not repeated in the name of another who signed in meanwhile.
            Some(again) if renewed.session_id == session.session_id => {
                next.run(authorized(again, &renewed), extensions).await
            }
            _ => Ok(response),
        }
    }
}

fn authorized(mut request: Request, session: &Session) -> Request {
    let value = format!("Bearer {}", session.access_token.expose_secret());
    let mut value = HeaderValue::from_str(&value).expect("a token is visible ASCII");
    value.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, value);
    request
}

fn is_curable(problem: Option<&Problem>) -> bool {
    problem.and_then(|problem| problem.code.as_ref()).is_some_and(ErrorCode::is_cured_by_refresh)
}
