//! What the HTTP library answers by itself, because no request could be read, is a bare status. Callers are promised more: a problem, a
//! request id and the headers that are always there. They are put in on the way to the socket, for there is no other place to do it.

use std::fmt::Write;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::ResponseError;
use actix_web::body::MessageBody;
use actix_web::http::StatusCode;
use bytes::{Buf, Bytes};
use memchr::memmem;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::http::{RequestId, stamp};
use crate::problem::Problem;

/// Longer than any bare answer of the library: a status line, a length, `connection` and `date`.
const LONGEST: usize = 256;

/// A connection whose bare answers are given what they lack.
pub(super) struct Completed<T> {
    connection: T,
    /// A complete answer of which this is still to be written. The library writes nothing after it.
    answer: Bytes,
}

impl<T> Completed<T> {
    pub(super) fn new(connection: T) -> Self {
        Self { connection, answer: Bytes::new() }
    }
}

impl<T: AsyncWrite + Unpin> Completed<T> {
    fn poll_answer(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.answer.has_remaining() {
            let written = ready!(Pin::new(&mut self.connection).poll_write(context, &self.answer))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.answer.advance(written);
        }
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Completed<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_answer(context))?;
        // The library hands over a head whole, and what answers requests before this one may stand ahead of it.
        match Bare::at_the_end_of(bytes) {
            Some(bare) if bare.start == 0 => {
                self.answer = bare.complete();
                Poll::Ready(Ok(bytes.len()))
            }
            Some(bare) => Pin::new(&mut self.connection).poll_write(context, &bytes[..bare.start]),
            None => Pin::new(&mut self.connection).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_answer(context))?;
        Pin::new(&mut self.connection).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_answer(context))?;
        Pin::new(&mut self.connection).poll_shutdown(context)
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Completed<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_read(context, buffer)
    }
}

/// An answer of the library's own making: an error with an empty body, and without the request id that every answer of ours has.
struct Bare<'a> {
    start: usize,
    status: StatusCode,
    fields: Vec<&'a str>,
}

impl<'a> Bare<'a> {
    fn at_the_end_of(bytes: &'a [u8]) -> Option<Self> {
        let without_end = bytes.strip_suffix(b"\r\n\r\n")?;
        let earliest = without_end.len().saturating_sub(LONGEST);
        let start = earliest + memmem::rfind(&without_end[earliest..], b"HTTP/1.1 ")?;
        let mut lines = str::from_utf8(&without_end[start..]).ok()?.split("\r\n");
        let status: StatusCode = lines.next()?.get(9..12)?.parse().ok()?;
        let fields: Vec<_> = lines.collect();
        let is_empty = fields.contains(&"content-length: 0");
        let is_ours = fields.iter().any(|field| field.starts_with("x-request-id:"));
        let is_error = status.is_client_error() || status.is_server_error();
        (is_error && is_empty && !is_ours).then_some(Self { start, status, fields })
    }

    /// The same answer with everything that the contract has in one.
    fn complete(&self) -> Bytes {
        let problem = self.problem();
        let id = RequestId::fresh();
        tracing::info!(request_id = id.as_str(), status = problem.status().as_u16(), "no request could be read");
        let mut response = problem.error_response();
        stamp(response.headers_mut(), &id);
        let mut head = format!("HTTP/1.1 {}\r\n", response.status());
        for (name, value) in response.headers() {
            let value = value.to_str().expect("a problem's headers are text");
            write!(head, "{name}: {value}\r\n").expect("memory takes it");
        }
        // The library closes the connection after these, and does not always say so (RFC 9112 §9.6).
        let is_kept = |field: &str| !field.starts_with("content-length:") && !field.starts_with("connection:");
        for field in self.fields.iter().filter(|field| is_kept(field)) {
            write!(head, "{field}\r\n").expect("memory takes it");
        }
        let body = response.into_body().try_into_bytes().unwrap_or_default();
        write!(head, "connection: close\r\ncontent-length: {}\r\n\r\n", body.len()).expect("memory takes it");
        [head.as_bytes(), &body].concat().into()
    }

    fn problem(&self) -> Problem {
        match self.status {
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => Problem::headers_too_large(),
            StatusCode::REQUEST_TIMEOUT => {
                Problem::request_timeout().detail("The head of the request did not arrive in time.")
            }
            status if status.is_client_error() => Problem::bad_request("This is not an HTTP/1.1 request (RFC 9112)."),
            _ => Problem::unavailable(1),
        }
    }
}

#[cfg(test)]
#[path = "bare_tests.rs"]
mod tests;
