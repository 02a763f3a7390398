//! Hostile input: each row is refused or rejected with its reason, and nothing panics.

use loggia_record::{
    Batch, DecodeError, Fault, Limits, decode_lines, decode_ndjson, decode_otlp_logs,
    decode_otlp_logs_json, decode_otlp_traces, decode_otlp_traces_json,
};

/// A length-delimited field.
pub(crate) fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut len = bytes.len();
    while len >= 0x80 {
        out.push(0x80 | u8::try_from(len & 0x7f).unwrap());
        len >>= 7;
    }
    out.push(u8::try_from(len).unwrap());
    out.extend_from_slice(bytes);
    out
}

/// A request with one resource, one scope and these records.
pub(crate) fn request(records: &[&[u8]]) -> Vec<u8> {
    let scope: Vec<u8> = records.iter().flat_map(|record| field(2, record)).collect();
    field(1, &field(2, &scope))
}

fn outcome(result: Result<Batch<'_>, DecodeError>) -> String {
    match result {
        Ok(batch) => format!("{} kept; {}", batch.len(), batch.rejection_summary()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn broken_framing_refuses_the_request() {
    let rows: &[(&[u8], &str)] = &[
        (b"", "0 kept; "),
        (b"\x0a", "request is invalid at byte 0: message ends early"),
        (b"\x0a\x05abc", "request is invalid at byte 0: message ends early"),
        (
            b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
            "request is invalid at byte 0: message ends early",
        ),
        (
            b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            "request is invalid at byte 0: message ends early",
        ),
        (
            b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
            "request is invalid at byte 0: variable-length integer has more than 64 bits",
        ),
        (
            b"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
            "request is invalid at byte 0: variable-length integer has more than 64 bits",
        ),
        (b"\x00\x01", "request is invalid at byte 0: field number is out of range"),
        (b"\x80\x80\x80\x80\x10\x01", "request is invalid at byte 0: field number is out of range"),
        (b"\x08\x01", "request is invalid at byte 0: field has the wrong wire type"),
        (b"\x0e\x01", "request is invalid at byte 0: field has the wrong wire type"),
        (b"\x0f\x01", "request is invalid at byte 0: field has the wrong wire type"),
        (b"\x0b\x0c", "request is invalid at byte 0: protobuf groups are not supported"),
        (b"\x0c", "request is invalid at byte 0: protobuf groups are not supported"),
        (b"\x0a\x02\x12\x09", "request is invalid at byte 2: message ends early"),
        // Unknown fields of every wire type are skipped.
        (b"\xf8\x01\x05\xf9\x0112345678\xfa\x01\x02ab\xfd\x011234", "0 kept; "),
    ];
    for (bytes, expected) in rows {
        assert_eq!(outcome(decode_otlp_logs(bytes, &Limits::default())), *expected, "{bytes:x?}");
    }
}

#[test]
fn a_broken_record_is_rejected_alone() {
    let good: &[u8] = &field(3, b"INFO");
    let rows: &[(&[u8], &str)] = &[
        (b"\x1a\x02\xff\xfe", "text is not valid utf-8"),
        (b"\x32\x04\x0a\x02\xc3\x28", "text is not valid utf-8"),
        (b"\x09\x01", "message ends early"),
        (b"\x1a\x7f", "message ends early"),
        (b"\x08\x01", "field has the wrong wire type"),
        (b"\x1d1234", "field has the wrong wire type"),
        (b"\x33\x34", "protobuf groups are not supported"),
        (b"\x00", "field number is out of range"),
        (
            b"\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02",
            "variable-length integer has more than 64 bits",
        ),
    ];
    for (bad, reason) in rows {
        let request = request(&[good, bad, good]);
        let expected = format!("2 kept; record 1: {reason}");
        assert_eq!(outcome(decode_otlp_logs(&request, &Limits::default())), expected, "{bad:x?}");
    }
}

#[test]
fn an_unreadable_resource_takes_its_records_with_it() {
    let record = field(2, b"");
    let mut group = field(1, &field(1, &field(1, b"\xff")));
    group.extend(field(2, &record));
    let mut bytes = field(1, &group);
    bytes.extend(request(&[b""]));
    assert_eq!(
        outcome(decode_otlp_logs(&bytes, &Limits::default())),
        "1 kept; record 0: text is not valid utf-8"
    );
}

/// An `AnyValue` that holds an array that holds an array …
fn nested(depth: usize) -> Vec<u8> {
    let mut value = Vec::new();
    for _ in 0..depth {
        value = field(5, &field(1, &value));
    }
    value
}

#[test]
fn nesting_is_bounded() {
    for (depth, expected) in [
        (1, "1 kept; "),
        (32, "1 kept; "),
        (33, "0 kept; record 0: values are nested too deeply"),
        (2_000, "0 kept; record 0: values are nested too deeply"),
    ] {
        let request = request(&[&field(5, &nested(depth))]);
        assert_eq!(outcome(decode_otlp_logs(&request, &Limits::default())), expected, "{depth}");
    }
    // A limit beyond what the stack is good for does not count.
    let limits = Limits { depth_max: usize::MAX, record_bytes_max: 16 << 20, ..Limits::default() };
    let request = request(&[&field(5, &nested(20_000))]);
    let expected = "0 kept; record 0: values are nested too deeply";
    assert_eq!(outcome(decode_otlp_logs(&request, &limits)), expected);
}

#[test]
fn nesting_is_bounded_in_json() {
    let too_deep = "0 kept; record 0: values are nested too deeply";
    let any = |depth: usize| {
        let open = r#"{"arrayValue":{"values":["#.repeat(depth);
        let close = "]}}".repeat(depth);
        format!(
            r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{open}{close}}}]}}]}}]}}"#
        )
    };
    for (depth, expected) in [(32, "1 kept; "), (33, too_deep), (60, too_deep), (5_000, too_deep)] {
        let json = any(depth);
        let result = decode_otlp_logs_json(json.as_bytes(), &Limits::default());
        assert_eq!(outcome(result), expected, "{depth}");
    }
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        for (depth, expected) in
            [(32, "1 kept; "), (33, too_deep), (200, too_deep), (50_000, too_deep)]
        {
            let json = format!(r#"{{"a":{}1{}}}"#, open.repeat(depth), close.repeat(depth));
            let result = decode_ndjson(json.as_bytes(), &Limits::default());
            assert_eq!(outcome(result), expected, "{open} {depth}");
        }
    }
    // Unknown members are skipped however deep they are, and the envelope has no depth of its own.
    let json = format!(r#"{{"x":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(outcome(decode_otlp_traces_json(json.as_bytes(), &Limits::default())), "0 kept; ");
    let json = "[".repeat(100_000);
    assert!(decode_otlp_logs_json(json.as_bytes(), &Limits::default()).is_err());
}

#[test]
fn limits_hold() {
    let tight = Limits {
        batch_bytes_max: 200,
        record_bytes_max: 60,
        attrs_per_record_max: 2,
        attrs_per_batch_max: 5,
        records_max: 4,
        ..Limits::default()
    };
    let rows: &[(&str, &str)] = &[
        ("{\"a\":1,\"b\":2}\n{}", "2 kept; "),
        ("{\"a\":1,\"b\":2,\"c\":3}\n{}", "1 kept; record 0: too many attributes"),
        (
            "{\"a\":\"0123456789012345678901234567890123456789012345678901234567890123456789\"}\n{}",
            "1 kept; record 0: record is too large",
        ),
        ("{}\n{}\n{}\n{}\n{}", "request is too large: more than 4 records"),
        ("1\n2\n3\n4\n5", "request is too large: more than 4 records"),
        (
            "{\"a\":1,\"b\":2}\n{\"a\":1,\"b\":2}\n{\"a\":1,\"b\":2}",
            "request is too large: more than 5 attributes",
        ),
    ];
    for (text, expected) in rows {
        assert_eq!(outcome(decode_ndjson(text.as_bytes(), &tight)), *expected, "{text}");
    }
    let large = vec![b' '; 201];
    let expected = "request is too large: more than 200 bytes";
    assert_eq!(outcome(decode_ndjson(&large, &tight)), expected);
    assert_eq!(outcome(decode_lines(&large, 0, &tight)), expected);
    assert_eq!(outcome(decode_otlp_logs(&large, &tight)), expected);
    assert_eq!(outcome(decode_otlp_traces(&large, &tight)), expected);
    assert_eq!(outcome(decode_otlp_logs_json(&large, &tight)), expected);
    assert_eq!(outcome(decode_otlp_traces_json(&large, &tight)), expected);
}

/// Small requests that would ask for much more memory than they are long.
#[test]
fn amplification_is_bounded() {
    // One long outer name for many short inner ones.
    let inner: Vec<String> = (0..2000).map(|i| format!("\"{i}\":1")).collect();
    let json = format!("{{\"{}\":{{{}}}}}", "k".repeat(100_000), inner.join(","));
    assert_eq!(
        outcome(decode_ndjson(json.as_bytes(), &Limits::default())),
        "0 kept; record 0: names of nested values are too long"
    );
    // Many scopes under one resource with a large owned value.
    let value = field(5, &field(1, &field(1, &vec![b'x'; 200_000])));
    let mut group = field(1, &field(1, &field(2, &value)));
    for _ in 0..1000 {
        group.extend(field(2, &field(2, &field(6, b""))));
    }
    let expected = "request is too large: more than 16777216 bytes of resource attributes";
    assert_eq!(outcome(decode_otlp_logs(&field(1, &group), &Limits::default())), expected);
    // Many empty groups.
    let json = format!("{{\"resourceLogs\":[{}{{}}]}}", "{},".repeat(70_000));
    assert_eq!(
        outcome(decode_otlp_logs_json(json.as_bytes(), &Limits::default())),
        "request is too large: more than 65536 resources or scopes"
    );
}

#[test]
fn nothing_of_the_content_is_shown() {
    let secret = "hunter2";
    for json in [
        format!(r#"{{"a":"{secret}","b":{secret}}}"#),
        format!(r#"{{"time":"{secret}"}}"#),
        format!(r#"{{"{secret}":1}}"#),
        format!(r#"["{secret}"]"#),
    ] {
        let batch = decode_ndjson(json.as_bytes(), &Limits::default()).unwrap();
        let mut shown = format!("{batch:?} {}", batch.rejection_summary());
        for record in batch.records() {
            shown.push_str(&format!("{record:?} {:?} {:?}", record.own(), record.shared()));
        }
        assert!(!shown.contains(secret), "{shown}");
    }
    let json = format!(r#"{{"resourceLogs":[{{"scopeLogs":"{secret}"}}]}}"#);
    let error = decode_otlp_logs_json(json.as_bytes(), &Limits::default()).unwrap_err();
    let (shown, debug) = (error.to_string(), format!("{error:?}"));
    assert!(!shown.contains(secret) && !debug.contains(secret), "{shown} {debug}");
    assert!(matches!(error, DecodeError::Invalid { what: Fault::JsonType, at: 1.. }));
}
