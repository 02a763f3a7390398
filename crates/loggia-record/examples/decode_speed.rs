//! Prints how fast each decoder reads records of about 1 KB, beside prost and serde_json.
//!
//!     cargo run --release -p loggia-record --example decode_speed
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a measurement for people to run: it reads the clock and prints"
)]

use std::hint::black_box;
use std::time::Instant;

use loggia_record::{Limits, decode_lines, decode_ndjson, decode_otlp_logs, decode_otlp_logs_json};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;

fn main() {
    let request = request(2000);
    let limits = Limits::default();
    let bytes = request.encode_to_vec();
    let ours = rate(&bytes, |bytes| decode_otlp_logs(bytes, &limits).unwrap().len());
    let theirs =
        rate(&bytes, |bytes| ExportLogsServiceRequest::decode(bytes).unwrap().resource_logs.len());
    println!("otlp protobuf {ours:6.0} MB/s, prost      {theirs:6.0} MB/s: {:.1} ×", ours / theirs);

    let json = serde_json::to_vec(&request).unwrap();
    let ours = rate(&json, |bytes| decode_otlp_logs_json(bytes, &limits).unwrap().len());
    let theirs = rate(&json, |bytes| {
        let request: ExportLogsServiceRequest = serde_json::from_slice(bytes).unwrap();
        request.resource_logs.len()
    });
    println!("otlp json     {ours:6.0} MB/s, with-serde {theirs:6.0} MB/s: {:.1} ×", ours / theirs);

    let rows: Vec<u8> = (0..2000).flat_map(|i| row(i).into_bytes()).collect();
    let ours = rate(&rows, |bytes| decode_ndjson(bytes, &limits).unwrap().len());
    let theirs = rate(&rows, |bytes| {
        let stream = serde_json::Deserializer::from_slice(bytes).into_iter::<serde_json::Value>();
        stream.filter(Result::is_ok).count()
    });
    println!("ndjson        {ours:6.0} MB/s, serde_json {theirs:6.0} MB/s: {:.1} ×", ours / theirs);

    let line = "2025-11-24T03:09:16.250Z host app[12]: INFO request done in 12 ms path=/v1/chat\n";
    let lines = line.repeat(20_000).into_bytes();
    let ours = rate(&lines, |bytes| decode_lines(bytes, 0, &limits).unwrap().len());
    println!("text lines    {ours:6.0} MB/s");
}

/// Megabytes a second, best of several rounds.
fn rate(bytes: &[u8], run: impl Fn(&[u8]) -> usize) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..40 {
        let start = Instant::now();
        black_box(run(black_box(bytes)));
        best = best.min(start.elapsed().as_secs_f64());
    }
    bytes.len() as f64 / best / 1e6
}

fn row(i: usize) -> String {
    let prompt = PROMPT.repeat(2);
    format!(
        "{{\"time\":\"2025-11-24T03:09:16.250Z\",\"level\":\"info\",\"msg\":\"chat done\",\
         \"user\":{{\"id\":\"user-{i}\"}},\"gen_ai\":{{\"request\":{{\"model\":\"gpt-5\"}},\
         \"usage\":{{\"input_tokens\":{i},\"output_tokens\":512}}}},\"latency_ms\":12.5,\
         \"trace_id\":\"5b8efff798038103d269b633813fc60c\",\"prompt\":\"{prompt}\"}}\n"
    )
}

const PROMPT: &str = "Please look at my order again: it has not arrived, although the mail said \
    that it would be here on Friday. My neighbour did not take it in either, and the tracking page \
    only says that it is on its way. Could you find out where it is and send me another if it is \
    lost? Thank you very much, and sorry for asking a third time about the same parcel. ";

fn request(records: u32) -> ExportLogsServiceRequest {
    let text = |value: &str| Value::StringValue(value.to_owned());
    let pair = |key: &str, value: Value| KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    };
    let record = |i: u32| LogRecord {
        time_unix_nano: 1_763_953_756_000_000_000,
        observed_time_unix_nano: 1_763_953_756_000_000_000,
        severity_number: 9,
        severity_text: "INFO".to_owned(),
        body: Some(AnyValue { value: Some(text(&PROMPT.repeat(2))) }),
        attributes: vec![
            pair("gen_ai.operation.name", text("chat")),
            pair("gen_ai.provider.name", text("openai")),
            pair("gen_ai.request.model", text("gpt-5")),
            pair("gen_ai.usage.input_tokens", Value::IntValue(i64::from(i))),
            pair("gen_ai.usage.output_tokens", Value::IntValue(512)),
            pair("gen_ai.conversation.id", text(&format!("conv-{i}"))),
            pair("user.id", text(&format!("user-{i}"))),
            pair("latency_ms", Value::DoubleValue(12.5)),
        ],
        trace_id: vec![7; 16],
        span_id: vec![8; 8],
        ..LogRecord::default()
    };
    let attributes =
        vec![pair("service.name", text("chat")), pair("host.name", text("node-1.example.org"))];
    let scope_logs =
        vec![ScopeLogs { log_records: (0..records).map(record).collect(), ..Default::default() }];
    let resource = Some(Resource { attributes, ..Resource::default() });
    let group = ResourceLogs { resource, scope_logs, ..ResourceLogs::default() };
    ExportLogsServiceRequest { resource_logs: vec![group] }
}
