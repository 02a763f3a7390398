//! Bad records among good ones in JSON: only the bad ones are left out, with position and reason.

use loggia_record::{Batch, Limits, decode_ndjson, decode_otlp_logs_json, decode_otlp_traces_json};

use crate::show;

fn rejections(batch: &Batch<'_>) -> Vec<String> {
    batch.rejected().iter().map(ToString::to_string).collect()
}

#[test]
fn otlp_json() {
    let rows: &[(&str, &str)] = &[
        (r#""text""#, "record is not a json object"),
        ("null", "record is not a json object"),
        (r#"{"timeUnixNano":"soon"}"#, "number is malformed or out of range"),
        (r#"{"timeUnixNano":-1}"#, "number is malformed or out of range"),
        (r#"{"timeUnixNano":true}"#, "json value has the wrong type"),
        (r#"{"severityNumber":"SEVERITY_NUMBER_INFO5"}"#, "number is malformed or out of range"),
        (r#"{"severityText":3}"#, "json value has the wrong type"),
        (r#"{"body":"bare"}"#, "json value has the wrong type"),
        (r#"{"body":{"intValue":"1.5"}}"#, "number is malformed or out of range"),
        (r#"{"body":{"intValue":9223372036854775808}}"#, "number is malformed or out of range"),
        (r#"{"body":{"bytesValue":"!"}}"#, "bytes value is not base64"),
        (r#"{"body":{"stringValue":"\ud800"}}"#, "json is malformed"),
        (r#"{"attributes":{"a":1}}"#, "json value has the wrong type"),
        (r#"{"attributes":[{"key":1}]}"#, "json value has the wrong type"),
    ];
    for (bad, reason) in rows {
        let json =
            format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{}},{bad},{{}}]}}]}}]}}"#);
        let batch = decode_otlp_logs_json(json.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(batch.len(), 2, "{bad}");
        assert_eq!(rejections(&batch), [format!("record 1: {reason}")], "{bad}");
    }
}

#[test]
fn otlp_json_is_read_leniently() {
    let json = r#"{"resource_logs":[{"scope_logs":[{"scope":{"name":"s"},"log_records":[
        {"time_unix_nano":5,"severity_number":"SEVERITY_NUMBER_WARN3","trace_id":"5B8EFFF798038103D269B633813FC60C",
         "span_id":"","unknown":[{"x":1}],"attributes":null,
         "body":{"kvlistValue":{"values":[{"value":{"int_value":"-3"},"key":"n"},{"key":"none"}]}}},
        {"observedTimeUnixNano":"7","severityNumber":17,"traceId":"zz",
         "body":{"bytesValue":"-_8"},"attributes":[{"key":"f","value":{"doubleValue":"Infinity"}},
         {"key":"i","value":{"intValue":1e3}},{"key":"e","value":{}},
         {"key":"quote","value":{"stringValue":"\"\u00e9\n"}}]}]}],
        "resource":{"attributes":[{"key":"service.name","value":{"stringValue":"chat"}}]}}]}"#;
    let batch = decode_otlp_logs_json(json.as_bytes(), &Limits::default()).unwrap();
    let shared = ["-", "service.name = str chat", "@scope = str s"];
    let first = [
        "log at Some(5)",
        r#"@body = json {"n":-3,"none":null}"#,
        "@severity = str WARN",
        "@severity_number = int 15",
        "@trace_id = str 5b8efff798038103d269b633813fc60c",
    ];
    let second = [
        "log at Some(7)",
        "f = float inf",
        "i = int 1000",
        "e = null",
        "quote = str \"é\n",
        "@body = bytes [251, 255]",
        "@severity = str ERROR",
        "@severity_number = int 17",
    ];
    assert_eq!(
        show::batch(&batch),
        [[&first[..], &shared].concat(), [&second[..], &shared].concat()]
    );
}

#[test]
fn otlp_json_spans() {
    let json = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[
        {"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"chat gpt-5",
         "kind":"SPAN_KIND_CLIENT","startTimeUnixNano":"1000000","endTimeUnixNano":"3500000",
         "status":{"code":"STATUS_CODE_ERROR","message":"timeout"}},
        {"traceId":"W47/95gDgQPSabYzgT/GDA==","spanId":"eee19b7ec3c1b174"},
        {"kind":3}]}]}]}"#;
    let batch = decode_otlp_traces_json(json.as_bytes(), &Limits::default()).unwrap();
    let first = [
        "span at Some(1000000)",
        "@name = str chat gpt-5",
        "@trace_id = str 5b8efff798038103d269b633813fc60c",
        "@span_id = str eee19b7ec3c1b174",
        "@span_kind = str client",
        "@status = str error",
        "@status_message = str timeout",
        "@duration_ms = float 2.5",
        "-",
    ];
    let second = ["span at None", "@span_kind = str client", "@status = str unset", "-"];
    assert_eq!(show::batch(&batch), [&first[..], &second[..]]);
    assert_eq!(rejections(&batch), ["record 1: trace or span id is malformed"]);
}

#[test]
fn ndjson() {
    let mut text =
        b"{\"a\":1}\n\n[1]\n{\"a\":\n{\"b\":\"\xff\"}\n{} {}\n\"x\"\r\n{\"c\":null}\r\n".to_vec();
    text.extend(b"{\"d\":01}");
    let batch = decode_ndjson(&text, &Limits::default()).unwrap();
    assert_eq!(
        show::batch(&batch),
        [["log at None", "a = int 1", "-"], ["log at None", "c = null", "-"]]
    );
    assert_eq!(
        rejections(&batch),
        [
            "record 2: record is not a json object",
            "record 3: json is malformed",
            "record 4: text is not valid utf-8",
            "record 5: json is malformed",
            "record 6: record is not a json object",
            "record 8: json is malformed",
        ]
    );
}
