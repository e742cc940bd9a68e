//! What stands between a client and a service that comes and goes: it keeps its address.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Passes connections on to wherever the service is now, and closes them where there is none.
pub(super) struct Gateway {
    pub(super) address: SocketAddr,
    backend: Arc<Mutex<Option<SocketAddr>>>,
    serving: JoinHandle<()>,
}

impl Gateway {
    pub(super) async fn to(backend: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let backend = Arc::new(Mutex::new(Some(backend)));
        let serving = tokio::spawn(serve(listener, Arc::clone(&backend)));
        Self { address, backend, serving }
    }

    pub(super) fn lead_to(&self, backend: Option<SocketAddr>) {
        *self.backend.lock().unwrap() = backend;
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, backend: Arc<Mutex<Option<SocketAddr>>>) {
    let mut passing = JoinSet::new();
    while let Ok((mut caller, _)) = listener.accept().await {
        let Some(backend) = *backend.lock().unwrap() else { continue };
        passing.spawn(async move {
            // Either end may break off; the other is told by the closing of its own connection.
            if let Ok(mut service) = TcpStream::connect(backend).await {
                drop(copy_bidirectional(&mut caller, &mut service).await);
            }
        });
    }
}
