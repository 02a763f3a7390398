//! Verbs that ask a running server.

use std::io::Read as _;
use std::process::ExitCode;

use futures::StreamExt as _;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::{runtime, with_need};
use super::{
    Client, Connection, LedgerVerb, QueryArgs, RowFormat, Screen, SearchArgs, SubjectVerb,
    TokenVerb,
};
use crate::api::Encoding;
use crate::failure::Failure;

/// `loggia query`.
pub(super) fn query(args: &QueryArgs, screen: &mut Screen) -> Result<ExitCode, Failure> {
    let sql = if args.sql == "-" { read_stdin()? } else { args.sql.clone() };
    let format =
        args.format.unwrap_or(if screen.is_json() { RowFormat::Json } else { RowFormat::Table });
    let encoding = match format {
        RowFormat::Table => Encoding::Json,
        RowFormat::Json => Encoding::Ndjson,
        RowFormat::Csv => Encoding::Csv,
        RowFormat::Parquet => Encoding::Parquet,
    };
    let client = Client::new(&args.connection)?;
    let request = client
        .request(Method::POST, "/api/v1/query")
        .header("Accept", encoding.media_type())
        .header("Content-Type", "application/sql")
        .body(sql);
    rows(&client, with_need(request, &args.need), format, screen)
}

/// `loggia search`.
pub(super) fn search(args: &SearchArgs, screen: &mut Screen) -> Result<ExitCode, Failure> {
    let (format, encoding) = if screen.is_json() {
        (RowFormat::Json, Encoding::Ndjson)
    } else {
        (RowFormat::Table, Encoding::Json)
    };
    let client = Client::new(&args.connection)?;
    let request = client
        .request(Method::POST, "/api/v1/search")
        .header("Accept", encoding.media_type())
        .json(&search_body(args)?);
    rows(&client, with_need(request, &args.need), format, screen)
}

fn search_body(args: &SearchArgs) -> Result<Value, Failure> {
    let since_ns = match &args.since {
        Some(text) => Some(crate::clock::system_clock().now_ns() - span_ns(text)?),
        None => None,
    };
    Ok(json!({
        "stream": args.stream, "q": words(&args.words), "since_ns": since_ns,
        "limit": args.limit, "content": args.content,
    }))
}

/// The words as one query; one that the shell unquoted gets its quotes back.
fn words(words: &[String]) -> String {
    let quoted: Vec<String> = words
        .iter()
        .map(|word| {
            let bare = word.contains(' ') && !word.contains('"') && !word.contains(':');
            if bare { format!("\"{word}\"") } else { word.clone() }
        })
        .collect();
    quoted.join(" ")
}

/// `90s`, `15m`, `6h`, `2d` in nanoseconds.
fn span_ns(text: &str) -> Result<i64, Failure> {
    let wrong =
        || Failure::usage(format!("`{text}` is not a time span such as `15m`, `6h` or `2d`"));
    let unit = text.chars().last().ok_or_else(wrong)?;
    let number: i64 = text.strip_suffix(unit).and_then(|n| n.parse().ok()).ok_or_else(wrong)?;
    let seconds: i64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(wrong()),
    };
    number
        .checked_mul(seconds)
        .and_then(|total| total.checked_mul(1_000_000_000))
        .filter(|total| *total > 0)
        .ok_or_else(wrong)
}

/// Prints rows as they come.
fn rows(
    client: &Client,
    request: reqwest::RequestBuilder,
    format: RowFormat,
    screen: &mut Screen,
) -> Result<ExitCode, Failure> {
    runtime()?.block_on(async {
        let response = client.send(request).await?;
        let receipt = response
            .headers()
            .get("loggia-receipt")
            .and_then(|value| value.to_str().ok())
            .unwrap_or("?")
            .to_owned();
        let mut stream = response.bytes_stream();
        let mut collected = Vec::new();
        while let Some(chunk) = stream.next().await {
            let chunk =
                chunk.map_err(|error| Failure::failed(format!("the answer broke off: {error}")))?;
            match format {
                RowFormat::Table => collected.extend_from_slice(&chunk),
                RowFormat::Json | RowFormat::Csv | RowFormat::Parquet => screen.bytes(&chunk)?,
            }
        }
        if format == RowFormat::Table {
            let answer: Value = serde_json::from_slice(&collected)
                .map_err(|error| Failure::failed(format!("the answer is not JSON: {error}")))?;
            let list = |name: &str| answer.get(name).and_then(Value::as_array);
            let columns: Vec<&str> = list("columns")
                .into_iter()
                .flatten()
                .filter_map(|column| column.get("name").and_then(Value::as_str))
                .collect();
            let rows = list("rows").map(Vec::as_slice).unwrap_or_default();
            screen.columns(&columns, rows)?;
            screen.note(&format!("{} rows; ledger receipt {receipt}", rows.len()));
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// `loggia tail`.
pub(super) fn tail(args: &SearchArgs, screen: &mut Screen) -> Result<ExitCode, Failure> {
    let client = Client::new(&args.connection)?;
    let mut query = vec![
        ("stream", args.stream.clone()),
        ("q", words(&args.words)),
        ("limit", args.limit.to_string()),
    ];
    if args.content {
        query.push(("content", "true".into()));
    }
    let encoded: Vec<String> =
        query.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    let request = client.request(Method::GET, &format!("/api/v1/tail?{}", encoded.join("&")));
    let request = with_need(request, &args.need);
    runtime()?.block_on(async {
        let response = client.send(request).await?;
        let mut stream = response.bytes_stream();
        let mut pending = Vec::new();
        let mut event = String::new();
        loop {
            let chunk = tokio::select! {
                chunk = stream.next() => chunk,
                stopped = super::local::stop_signal() => { stopped?; break }
            };
            let Some(chunk) = chunk else { break };
            let chunk =
                chunk.map_err(|error| Failure::failed(format!("the tail broke off: {error}")))?;
            pending.extend_from_slice(&chunk);
            while let Some(end) = pending.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = pending.drain(..=end).collect();
                let line = String::from_utf8_lossy(&line);
                let line = line.trim_end();
                if let Some(name) = line.strip_prefix("event: ") {
                    name.clone_into(&mut event);
                } else if let Some(data) = line.strip_prefix("data: ") {
                    match event.as_str() {
                        "rows" => screen.line(data)?,
                        "lagged" => screen.note(&format!("too slow: {data} batches left out")),
                        other => screen.note(&format!("{other}: {data}")),
                    }
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Percent-encodes a query value (RFC 3986 unreserved characters stay).
pub(super) fn escape(value: &str) -> String {
    use std::fmt::Write as _;
    value.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            write!(text, "%{byte:02X}").unwrap_or_default();
        }
        text
    })
}

/// A GET whose JSON answer is shown.
pub(super) fn show(
    connection: &Connection,
    path: &str,
    screen: &mut Screen,
) -> Result<ExitCode, Failure> {
    let client = Client::new(connection)?;
    let value = runtime()?.block_on(client.json(client.request(Method::GET, path)))?;
    screen.value(&value)?;
    Ok(ExitCode::SUCCESS)
}

/// A POST whose JSON answer is shown.
pub(super) fn send(
    connection: &Connection,
    path: &str,
    body: &Value,
    screen: &mut Screen,
) -> Result<ExitCode, Failure> {
    let client = Client::new(connection)?;
    let request = client.request(Method::POST, path).json(body);
    let value = runtime()?.block_on(client.json(request))?;
    screen.value(&value)?;
    Ok(ExitCode::SUCCESS)
}

/// `loggia token …`.
pub(super) fn token(verb: &TokenVerb, screen: &mut Screen) -> Result<ExitCode, Failure> {
    match verb {
        TokenVerb::Create { connection, principal, role, tenant, days } => {
            let body =
                json!({ "principal": principal, "role": role, "tenant": tenant, "days": days });
            send(connection, "/api/v1/tokens", &body, screen)
        }
        TokenVerb::List { connection } => show(connection, "/api/v1/tokens", screen),
        TokenVerb::Revoke { connection, id } => {
            let client = Client::new(connection)?;
            let path = format!("/api/v1/tokens/{}", escape(id));
            runtime()?.block_on(client.json(client.request(Method::DELETE, &path)))?;
            screen.note("revoked");
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// `loggia subject …`.
pub(super) fn subject(verb: &SubjectVerb, screen: &mut Screen) -> Result<ExitCode, Failure> {
    match verb {
        SubjectVerb::Find { connection, user_id } => {
            send(connection, "/api/v1/subjects/find", &json!({ "user_id": user_id }), screen)
        }
        SubjectVerb::Erase { connection, subject, reason } => {
            let is_handle = subject.strip_prefix("s_").is_some_and(|rest| rest.len() == 22);
            let name = if is_handle { "handle" } else { "user_id" };
            let body = json!({ name: subject, "reason": reason });
            send(connection, "/api/v1/subjects/erase", &body, screen)
        }
    }
}

/// `loggia ledger checkpoint|list|prove`.
pub(super) fn ledger(verb: &LedgerVerb, screen: &mut Screen) -> Result<ExitCode, Failure> {
    let text = |connection: &Connection, path: &str, screen: &mut Screen| {
        let client = Client::new(connection)?;
        let body = runtime()?.block_on(async {
            let response = client.send(client.request(Method::GET, path)).await?;
            response
                .text()
                .await
                .map_err(|error| Failure::failed(format!("the answer broke off: {error}")))
        })?;
        screen.bytes(body.as_bytes())?;
        Ok(ExitCode::SUCCESS)
    };
    match verb {
        LedgerVerb::Checkpoint { connection } => text(connection, "/ledger/checkpoint", screen),
        LedgerVerb::Prove { connection, index } => {
            text(connection, &format!("/api/v1/ledger/proof/{index}"), screen)
        }
        LedgerVerb::List { connection, limit, before } => {
            let before = before.map(|index| format!("&before={index}")).unwrap_or_default();
            show(connection, &format!("/api/v1/ledger/entries?limit={limit}{before}"), screen)
        }
        LedgerVerb::Verify { dir, vkey } => {
            super::local::ledger_verify(dir, vkey.as_deref(), screen)
        }
    }
}

fn read_stdin() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .lock()
        .read_to_string(&mut text)
        .map_err(|error| Failure::io("read standard input as text", &error))?;
    Ok(text)
}
