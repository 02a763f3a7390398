//! Loggia's own logs and metrics. Neither ever holds record content: labels are route templates, status codes and kinds.

use std::fmt;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use loggia_engine::{Engine, IngestOutcome};
use metrics::{counter, gauge, histogram, with_local_recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use tracing_subscriber::EnvFilter;

use crate::api::App;
use crate::failure::Failure;

/// Upper bounds of the latency histogram's buckets, seconds.
const SECONDS: [f64; 12] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Metrics of one server, in the Prometheus text format.
#[derive(Clone)]
pub struct Metrics {
    recorder: Arc<PrometheusRecorder>,
    handle: PrometheusHandle,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    /// An empty registry of its own; nothing is global.
    ///
    /// # Errors
    /// When the bucket bounds are refused by the library.
    pub fn new() -> Result<Self, Failure> {
        let recorder = PrometheusBuilder::new()
            .set_buckets(&SECONDS)
            .map_err(|error| Failure::failed(format!("cannot set up metrics: {error}")))?
            .build_recorder();
        let handle = recorder.handle();
        Ok(Self { recorder: Arc::new(recorder), handle })
    }

    /// The text a scraper reads.
    #[must_use]
    pub fn render(&self, engine: &Engine) -> String {
        let status = engine.status();
        with_local_recorder(&*self.recorder, || {
            #[expect(
                clippy::cast_precision_loss,
                reason = "a gauge is a float; 2^53 entries are far away"
            )]
            gauge!("loggia_ledger_entries").set(status.ledger_size as f64);
        });
        self.handle.render()
    }

    /// Counts what became of a batch.
    pub(crate) fn count_ingest(&self, outcome: &IngestOutcome) {
        with_local_recorder(&*self.recorder, || {
            counter!("loggia_records_accepted_total").increment(outcome.accepted as u64);
            counter!("loggia_records_refused_total").increment(outcome.refused_rows() as u64);
            counter!("loggia_fields_dropped_total")
                .increment(crate::describe::fields_dropped(&outcome.report));
            for (kind, count) in &outcome.report.detections {
                counter!("loggia_detections_total", "kind" => kind.to_string()).increment(*count);
            }
        });
    }

    fn count_request(&self, method: String, route: String, status: u16, seconds: f64) {
        with_local_recorder(&*self.recorder, || {
            counter!(
                "loggia_http_requests_total",
                "method" => method, "route" => route.clone(), "status" => status.to_string()
            )
            .increment(1);
            histogram!("loggia_http_request_seconds", "route" => route).record(seconds);
        });
    }
}

/// Middleware: one metric and one log line a request, by route template.
pub(crate) async fn observe(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let started = crate::clock::stopwatch();
    let method = match request.method().as_str() {
        known @ ("GET" | "POST" | "PUT" | "DELETE" | "HEAD" | "OPTIONS") => known.to_owned(),
        _ => "other".to_owned(),
    };
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "none".to_owned(), |path| path.as_str().to_owned());
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let seconds = started.elapsed().as_secs_f64();
    tracing::debug!(%method, %route, status, seconds, "request");
    app.metrics.count_request(method, route, status, seconds);
    response
}

/// Sends the process's own logs to standard error: JSON lines, or text for a person.
///
/// # Errors
/// When `filter` is not one.
pub fn init_logging(filter: &str, json: bool) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter).map_err(|error| {
        Failure::usage(format!(
            "`{filter}` is not a log filter ({error}); try `info` or `loggia=debug`"
        ))
    })?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let set = if json { builder.json().try_init() } else { builder.try_init() };
    // A second server in one process (tests) keeps the first subscriber.
    drop(set);
    Ok(())
}
