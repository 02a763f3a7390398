//! Errors of the HTTP API as problem details (RFC 9457): what was wrong, where, and what to do.
//!
//! The client gets the safe message; the operator's log gets the cause. Neither holds record content.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use loggia_engine::EngineError;
use serde::Serialize;

/// A problem-details answer.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    #[serde(skip)]
    retry_after_s: Option<u64>,
}

impl Problem {
    fn new(status: StatusCode, kind: &'static str, title: &'static str, detail: String) -> Self {
        Self { kind, title, status: status.as_u16(), detail, retry_after_s: None }
    }

    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "urn:loggia:problem:invalid",
            "The request is not valid",
            detail.into(),
        )
    }

    pub(crate) fn too_large(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "urn:loggia:problem:too-large",
            "The request is too large",
            detail.into(),
        )
    }

    pub(crate) fn unsupported_media(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "urn:loggia:problem:unsupported-media-type",
            "The content type or encoding is not supported here",
            detail.into(),
        )
    }

    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "urn:loggia:problem:not-found",
            "There is no such thing",
            detail.into(),
        )
    }

    pub(crate) fn busy(retry_after_ms: u64) -> Self {
        let mut problem = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "urn:loggia:problem:busy",
            "The store is busy",
            "nothing of this request was stored; send it again after the time in Retry-After"
                .into(),
        );
        problem.retry_after_s = Some(retry_after_ms.div_ceil(1000).max(1));
        problem
    }

    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "urn:loggia:problem:internal",
            "Something failed inside",
            "the server's own log has the cause".into(),
        )
    }

    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    pub(crate) fn retry_after_s(&self) -> Option<u64> {
        self.retry_after_s
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Invalid(detail) => Self::bad_request(detail),
            EngineError::NotFound(detail) => Self::not_found(detail),
            EngineError::Unauthenticated => Self::new(
                StatusCode::UNAUTHORIZED,
                "urn:loggia:problem:unauthenticated",
                "A valid credential is needed",
                error.to_string(),
            ),
            EngineError::Denied(detail) => Self::new(
                StatusCode::FORBIDDEN,
                "urn:loggia:problem:refused",
                "The policy refuses this",
                detail,
            ),
            EngineError::Busy { retry_after_ms } => Self::busy(retry_after_ms),
            EngineError::Unavailable { what, ref source } => {
                tracing::error!(what, cause = %chain(source.as_ref()), "unavailable");
                Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "urn:loggia:problem:unavailable",
                    "A part of the store is unavailable",
                    format!("{what} is unavailable; nothing was read or stored"),
                )
            }
            EngineError::Corrupt(detail) => {
                tracing::error!(%detail, "stored data does not check out");
                Self::internal()
            }
        }
    }
}

/// An error and its causes on one line.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"loggia\""),
            );
        }
        response
    }
}
