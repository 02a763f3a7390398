//! A running server: engine, listener and their orderly end.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use loggia_engine::{Engine, EngineConfig};
use loggia_ledger::Clock;

use crate::api::{App, IngestLimits, router};
use crate::failure::Failure;
use crate::telemetry::Metrics;
use crate::tls::{TlsFiles, server_config};

/// Longest wait for requests in work when the server ends.
const DRAIN: Duration = Duration::from_secs(20);

/// A server that accepts connections until [`Server::stop`].
#[derive(Debug)]
pub struct Server {
    app: Arc<App>,
    engine: Arc<Engine>,
    address: SocketAddr,
    handle: Handle<SocketAddr>,
    task: tokio::task::JoinHandle<std::io::Result<()>>,
    ticker: tokio::task::JoinHandle<()>,
}

/// Period of the engine's housekeeping.
const TICK: Duration = Duration::from_secs(10);

#[expect(clippy::disallowed_methods, reason = "paces housekeeping; the engine has its own clock")]
async fn tick(engine: Arc<Engine>) {
    let mut beat = tokio::time::interval(TICK);
    loop {
        beat.tick().await;
        let engine = Arc::clone(&engine);
        if let Err(error) = tokio::task::spawn_blocking(move || engine.tick()).await {
            tracing::error!(%error, "housekeeping failed");
        }
    }
}

impl Server {
    /// Opens the store and listens on `listen` with TLS 1.3. Port 0 takes any free port; see [`Server::address`].
    ///
    /// # Errors
    /// When the store does not open, the TLS files are wrong, or the address is taken.
    pub async fn start(
        config: EngineConfig,
        listen: SocketAddr,
        limits: &IngestLimits,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, Failure> {
        let files = TlsFiles::of(&config.dir);
        let tls = RustlsConfig::from_config(Arc::new(server_config(&files)?));
        let opened = tokio::task::spawn_blocking(move || Engine::open(&config, &clock)).await;
        let engine =
            Arc::new(opened.map_err(|error| Failure::failed(format!("opening failed: {error}")))??);
        let listener = TcpListener::bind(listen)
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .map_err(|error| Failure::io(format!("listen on `{listen}`"), &error))?;
        let address = listener
            .local_addr()
            .map_err(|error| Failure::io("read the listening address", &error))?;
        let app = Arc::new(App::new(Arc::clone(&engine), limits, Metrics::new()?));
        let handle = Handle::new();
        let service = router(Arc::clone(&app)).into_make_service_with_connect_info::<SocketAddr>();
        let server = axum_server::from_tcp_rustls(listener, tls)
            .map_err(|error| Failure::io("start the TLS listener", &error))?
            .handle(handle.clone());
        #[expect(clippy::disallowed_methods, reason = "joined in `stop`")]
        let task = tokio::spawn(server.serve(service));
        #[expect(clippy::disallowed_methods, reason = "ended in `stop`")]
        let ticker = tokio::spawn(tick(Arc::clone(&engine)));
        Ok(Self { app, engine, address, handle, task, ticker })
    }

    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The engine behind it.
    #[must_use]
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Stops taking requests, finishes those in work, and closes the store.
    ///
    /// # Errors
    /// When the store cannot be closed cleanly; it then opens by replay.
    pub async fn stop(self) -> Result<(), Failure> {
        self.app.drain();
        self.handle.graceful_shutdown(Some(DRAIN));
        match self.task.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "the listener failed"),
            Err(error) => tracing::error!(%error, "the listener's task failed"),
        }
        self.ticker.abort();
        let engine = self.engine;
        let closed = tokio::task::spawn_blocking(move || engine.close()).await;
        closed.map_err(|error| Failure::failed(format!("closing failed: {error}")))??;
        Ok(())
    }
}
