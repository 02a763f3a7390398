//! Writing over the wire: formats, encodings, refusals, and what never reaches a disk.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::harness::{Store, files_with};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn otlp_logs_json(message: &str) -> Value {
    json!({ "resourceLogs": [{
        "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": "gateway" } }] },
        "scopeLogs": [{ "scope": { "name": "test" }, "logRecords": [{
            "timeUnixNano": "1790000000000000000", "severityText": "ERROR",
            "body": { "stringValue": message } }] }] }] })
}

#[test]
fn otlp_json_is_taken_plain_gzip_and_zstd() {
    let store = Store::sample();
    let served = store.serve();
    let body = otlp_logs_json("the kettle boils").to_string().into_bytes();
    let encodings: [(&str, Vec<u8>); 3] = [
        ("identity", body.clone()),
        ("gzip", gzip(&body)),
        ("zstd", zstd::encode_all(body.as_slice(), 1).unwrap()),
    ];
    for (encoding, body) in encodings {
        let headers = [("Content-Type", "application/json"), ("Content-Encoding", encoding)];
        for path in ["/v1/logs", "/api/public/otel/v1/logs"] {
            let answer = served.call(served.agent(), "POST", path, &headers, body.clone());
            assert_eq!(answer.status, 200, "{encoding}: {}", answer.text());
            assert_eq!(answer.json(), json!({}), "{encoding}");
        }
    }
    let engineer = served.token("engineer");
    let sql = "SELECT count(*) AS n FROM app WHERE service = 'gateway' AND severity = 'ERROR' AND message = 'the kettle boils'";
    assert_eq!(served.rows(&engineer, "debugging", sql)[0]["n"], 6);
}

#[test]
fn fresh_records_are_visible_at_once() {
    let store = Store::sample();
    let served = store.serve();
    let engineer = served.token("engineer");
    for n in 1..=20 {
        served.ingest("app", &[json!({ "message": format!("step {n}") })]);
        let rows = served.rows(&engineer, "debugging", "SELECT count(*) AS n FROM app");
        assert_eq!(rows[0]["n"], n);
    }
}

#[test]
fn personal_data_and_secrets_are_in_no_file_and_placeholders_are_stable() {
    let store = Store::sample();
    let served = store.serve_with(&["--flush-rows", "3"]);
    let key = "sk-ant-api03-Zq8vXw2LmN4pRt6yUi9oKj3hGf5dSa7bVc1xQz0eWr2tYu4iOp6aSd8fGh1jKl3zXc5vBn7mQw9eRt2yUi4oPa-AbCdEfAA";
    let prompts = [
        "write to erika.mustermann@example.org please",
        "cc erika.mustermann@example.org and max@example.net",
        &format!(
            "my key is {key}, call +49 30 901820 or pay DE89370400440532013000 with 4111111111111111"
        ),
    ];
    let records: Vec<Value> = prompts
        .iter()
        .map(|prompt| json!({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.input.messages": prompt,
                              "user.id": "user-anna-4711", "gen_ai.conversation.id": "conversation-1" }))
        .collect();
    served.ingest("chat", &records);
    served.ingest(
        "app",
        &[json!({ "message": format!("login of erika.mustermann@example.org with {key}") })],
    );
    let reviewer = served.token("support");
    let rows = served.rows(&reviewer, "incident", "SELECT prompt FROM chat ORDER BY prompt");
    let shown: Vec<&str> = rows.iter().map(|row| row["prompt"].as_str().unwrap()).collect();
    assert!(shown.contains(&"write to <EMAIL_1> please"), "{shown:?}");
    assert!(shown.contains(&"cc <EMAIL_1> and <EMAIL_2>"), "{shown:?}");
    for kind in ["<SECRET_1>", "<PHONE_1>", "<IBAN_1>", "<CREDIT_CARD_1>"] {
        assert!(shown.iter().any(|text| text.contains(kind)), "{kind}: {shown:?}");
    }
    // While it runs (log, database journals) and once it has stopped.
    for _ in 0..2 {
        for needle in [
            "erika.mustermann",
            "max@example.net",
            &key[20..60],
            "370400440532013000",
            "4111111111111111",
            "user-anna-4711",
            "conversation-1",
        ] {
            let found = files_with(&store.data(), needle);
            assert!(found.is_empty(), "`{needle}` is in {found:?}");
        }
        if let Some(found) = files_with(&store.data(), "write to <EMAIL_1>").first() {
            panic!("content lies unsealed in {found:?}");
        }
    }
    assert_eq!(served.stop(), 0);
    assert!(files_with(&store.data(), "erika.mustermann").is_empty());
    assert!(files_with(&store.data(), "user-anna-4711").is_empty());
}

#[test]
fn a_field_the_policy_does_not_list_is_counted_and_not_stored() {
    let store = Store::sample();
    let served = store.serve();
    let answer = served
        .ingest("app", &[json!({ "message": "hello", "favourite_colour": "mauve-unlisted" })]);
    assert_eq!(answer["accepted"], 1);
    assert_eq!(answer["fields_dropped"], 1);
    let engineer = served.token("engineer");
    let answer = served.query(&engineer, "debugging", "SELECT favourite_colour FROM app");
    assert_eq!(answer.status, 400);
    assert!(files_with(&store.data(), "mauve-unlisted").is_empty());
}

#[test]
fn a_malformed_line_among_good_ones_is_refused_alone() {
    let store = Store::sample();
    let served = store.serve();
    let body = "{\"message\":\"one\"}\n{\"message\":\n[1]\n{\"message\":\"two\"}\n";
    let answer =
        served.call(served.agent(), "POST", "/api/v1/streams/app/records", &[], body.into());
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["accepted"], 2);
    let refused = answer.json()["refused"].clone();
    assert_eq!(
        refused.as_array().unwrap().iter().map(|r| r["rows"].as_u64().unwrap()).sum::<u64>(),
        2
    );
    assert!(refused.to_string().contains('2'), "says which line: {refused}");
}

#[test]
fn bad_requests_get_the_protocols_own_errors() {
    let store = Store::sample();
    let served = store.serve();
    let json_type = ("Content-Type", "application/json");
    let check = |path: &str, headers: &[(&str, &str)], body: Vec<u8>, status: u16| {
        let answer = served.call(served.agent(), "POST", path, headers, body);
        assert_eq!(answer.status, status, "{path} {headers:?}: {}", answer.text());
        answer
    };
    check("/v1/logs", &[("Content-Type", "text/html")], b"x".to_vec(), 415);
    check("/v1/logs", &[json_type, ("Content-Encoding", "br")], b"x".to_vec(), 415);
    check("/v1/logs", &[json_type, ("Content-Encoding", "gzip")], b"not gzip".to_vec(), 400);
    let bomb = gzip(&vec![b' '; 200 << 20]);
    check("/v1/logs", &[json_type, ("Content-Encoding", "gzip")], bomb, 413);
    check("/v1/logs", &[json_type], vec![b' '; 17 << 20], 413);
    let answer = check("/v1/logs", &[json_type], b"{\"resourceLogs\": [".to_vec(), 400);
    assert!(answer.json()["message"].is_string(), "a google.rpc.Status: {}", answer.text());
    let answer = check(
        "/v1/logs",
        &[("Content-Type", "application/x-protobuf")],
        b"\xff\xff\xff".to_vec(),
        400,
    );
    assert_eq!(answer.headers["content-type"], "application/x-protobuf");
    check("/api/v1/streams/nowhere/records", &[], b"{}".to_vec(), 404);
}

#[test]
fn overload_is_refused_with_a_time_to_come_back_and_stores_nothing() {
    let store = Store::sample();
    let served = store.serve_with(&["--in-flight-bytes", "1024"]);
    let body = format!("{{\"message\":\"{}\"}}", "x".repeat(4000));
    let answer =
        served.call(served.agent(), "POST", "/api/v1/streams/app/records", &[], body.into());
    assert_eq!(answer.status, 503);
    assert_eq!(answer.headers["retry-after"], "1");
    let engineer = served.token("engineer");
    assert_eq!(served.rows(&engineer, "debugging", "SELECT count(*) AS n FROM app")[0]["n"], 0);
}
