//! Whose address a request came from, also behind proxies. Only proxies that the configuration trusts are believed.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::{FromRequest, HttpRequest};
use ipnet::IpNet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The networks whose `X-Forwarded-For` is believed. Put into the application's data by [`crate::server::bind`].
#[derive(Debug, Clone)]
pub struct TrustedProxies(Arc<[IpNet]>);

impl TrustedProxies {
    /// Trusts these networks.
    pub fn new(networks: &[IpNet]) -> Self {
        Self(networks.into())
    }

    fn contain(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// The caller's address: the peer's or, where the peer is a trusted proxy, the nearest address in `X-Forwarded-For` that is none.
///
/// The header is walked from its end, for everything before a trusted proxy's own entry may be invented by the caller. An entry that
/// is no address ends the walk at the last good one. With no peer at all, as in unit tests, it is `0.0.0.0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl FromRequest for ClientAddress {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self::of(request)))
    }
}

impl ClientAddress {
    /// The address that the request came from.
    pub fn of(request: &HttpRequest) -> Self {
        let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical());
        let Some(trusted) = request.app_data::<TrustedProxies>() else { return Self(peer) };
        Self(walk(peer, trusted, request.headers()))
    }
}

fn walk(peer: IpAddr, trusted: &TrustedProxies, headers: &HeaderMap) -> IpAddr {
    let lines: Vec<_> = headers.get_all(X_FORWARDED_FOR).map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
    let mut entries = lines.iter().rev().flat_map(|line| line.rsplit(','));
    let mut client = peer;
    while trusted.contain(client) {
        let Some(forwarded) = entries.next().and_then(parse) else { break };
        client = forwarded;
    }
    client
}

/// An address, with or without a port; some proxies write one.
fn parse(entry: &str) -> Option<IpAddr> {
    let entry = entry.trim();
    let address = entry.parse::<IpAddr>().or_else(|_| entry.parse::<SocketAddr>().map(|address| address.ip())).ok()?;
    Some(address.to_canonical())
}

#[cfg(test)]
#[path = "client_address_tests.rs"]
mod tests;
