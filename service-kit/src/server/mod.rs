//! Binds, serves and stops. Which routes there are is for the services; what holds for all of them is put around them here.

mod bare;

use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::time::Duration;

use actix_http::HttpService;
use actix_http::error::DispatchError;
use actix_server::{Server, ServerBuilder};
use actix_service::{IntoServiceFactory, ServiceFactoryExt, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::middleware::{Condition, from_fn};
use actix_web::{App, web};
use tokio::net::{TcpSocket, TcpStream};

use bare::Completed;

use crate::config::ServerConfig;
use crate::health::Health;
use crate::http::{TrustedProxies, answer_panics, cors, envelope};
use crate::problem::Problem;
use crate::telemetry;

/// How long the head of a connection's first request may take.
const HEAD_PATIENCE: Duration = Duration::from_secs(5);

/// How long a connection may be idle: longer than the 60 s after which common proxies close theirs, so that they never write into one
/// that we are closing.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Connections that may queue before they are accepted.
const BACKLOG: u32 = 1024;

/// How long what is in flight may take once the service stops, in seconds. With what comes before and after it stays below ten.
const DRAIN_SECONDS: u64 = 8;

/// The service could not start to listen.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Something else listens there.
    #[error("{address} is already in use: stop the program that listens there, or configure another port")]
    AddressInUse {
        /// The address that was asked for.
        address: SocketAddr,
    },
    /// It cannot be listened on for another reason.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address that was asked for.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
}

/// A server that holds its address and has yet to [`run`](Self::run). Connections already queue.
pub struct BoundServer {
    server: Server,
    address: SocketAddr,
    health: Health,
}

/// Binds the address and puts together the application: `routes` with request ids, spans, CORS and health around them, and
/// `application/problem+json` for every path that has no route. Port 0 takes any port that is free.
///
/// `routes` runs once for each worker, of which there is one a core. It works as well inside a [`web::scope`], so that one application
/// can serve several services below paths of their own.
///
/// A head that is no HTTP, has more than 96 headers or more than 128 KiB, or does not come in time never reaches the application: it is
/// answered 400, 431 or 408 here, and the connection is closed.
pub fn bind<F>(config: &ServerConfig, health: Health, routes: F) -> Result<BoundServer, StartError>
where
    F: Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
{
    let wanted = SocketAddr::new(config.host, config.port);
    let proxies = TrustedProxies::new(&config.trusted_proxies);
    let origins = config.allowed_origins.clone();
    let app_health = health.clone();
    let app = move || {
        App::new()
            .app_data(proxies.clone())
            .configure(|app| app_health.routes(app))
            .configure(routes.clone())
            .default_service(web::to(|| async { Problem::not_found() }))
            // The last one wrapped is the outermost.
            .wrap(from_fn(answer_panics))
            .wrap(Condition::new(!origins.is_empty(), cors(&origins)))
            .wrap(from_fn(envelope))
            .wrap(telemetry::spans())
    };
    let (listener, address) = listen(wanted).map_err(|source| start_error(wanted, source))?;
    let server = ServerBuilder::new().shutdown_timeout(DRAIN_SECONDS).disable_signals();
    let stopping = server.graceful_shutdown_signal();
    // What `HttpServer` would build, but for the connection, which it does not let one wrap.
    let connections = move || {
        let stopping = stopping.clone();
        let app = app().into_factory().map_err(|error: actix_web::Error| error.error_response());
        let http = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stopping = stopping.clone();
                async move { stopping.notified().await }
            })
            .client_request_timeout(HEAD_PATIENCE)
            .keep_alive(KEEP_ALIVE)
            .h1(map_config(app, |()| AppConfig::default()));
        fn_service(accepted).and_then(http)
    };
    let server = server.listen("http", listener, connections).map_err(|source| start_error(wanted, source))?;
    Ok(BoundServer { server: server.run(), address, health })
}

fn listen(wanted: SocketAddr) -> io::Result<(StdListener, SocketAddr)> {
    let socket = if wanted.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Or a service could not start anew while connections of the one before it linger.
    socket.set_reuseaddr(true)?;
    socket.bind(wanted)?;
    let listener = socket.listen(BACKLOG)?.into_std()?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

async fn accepted(connection: TcpStream) -> Result<(Completed<TcpStream>, Option<SocketAddr>), DispatchError> {
    connection.set_nodelay(true)?;
    let peer = connection.peer_addr().ok();
    Ok((Completed::new(connection), peer))
}

fn start_error(address: SocketAddr, source: io::Error) -> StartError {
    match source.kind() {
        io::ErrorKind::AddrInUse => StartError::AddressInUse { address },
        _ => StartError::Bind { address, source },
    }
}

impl BoundServer {
    /// Where it listens; with port 0, on the port that was found.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` resolves. Then readiness turns off, nothing more is accepted, what is in flight is finished, and it returns
    /// within ten seconds.
    pub async fn run(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let Self { mut server, health, .. } = self;
        tokio::select! {
            ended = &mut server => return ended,
            () = stop => {}
        }
        health.stop();
        // The order is sent by the call itself; the server's own end says when it was carried out.
        drop(server.handle().stop(true));
        server.await
    }
}

/// Resolves at SIGTERM or SIGINT. Both are caught from this call on.
pub fn stop_signal() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen = |kind| signal(kind).expect("a signal handler can be installed in a tokio runtime");
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate()), listen(SignalKind::interrupt()));
    async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}
