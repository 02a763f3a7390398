//! Tests of what the verifier names: the right file and the right entry.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use super::{VerifyFailure, verify_dir};
use crate::clock::ManualClock;
use crate::commitment::Commitment;
use crate::entry::NewEntry;
use crate::kind::EntryKind;
use crate::ledger::Ledger;

fn made(count: usize) -> TempDir {
    let dir = TempDir::new().unwrap();
    let clock = Arc::new(ManualClock::new(1_700_000_000_000_000_000));
    let ledger = Ledger::open(dir.path(), "logs.example/loggia", &[5; 32], clock).unwrap();
    std::thread::scope(|scope| {
        for _thread in 0..8 {
            scope.spawn(|| {
                for i in 0..count / 8 {
                    let entry = NewEntry {
                        kind: EntryKind::AccessGranted,
                        policy: [1; 32],
                        commitment: Commitment::from_bytes([2; 32]),
                        object: None,
                        record: &[7].repeat(i % 50),
                    };
                    ledger.append(entry).unwrap();
                }
            });
        }
    });
    ledger.close().unwrap();
    dir
}

fn flip(dir: &Path, name: &str, at: usize) {
    let path = dir.join(name);
    let mut bytes = fs::read(&path).unwrap();
    bytes[at] ^= 0x10;
    File::create(path).unwrap().write_all(&bytes).unwrap();
}

fn move_file(from: &Path, to: &Path) {
    fs::copy(from, to).unwrap();
    fs::remove_file(from).unwrap();
}

fn failure(dir: &Path) -> VerifyFailure {
    verify_dir(dir, None).unwrap_err()
}

#[test]
fn the_file_and_the_entry_are_named() {
    let dir = made(600);
    let dir = dir.path();
    verify_dir(dir, None).unwrap();
    let cases = [
        ("tile/0/001", 32 * 5 + 3, 256 + 5),
        ("tile/entries/001", 121 * 7 + 9, 256 + 7),
        ("tile/0/002.p/88", 32 * 87, 512 + 87),
        ("tile/entries/002.p/88", 0, 512),
        ("tile/1/000.p/2", 40, 256),
    ];
    for (file, at, index) in cases {
        flip(dir, file, at);
        let found = failure(dir);
        assert_eq!((found.file.as_str(), found.index), (file, Some(index)));
        flip(dir, file, at);
    }
    verify_dir(dir, None).unwrap();
}

#[test]
fn missing_files_are_named() {
    let dir = made(600);
    let dir = dir.path();
    for file in [
        "vkey",
        "checkpoint",
        "journal.head",
        "journal",
        "tile/0/000",
        "tile/entries/001",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
    ] {
        let away = dir.join("away");
        move_file(&dir.join(file), &away);
        assert_eq!(failure(dir).file, file);
        move_file(&away, &dir.join(file));
    }
    verify_dir(dir, None).unwrap();
}

#[test]
fn tiles_beyond_the_journal_are_a_failure_and_unknown_files_a_warning() {
    let dir = made(8);
    let dir = dir.path();
    File::create(dir.join("notes.txt")).unwrap();
    fs::create_dir_all(dir.join("tile/9")).unwrap();
    File::create(dir.join("tile/9/000")).unwrap();
    File::create(dir.join("tmp/3")).unwrap();
    let report = verify_dir(dir, None).unwrap();
    assert_eq!(report.warnings.len(), 3, "{:?}", report.warnings);
    for name in
        ["tile/0/000.p/9", "tile/0/000", "tile/0/001.p/1", "tile/3/000", "tile/entries/x001/000"]
    {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        File::create(&path).unwrap();
        assert_eq!(failure(dir).file, name);
        fs::remove_file(path).unwrap();
    }
}

#[test]
fn the_given_key_must_be_the_logs() {
    let dir = made(8);
    let vkey = fs::read_to_string(dir.path().join("vkey")).unwrap();
    let report = verify_dir(dir.path(), Some(vkey.trim_end())).unwrap();
    assert!(report.key_given);
    assert!(!verify_dir(dir.path(), None).unwrap().key_given);
    let other = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    assert_eq!(verify_dir(dir.path(), Some(other)).unwrap_err().file, "vkey");
    assert!(verify_dir(dir.path(), Some("nonsense")).is_err());
}

#[test]
fn a_folder_that_is_no_ledger_is_said_to_be_none() {
    let dir = TempDir::new().unwrap();
    let found = failure(dir.path());
    assert_eq!(found.to_string(), "`vkey`: there is no file `vkey`");
}
