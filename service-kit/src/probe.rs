//! Asks a running service whether it is ready: what the `healthcheck` command does, for images with no shell and no curl.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use crate::config::ServerConfig;

const PATIENCE: Duration = Duration::from_secs(3);

/// The longest answer that is worth quoting, in bytes.
const QUOTE_LIMIT: usize = 1_000;

/// Why the service does not count as ready.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// It answered, but not with 200.
    #[error("{url} answered {status}: {body}")]
    Unready {
        /// What was asked.
        url: String,
        /// The status of the answer.
        status: u16,
        /// The beginning of the answer.
        body: String,
    },
    /// It did not answer within 3 s.
    #[error("{url} does not answer: {}", innermost(.source))]
    Silent {
        /// What was asked.
        url: String,
        /// Why not.
        source: reqwest::Error,
    },
}

/// Asks the service that listens where this configuration says; `0.0.0.0` and `::` are asked on the loopback.
pub async fn ready(server: &ServerConfig) -> Result<(), ProbeError> {
    ready_at(SocketAddr::new(server.host, server.port)).await
}

/// Asks the service that listens at this address; `0.0.0.0` and `::` are asked on the loopback.
pub async fn ready_at(address: SocketAddr) -> Result<(), ProbeError> {
    let url = format!("http://{}/health/ready", SocketAddr::new(reachable(address.ip()), address.port()));
    let (status, body) = match ask(&url).await {
        Ok(answer) => answer,
        Err(source) => return Err(ProbeError::Silent { url, source: source.without_url() }),
    };
    if status == reqwest::StatusCode::OK {
        return Ok(());
    }
    let body = String::from_utf8_lossy(&body[..body.len().min(QUOTE_LIMIT)]).into_owned();
    Err(ProbeError::Unready { url, status: status.as_u16(), body })
}

async fn ask(url: &str) -> Result<(reqwest::StatusCode, bytes::Bytes), reqwest::Error> {
    // No TLS is spoken here, and looking for the system's certificates fails in an image that has none.
    let client = reqwest::Client::builder().timeout(PATIENCE).no_proxy().tls_certs_only([]);
    let client = client.redirect(reqwest::redirect::Policy::none()).build()?;
    let response = client.get(url).send().await?;
    let status = response.status();
    Ok((status, response.bytes().await?))
}

fn reachable(host: IpAddr) -> IpAddr {
    match host {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        host => host,
    }
}

/// reqwest's own words are "error sending request"; what an operator needs is at the bottom of it.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}
