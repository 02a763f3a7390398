//! Who calls: the principal behind `Authorization: Bearer <token>`.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use loggia_engine::EngineError;
use loggia_policy::Principal;

use super::App;
use super::problem::Problem;

/// An authenticated principal. A handler that takes one cannot be reached without a live token; every failure is recorded.
#[derive(Debug)]
pub(crate) struct Caller(pub(crate) Principal);

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let token = bearer(parts).map(str::to_owned);
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let engine = Arc::clone(&app.engine);
        let principal = tokio::task::spawn_blocking(move || {
            let found = match &token {
                Some(token) => engine.authenticate(token),
                None => Err(EngineError::Unauthenticated),
            };
            if matches!(found, Err(EngineError::Unauthenticated)) {
                let from = peer.map_or_else(|| "unknown".into(), |ip| ip.to_string());
                engine.record_failed_sign_in(&from)?;
            }
            found
        })
        .await
        .map_err(|_joined| Problem::internal())??;
        if let Some(tenant) = parts.headers.get("loggia-tenant")
            && tenant.as_bytes() != principal.tenant.as_bytes()
        {
            return Err(EngineError::Unauthenticated.into());
        }
        Ok(Self(principal))
    }
}

/// The token of a Bearer.
fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}
