//! Opens connections to servers that are all reached alike: by the same user, with TLS or without.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion, PushInfo,
    PushKind, RedisConnectionInfo, RedisResult, TlsCertificates,
};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};

use super::url::Address;

/// To connect may take this long in all. Whoever connects sees to it.
pub(super) const CONNECT: Duration = Duration::from_millis(900);
/// To answer may take this long.
const ANSWER: Duration = Duration::from_secs(1);
/// Data that no one acknowledges for so long breaks the connection, also where no request waits.
const UNACKNOWLEDGED: Duration = Duration::from_secs(2);
/// A connection is probed when nothing was heard for so long.
const SILENCE: Duration = Duration::from_secs(15);
/// Requests of one connection that may wait for being written before a further one waits outside.
const QUEUED: usize = 1_000;

/// An open connection, which many requests share.
pub(super) struct Open {
    pub(super) connection: MultiplexedConnection,
    pub(super) address: Address,
    is_closed: Arc<AtomicBool>,
}

impl Open {
    /// Whether the server has not closed it, as far as we have heard.
    pub(super) fn is_open(&self) -> bool {
        !self.is_closed.load(Ordering::Relaxed)
    }
}

/// How servers are reached.
#[derive(Clone)]
pub(super) struct Connector {
    login: RedisConnectionInfo,
    tls: Option<Tls>,
}

/// TLS by the public certificate authorities, or by those of a file.
#[derive(Clone)]
pub(super) struct Tls {
    // Its address is never used: the client makes TLS parameters for no other taker.
    template: ConnectionAddr,
}

impl Tls {
    /// Reads the certificates, if there is a file of them.
    pub(super) fn new(ca_file: Option<&Path>) -> Result<Self, String> {
        let root_cert = ca_file.map(read_certificates).transpose()?;
        let template = ConnectionAddr::TcpTls { host: String::new(), port: 0, insecure: false, tls_params: None };
        let info = template.into_connection_info().map_err(|error| error.to_string())?;
        let certificates = TlsCertificates { client_tls: None, root_cert };
        let client = Client::build_with_tls(info, certificates).map_err(|error| error.to_string())?;
        Ok(Self { template: client.get_connection_info().addr().clone() })
    }

    fn address(&self, address: &Address) -> ConnectionAddr {
        let mut filled_in = self.template.clone();
        if let ConnectionAddr::TcpTls { host, port, .. } = &mut filled_in {
            host.clone_from(&address.host);
            *port = address.port;
        }
        filled_in
    }
}

fn read_certificates(path: &Path) -> Result<Vec<u8>, String> {
    let pem = std::fs::read(path).map_err(|error| error.to_string())?;
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        certificate.map_err(|error| error.to_string())?;
        count += 1;
    }
    if count == 0 { Err("it holds no certificate".to_owned()) } else { Ok(pem) }
}

impl Connector {
    pub(super) fn new(user: Option<&str>, password: Option<&SecretString>, database: i64, tls: Option<Tls>) -> Self {
        // Of version 3 the client tells when a connection closes, so that no request is lost on one that is known to be dead.
        let mut login = RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP3).set_db(database);
        login = login.set_skip_set_lib_name();
        if let Some(user) = user {
            login = login.set_username(user);
        }
        if let Some(password) = password {
            login = login.set_password(password.expose_secret());
        }
        Self { login, tls }
    }

    pub(super) async fn connect(&self, address: &Address) -> RedisResult<Open> {
        let is_closed = Arc::<AtomicBool>::default();
        let closing = is_closed.clone();
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(Some(ANSWER))
            .set_pipeline_buffer_size(QUEUED)
            .set_push_sender(move |push: PushInfo| {
                if push.kind == PushKind::Disconnection {
                    closing.store(true, Ordering::Relaxed);
                }
                Ok::<_, redis::aio::SendError>(())
            });
        let client = Client::open(self.info(address)?)?;
        let connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        Ok(Open { connection, address: address.clone(), is_closed })
    }

    fn info(&self, address: &Address) -> RedisResult<ConnectionInfo> {
        let addr = match &self.tls {
            Some(tls) => tls.address(address),
            None => ConnectionAddr::Tcp(address.host.clone(), address.port),
        };
        let keepalive = TcpKeepalive::new().with_time(SILENCE);
        let tcp = TcpSettings::default().set_nodelay(true).set_keepalive(keepalive);
        #[cfg(target_os = "linux")]
        let tcp = tcp.set_user_timeout(UNACKNOWLEDGED);
        Ok(addr.into_connection_info()?.set_redis_settings(self.login.clone()).set_tcp_settings(tcp))
    }
}
