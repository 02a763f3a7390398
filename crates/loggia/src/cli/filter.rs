//! `loggia detect` and `loggia redact`: filters on standard input that need no server and keep nothing.

use std::io::{BufRead as _, Write as _};
use std::process::ExitCode;

use loggia_policy::{ConversationRef, Detector, DetectorConfig, PlaceholderBook, Scratch};
use serde_json::{Value, json};

use super::Screen;
use crate::failure::Failure;

/// Longest line taken in, bytes.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// Prints `{"id", "spans": [{"start", "end", "type"}]}` for each input; offsets are UTF-8 bytes, end exclusive.
pub(super) fn detect(jsonl: bool, _screen: &mut Screen) -> Result<ExitCode, Failure> {
    let detector = detector()?;
    let mut scratch = Scratch::default();
    lines(|number, line, out| {
        let (id, text) = input(number, line, jsonl)?;
        let text = text.as_deref().unwrap_or(line);
        let spans: Vec<Value> = detector
            .detect(text, &mut scratch)
            .map_err(|error| Failure::failed(format!("line {number}: {error}")))?
            .iter()
            .map(|found| {
                json!({ "start": found.start, "end": found.end, "type": found.kind.to_string() })
            })
            .collect();
        writeln!(out, "{}", json!({ "id": id, "spans": spans })).map_err(|error| written(&error))
    })
}

/// Prints each input with what was found replaced; with `--jsonl` the `text` member of each object.
pub(super) fn redact(jsonl: bool, _screen: &mut Screen) -> Result<ExitCode, Failure> {
    let detector = detector()?;
    let mut redactor = Redactor::new(&detector)?;
    lines(|number, line, out| {
        if !jsonl {
            return writeln!(out, "{}", redactor.redact(line)).map_err(|error| written(&error));
        }
        let mut object = object(number, line)?;
        if let Some(text) = object.get("text").and_then(Value::as_str) {
            let clean = redactor.redact(text);
            if let Some(slot) = object.get_mut("text") {
                *slot = Value::String(clean);
            }
        }
        writeln!(out, "{object}").map_err(|error| written(&error))
    })
}

/// Numbers placeholders over the whole input, as within one conversation.
struct Redactor<'d> {
    detector: &'d Detector,
    book: PlaceholderBook,
    scratch: Scratch,
}

impl<'d> Redactor<'d> {
    fn new(detector: &'d Detector) -> Result<Self, Failure> {
        let key = loggia_keys::KeyStore::random::<32>()
            .map_err(|error| Failure::failed(format!("cannot set up the placeholders: {error}")))?;
        let book = PlaceholderBook::new(*key, 1);
        Ok(Self { detector, book, scratch: Scratch::default() })
    }

    fn redact(&mut self, text: &str) -> String {
        let whole = ConversationRef { tenant: "", id: "input" };
        let mut out = String::with_capacity(text.len());
        self.detector.redact(text, Some(&whole), &self.book, &mut self.scratch, &mut out);
        out
    }
}

fn detector() -> Result<Detector, Failure> {
    Detector::new(&DetectorConfig::default())
        .map_err(|error| Failure::failed(format!("cannot set up the detectors: {error}")))
}

/// The id and, for JSON lines, the text of an input.
fn input(number: u64, line: &str, jsonl: bool) -> Result<(Value, Option<String>), Failure> {
    if !jsonl {
        return Ok((json!(number), None));
    }
    let object = object(number, line)?;
    let text = object.get("text").and_then(Value::as_str).ok_or_else(|| {
        Failure::usage(format!("line {number} has no member `text` that is a string"))
    })?;
    Ok((object.get("id").cloned().unwrap_or(json!(number)), Some(text.to_owned())))
}

fn object(number: u64, line: &str) -> Result<Value, Failure> {
    let value: Value = serde_json::from_str(line).map_err(|error| {
        Failure::usage(format!("line {number} is not JSON (column {})", error.column()))
    })?;
    if value.is_object() {
        return Ok(value);
    }
    Err(Failure::usage(format!("line {number} is not a JSON object")))
}

/// Runs `work` on each line of standard input.
fn lines(
    mut work: impl FnMut(u64, &str, &mut dyn std::io::Write) -> Result<(), Failure>,
) -> Result<ExitCode, Failure> {
    let mut input = std::io::stdin().lock();
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut bytes = Vec::new();
    for number in 1.. {
        bytes.clear();
        let read = std::io::Read::take(&mut input, LINE_BYTES_MAX)
            .read_until(b'\n', &mut bytes)
            .map_err(|error| Failure::io("read standard input", &error))?;
        if read == 0 {
            break;
        }
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
        }
        let line = String::from_utf8_lossy(&bytes);
        work(number, &line, &mut out)?;
        // A line at a time, so that a pipe from `tail -f` flows.
        if input.fill_buf().map_or(true, <[u8]>::is_empty) {
            out.flush().map_err(|error| written(&error))?;
        }
    }
    out.flush().map_err(|error| written(&error))?;
    Ok(ExitCode::SUCCESS)
}

fn written(error: &std::io::Error) -> Failure {
    Failure::io("write to standard output", error)
}
