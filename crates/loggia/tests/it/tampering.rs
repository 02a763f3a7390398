//! One flipped byte in any stored file is found and named; one changed ledger entry is caught.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Store, files, run};

fn filled() -> Store {
    let store = Store::sample();
    let served = store.serve_with(&["--flush-rows", "100"]);
    let records: Vec<Value> = (0..300)
        .map(|n| json!({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.input.messages": format!("question {n}"), "user.id": format!("u{}", n % 7) }))
        .collect();
    served.ingest("chat", &records);
    served.ingest("app", &[json!({ "message": "hello", "level": "INFO" })]);
    assert_eq!(served.stop(), 0);
    // A second run whose records stay in the log, so that there are segments and a log.
    let served = store.serve();
    served.ingest("app", &[json!({ "message": "again", "level": "INFO" })]);
    assert_eq!(served.stop(), 0);
    store
}

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 0x10;
    let mode = std::fs::metadata(path).unwrap().permissions();
    std::fs::write(path, bytes).unwrap();
    std::fs::set_permissions(path, mode).unwrap();
}

#[test]
fn one_flipped_byte_in_any_file_is_found_and_named() {
    let store = filled();
    let (code, report) = store.verify();
    assert_eq!(code, 0, "{report}");
    assert!(report["problems"].as_array().unwrap().is_empty());
    let all = files(&store.data());
    let kind = |suffix: &str| all.iter().any(|path| path.to_string_lossy().ends_with(suffix));
    for suffix in
        [".wal", ".parquet", ".content", "catalog.db", "keys.db", "checkpoint", "policy.yaml"]
    {
        assert!(kind(suffix), "no {suffix} among {all:?}");
    }
    for path in &all {
        let length = std::fs::metadata(path).unwrap().len();
        let name = path.strip_prefix(store.data()).unwrap().to_str().unwrap().to_owned();
        if length == 0 || name.ends_with("lock") || name.ends_with("-shm") {
            continue;
        }
        let length = usize::try_from(length).unwrap();
        for at in [0, length / 3, length - 1] {
            flip(path, at);
            let (code, report) = store.verify();
            let named = report["problems"]
                .as_array()
                .unwrap()
                .iter()
                .any(|problem| problem["file"] == name);
            assert!(code == 1 && named, "{name} at {at}: {report}");
            flip(path, at);
        }
    }
    let (code, report) = store.verify();
    assert_eq!(code, 0, "{report}");
}

#[test]
fn a_changed_ledger_entry_is_caught_offline_on_a_copy() {
    let store = filled();
    let copy = tempfile::tempdir().unwrap();
    for path in files(&store.data().join("ledger")) {
        let target = copy.path().join(path.strip_prefix(store.data().join("ledger")).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(path, target).unwrap();
    }
    let dir = copy.path().to_str().unwrap();
    let output = run(&["ledger", "verify", dir, "--vkey", &store.vkey]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let journal = copy.path().join("journal");
    let middle = usize::try_from(std::fs::metadata(&journal).unwrap().len()).unwrap() / 2;
    flip(&journal, middle);
    let output = run(&["ledger", "verify", dir, "--vkey", &store.vkey]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("journal"));
}

#[test]
fn a_ledger_of_another_signer_does_not_verify() {
    let (one, other) = (Store::sample(), Store::sample());
    let dir = one.data().join("ledger");
    let output = run(&["ledger", "verify", dir.to_str().unwrap(), "--vkey", &other.vkey]);
    assert_eq!(output.status.code(), Some(1));
}
