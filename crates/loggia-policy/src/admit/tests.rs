//! Admission of real decoded batches: what gets in, in which form, and how the rest is counted.

use std::fmt::Write as _;

use loggia_record::{Batch, Limits, decode_ndjson, decode_otlp_logs_json, decode_otlp_traces_json};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::columns::ColumnBuilder;
use super::text::TextDesk;
use super::{
    Admission, AdmitContext, BATCH_TEXT_BYTES_MAX, DROPPED_NAMES_MAX, DropReason,
    ROW_TEXT_BYTES_MAX, RefusalReason, Run,
};
use crate::policy::tests::GEN_AI;
use crate::schema::FieldType;
use crate::{
    Admitted, Column, ColumnData, Detector, DetectorConfig, PlaceholderBook, Policy, RegistryClass,
};

const NOW: i64 = 1_800_000_000 * 1_000_000_000;

fn admit(policy: &Policy, batch: &Batch<'_>, stream: Option<&str>) -> Admission {
    let book = PlaceholderBook::new([7; 32], 1_000);
    let context = AdmitContext { tenant: "t1", now_ns: NOW, placeholders: &book, stream };
    let admission = policy.admit(batch, &context);
    let report = &admission.report;
    assert_eq!(
        report.rows_in,
        report.rows_admitted + u64::try_from(report.rows_refused.len()).unwrap()
    );
    let rows: usize = admission.admitted.iter().map(Admitted::rows).sum();
    assert_eq!(u64::try_from(rows).unwrap(), report.rows_admitted);
    for admitted in &admission.admitted {
        assert_eq!(admitted.columns().len(), admitted.schema().fields().len());
        assert!(admitted.columns().iter().all(|column| column.len() == admitted.rows()));
        assert_eq!((admitted.tenant(), admitted.policy()), ("t1", policy.digest()));
    }
    admission
}

fn sample() -> Policy {
    Policy::parse(GEN_AI).unwrap()
}

fn attributes(attributes: &Value) -> Value {
    let list: Vec<Value> = attributes
        .as_object()
        .unwrap()
        .iter()
        .map(|(key, value)| {
            let value = match value {
                Value::String(text) => json!({ "stringValue": text }),
                Value::Bool(flag) => json!({ "boolValue": flag }),
                Value::Number(number) if number.is_i64() => json!({ "intValue": number }),
                Value::Number(number) => json!({ "doubleValue": number }),
                Value::Array(items) => json!({ "arrayValue": {
                    "values": items.iter().map(|item| json!({ "stringValue": item })).collect::<Vec<_>>()
                } }),
                Value::Null | Value::Object(_) => panic!("{value}"),
            };
            json!({ "key": key, "value": value })
        })
        .collect();
    Value::Array(list)
}

fn span(own: &Value) -> Value {
    json!({
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": "b7ad6b7169203331",
        "name": "chat",
        "startTimeUnixNano": "1799999999000000000",
        "endTimeUnixNano": "1799999999250000000",
        "attributes": attributes(own),
        "status": { "code": 1 },
    })
}

fn traces(resource: &Value, spans: &[Value]) -> String {
    json!({ "resourceSpans": [{
        "resource": { "attributes": attributes(resource) },
        "scopeSpans": [{ "scope": { "name": "openai" }, "spans": spans }],
    }] })
    .to_string()
}

fn logs(resource: &Value, records: &[Value]) -> String {
    json!({ "resourceLogs": [{
        "resource": { "attributes": attributes(resource) },
        "scopeLogs": [{ "scope": { "name": "app.billing" }, "logRecords": records }],
    }] })
    .to_string()
}

/// Present values, row by row.
fn show(admitted: &Admitted) -> String {
    let mut text = String::new();
    for row in 0..admitted.rows() {
        writeln!(text, "{} row {row} at {}", admitted.schema().name(), admitted.times()[row])
            .unwrap();
        for (field, column) in admitted.schema().fields().iter().zip(admitted.columns()) {
            if column.validity()[row] {
                writeln!(text, "  {}: {}", field.name, cell(column, row)).unwrap();
            }
        }
    }
    text
}

fn cell(column: &Column, row: usize) -> String {
    match column.data() {
        ColumnData::Bool(values) => values[row].to_string(),
        ColumnData::Int(values) | ColumnData::Timestamp(values) => values[row].to_string(),
        ColumnData::Float(values) => values[row].to_string(),
        ColumnData::Text(values) => values.get(row).unwrap().to_owned(),
    }
}

fn show_all(admission: &Admission) -> String {
    let mut text: String = admission.admitted.iter().map(show).collect();
    let report = &admission.report;
    for (field, count) in &report.fields_dropped {
        writeln!(
            text,
            "dropped {}.{} ({}): {} values, {} bytes, {}",
            field.stream, field.name, field.value_type, count.values, count.bytes, field.reason
        )
        .unwrap();
    }
    for (kind, count) in &report.detections {
        writeln!(text, "found {kind}: {count}").unwrap();
    }
    for refused in &report.rows_refused {
        writeln!(text, "refused row {}: {}", refused.row, refused.reason).unwrap();
    }
    text
}

#[test]
fn a_gen_ai_span_becomes_a_row() {
    let own = json!({
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.provider.name": "openai",
        "gen_ai.usage.input_tokens": 12,
        "gen_ai.usage.output_tokens": "34",
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.conversation.id": "conv-1",
        "user.id": "user-17",
        "session.id": "s-1",
        "gen_ai.input.messages": "[{\"role\":\"user\",\"content\":\"Write to jane.roe@example.com please\"}]",
        "gen_ai.output.messages": "[{\"role\":\"assistant\",\"content\":\"Written to jane.roe@example.com\"}]",
        "gen_ai.headers": "authorization: x",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.something.new": "short",
        "gen_ai.something.else": "x".repeat(80),
        "my.own": "unheard of",
        "url.full": "https://example.com/?token=1",
    });
    let bytes = traces(
        &json!({ "service.name": "assistant", "host.name": "h1" }),
        &[span(&own), span(&own)],
    );
    let batch = decode_otlp_traces_json(bytes.as_bytes(), &Limits::default()).unwrap();
    insta::assert_snapshot!(show_all(&admit(&sample(), &batch, None)));
}

#[test]
fn several_attributes_of_one_content_field_are_joined() {
    let own = json!({
        "openinference.span.kind": "LLM",
        "input.value": "hello \"there\" jane.roe@example.com",
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "hello\nthere",
        "llm.output_messages.0.message.content": "only one",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.arguments": "{\"to\":\"jane.roe@example.com\"}",
        "llm.invocation_parameters": "{\"api_base\":\"https://x\"}",
        "llm.token_count.prompt": 5,
    });
    let bytes = traces(&json!({}), &[span(&own)]);
    let batch = decode_otlp_traces_json(bytes.as_bytes(), &Limits::default()).unwrap();
    let admission = admit(&sample(), &batch, None);
    let row = &admission.admitted[0];
    let (prompt, _) = row.schema().field("prompt").unwrap();
    let joined: Value = serde_json::from_str(row.columns()[prompt].text(0).unwrap()).unwrap();
    assert_eq!(joined["input.value"], "hello \"there\" <EMAIL_1>");
    assert_eq!(joined["llm.input_messages.0.message.content"], "hello\nthere");
    insta::assert_snapshot!(show_all(&admission));
}

#[test]
fn bodies_of_gen_ai_events_go_where_their_event_belongs() {
    let event = |name: &str, text: &str| {
        json!({
            "timeUnixNano": "1799999999000000000",
            "eventName": name,
            "body": { "kvlistValue": { "values": [
                { "key": "content", "value": { "stringValue": text } }
            ] } },
            "attributes": attributes(&json!({ "gen_ai.system": "openai" })),
        })
    };
    let records = [
        event("gen_ai.user.message", "a question of jane.roe@example.com"),
        event("gen_ai.choice", "an answer"),
        event("gen_ai.tool.message", "a result"),
        event("gen_ai.unheard.of", &"a long unlisted text ".repeat(4)),
        event("gen_ai.system.message.unheard.of", "short"),
    ];
    let bytes = logs(&json!({ "service.name": "assistant" }), &records);
    let batch = decode_otlp_logs_json(bytes.as_bytes(), &Limits::default()).unwrap();
    insta::assert_snapshot!(show_all(&admit(&sample(), &batch, None)));
}

#[test]
fn log_lines_are_redacted() {
    let records = [
        json!({
            "timeUnixNano": "1799999999000000000",
            "severityNumber": 17,
            "body": { "stringValue": "payment of jane.roe@example.com failed" },
            "attributes": attributes(&json!({
                "exception.type": "Timeout",
                "exception.message": "is not taken when there is a body",
                "exception.stacktrace": "at pay(jane.roe@example.com)",
                "http.response.status_code": 502,
                "http.route": "/pay/{id}",
                "user.email": "jane.roe@example.com",
            })),
        }),
        json!({ "severityText": "info", "body": { "stringValue": "no time of its own" } }),
    ];
    let bytes = logs(&json!({ "service.name": "billing" }), &records);
    let batch = decode_otlp_logs_json(bytes.as_bytes(), &Limits::default()).unwrap();
    let admission = admit(&sample(), &batch, None);
    assert_eq!(admission.report.times_missing, 1);
    insta::assert_snapshot!(show_all(&admission));
}

#[test]
fn records_find_their_stream() {
    let policy = sample();
    let check = |line: Value, forced: Option<&str>, expected: Result<&str, RefusalReason>| {
        let line = line.to_string();
        let batch = decode_ndjson(line.as_bytes(), &Limits::default()).unwrap();
        let admission = admit(&policy, &batch, forced);
        let found = match admission.admitted.first() {
            Some(admitted) => Ok(admitted.schema().name().to_owned()),
            None => Err(admission.report.rows_refused[0].reason),
        };
        assert_eq!(found, expected.map(str::to_owned), "{line}");
    };
    check(json!({ "message": "x" }), None, Ok("app"));
    check(json!({ "gen_ai": { "system": "x" } }), None, Ok("chat"));
    check(json!({ "llm.model_name": "x" }), None, Ok("chat"));
    check(json!({ "event.name": "gen_ai.choice" }), None, Ok("chat"));
    check(json!({ "message": "x" }), Some("chat"), Ok("chat"));
    check(json!({ "llm.model_name": "x" }), Some("app"), Ok("app"));
    check(json!({ "message": "x" }), Some("nope"), Err(RefusalReason::UnknownStream));
    let plain = traces(&json!({}), &[span(&json!({ "http.route": "/" }))]);
    let batch = decode_otlp_traces_json(plain.as_bytes(), &Limits::default()).unwrap();
    let report = admit(&policy, &batch, None).report;
    assert_eq!(report.rows_refused[0].reason, RefusalReason::NoStream);
    assert_eq!(report.refusal_summary(), "1 refused: no stream of the policy takes such records");
}

/// A policy with one stream `s` of these fields.
fn one_stream(mode: &str, fields: &str) -> Policy {
    let yaml = format!(
        "version: 1\ncontroller: {{ name: A, contact: b }}\nregistry: gen-ai\n\
         purposes: {{ p: {{ description: d, basis: consent }} }}\nstreams:\n  s:\n    source: logs\n    mode: {mode}\n    \
         retention: {{ skeleton: 10d, content: 5d }}\n    fields:\n{fields}"
    );
    Policy::parse(&yaml).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn treatments_do_what_they_say() {
    let policy = one_stream(
        "enforce",
        "      kept: { from: kept, category: operational, treatment: keep, purposes: [p] }\n\
         \x20     gone: { from: [gone, gone.*], treatment: drop }\n\
         \x20     pseudo: { from: pseudo, treatment: pseudonymise, purposes: [p] }\n\
         \x20     net: { from: net, treatment: generalise, purposes: [p] }\n\
         \x20     day: { from: day, type: timestamp, treatment: generalise, purposes: [p] }\n\
         \x20     age: { from: age, type: int, treatment: generalise, generalise: { to: bucket, size: 10 }, purposes: [p] }\n\
         \x20     flag: { from: flag, type: bool, purposes: [p] }\n\
         \x20     token: { from: token, format: token, category: operational, treatment: keep, purposes: [p] }\n",
    );
    let lines = [
        json!({ "time": 1_799_999_000, "kept": "ask jane.roe@example.com", "gone": "x", "gone.too": 1, "pseudo": " raw id ",
            "net": "203.0.113.9", "day": "2026-05-06T07:08:09Z", "age": "37", "flag": "true", "token": "gpt-4o" }),
        json!({ "time": 1_799_999_000, "kept": 7, "pseudo": "", "net": "no address", "day": "never", "age": "old", "flag": 2,
            "token": "jane.roe@example.com" }),
        json!({ "time": 1_000_000_000, "kept": null }),
        json!({ "time": 1_900_000_000 }),
    ]
    .map(|line| line.to_string())
    .join("\n");
    let batch = decode_ndjson(lines.as_bytes(), &Limits::default()).unwrap();
    let admission = admit(&policy, &batch, None);
    assert_eq!(admission.report.rows_past_retention, 1);
    assert_eq!(admission.report.times_future, 1);
    insta::assert_snapshot!(show_all(&admission));
}

#[test]
fn one_value_has_one_placeholder_in_a_conversation() {
    let own = |text: &str| json!({ "gen_ai.conversation.id": "c", "gen_ai.input.messages": text });
    let spans = [
        span(&own("mail a.one@example.com")),
        span(&own("mail b.two@example.com and a.one@example.com")),
    ];
    let bytes = traces(&json!({}), &spans);
    let batch = decode_otlp_traces_json(bytes.as_bytes(), &Limits::default()).unwrap();
    let admission = admit(&sample(), &batch, None);
    let admitted = &admission.admitted[0];
    let (prompt, _) = admitted.schema().field("prompt").unwrap();
    assert_eq!(admitted.columns()[prompt].text(0), Some("mail <EMAIL_1>"));
    assert_eq!(admitted.columns()[prompt].text(1), Some("mail <EMAIL_2> and <EMAIL_1>"));
}

#[test]
fn observe_mode_looks_into_what_is_refused_and_keeps_nothing_of_it() {
    let field = "      kept: { from: kept, purposes: [p] }\n";
    let line = json!({ "other": "jane.roe@example.com", "kept": "x" }).to_string();
    for (mode, found) in [("enforce", 0), ("observe", 1)] {
        let policy = one_stream(mode, field);
        let batch = decode_ndjson(line.as_bytes(), &Limits::default()).unwrap();
        let admission = admit(&policy, &batch, None);
        assert_eq!(admission.report.detections_observed.values().sum::<u64>(), found, "{mode}");
        assert!(admission.report.detections.is_empty());
        assert!(!show(&admission.admitted[0]).contains("jane"));
    }
}

#[test]
fn refused_names_are_bounded_and_never_personal() {
    let policy = one_stream("enforce", "      kept: { from: kept, purposes: [p] }\n");
    let mut line = serde_json::Map::new();
    for number in 0..DROPPED_NAMES_MAX + 500 {
        line.insert(format!("name{number:05}"), json!(1));
    }
    line.insert("jane.roe@example.com".to_owned(), json!(1));
    let line = Value::Object(line).to_string();
    let batch = decode_ndjson(line.as_bytes(), &Limits::default()).unwrap();
    let mut report = admit(&policy, &batch, None).report;
    assert_eq!(report.fields_dropped.values().map(|count| count.values).sum::<u64>(), 1_501);
    assert!(report.fields_dropped.len() <= DROPPED_NAMES_MAX + 1);
    assert!(report.fields_dropped.keys().any(|field| field.name == "(other)"));
    assert!(!report.fields_dropped.keys().any(|field| field.name.contains("jane")));
    let other = report.clone();
    report.merge(&other);
    assert_eq!(report.fields_dropped.values().map(|count| count.values).sum::<u64>(), 3_002);

    let personal = json!({ "jane.roe@example.com": 1 }).to_string();
    let batch = decode_ndjson(personal.as_bytes(), &Limits::default()).unwrap();
    let report = admit(&policy, &batch, None).report;
    assert_eq!(report.fields_dropped.keys().next().unwrap().name, "(name withheld)");
}

#[test]
fn shared_attributes_count_once_per_row() {
    let resource = json!({ "service.name": "assistant", "host.name": "h1", "user.email": "x" });
    let bytes = traces(
        &resource,
        &[span(&json!({ "gen_ai.system": "x" })), span(&json!({ "gen_ai.system": "y" }))],
    );
    let batch = decode_otlp_traces_json(bytes.as_bytes(), &Limits::default()).unwrap();
    let report = admit(&sample(), &batch, None).report;
    let count = |name: &str| {
        let found = report.fields_dropped.iter().find(|(field, _)| field.name == name);
        found.map(|(field, count)| (field.reason, count.values))
    };
    assert_eq!(count("host.name"), Some((DropReason::Unlisted, 2)));
    assert_eq!(count("user.email"), Some((DropReason::Known(RegistryClass::Person), 2)));
}

#[test]
fn what_is_too_large_is_refused_with_its_reason() {
    let policy = one_stream("enforce", "      kept: { from: kept, purposes: [p] }\n");
    let book = PlaceholderBook::new([7; 32], 10);
    let context = AdmitContext { tenant: "t", now_ns: NOW, placeholders: &book, stream: None };
    let mut run = Run::new(&policy, &context);
    assert_eq!(run.check_size(ROW_TEXT_BYTES_MAX), Ok(()));
    assert_eq!(run.check_size(ROW_TEXT_BYTES_MAX + 1), Err(RefusalReason::RowTooLarge));
    run.text_bytes = BATCH_TEXT_BYTES_MAX - 10;
    assert_eq!(run.check_size(11), Err(RefusalReason::BatchTooLarge));
    assert_eq!(run.check_size(10), Ok(()));
}

#[test]
fn a_text_the_detectors_cannot_read_is_withheld() {
    let config = DetectorConfig { text_bytes_max: 10, ..DetectorConfig::default() };
    let detector = Detector::new(&config).unwrap();
    let book = PlaceholderBook::new([7; 32], 10);
    let mut desk = TextDesk::new(&detector, &book);
    let mut column = ColumnBuilder::new(FieldType::Text);
    assert!(desk.write("short", false, None, &mut column));
    assert!(desk.write("a text over the budget", false, None, &mut column));
    assert!(desk.write("a-token-over-the-budget", true, None, &mut column));
    assert!(desk.write(&"a long text ".repeat(50), false, None, &mut column));
    let mut report = super::AdmissionReport::default();
    desk.finish(&mut report);
    assert_eq!(report.values_withheld, 3);
    let texts = column.texts();
    assert_eq!(texts, ["short", "<WITHHELD>", "<WITHHELD>", "<WITHHELD>"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn admission_never_adds_what_no_field_lists(
        lines in prop::collection::vec(
            prop::collection::vec(("[a-z_.@0-9]{1,20}|message|gen_ai\\.prompt|service\\.name|user\\.id", "\\PC{0,40}"), 0..8),
            1..6,
        ),
        forced in prop::option::of("chat|app"),
    ) {
        let policy = sample();
        let mut text = String::new();
        for (row, line) in lines.iter().enumerate() {
            let object: serde_json::Map<String, Value> = line
                .iter()
                .enumerate()
                .map(|(at, (key, value))| (key.clone(), json!(format!("{value} mark{row}x{at}y"))))
                .collect();
            writeln!(text, "{}", Value::Object(object)).unwrap();
        }
        let batch = decode_ndjson(text.as_bytes(), &Limits::default()).unwrap();
        let admission = admit(&policy, &batch, forced.as_deref());
        // Every mark in the result belongs to an attribute that some alias of the column matches.
        let mut order = vec![0_usize; policy.streams.len()];
        for (row, record) in batch.records().enumerate() {
            if admission.report.rows_refused.iter().any(|refused| refused.row == row) {
                continue;
            }
            let index = super::route::stream_of(&policy, forced.as_deref(), &record).unwrap();
            let stream = &policy.streams[index];
            let admitted = admission.admitted.iter().find(|a| a.schema().name() == stream.schema.name()).unwrap();
            let place = order[index];
            order[index] += 1;
            for (position, column) in admitted.columns().iter().enumerate() {
                let Some(cell) = column.text(place) else { continue };
                for attr in record.own() {
                    let Some(value) = attr.value.as_text() else { continue };
                    let Some(mark) = value.rsplit(' ').next().filter(|mark| mark.starts_with("mark")) else { continue };
                    if cell.contains(mark) {
                        let target = stream.targets.find(&attr.key, &mut String::new());
                        let field = target.map(|(target, _)| usize::from(target.field));
                        prop_assert_eq!(field, Some(position), "{}", &attr.key);
                    }
                }
            }
        }
    }
}
