//! The sections that every service has: where it listens, whom it trusts, and its database.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use actix_web::http::Uri;
use ipnet::IpNet;
use secrecy::SecretString;
use serde::de::{Deserialize, Deserializer, Error};

use super::{Key, duration, list, whole};
use crate::database::DEADLINE;

/// Where a service listens and whom it trusts: the section `server`.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct ServerConfig {
    /// The address to listen on; `0.0.0.0` and `::` mean every interface.
    pub host: IpAddr,
    /// The port to listen on; 0 takes any that is free.
    #[serde(deserialize_with = "whole")]
    pub port: u16,
    /// The service's own name: what a verifier looks for in `aud`, and what logs say.
    #[serde(deserialize_with = "name")]
    pub name: String,
    /// Origins whose pages may call this service, each `scheme://host[:port]`. With none there are no CORS headers at all.
    #[serde(default, deserialize_with = "origins")]
    pub allowed_origins: Vec<String>,
    /// Networks of the proxies whose `X-Forwarded-For` is believed.
    #[serde(default, deserialize_with = "list::networks")]
    pub trusted_proxies: Vec<IpNet>,
}

impl ServerConfig {
    /// The keys of this section.
    pub const KEYS: &'static [Key] = &[
        Key::plain("server.host"),
        Key::plain("server.port"),
        Key::plain("server.name"),
        Key::plain("server.allowed_origins"),
        Key::plain("server.trusted_proxies"),
    ];
}

/// Where a service keeps its rows: the section `database`.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct DatabaseConfig {
    /// `sqlite:PATH` or `postgres://…`. It may hold a password.
    pub url: SecretString,
    /// A PEM file with the certificate authorities to trust for the database's TLS, in place of the public ones.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
    /// Connections to PostgreSQL that all requests share, 1 to 100. SQLite needs none.
    #[serde(deserialize_with = "connections")]
    pub max_connections: usize,
    /// How long a call into PostgreSQL may take, connecting included, 100 ms to [`DEADLINE`].
    #[serde(deserialize_with = "patience")]
    pub timeout: Duration,
    /// How long of that it may take to connect.
    #[serde(deserialize_with = "patience")]
    pub connect_timeout: Duration,
}

impl DatabaseConfig {
    /// The keys of this section.
    pub const KEYS: &'static [Key] = &[
        Key::secret("database.url"),
        Key::plain("database.ca_file"),
        Key::plain("database.max_connections"),
        Key::plain("database.timeout"),
        Key::plain("database.connect_timeout"),
    ];
}

fn name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let name = String::deserialize(deserializer)?;
    let is_plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_graphic() && c != ',');
    if is_plain { Ok(name) } else { Err(D::Error::custom("a name without spaces or commas is expected")) }
}

fn connections<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let count = whole(deserializer)?;
    if (1..=100).contains(&count) { Ok(count) } else { Err(D::Error::custom("a number from 1 to 100 is expected")) }
}

fn patience<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let time = duration::deserialize(deserializer)?;
    let is_fit = (Duration::from_millis(100)..=DEADLINE).contains(&time);
    if is_fit { Ok(time) } else { Err(D::Error::custom("a time from 100ms to 1800ms is expected")) }
}

fn origins<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let origins = list::strings(deserializer)?;
    match origins.iter().find(|text| !is_origin(text)) {
        Some(text) => Err(D::Error::custom(format!(
            "`{text}` is not an origin: write `scheme://host` or `scheme://host:port`, in lower case, with no path and no `*`"
        ))),
        None => Ok(origins),
    }
}

/// Browsers send an origin in exactly one spelling and it is compared byte by byte, so another spelling could never match.
fn is_origin(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else { return false };
    let (Some(scheme @ ("http" | "https")), Some(host)) = (uri.scheme_str(), uri.host()) else { return false };
    let port = uri.port_u16().map(|port| format!(":{port}")).unwrap_or_default();
    !host.is_empty() && !host.contains('*') && text == format!("{scheme}://{host}{port}").to_lowercase()
}
