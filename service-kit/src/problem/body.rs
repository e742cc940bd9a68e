//! Reads a JSON body within its limits. What is wrong with one is told by place and kind, never by quoting it: a body may hold a password.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use futures_util::{Stream, StreamExt};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use super::{Problem, misfit};

/// The largest body that is read, in bytes.
pub const BODY_LIMIT: usize = 16 * 1024;

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);

/// A JSON object in the body, read as a `T`.
///
/// Refuses with [`Problem`]s: 415 for another content type or any content coding, 413 beyond [`BODY_LIMIT`] (what lies beyond is
/// not read), 408 when it does not arrive within 10 s, and 400 for what is no JSON object or does not fit `T`.
#[derive(Debug)]
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for JsonBody<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let acceptable = check_headers(request);
        let payload = payload.take();
        Box::pin(async move {
            acceptable?;
            let body =
                tokio::time::timeout(PATIENCE, collect(payload)).await.map_err(|_| Problem::request_timeout())??;
            parse(&body).map(Self)
        })
    }
}

fn check_headers(request: &HttpRequest) -> Result<(), Problem> {
    if !is_json(request) {
        return Err(Problem::unsupported_media_type());
    }
    if is_encoded(request.headers()) {
        return Err(Problem::unsupported_content_coding());
    }
    let length =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > BODY_LIMIT as u64) {
        return Err(Problem::payload_too_large());
    }
    Ok(())
}

fn is_json(request: &HttpRequest) -> bool {
    let Ok(Some(media)) = request.mime_type() else { return false };
    media.type_() == "application"
        && (media.subtype() == "json" || media.suffix().is_some_and(|suffix| suffix == "json"))
}

fn is_encoded(headers: &HeaderMap) -> bool {
    headers.get_all(header::CONTENT_ENCODING).any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// Reads to the end, or until there is more than a body may be.
async fn collect(payload: impl Stream<Item = Result<Bytes, PayloadError>>) -> Result<BytesMut, Problem> {
    let mut payload = std::pin::pin!(payload);
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Problem::bad_request("The body could not be read to its end."))?;
        if body.len() + chunk.len() > BODY_LIMIT {
            return Err(Problem::payload_too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    // serde would take an array for a struct, its items for the fields.
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => {}
        Some(_) => return Err(Problem::bad_request("The body is not a JSON object.")),
        None => return Err(Problem::bad_request("The body is empty; a JSON object is expected.")),
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let parsed = serde_path_to_error::deserialize(&mut deserializer);
    let parsed = parsed.map_err(|error| Problem::bad_request(describe(error.path(), error.inner())))?;
    deserializer
        .end()
        .map_err(|error| Problem::bad_request(format!("There is something after the JSON object{}.", place(&error))))?;
    Ok(parsed)
}

fn describe(path: &serde_path_to_error::Path, error: &serde_json::Error) -> String {
    let place = place(error);
    match error.classify() {
        Category::Data => format!("In the body, {}{place}.", misfit::describe(path, &error.to_string())),
        Category::Eof => format!("The JSON is cut short{place}."),
        // The path is left out: what is no JSON may have anything for a name.
        Category::Syntax | Category::Io => format!("The body is not valid JSON{place}."),
    }
}

fn place(error: &serde_json::Error) -> String {
    if error.line() == 0 { String::new() } else { format!(" (line {}, column {})", error.line(), error.column()) }
}

#[cfg(test)]
#[path = "body_tests.rs"]
mod tests;
