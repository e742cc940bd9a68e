//! Sends a request and makes of its answer what was asked for, or an error by its code. For the typed calls of this crate, and for
//! those that you write for a service of your own.

use bytes::Bytes;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Response, ResponseBuilderExt};
use reqwest_middleware::RequestBuilder;
use serde::de::DeserializeOwned;

use crate::{Error, Problem};

/// Sends a request. An answer of success comes back as it is; any other is [`Error::Refused`].
pub async fn send(request: RequestBuilder) -> Result<Response, Error> {
    let response = request.send().await?;
    if response.status().is_success() {
        return Ok(response);
    }
    let (status, headers) = (response.status(), response.headers().clone());
    // What is no problem of ours may be long, and nothing of it is looked at.
    let body = if is_problem(&response) { response.bytes().await.map_err(Error::NoAnswer)? } else { Bytes::new() };
    Err(Error::Refused(Box::new(Problem::read(status, &headers, &body))))
}

/// Sends a request and reads the JSON of its answer.
pub async fn read<T: DeserializeOwned>(request: RequestBuilder) -> Result<T, Error> {
    json(send(request).await?).await
}

/// Reads the JSON of an answer of success.
pub(crate) async fn json<T: DeserializeOwned>(response: Response) -> Result<T, Error> {
    let status = response.status();
    let body = response.bytes().await.map_err(Error::NoAnswer)?;
    // The parser's own words would quote what was read.
    serde_json::from_slice(&body).map_err(|error| Error::Unreadable {
        status,
        what: format!("it does not fit at line {}, column {}", error.line(), error.column()),
    })
}

/// The problem of an answer that is none of success, and the answer as good as new.
pub(crate) async fn peek(response: Response) -> Result<(Response, Option<Problem>), reqwest::Error> {
    if !is_problem(&response) {
        return Ok((response, None));
    }
    let mut copy = http::Response::builder()
        .status(response.status())
        .version(response.version())
        .url(response.url().clone())
        .body(())
        .expect("the parts of a response make a response");
    copy.headers_mut().clone_from(response.headers());
    let body = response.bytes().await?;
    let problem = Problem::read(copy.status(), copy.headers(), &body);
    Ok((copy.map(|()| body).into(), Some(problem)))
}

fn is_problem(response: &Response) -> bool {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/problem+json"))
}
