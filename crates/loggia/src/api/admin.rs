//! Everything that is neither writing nor reading records: tokens, keys, subjects, ledger, policy, metrics, verification.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use loggia_engine::{EngineError, TokenRequest};
use loggia_keys::{SubjectHandle, SubjectRef};
use loggia_policy::Permission;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Shared;
use super::caller::Caller;
use super::problem::Problem;
use super::read::json_problem;

const LEDGER_PAGE_MAX: u64 = 1000;

pub(super) async fn metrics(State(app): Shared, caller: Caller) -> Result<Response, Problem> {
    let engine = Arc::clone(&app.engine);
    blocking(move || engine.check(&caller.0, Permission::MetricsRead)).await?;
    let body = app.metrics.render(&app.engine);
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], body).into_response())
}

pub(super) async fn status(State(app): Shared, caller: Caller) -> Result<Response, Problem> {
    let engine = Arc::clone(&app.engine);
    let status = blocking(move || {
        engine.check(&caller.0, Permission::MetricsRead)?;
        Ok(engine.status())
    })
    .await?;
    Ok(Json(status).into_response())
}

pub(super) async fn policy(State(app): Shared, caller: Caller) -> Result<Response, Problem> {
    let engine = Arc::clone(&app.engine);
    let summary = blocking(move || {
        engine.check(&caller.0, Permission::PolicyRead)?;
        Ok(crate::describe::policy(engine.policy()))
    })
    .await?;
    Ok(Json(summary).into_response())
}

pub(super) async fn list_tokens(State(app): Shared, caller: Caller) -> Result<Response, Problem> {
    let engine = Arc::clone(&app.engine);
    let tokens = blocking(move || engine.list_tokens(&caller.0)).await?;
    Ok(Json(tokens).into_response())
}

pub(super) async fn create_token(
    State(app): Shared,
    caller: Caller,
    body: Bytes,
) -> Result<Response, Problem> {
    let request: TokenRequest = json(&body)?;
    let engine = Arc::clone(&app.engine);
    let made = blocking(move || engine.create_token(&caller.0, &request)).await?;
    Ok((StatusCode::CREATED, no_store(), Json(made)).into_response())
}

pub(super) async fn revoke_token(
    State(app): Shared,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let engine = Arc::clone(&app.engine);
    blocking(move || engine.revoke_token(&caller.0, &id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn keys_status(State(app): Shared, caller: Caller) -> Result<Response, Problem> {
    let engine = Arc::clone(&app.engine);
    let status = blocking(move || engine.keys_status(&caller.0)).await?;
    Ok(Json(crate::describe::keys(&status)).into_response())
}

pub(super) async fn rotate_keys(State(app): Shared, caller: Caller) -> Result<Response, Problem> {
    let engine = Arc::clone(&app.engine);
    let status = blocking(move || engine.rotate_keys(&caller.0)).await?;
    Ok(Json(crate::describe::keys(&status)).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FindBody {
    user_id: String,
}

pub(super) async fn find_subject(
    State(app): Shared,
    caller: Caller,
    body: Bytes,
) -> Result<Response, Problem> {
    let body: FindBody = json(&body)?;
    let engine = Arc::clone(&app.engine);
    let found = blocking(move || engine.find_subject(&caller.0, &body.user_id)).await?;
    Ok((no_store(), Json(found)).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EraseBody {
    #[serde(default)]
    user_id: Option<String>,
    #[serde(default)]
    handle: Option<String>,
    reason: String,
}

pub(super) async fn erase_subject(
    State(app): Shared,
    caller: Caller,
    body: Bytes,
) -> Result<Response, Problem> {
    let body: EraseBody = json(&body)?;
    let engine = Arc::clone(&app.engine);
    let erasure = blocking(move || {
        let handle = body.handle.as_deref().map(str::parse::<SubjectHandle>).transpose();
        let handle = handle.map_err(|_malformed| {
            EngineError::Invalid("`handle` must look like `s_` and 22 characters".into())
        })?;
        let subject = match (&body.user_id, handle) {
            (Some(user_id), None) => SubjectRef::UserId(user_id),
            (None, Some(handle)) => SubjectRef::Handle(handle),
            _ => {
                return Err(EngineError::Invalid(
                    "name the subject by either `user_id` or `handle`".into(),
                ));
            }
        };
        engine.erase_subject(&caller.0, &subject, &body.reason)
    })
    .await?;
    Ok(Json(erasure).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EntriesQuery {
    #[serde(default)]
    before: Option<u64>,
    #[serde(default)]
    limit: Option<u64>,
}

pub(super) async fn ledger_entries(
    State(app): Shared,
    caller: Caller,
    Query(page): Query<EntriesQuery>,
) -> Result<Response, Problem> {
    let limit = page.limit.unwrap_or(100).min(LEDGER_PAGE_MAX);
    let engine = Arc::clone(&app.engine);
    let entries = blocking(move || engine.ledger_entries(&caller.0, page.before, limit)).await?;
    Ok((no_store(), Json(entries)).into_response())
}

pub(super) async fn ledger_proof(
    State(app): Shared,
    caller: Caller,
    Path(index): Path<u64>,
) -> Result<Response, Problem> {
    let engine = Arc::clone(&app.engine);
    let proof = blocking(move || {
        engine.check(&caller.0, Permission::LedgerRead)?;
        engine.prove(index)
    })
    .await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], proof).into_response())
}

pub(super) async fn ledger_checkpoint(State(app): Shared) -> Result<Response, Problem> {
    let engine = Arc::clone(&app.engine);
    let checkpoint = blocking(move || Ok(engine.ledger().checkpoint()?)).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], checkpoint).into_response())
}

pub(super) async fn ledger_vkey(State(app): Shared) -> Response {
    let body = format!("{}\n", app.engine.ledger().vkey());
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], body).into_response()
}

/// A tile as C2SP tlog-tiles names it; entry bundles hold no personal data either.
pub(super) async fn ledger_tile(
    State(app): Shared,
    Path(path): Path<String>,
) -> Result<Response, Problem> {
    let engine = Arc::clone(&app.engine);
    let tile = blocking(move || Ok(engine.ledger().tile(&format!("tile/{path}"))?)).await?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], tile).into_response())
}

pub(super) async fn verify(State(app): Shared, caller: Caller) -> Result<Response, Problem> {
    let engine = Arc::clone(&app.engine);
    let report = blocking(move || engine.verify(&caller.0)).await?;
    Ok(Json(report).into_response())
}

/// Runs work that waits for disks off the async threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
) -> Result<T, Problem> {
    let joined = tokio::task::spawn_blocking(work).await;
    joined.map_err(|_panicked| Problem::internal())?.map_err(Problem::from)
}

fn json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| json_problem(&error))
}

fn no_store() -> [(header::HeaderName, &'static str); 1] {
    [(header::CACHE_CONTROL, "no-store")]
}
