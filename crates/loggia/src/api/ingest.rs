//! Writing over HTTP: OTLP logs and traces (protobuf and JSON) and NDJSON, plain, gzip or zstd.
//!
//! A request is decoded, admitted, sealed and appended on a CPU thread; the answer comes after `fdatasync`. What is in
//! flight is bounded in bytes and in requests: past the bound a request gets 503 with Retry-After, and nothing of it is stored.

use std::io::Read;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use loggia_engine::{Engine, IngestOutcome};
use loggia_policy::Principal;
use loggia_record::{
    Batch, DecodeError, Kind, Limits, StatusCode as RpcCode, export_response_json,
    export_response_protobuf, status_json, status_protobuf,
};
use serde_json::json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::caller::Caller;
use super::problem::Problem;
use super::{App, Shared};

/// Bounds of the write path.
#[derive(Clone, Debug)]
pub struct IngestLimits {
    /// Largest request body as sent, bytes.
    pub body_bytes_max: usize,
    /// Largest request body once decompressed, bytes.
    pub decoded_bytes_max: usize,
    /// Bytes of decompressed bodies in work at once.
    pub in_flight_bytes_max: usize,
}

impl Default for IngestLimits {
    fn default() -> Self {
        Self {
            body_bytes_max: 16 << 20,
            decoded_bytes_max: 32 << 20,
            in_flight_bytes_max: 96 << 20,
        }
    }
}

/// Admission control of the write path.
#[derive(Debug)]
pub(crate) struct IngestGate {
    limits: IngestLimits,
    /// One permit a KiB.
    in_flight: Arc<Semaphore>,
}

impl IngestGate {
    pub(crate) fn new(limits: &IngestLimits) -> Self {
        let permits = (limits.in_flight_bytes_max >> 10).max(1);
        Self { limits: limits.clone(), in_flight: Arc::new(Semaphore::new(permits)) }
    }

    pub(crate) fn body_bytes_max(&self) -> usize {
        self.limits.body_bytes_max
    }

    fn enter(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Problem> {
        let permits = u32::try_from((bytes >> 10) + 1).unwrap_or(u32::MAX);
        Arc::clone(&self.in_flight)
            .try_acquire_many_owned(permits)
            .map_err(|_full| Problem::busy(1000))
    }
}

#[derive(Clone, Copy)]
enum Format {
    Protobuf,
    Json,
}

pub(super) async fn otlp_logs(
    State(app): Shared,
    caller: Result<Caller, Problem>,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Response {
    otlp(app, caller, headers, body, Kind::Log).await
}

pub(super) async fn otlp_traces(
    State(app): Shared,
    caller: Result<Caller, Problem>,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Response {
    otlp(app, caller, headers, body, Kind::Span).await
}

async fn otlp(
    app: Arc<App>,
    caller: Result<Caller, Problem>,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
    signal: Kind,
) -> Response {
    let format = match otlp_format(&headers) {
        Ok(format) => format,
        Err(problem) => return problem.into_response(),
    };
    let decode = move |bytes: &[u8], engine: &Engine, principal: &Principal| {
        let limits = Limits::default();
        let batch = match (signal, format) {
            (Kind::Log, Format::Protobuf) => loggia_record::decode_otlp_logs(bytes, &limits),
            (Kind::Log, Format::Json) => loggia_record::decode_otlp_logs_json(bytes, &limits),
            (Kind::Span, Format::Protobuf) => loggia_record::decode_otlp_traces(bytes, &limits),
            (Kind::Span, Format::Json) => loggia_record::decode_otlp_traces_json(bytes, &limits),
        };
        store(batch, engine, principal, None)
    };
    let outcome = async {
        let caller = caller?;
        take(&app, caller.0, &headers, body_of(body)?, decode).await
    };
    match outcome.await {
        Ok(outcome) => {
            let message = outcome.message().unwrap_or_default();
            let refused = outcome.refused_rows() as u64;
            let body = match format {
                Format::Protobuf => export_response_protobuf(refused, &message),
                Format::Json => export_response_json(signal, refused, &message).into_bytes(),
            };
            (StatusCode::OK, [(header::CONTENT_TYPE, content_type(format))], body).into_response()
        }
        Err(problem) => otlp_error(&problem, format),
    }
}

/// The OTLP form of an error: a `google.rpc.Status` in the format of the request.
fn otlp_error(problem: &Problem, format: Format) -> Response {
    let status = problem.status();
    let code = match status {
        StatusCode::UNAUTHORIZED => RpcCode::Unauthenticated,
        StatusCode::FORBIDDEN => RpcCode::PermissionDenied,
        StatusCode::SERVICE_UNAVAILABLE => RpcCode::Unavailable,
        StatusCode::INTERNAL_SERVER_ERROR => RpcCode::Internal,
        _ => RpcCode::InvalidArgument,
    };
    let body = match format {
        Format::Protobuf => status_protobuf(code, problem.detail()),
        Format::Json => status_json(code, problem.detail()).into_bytes(),
    };
    let mut response =
        (status, [(header::CONTENT_TYPE, content_type(format))], body).into_response();
    if let Some(seconds) = problem.retry_after_s() {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// NDJSON into a named stream.
pub(super) async fn records(
    State(app): Shared,
    caller: Caller,
    Path(stream): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Response, Problem> {
    let lines = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/plain"));
    let decode = move |bytes: &[u8], engine: &Engine, principal: &Principal| {
        let limits = Limits::default();
        let batch = if lines {
            loggia_record::decode_lines(bytes, engine.clock_ns(), &limits)
        } else {
            loggia_record::decode_ndjson(bytes, &limits)
        };
        store(batch, engine, principal, Some(&stream))
    };
    let outcome = take(&app, caller.0, &headers, body_of(body)?, decode).await?;
    let refused: Vec<_> = outcome
        .refused
        .iter()
        .map(|refused| json!({ "rows": refused.rows, "reason": refused.reason }))
        .collect();
    let body = json!({
        "accepted": outcome.accepted,
        "refused": refused,
        "fields_dropped": crate::describe::fields_dropped(&outcome.report),
        "detections": crate::describe::detections(&outcome.report),
    });
    Ok(axum::Json(body).into_response())
}

/// Decompresses and runs `work` on a CPU thread, inside the bounds.
async fn take(
    app: &Arc<App>,
    principal: Principal,
    headers: &HeaderMap,
    body: Bytes,
    work: impl FnOnce(&[u8], &Engine, &Principal) -> Result<IngestOutcome, Problem> + Send + 'static,
) -> Result<IngestOutcome, Problem> {
    let encoding = Compression::of(headers)?;
    let decoded_max = app.gate.limits.decoded_bytes_max;
    let expected = match encoding {
        Compression::Identity => body.len(),
        Compression::Gzip | Compression::Zstd => body.len().saturating_mul(4).min(decoded_max),
    };
    let permit = app.gate.enter(expected)?;
    let app = Arc::clone(app);
    tokio::task::spawn_blocking(move || {
        let outcome = match encoding {
            Compression::Identity => work(&body, &app.engine, &principal),
            Compression::Gzip | Compression::Zstd => {
                let bytes = encoding.decode(&body, decoded_max)?;
                work(&bytes, &app.engine, &principal)
            }
        };
        drop(permit);
        if let Ok(outcome) = &outcome {
            app.metrics.count_ingest(outcome);
        }
        outcome
    })
    .await
    .map_err(|_joined| Problem::internal())?
}

fn store(
    batch: Result<Batch<'_>, DecodeError>,
    engine: &Engine,
    principal: &Principal,
    stream: Option<&str>,
) -> Result<IngestOutcome, Problem> {
    let batch = batch.map_err(|error| {
        let too_large = matches!(error, DecodeError::TooLarge { .. });
        let make = if too_large { Problem::too_large } else { Problem::bad_request };
        make(error.to_string())
    })?;
    engine.ingest(principal, &batch, stream).map_err(Problem::from)
}

fn body_of(
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<Bytes, Problem> {
    body.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Problem::too_large("the body is over the limit of one request; send smaller batches")
        } else {
            Problem::bad_request("the body could not be read to its end")
        }
    })
}

fn otlp_format(headers: &HeaderMap) -> Result<Format, Problem> {
    let value = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if value.starts_with(b"application/x-protobuf") {
        return Ok(Format::Protobuf);
    }
    if value.starts_with(b"application/json") {
        return Ok(Format::Json);
    }
    Err(Problem::unsupported_media(
        "OTLP needs the content type `application/x-protobuf` or `application/json`",
    ))
}

fn content_type(format: Format) -> &'static str {
    match format {
        Format::Protobuf => "application/x-protobuf",
        Format::Json => "application/json",
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Compression {
    Identity,
    Gzip,
    Zstd,
}

impl Compression {
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        match headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes) {
            None | Some(b"" | b"identity") => Ok(Self::Identity),
            Some(b"gzip" | b"x-gzip") => Ok(Self::Gzip),
            Some(b"zstd") => Ok(Self::Zstd),
            Some(_) => Err(Problem::unsupported_media(
                "the content encoding must be `identity`, `gzip` or `zstd`",
            )),
        }
    }

    /// Decompresses at most `max` bytes: a bomb is refused when it passes the bound, not after it was unpacked.
    fn decode(self, body: &[u8], max: usize) -> Result<Vec<u8>, Problem> {
        match self {
            Self::Identity => Ok(body.to_vec()),
            Self::Gzip => read_bounded(flate2::read::MultiGzDecoder::new(body), max, "gzip"),
            Self::Zstd => {
                let decoder = zstd::stream::read::Decoder::new(body)
                    .map_err(|_broken| Problem::bad_request("the body is not valid zstd"))?;
                read_bounded(decoder, max, "zstd")
            }
        }
    }
}

fn read_bounded(reader: impl Read, max: usize, name: &str) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
    reader
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(|_broken| Problem::bad_request(format!("the body is not valid {name}")))?;
    if bytes.len() > max {
        return Err(Problem::too_large(format!(
            "the body unpacks to more than {max} bytes; send smaller batches"
        )));
    }
    Ok(bytes)
}
