//! The command line as a client of a running server: TLS to a CA it was told to trust, a token, JSON.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use super::NeedArgs;
use crate::failure::Failure;
use crate::tls::client_config;

/// Which server, trusted how, as whom.
#[derive(Clone, Args)]
pub(crate) struct Connection {
    /// Address of the server.
    #[arg(long, env = "LOGGIA_URL", default_value = "https://127.0.0.1:4318")]
    pub(crate) url: String,
    /// CA certificate to trust (PEM), such as `<data>/tls/ca.pem`.
    #[arg(long, env = "LOGGIA_CA")]
    pub(crate) ca: PathBuf,
    /// API token; better given in the environment than on the command line.
    #[arg(long, env = "LOGGIA_TOKEN", hide_env_values = true)]
    pub(crate) token: String,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Connection({}, token [redacted])", self.url)
    }
}

/// A connection pool to one server.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    connection: Connection,
}

impl Client {
    pub(crate) fn new(connection: &Connection) -> Result<Self, Failure> {
        let tls = client_config(&connection.ca)?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            .connect_timeout(Duration::from_secs(10))
            .no_proxy()
            .build()
            .map_err(|error| Failure::failed(format!("cannot set up the client: {error}")))?;
        Ok(Self { http, connection: connection.clone() })
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.connection.url.trim_end_matches('/'));
        self.http.request(method, url).bearer_auth(&self.connection.token)
    }

    /// Sends a request; an error status becomes the problem's own words.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let problem: Value = response.json().await.unwrap_or(Value::Null);
        let text = |name: &str| problem.get(name).and_then(Value::as_str);
        let message = match (text("title"), text("detail").or_else(|| text("message"))) {
            (Some(title), Some(detail)) => format!("{title}: {detail}"),
            (None, Some(detail)) => detail.into(),
            _ => format!("the server answered {status}"),
        };
        Err(match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Failure::refused(message),
            StatusCode::BAD_REQUEST => Failure::usage(message),
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                Failure::busy(message)
            }
            _ => Failure::failed(message),
        })
    }

    pub(crate) async fn json(&self, request: RequestBuilder) -> Result<Value, Failure> {
        let response = self.send(request).await?;
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(Value::Null);
        }
        response
            .json()
            .await
            .map_err(|error| Failure::failed(format!("the answer is not JSON: {error}")))
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        use std::error::Error as _;
        let mut message = format!("cannot reach `{}`", self.connection.url);
        let mut cause = error.source();
        while let Some(inner) = cause {
            message = format!("{message}: {inner}");
            cause = inner.source();
        }
        Failure::failed(format!("{message}; is `loggia serve` running, and does --ca name its CA?"))
    }
}

/// Adds the stated need to a read.
pub(crate) fn with_need(mut request: RequestBuilder, need: &NeedArgs) -> RequestBuilder {
    if let Some(purpose) = &need.purpose {
        request = request.header("Loggia-Purpose", purpose);
    }
    if let Some(ticket) = &need.ticket {
        request = request.header("Loggia-Ticket", ticket);
    }
    request
}

/// A small runtime for a client verb.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::io("start the runtime", &error))
}
