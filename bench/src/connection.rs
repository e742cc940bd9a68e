//! One HTTP/1.1 connection that stays open, with no more to it than a measurement needs: what is asked is bytes, and an answer has a
//! length.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// An answer, complete.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

impl Answer<'_> {
    /// Says what came instead of this status.
    pub(crate) fn expect(&self, status: u16) -> Result<(), String> {
        if self.status == status {
            return Ok(());
        }
        Err(format!("{} {}", self.status, String::from_utf8_lossy(self.body)))
    }
}

struct Head {
    status: u16,
    length: usize,
    body_length: usize,
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, received: Vec::with_capacity(16 * 1024) })
    }

    /// Sends one request and reads its answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.received.clear();
        self.stream.write_all(request).await?;
        loop {
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(head) = head(&self.received)?
                && self.received.len() >= head.length + head.body_length
            {
                return Ok(Answer { status: head.status, body: &self.received[head.length..] });
            }
        }
    }
}

/// The head of an answer, once it is there.
fn head(received: &[u8]) -> io::Result<Option<Head>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response.parse(received).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    let httparse::Status::Complete(length) = parsed else { return Ok(None) };
    let status = response.code.unwrap_or_default();
    let stated = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let stated = stated.and_then(|header| std::str::from_utf8(header.value).ok()?.parse().ok());
    match stated {
        Some(body_length) => Ok(Some(Head { status, length, body_length })),
        None if status == 204 => Ok(Some(Head { status, length, body_length: 0 })),
        None => Err(io::Error::new(io::ErrorKind::InvalidData, "an answer without a length")),
    }
}
