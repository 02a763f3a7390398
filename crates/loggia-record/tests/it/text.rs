//! NDJSON and plain text lines as services and machines really write them.

use loggia_record::{Limits, decode_lines, decode_ndjson};

use crate::show;

/// 2025-11-24T03:09:16Z
const NOW_NS: i64 = 1_763_953_756_000_000_000;

/// Attributes of the one record, without the body; first its time in seconds after `NOW_NS`.
fn line(text: &str) -> Vec<String> {
    let batch = decode_lines(text.as_bytes(), NOW_NS, &Limits::default()).unwrap();
    assert_eq!(batch.len(), 1, "{text}");
    let record = batch.records().next().unwrap();
    let time = match record.event_time_ns() {
        Some(ns) => format!("{}", (ns - NOW_NS) as f64 / 1e9),
        None => "none".to_owned(),
    };
    let mut shown = vec![time];
    for attr in record.own() {
        if attr.key == "@body" {
            assert_eq!(attr.value.as_text(), Some(text));
        } else if attr.key != "@severity_number" {
            shown.push(show::attr(attr).replace(" = str ", "=").replace(" = int ", "="));
        }
    }
    shown
}

#[test]
fn lines() {
    let rows: &[(&str, &[&str])] = &[
        (
            "Nov 24 03:09:16 db-1 postgres[812]: ERROR:  duplicate key",
            &["0", "host.name=db-1", "service.name=postgres", "process.pid=812", "@severity=ERROR"],
        ),
        (
            "Nov  4 03:09:16 host kernel: usb 1-1: new device",
            &["-1728000", "host.name=host", "service.name=kernel"],
        ),
        // Tomorrow is a clock that runs ahead; the day after is last year.
        ("Nov 25 03:09:16 host a: x", &["86400", "host.name=host", "service.name=a"]),
        ("Nov 25 03:09:17 host a: x", &["-31449599", "host.name=host", "service.name=a"]),
        ("Feb 29 00:00:00 host a: x", &["-54788956", "host.name=host", "service.name=a"]),
        (
            "<165>1 2025-11-24T03:09:16.003Z host app 71 ID47 [x@1 a=\"b\"] started",
            &[
                "0.003",
                "syslog.facility.code=20",
                "host.name=host",
                "service.name=app",
                "process.pid=71",
                "syslog.msgid=ID47",
                "@severity=INFO",
            ],
        ),
        ("<11>1 - - - - - - x", &["none", "syslog.facility.code=1", "@severity=ERROR"]),
        (
            "<34>Nov 24 03:09:16 host su: 'su root' failed",
            &[
                "0",
                "syslog.facility.code=4",
                "host.name=host",
                "service.name=su",
                "@severity=FATAL",
            ],
        ),
        ("<999>Nov 24 03:09:16 host su: x", &["none"]),
        ("2025-11-24 03:09:16 status installed libc6:amd64 2.36-9", &["0"]),
        ("2025-11-24T03:09:16Z INFO main: started", &["0", "@severity=INFO"]),
        (
            "2025-11-24T05:09:16.25+02:00 host sshd[7]: bye",
            &["0.25", "host.name=host", "service.name=sshd", "process.pid=7"],
        ),
        ("2025-11-24 03:09:16,500 - app.views - WARNING - slow", &["0.5", "@severity=WARN"]),
        ("[2025-11-24 03:09:16 +0100] [12] [CRITICAL] worker died", &["-3600", "@severity=FATAL"]),
        ("2025/11/24 03:09:16 [error] 31#31: *1 open() failed", &["0", "@severity=ERROR"]),
        ("update-alternatives 2025-11-24 03:09:16: run with --install", &["0"]),
        ("Start-Date: 2025-11-24  03:09:16", &["0"]),
        (
            "[Mon Nov 24 03:09:16.500000 2025] [core:notice] [pid 1] AH00094",
            &["0.5", "@severity=INFO"],
        ),
        (
            "192.0.2.1 - frank [24/Nov/2025:03:09:16 +0000] \"GET /a?b=c HTTP/1.1\" 503 2326 \"-\" \"curl\"",
            &[
                "0",
                "client.address=192.0.2.1",
                "http.request.method=GET",
                "http.response.status_code=503",
                "http.response.body.size=2326",
                "@severity=ERROR",
            ],
        ),
        (
            "::1 - - [24/Nov/2025:03:09:16 +0000] \"\\x16\\x03\" 400 -",
            &["0", "client.address=::1", "@severity=INFO"],
        ),
        ("level=warn msg=\"low disk\"", &["none", "@severity=WARN"]),
        ("no error found", &["none"]),
        ("an ERROR-free day, NON-FATAL", &["none", "@severity=ERROR"]),
        ("Fehler: größer als 5", &["none"]),
        ("2025-13-24 03:09:16 x", &["none"]),
        ("2025-02-30 03:09:16 x", &["none"]),
    ];
    for (text, expected) in rows {
        assert_eq!(line(text), *expected, "{text}");
    }
}

#[test]
fn lines_of_a_file() {
    let text = b"\xef\xbb\xbf2025-11-24 03:09:16 ERROR boom\r\n  at main.rs:3\n\n\tat lib.rs\nother\nna\xefve";
    let batch = decode_lines(text, NOW_NS, &Limits::default()).unwrap();
    let shown = show::batch(&batch);
    assert_eq!(
        shown,
        [
            &[
                "log at Some(1763953756000000000)",
                "@body = str 2025-11-24 03:09:16 ERROR boom",
                "@severity = str ERROR",
                "@severity_number = int 17",
                "-"
            ][..],
            &["log at Some(1763953756000000000)", "@body = str   at main.rs:3", "-"],
            &["log at Some(1763953756000000000)", "@body = str \tat lib.rs", "-"],
            &["log at None", "@body = str other", "-"],
            &["log at None", "@body = str na\u{fffd}ve", "-"],
        ]
    );
}

#[test]
fn ndjson() {
    let rows: &[(&str, &[&str])] = &[
        (
            r#"{"time":"2025-11-24T03:09:16Z","level":"info","msg":"hi","http":{"status":200,"tags":["a", {"b":1.5}]}}"#,
            &[
                "log at Some(1763953756000000000)",
                "http.status = int 200",
                r#"http.tags = json ["a",{"b":1.5}]"#,
                "@body = str hi",
                "@severity = str INFO",
                "@severity_number = int 9",
            ],
        ),
        (
            r#"{"@timestamp":1763953756123,"message":"m","msg":"second","level":50,"@version":"1"}"#,
            &[
                "log at Some(1763953756123000000)",
                "msg = str second",
                "attr.@version = str 1",
                "@body = str m",
                "@severity = str ERROR",
                "@severity_number = int 17",
            ],
        ),
        (r#"{"ts":1763953756.123456}"#, &["log at Some(1763953756123456000)"]),
        (r#"{"ts":"1763953756.123456789"}"#, &["log at Some(1763953756123456789)"]),
        (r#"{"ts":1763953756000000}"#, &["log at Some(1763953756000000000)"]),
        (r#"{"ts":1763953756000000001}"#, &["log at Some(1763953756000000001)"]),
        (
            r#"{"time":"noon","ts":1763953756}"#,
            &["log at Some(1763953756000000000)", "time = str noon"],
        ),
        (r#"{"ts":1e300}"#, &["log at None", "ts = float 1e300"]),
        (
            r#"{"trace_id":"5B8EFFF798038103D269B633813FC60C","span_id":"short","traceId":"00000000000000000000000000000000"}"#,
            &[
                "log at None",
                "span_id = str short",
                "traceId = str 00000000000000000000000000000000",
                "@trace_id = str 5b8efff798038103d269b633813fc60c",
            ],
        ),
        (
            r#"{"log":{"level":"warning"},"body":["x"]}"#,
            &[
                "log at None",
                r#"@body = json ["x"]"#,
                "@severity = str WARN",
                "@severity_number = int 13",
            ],
        ),
        (
            r#"{"n":18446744073709551615,"e":{},"t":true,"x":-0.5}"#,
            &[
                "log at None",
                "n = str 18446744073709551615",
                "e = json {}",
                "t = bool true",
                "x = float -0.5",
            ],
        ),
        (r#"  {"a\u0041":"\ud83d\ude00"}"#, &["log at None", "aA = str 😀"]),
        (
            r#"{"@body":"forged","@":1}"#,
            &["log at None", "attr.@body = str forged", "attr.@ = int 1"],
        ),
    ];
    for (text, expected) in rows {
        let batch = decode_ndjson(text.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(batch.rejection_summary(), "", "{text}");
        let mut expected = expected.to_vec();
        expected.push("-");
        assert_eq!(show::batch(&batch), [expected], "{text}");
    }
}

/// What is found on the machine itself goes in without a rejection, if it is there.
#[test]
fn a_debian_log() {
    let Ok(log) = std::fs::read("/var/log/dpkg.log") else { return };
    let log = log.get(..log.len().min(8 << 20)).unwrap();
    let batch = decode_lines(log, NOW_NS, &Limits::default()).unwrap();
    assert_eq!(batch.rejected(), []);
    assert!(batch.records().all(|record| record.event_time_ns().is_some()));
}
