//! `loggia ingest FILE`: sends a log file in batches, with progress, and says what was refused and why.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::ExitCode;

use clap::ValueEnum;
use reqwest::Method;
use serde_json::{Value, json};

use super::client::runtime;
use super::remote::escape;
use super::{Client, IngestArgs, Screen};
use crate::failure::Failure;

/// Bytes and lines of one request.
const BATCH_BYTES_MAX: usize = 1 << 20;
const BATCH_LINES_MAX: usize = 5000;
/// A longer line is sent alone up to this, then refused.
const LINE_BYTES_MAX: u64 = 8 << 20;
/// Attempts at one batch while the server is busy.
const ATTEMPTS_MAX: u32 = 8;

/// Form of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum FileFormat {
    /// One JSON object a line.
    Ndjson,
    /// Plain lines.
    Lines,
}

pub(super) fn run(args: &IngestArgs, screen: &mut Screen) -> Result<ExitCode, Failure> {
    let from_stdin = args.file.as_os_str() == "-";
    let (reader, size): (Box<dyn BufRead + Send>, u64) = if from_stdin {
        (Box::new(BufReader::new(std::io::stdin())), 0)
    } else {
        let open =
            |error: std::io::Error| Failure::io(format!("open `{}`", args.file.display()), &error);
        let file = std::fs::File::open(&args.file).map_err(open)?;
        let size = file.metadata().map_err(open)?.len();
        (Box::new(BufReader::new(file)), size)
    };
    let client = Client::new(&args.connection)?;
    let bar = screen.progress(size, "sending");
    let mut sender = Sender {
        path: format!("/api/v1/streams/{}/records", escape(&args.stream)),
        client,
        format: args.format,
        totals: Totals::default(),
    };
    let outcome = runtime()?.block_on(sender.run(reader, |bytes| bar.inc(bytes)));
    bar.finish_and_clear();
    sender.totals.print(screen)?;
    outcome?;
    Ok(if sender.totals.refused_rows() == 0 { ExitCode::SUCCESS } else { ExitCode::from(3) })
}

#[derive(Default)]
struct Totals {
    accepted: u64,
    refused: BTreeMap<String, u64>,
    fields_dropped: u64,
    detections: BTreeMap<String, u64>,
}

impl Totals {
    fn add(&mut self, answer: &Value) {
        let number = |value: &Value| value.as_u64().unwrap_or(0);
        self.accepted += answer.get("accepted").map_or(0, number);
        self.fields_dropped += answer.get("fields_dropped").map_or(0, number);
        for refused in answer.get("refused").and_then(Value::as_array).into_iter().flatten() {
            let reason = refused.get("reason").and_then(Value::as_str).unwrap_or("unknown");
            *self.refused.entry(reason.into()).or_default() +=
                refused.get("rows").map_or(0, number);
        }
        for (kind, count) in
            answer.get("detections").and_then(Value::as_object).into_iter().flatten()
        {
            *self.detections.entry(kind.clone()).or_default() += number(count);
        }
    }

    fn refused_rows(&self) -> u64 {
        self.refused.values().sum()
    }

    fn print(&self, screen: &mut Screen) -> Result<(), Failure> {
        screen.value(&json!({
            "accepted": self.accepted, "refused": self.refused,
            "fields_dropped": self.fields_dropped, "detections": self.detections,
        }))
    }
}

struct Sender {
    client: Client,
    path: String,
    format: Option<FileFormat>,
    totals: Totals,
}

impl Sender {
    async fn run(
        &mut self,
        mut reader: impl BufRead + Send,
        progress: impl Fn(u64) + Send + Sync,
    ) -> Result<(), Failure> {
        let mut batch = Vec::with_capacity(BATCH_BYTES_MAX);
        let mut lines = 0;
        loop {
            let before = batch.len();
            let read = std::io::Read::take(&mut reader, LINE_BYTES_MAX)
                .read_until(b'\n', &mut batch)
                .map_err(|error| Failure::io("read the file", &error))?;
            if read == 0 {
                break;
            }
            lines += 1;
            if self.format.is_none() {
                let first = batch.get(before..).unwrap_or_default();
                self.format = Some(guess(first));
            }
            if batch.len() >= BATCH_BYTES_MAX || lines >= BATCH_LINES_MAX {
                self.send(&mut batch, &progress).await?;
                lines = 0;
            }
        }
        if !batch.is_empty() {
            self.send(&mut batch, &progress).await?;
        }
        Ok(())
    }

    /// Sends one batch; waits and tries again while the server is busy.
    async fn send(
        &mut self,
        batch: &mut Vec<u8>,
        progress: &(impl Fn(u64) + Sync),
    ) -> Result<(), Failure> {
        let media = match self.format {
            Some(FileFormat::Lines) => "text/plain",
            Some(FileFormat::Ndjson) | None => "application/x-ndjson",
        };
        for attempt in 1.. {
            let request = self
                .client
                .request(Method::POST, &self.path)
                .header("Content-Type", media)
                .body(batch.clone());
            match self.client.json(request).await {
                Ok(answer) => {
                    self.totals.add(&answer);
                    progress(batch.len() as u64);
                    batch.clear();
                    return Ok(());
                }
                Err(failure) if attempt >= ATTEMPTS_MAX || !failure.is_busy() => {
                    return Err(failure);
                }
                Err(_busy) => pause(attempt).await,
            }
        }
        Ok(())
    }
}

#[expect(clippy::disallowed_methods, reason = "a client that was told to come back later")]
async fn pause(attempt: u32) {
    tokio::time::sleep(std::time::Duration::from_millis(250 << attempt.min(5))).await;
}

/// NDJSON when the first line looks like an object.
fn guess(first: &[u8]) -> FileFormat {
    let first = first.trim_ascii();
    if first.starts_with(b"{") && first.ends_with(b"}") {
        FileFormat::Ndjson
    } else {
        FileFormat::Lines
    }
}
