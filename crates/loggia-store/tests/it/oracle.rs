//! A segment opened by somebody else's Parquet reader, given the key.

use std::process::Command;

use crate::support::{STREAM, TENANT, World};

/// Runs only where a Python with the packages of `tests/requirements.txt` is named, as `cargo xtask test` does.
#[test]
fn pyarrow_opens_a_segment_with_its_key() {
    let Some(python) = std::env::var_os("LOGGIA_TEST_PYTHON") else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let world = World::open(dir.path());
    let store = world.store();
    store.append(world.seal(0, 500)).unwrap();
    store.append(world.seal(500, 20)).unwrap();
    store.flush().unwrap();
    let segment = store.snapshot(TENANT, STREAM).segments.remove(0);
    let key = world
        .keys
        .file_key(TENANT, STREAM, segment.day(), segment.id().bytes(), false)
        .unwrap()
        .with_bytes(|key| key.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/oracles/pyarrow_segment.py");
    let run = |key: &str| {
        let out = Command::new(&python)
            .args([script, segment.path().to_str().unwrap()])
            .env("LOGGIA_SEGMENT_KEY", key)
            .output()
            .unwrap();
        (out.status.success(), String::from_utf8_lossy(&out.stdout).into_owned(), out.stderr)
    };
    let (ok, out, err) = run(&key);
    assert!(ok, "{}", String::from_utf8_lossy(&err));
    for expected in [
        r#""rows": 520"#,
        r#""columns": ["time", "ingest_time", "record", "user", "session", "model", "tokens", "latency_ms", "stream", "answered_at", "_write_id", "_row", "_block"]"#,
        r#""masterKeyID": "loggia/v1/stream-day""#,
        r#""sorted": true"#,
    ] {
        assert!(out.contains(expected), "{expected} is not in {out}");
    }
    let (ok, _, _) = run(&"00".repeat(32));
    assert!(!ok, "another key must not open it");
}
