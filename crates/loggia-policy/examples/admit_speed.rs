//! Prints how fast records of about 1 KB are admitted under the sample policy, on one core.
//!
//!     cargo run --release -p loggia-policy --example admit_speed
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement for people to run: it reads the clock and prints"
)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use loggia_policy::{AdmitContext, PlaceholderBook, Policy};
use loggia_record::{Limits, decode_ndjson};

const ROWS: u32 = 2_000;
const NOW: i64 = 1_800_000_000_000_000_000;

fn main() {
    let policy = Policy::parse(include_str!("../../../policies/gen-ai.yaml")).unwrap();
    measure(&policy, "chat, content of 700 bytes", &chat(true));
    measure(&policy, "chat, no content", &chat(false));
    measure(&policy, "app, a line of 200 bytes", &app());
}

fn measure(policy: &Policy, name: &str, lines: &str) {
    let book = PlaceholderBook::new([1; 32], 10_000);
    let context = AdmitContext { tenant: "t", now_ns: NOW, placeholders: &book, stream: None };
    let batch = decode_ndjson(lines.as_bytes(), &Limits::default()).unwrap();
    let mut best = f64::MAX;
    for _ in 0..20 {
        let start = Instant::now();
        black_box(policy.admit(black_box(&batch), &context));
        best = best.min(start.elapsed().as_secs_f64());
    }
    let (rows, bytes) = (f64::from(ROWS), u32::try_from(lines.len()).map_or(0.0, f64::from));
    println!("{name:<28} {:8.0} records/s {:6.1} MB/s", rows / best, bytes / best / 1e6);
}

fn chat(content: bool) -> String {
    let text = "Please summarise the quarterly report for the board and keep it short. ".repeat(5);
    let mut lines = String::new();
    for row in 0..ROWS {
        write!(
            lines,
            "{{\"time\":1799999999,\"service.name\":\"assistant\",\"gen_ai.operation.name\":\"chat\",\
             \"gen_ai.provider.name\":\"openai\",\"gen_ai.request.model\":\"gpt-4o\",\
             \"gen_ai.usage.input_tokens\":{row},\"gen_ai.usage.output_tokens\":34,\
             \"gen_ai.conversation.id\":\"conv-{}\",\"user.id\":\"user-{}\",\"session.id\":\"s-{}\",\
             \"trace_id\":\"{row:032x}\",\"span_id\":\"{row:016x}\",\"host.name\":\"h1\",\"my.own\":true",
            row / 8,
            row % 300,
            row / 20,
        )
        .unwrap();
        if content {
            write!(
                lines,
                ",\"gen_ai.input.messages\":\"{text}mail user{row}@example.com\",\"gen_ai.output.messages\":\"{text}\""
            )
            .unwrap();
        }
        lines.push_str("}\n");
    }
    lines
}

fn app() -> String {
    let mut lines = String::new();
    for row in 0..ROWS {
        writeln!(
            lines,
            "{{\"time\":1799999999,\"level\":\"info\",\"service.name\":\"billing\",\"logger\":\"app.pay\",\
             \"message\":\"request {row} to /v1/pay done in {} ms with status 200, {} items, cache miss, retry none\",\
             \"http.route\":\"/v1/pay\",\"http.response.status_code\":200,\"host.name\":\"h1\"}}",
            row % 97,
            row % 7,
        )
        .unwrap();
    }
    lines
}
