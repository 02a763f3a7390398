//! What a verb prints: tables for people, JSON for programs, messages on standard error.

use std::io::{IsTerminal as _, Write as _};

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ContentArrangement, Table};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use super::Output;
use crate::failure::Failure;

/// Standard output and standard error of a command.
#[derive(Debug)]
pub(crate) struct Screen {
    output: Output,
}

impl Screen {
    pub(crate) fn new(output: Output) -> Self {
        Self { output }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.output == Output::Json
    }

    /// A line of the result.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), Failure> {
        self.bytes(format!("{text}\n").as_bytes())
    }

    /// Raw bytes of the result.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        out.write_all(bytes)
            .and_then(|()| out.flush())
            .map_err(|error| Failure::io("write to standard output", &error))
    }

    /// A remark beside the result, for a person.
    pub(crate) fn note(&mut self, text: &str) {
        // Nothing can be told where standard error itself is gone.
        drop(writeln!(std::io::stderr().lock(), "{text}"));
    }

    pub(crate) fn failure(&mut self, failure: &Failure) {
        self.note(&format!("loggia: {failure}"));
    }

    /// A JSON document: itself, or for a person as a table.
    pub(crate) fn value(&mut self, value: &Value) -> Result<(), Failure> {
        if self.is_json() {
            return self.line(&value.to_string());
        }
        match value {
            Value::Array(rows) => self.table(rows),
            Value::Object(fields) => {
                let width = fields.keys().map(|name| name.chars().count()).max().unwrap_or(0);
                for (name, value) in fields {
                    self.line(&format!("{name:<width$}  {}", cell(value)))?;
                }
                Ok(())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                self.line(&cell(value))
            }
        }
    }

    /// Objects as an aligned table; columns in order of first appearance.
    pub(crate) fn table(&mut self, rows: &[Value]) -> Result<(), Failure> {
        let mut columns: Vec<&str> = Vec::new();
        for row in rows.iter().filter_map(Value::as_object) {
            for name in row.keys() {
                if !columns.contains(&name.as_str()) {
                    columns.push(name);
                }
            }
        }
        self.columns(&columns, rows)
    }

    /// Objects as an aligned table with these columns, in this order.
    pub(crate) fn columns(&mut self, columns: &[&str], rows: &[Value]) -> Result<(), Failure> {
        if columns.is_empty() {
            return Ok(());
        }
        let mut table = Table::new();
        table.load_style(UTF8_HORIZONTAL_ONLY);
        if std::io::stdout().is_terminal() {
            table.set_content_arrangement(ContentArrangement::Dynamic);
        }
        table.set_header(columns);
        for row in rows.iter().filter_map(Value::as_object) {
            table.add_row(columns.iter().map(|name| row.get(*name).map_or(String::new(), cell)));
        }
        self.line(&table.to_string())
    }

    /// A progress bar over `total` bytes; hidden where standard error is no terminal.
    pub(crate) fn progress(&self, total: u64, what: &'static str) -> ProgressBar {
        if self.is_json() {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new(total).with_message(what);
        let style = ProgressStyle::with_template(
            "{msg} {bar:32} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        );
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar
    }
}

/// A value in a table's cell.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "–".into(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}
