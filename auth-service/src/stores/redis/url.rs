//! Reads the URL of a Redis: one server, a master behind Sentinels, or a cluster. No error shows any of it.

use std::fmt;

use percent_encoding::percent_decode_str;
use secrecy::SecretString;

const REDIS_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// What a URL of the token store says.
#[derive(Debug, Clone)]
pub(super) struct RedisUrl {
    pub(super) servers: Servers,
    pub(super) user: Option<String>,
    pub(super) password: Option<SecretString>,
    pub(super) is_tls: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Servers {
    One { address: Address, database: i64 },
    BehindSentinels { sentinels: Vec<Address>, master: String },
    Cluster { nodes: Vec<Address> },
}

/// What is wrong with a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct RedisUrlError(&'static str);

const FORMS: RedisUrlError = RedisUrlError(
    "must be redis://[USER:PASSWORD@]HOST:PORT[/DB], redis-sentinel://[USER:PASSWORD@]HOST:PORT,…/MASTER \
     or redis-cluster://[USER:PASSWORD@]HOST:PORT,…, each with rediss for TLS",
);

impl RedisUrl {
    /// Whether a text means to be a URL of a Redis.
    pub(super) fn is_meant(url: &str) -> bool {
        url.split_once(':').is_some_and(|(scheme, _)| scheme.starts_with("redis"))
    }

    pub(super) fn parse(url: &str) -> Result<Self, RedisUrlError> {
        let (scheme, rest) = url.split_once("://").ok_or(FORMS)?;
        if rest.contains(['?', '#']) {
            return Err(RedisUrlError("must not hold ? or #; in a password write them as %3F and %23"));
        }
        let (credentials, rest) = match rest.rsplit_once('@') {
            Some((credentials, rest)) => (Some(credentials), rest),
            None => (None, rest),
        };
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (is_tls, kind) = match scheme.strip_prefix("rediss") {
            Some(kind) => (true, kind),
            None => (false, scheme.strip_prefix("redis").ok_or(FORMS)?),
        };
        let servers = match kind {
            "" => one(hosts, path)?,
            "-sentinel" => behind_sentinels(hosts, path)?,
            "-cluster" => cluster(hosts, path)?,
            _ => return Err(FORMS),
        };
        let (user, password) = credentials.map(parse_credentials).transpose()?.unwrap_or_default();
        Ok(Self { servers, user, password, is_tls })
    }
}

fn one(hosts: &str, path: &str) -> Result<Servers, RedisUrlError> {
    if hosts.contains(',') {
        return Err(RedisUrlError("names several servers: that is redis-sentinel:// or redis-cluster://"));
    }
    let database = match path {
        "" => 0,
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse::<u32>().map_err(|_| RedisUrlError("has a database number that is too large"))?.into()
        }
        _ => return Err(RedisUrlError("must have a number after the slash, which is the database, or nothing")),
    };
    Ok(Servers::One { address: address(hosts, REDIS_PORT)?, database })
}

fn behind_sentinels(hosts: &str, path: &str) -> Result<Servers, RedisUrlError> {
    let master = decoded(path)?;
    if master.is_empty() || master.contains(|c: char| c == '/' || c.is_whitespace() || c.is_control()) {
        return Err(RedisUrlError("must end with a slash and the name by which the Sentinels know the master"));
    }
    Ok(Servers::BehindSentinels { sentinels: addresses(hosts, SENTINEL_PORT)?, master })
}

fn cluster(hosts: &str, path: &str) -> Result<Servers, RedisUrlError> {
    if !path.is_empty() {
        return Err(RedisUrlError("must end with the last server: a cluster has no databases"));
    }
    Ok(Servers::Cluster { nodes: addresses(hosts, REDIS_PORT)? })
}

fn addresses(hosts: &str, default_port: u16) -> Result<Vec<Address>, RedisUrlError> {
    hosts.split(',').map(|host| address(host, default_port)).collect()
}

fn address(text: &str, default_port: u16) -> Result<Address, RedisUrlError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(bracketed) => {
            let (host, port) = bracketed.split_once(']').ok_or(RedisUrlError("has a [ without a ]"))?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| RedisUrlError("has no IPv6 address between [ and ]"))?;
            (host, port)
        }
        None => text.find(':').map_or((text, ""), |colon| text.split_at(colon)),
    };
    if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c.is_control() || c == '%') {
        return Err(RedisUrlError("must name a host"));
    }
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => default_port,
        Some(digits) => match digits.parse() {
            // A sign is understood by the parser of numbers, and meant by nobody.
            Ok(port) if port > 0 && digits.bytes().all(|byte| byte.is_ascii_digit()) => port,
            _ => {
                return Err(RedisUrlError(
                    "has a port that is not a number from 1 to 65535; an IPv6 address needs [ ]",
                ));
            }
        },
        None => return Err(RedisUrlError("has something other than a port after ]")),
    };
    Ok(Address { host: host.to_owned(), port })
}

fn parse_credentials(text: &str) -> Result<(Option<String>, Option<SecretString>), RedisUrlError> {
    let (user, password) =
        text.split_once(':').ok_or(RedisUrlError("must have USER:PASSWORD before the @, or :PASSWORD alone"))?;
    if text.contains('/') {
        return Err(RedisUrlError("must not have a / in a user or a password: write it as %2F"));
    }
    let (user, password) = (decoded(user)?, decoded(password)?);
    if password.is_empty() {
        return Err(RedisUrlError("has an empty password"));
    }
    Ok(((!user.is_empty()).then_some(user), Some(password.into())))
}

fn decoded(text: &str) -> Result<String, RedisUrlError> {
    const WRONG: RedisUrlError = RedisUrlError("has a % that is not followed by two hexadecimal digits of UTF-8");
    let is_whole = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    if !text.split('%').skip(1).all(is_whole) {
        return Err(WRONG);
    }
    percent_decode_str(text).decode_utf8().map(Into::into).map_err(|_| WRONG)
}

#[cfg(test)]
#[path = "url_tests.rs"]
mod tests;
