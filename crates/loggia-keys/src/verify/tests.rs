//! Changes anywhere in the key store are named.

use super::*;
use crate::testing::{Fixture, NOW_NS, root, said};

#[test]
fn a_sound_store_has_no_problem_and_counts_its_keys() {
    let fixture = Fixture::new();
    fixture.seal(&[
        said("ann", "c", "x"),
        said("bob", "", "y"),
        said("", "d", "z"),
        said("", "", "w"),
    ]);
    assert_eq!(fixture.store.verify().unwrap(), []);
    let fixture = fixture.reopened();
    assert_eq!(fixture.store.verify().unwrap(), []);
    let counts = ["subject", "conversation", "stream day", "look-up", "graveyard", "index"];
    assert_eq!(counts.map(|kind| fixture.count(kind)), [2, 1, 1, 1, 1, 1]);
    let status = fixture.store.status().unwrap();
    assert_eq!(
        (status.epoch, status.epoch_started_ms, status.suppressed),
        (1, NOW_NS / 1_000_000, 0)
    );
}

#[test]
fn a_changed_row_is_named() {
    let changes = [
        "UPDATE keys SET wrapped = zeroblob(56) WHERE kind = 1",
        "UPDATE keys SET tenant = 'x' WHERE kind = 1",
        "UPDATE keys SET owner = owner + 1 WHERE kind = 1",
        "UPDATE keys SET created_ms = 0 WHERE kind = 1",
        "UPDATE lookups SET created_ms = 0",
        "UPDATE lookups SET subject = NULL",
        "UPDATE lookups SET tag = zeroblob(16)",
        "UPDATE suppression SET at_ms = 0",
        "UPDATE keys SET kind = 99 WHERE kind = 1",
    ];
    for change in changes {
        let fixture = Fixture::new();
        fixture.seal(&[said("ann", "c", "x"), said("bob", "", "y")]);
        fixture
            .store
            .destroy_subject("default", &crate::SubjectRef::UserId("bob"), NOW_NS)
            .unwrap();
        assert_eq!(
            fixture.store.writer().execute(change, []).unwrap(),
            if change.contains("lookups") { 2 } else { 1 },
            "{change}"
        );
        let problems = fixture.store.verify().unwrap();
        assert!(problems.iter().any(|problem| problem.file == "keys.db"), "{change}");
    }
}

#[test]
fn any_changed_byte_of_a_closed_store_is_noticed() {
    let fixture = Fixture::new();
    fixture.seal(&[said("ann", "c", "x"), said("bob", "", "y")]);
    let dir = fixture.store.dir().to_path_buf();
    let root = root(&fixture.dir);
    fixture.store.close().unwrap();
    assert!(!dir.join("keys.db-wal").exists(), "a clean close leaves no log");
    let saved: Vec<_> = ["keys.db", "keys.sum", "epoch.key"]
        .map(|name| (dir.join(name), std::fs::read(dir.join(name)).unwrap()))
        .into();
    for (path, bytes) in &saved {
        for at in (0..bytes.len()).step_by(if bytes.len() > 1_000 { 613 } else { 17 }) {
            for (path, bytes) in &saved {
                std::fs::write(path, bytes).unwrap();
            }
            let mut changed = bytes.clone();
            changed[at] ^= 4;
            std::fs::write(path, &changed).unwrap();
            let noticed = match KeyStore::open(&dir, &root, NOW_NS) {
                Ok(store) => store.verify().map_or(true, |problems| !problems.is_empty()),
                Err(_) => true,
            };
            assert!(noticed, "byte {at} of {}", path.display());
        }
    }
}

#[test]
fn key_files_are_checked_too() {
    use std::os::unix::fs::PermissionsExt as _;
    let fixture = Fixture::new();
    let epoch = epoch::current_path(fixture.store.dir());
    let root = fixture.dir.path().join("root.key");
    std::fs::set_permissions(&root, std::fs::Permissions::from_mode(0o640)).unwrap();
    std::fs::write(&epoch, b"short").unwrap();
    let problems = fixture.store.verify().unwrap();
    let files: Vec<_> = problems.iter().map(|problem| problem.file).collect();
    assert_eq!(files, ["epoch.key", "root.key"]);
    std::fs::remove_file(&epoch).unwrap();
    assert_eq!(fixture.store.verify().unwrap()[0].what, "it is missing");
}
