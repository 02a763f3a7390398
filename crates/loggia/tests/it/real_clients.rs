//! Programs of other people against the real server: the OpenTelemetry Python SDK, and pyarrow on a segment.

use std::process::Command;

use serde_json::Value;

use crate::harness::{Store, files, files_with, python, run, workspace};

fn script(name: &str) -> std::path::PathBuf {
    workspace().join("tests").join(name)
}

#[test]
fn the_opentelemetry_python_sdk_sends_logs_and_spans_unchanged() {
    let Some(python) = python() else {
        println!("skipped: LOGGIA_TEST_PYTHON is not set; `cargo xtask test` prepares it");
        return;
    };
    let store = Store::sample();
    let served = store.serve();
    let output = Command::new(python)
        .arg(script("clients/otel_python.py"))
        // A bundle of the machine's would stand before the SDK's own setting.
        .env_remove("REQUESTS_CA_BUNDLE")
        .env_remove("CURL_CA_BUNDLE")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &served.url)
        .env("OTEL_EXPORTER_OTLP_CERTIFICATE", store.ca())
        .env("OTEL_EXPORTER_OTLP_HEADERS", format!("authorization=Bearer%20{}", served.agent()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let sent: Value = serde_json::from_slice(&output.stdout).unwrap();

    let engineer = served.token("engineer");
    let reviewer = served.token("support");
    let count = |sql: &str| served.rows(&engineer, "debugging", sql)[0]["n"].clone();
    assert_eq!(count("SELECT count(*) AS n FROM chat"), sent["spans"]);
    assert_eq!(count("SELECT count(*) AS n FROM app"), sent["logs"]);
    let rows = served.rows(&reviewer, "incident", "SELECT model, prompt, completion, input_tokens FROM chat WHERE prompt LIKE '%EMAIL%' LIMIT 1");
    let prompt = rows[0]["prompt"].as_str().unwrap();
    assert!(prompt.contains("<EMAIL_1>") && prompt.contains("<SECRET_1>"), "{prompt}");
    assert_eq!(rows[0]["model"], "gpt-4o-mini");

    for _ in ["running", "stopped"] {
        for needle in [sent["email"].as_str().unwrap(), sent["api_key"].as_str().unwrap()] {
            let found = files_with(&store.data(), needle);
            assert!(found.is_empty(), "`{needle}` is in {found:?}");
        }
    }
    assert_eq!(served.stop(), 0);
    for needle in [sent["email"].as_str().unwrap(), sent["api_key"].as_str().unwrap()] {
        assert!(files_with(&store.data(), needle).is_empty());
    }
}

#[test]
fn pyarrow_opens_a_segment_with_its_key_and_not_without() {
    let Some(python) = python() else {
        println!("skipped: LOGGIA_TEST_PYTHON is not set; `cargo xtask test` prepares it");
        return;
    };
    let store = Store::sample();
    let served = store.serve_with(&["--flush-rows", "100"]);
    let records: Vec<Value> = (0..500)
        .map(|n| serde_json::json!({ "message": format!("line {n}"), "level": "INFO" }))
        .collect();
    served.ingest("app", &records);
    assert_eq!(served.stop(), 0);
    let segment = files(&store.data())
        .into_iter()
        .find(|path| path.extension().is_some_and(|end| end == "parquet"))
        .unwrap();
    let (data, path) = (store.data(), segment.to_str().unwrap().to_owned());
    let output =
        run(&["keys", "file-key", "--data", data.to_str().unwrap(), &path, "--output", "json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let key: Value = serde_json::from_slice(&output.stdout).unwrap();
    let read = |key: &str| {
        Command::new(&python)
            .arg(script("oracles/pyarrow_segment.py"))
            .arg(&path)
            .env("LOGGIA_SEGMENT_KEY", key)
            .output()
            .unwrap()
    };
    let output = read(key["key_hex"].as_str().unwrap());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(seen["rows"], 500);
    assert!(!read(&"00".repeat(32)).status.success());
}
