//! Reading over HTTP: SQL, search and the live tail. All three go through the engine's one door.

use std::convert::Infallible;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use loggia_engine::{QueryRequest, SearchRequest, TailItem};
use loggia_policy::Permission;
use serde::Deserialize;

use super::Shared;
use super::caller::Caller;
use super::encode::{Encoding, encode_rows, respond};
use super::problem::Problem;

/// Largest SQL text, bytes.
const SQL_BYTES_MAX: usize = 64 << 10;

/// Body of `POST /api/v1/query` when it is JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct QueryBody {
    sql: String,
}

/// Words of a search or a tail.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchBody {
    stream: String,
    #[serde(default)]
    q: String,
    #[serde(default)]
    since_ns: Option<i64>,
    #[serde(default)]
    until_ns: Option<i64>,
    #[serde(default)]
    limit: Option<usize>,
    /// Whether sealed content is searched and shown too: a decrypting scan.
    #[serde(default)]
    content: bool,
}

impl SearchBody {
    fn request(
        self,
        headers: &HeaderMap,
        protocol: &'static str,
    ) -> Result<SearchRequest, Problem> {
        Ok(SearchRequest {
            stream: self.stream,
            text: self.q,
            from_ns: self.since_ns,
            until_ns: self.until_ns,
            limit: self.limit.unwrap_or(100).min(10_000),
            content: self.content,
            purpose: text_header(headers, "loggia-purpose")?,
            ticket: text_header(headers, "loggia-ticket")?,
            protocol,
        })
    }
}

/// `POST /api/v1/query`: SQL as text, or as `{"sql": "…"}`.
pub(super) async fn query(
    State(app): Shared,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let sql = sql_of(&headers, &body)?;
    let encoding = Encoding::of(&headers);
    let action = match encoding {
        Encoding::Parquet => Permission::Export,
        Encoding::Ndjson | Encoding::Json | Encoding::Csv => Permission::Read,
    };
    let request = QueryRequest {
        sql,
        purpose: text_header(&headers, "loggia-purpose")?,
        ticket: text_header(&headers, "loggia-ticket")?,
        protocol: "http",
        action,
    };
    let answer = app.engine.query(&caller.0, request).await?;
    respond(answer, encoding).await
}

/// `POST /api/v1/search`.
pub(super) async fn search(
    State(app): Shared,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let body: SearchBody = serde_json::from_slice(&body).map_err(|error| json_problem(&error))?;
    let answer = app.engine.search(&caller.0, body.request(&headers, "http")?).await?;
    respond(answer, Encoding::of(&headers)).await
}

/// `GET /api/v1/tail`: server-sent events, one `rows` event of NDJSON per batch; `lagged` tells how many batches were skipped.
pub(super) async fn tail(
    State(app): Shared,
    caller: Caller,
    headers: HeaderMap,
    Query(body): Query<SearchBody>,
) -> Result<Response, Problem> {
    let tail = app.engine.tail(&caller.0, body.request(&headers, "sse")?).await?;
    let receipt = tail.receipt_index();
    let draining = app.draining();
    let events = futures::stream::unfold(Some((tail, draining)), |state| async move {
        let (mut tail, mut draining) = state?;
        let item = tokio::select! {
            item = tail.next() => item,
            _ = draining.wait_for(|draining| *draining) => Ok(None),
        };
        let tail = (tail, draining);
        let (event, next) = match item {
            Ok(Some(TailItem::Rows(rows))) => {
                let schema = rows.schema();
                match encode_rows(&schema, &[rows], Encoding::Ndjson) {
                    Ok(lines) => {
                        let text = String::from_utf8_lossy(&lines).trim_end().to_owned();
                        (Event::default().event("rows").data(text), Some(tail))
                    }
                    Err(_no_form) => (Event::default().event("failed").data("encoding"), None),
                }
            }
            Ok(Some(TailItem::Lagged(batches))) => {
                (Event::default().event("lagged").data(batches.to_string()), Some(tail))
            }
            Ok(None) => (
                Event::default().event("end").data("the server is ending or the grant has expired"),
                None,
            ),
            Err(error) => (Event::default().event("failed").data(error.to_string()), None),
        };
        Some((Ok::<_, Infallible>(event), next))
    });
    let mut response = Sse::new(events).keep_alive(KeepAlive::default()).into_response();
    response
        .headers_mut()
        .insert(HeaderName::from_static("loggia-receipt"), HeaderValue::from(receipt));
    Ok(response)
}

fn sql_of(headers: &HeaderMap, body: &[u8]) -> Result<String, Problem> {
    if body.len() > SQL_BYTES_MAX {
        return Err(Problem::too_large(format!(
            "a statement may have at most {SQL_BYTES_MAX} bytes"
        )));
    }
    let json = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/json"));
    if json {
        let body: QueryBody = serde_json::from_slice(body).map_err(|error| json_problem(&error))?;
        return Ok(body.sql);
    }
    String::from_utf8(body.to_vec())
        .map_err(|_not_text| Problem::bad_request("the statement is not valid UTF-8"))
}

/// Where a JSON body breaks, without its content.
pub(super) fn json_problem(error: &serde_json::Error) -> Problem {
    let what = match error.classify() {
        serde_json::error::Category::Data => "does not have the fields this route takes",
        serde_json::error::Category::Eof => "ends too early",
        serde_json::error::Category::Syntax | serde_json::error::Category::Io => {
            "is not valid JSON"
        }
    };
    Problem::bad_request(format!(
        "the body {what} (line {}, column {}); see `/openapi.json`",
        error.line(),
        error.column()
    ))
}

fn text_header(headers: &HeaderMap, name: &str) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    match value.to_str() {
        Ok(text) if text.len() <= 256 => Ok(Some(text.trim().to_owned()).filter(|t| !t.is_empty())),
        _ => Err(Problem::bad_request(format!(
            "the header `{name}` must be at most 256 printable ASCII characters"
        ))),
    }
}
