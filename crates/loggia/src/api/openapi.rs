//! The API's description, kept by hand in `openapi.json`; a test holds it against the routes.

use axum::http::header;
use axum::response::{IntoResponse as _, Response};

/// OpenAPI 3.1 of the whole surface.
pub(super) const DOCUMENT: &str = include_str!("openapi.json");

pub(super) async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}
