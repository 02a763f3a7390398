//! The HTTP surface: one table of routes, one way to authenticate, one shape of error.
//!
//! Handlers translate between HTTP and [`loggia_engine::Engine`] and decide nothing themselves. [`ROUTES`] is the whole
//! surface; a test walks it with two roles and with none.

mod admin;
mod caller;
mod encode;
mod ingest;
mod openapi;
mod problem;
mod read;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{StatusCode, Uri, header};
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, delete, get, post};
use loggia_engine::Engine;
use tower_http::catch_panic::CatchPanicLayer;

pub use encode::{Encoding, encode_rows};
use ingest::IngestGate;
pub use ingest::IngestLimits;
use problem::Problem;

/// What the handlers share.
#[derive(Debug)]
pub struct App {
    pub(crate) engine: Arc<Engine>,
    pub(crate) gate: IngestGate,
    pub(crate) metrics: crate::telemetry::Metrics,
    ready: AtomicBool,
    draining: tokio::sync::watch::Sender<bool>,
}

impl App {
    /// Wraps an open engine.
    #[must_use]
    pub fn new(
        engine: Arc<Engine>,
        limits: &IngestLimits,
        metrics: crate::telemetry::Metrics,
    ) -> Self {
        Self {
            engine,
            gate: IngestGate::new(limits),
            metrics,
            ready: AtomicBool::new(true),
            draining: tokio::sync::watch::Sender::new(false),
        }
    }

    /// From now on `/readyz` says no, so that a balancer stops sending, and live tails end.
    pub fn drain(&self) {
        self.ready.store(false, Ordering::Relaxed);
        self.draining.send_replace(true);
    }

    /// Changes when the server begins to end.
    pub(crate) fn draining(&self) -> tokio::sync::watch::Receiver<bool> {
        self.draining.subscribe()
    }
}

type Shared = State<Arc<App>>;

/// Who may call a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// Anyone who can connect: holds no data about people.
    Public,
    /// A token whose role has this permission (by its name in the policy).
    Permission(&'static str),
}

/// One route of the surface.
#[derive(Debug)]
pub struct Route {
    /// HTTP method.
    pub method: &'static str,
    /// Path template.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
}

macro_rules! routes {
    ($($method:ident $path:literal $access:expr => $handler:path;)*) => {
        /// The whole surface.
        pub const ROUTES: &[Route] = &[$(Route {
            method: stringify!($method),
            path: $path,
            access: $access,
        }),*];

        fn handlers() -> Vec<(&'static str, MethodRouter<Arc<App>>)> {
            vec![$(($path, $method($handler))),*]
        }
    };
}

use Access::{Permission, Public};

routes! {
    get    "/healthz" Public => healthz;
    get    "/readyz" Public => readyz;
    get    "/openapi.json" Public => openapi::document;
    get    "/ledger/checkpoint" Public => admin::ledger_checkpoint;
    get    "/ledger/vkey" Public => admin::ledger_vkey;
    get    "/ledger/tile/{*path}" Public => admin::ledger_tile;
    get    "/metrics" Permission("metrics.read") => admin::metrics;
    post   "/v1/logs" Permission("ingest") => ingest::otlp_logs;
    post   "/v1/traces" Permission("ingest") => ingest::otlp_traces;
    post   "/api/public/otel/v1/logs" Permission("ingest") => ingest::otlp_logs;
    post   "/api/public/otel/v1/traces" Permission("ingest") => ingest::otlp_traces;
    post   "/api/v1/streams/{stream}/records" Permission("ingest") => ingest::records;
    post   "/api/v1/query" Permission("read") => read::query;
    post   "/api/v1/search" Permission("read") => read::search;
    get    "/api/v1/tail" Permission("read") => read::tail;
    get    "/api/v1/policy" Permission("policy.read") => admin::policy;
    get    "/api/v1/status" Permission("metrics.read") => admin::status;
    get    "/api/v1/tokens" Permission("tokens.manage") => admin::list_tokens;
    post   "/api/v1/tokens" Permission("tokens.manage") => admin::create_token;
    delete "/api/v1/tokens/{id}" Permission("tokens.manage") => admin::revoke_token;
    get    "/api/v1/keys" Permission("keys.manage") => admin::keys_status;
    post   "/api/v1/keys/rotate" Permission("keys.manage") => admin::rotate_keys;
    post   "/api/v1/subjects/find" Permission("subject.find") => admin::find_subject;
    post   "/api/v1/subjects/erase" Permission("subject.erase") => admin::erase_subject;
    get    "/api/v1/ledger/entries" Permission("ledger.read") => admin::ledger_entries;
    get    "/api/v1/ledger/proof/{index}" Permission("ledger.read") => admin::ledger_proof;
    post   "/api/v1/verify" Permission("store.verify") => admin::verify;
}

/// The router over an open store.
pub fn router(app: Arc<App>) -> Router {
    let mut router = Router::new();
    for (path, handler) in handlers() {
        router = router.route(path, handler);
    }
    router
        .fallback(no_such_route)
        .layer(DefaultBodyLimit::max(app.gate.body_bytes_max()))
        .layer(axum::middleware::from_fn_with_state(Arc::clone(&app), crate::telemetry::observe))
        .layer(CatchPanicLayer::custom(|_payload: Box<dyn std::any::Any + Send>| {
            tracing::error!("a handler panicked; its request was answered with 500");
            Problem::internal().into_response()
        }))
        .with_state(app)
}

async fn healthz() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], "ok\n")
}

async fn readyz(State(app): Shared) -> impl IntoResponse {
    if app.ready.load(Ordering::Relaxed) {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n")
    }
}

async fn no_such_route(uri: Uri) -> Problem {
    // The path may hold anything, so only its length is answered.
    let length = uri.path().len();
    Problem::not_found(format!(
        "no route has this path of {length} characters; `/openapi.json` lists them all"
    ))
}

#[cfg(test)]
mod tests;
