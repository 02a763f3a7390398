//! Tests of an open ledger that need to see inside: forged chains, failing publication, crash images.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use super::{Ledger, LedgerConfig};
use crate::checkpoint::{Checkpoint, JournalHead};
use crate::clock::ManualClock;
use crate::commitment::Commitment;
use crate::entry::NewEntry;
use crate::error::LedgerError;
use crate::journal::{Draft, FILE, Header, Next, Reader};
use crate::kind::EntryKind;
use crate::note::Signer;
use crate::publish::{CHECKPOINT_FILE, HEAD_FILE};
use crate::verify::verify_dir;

const ORIGIN: &str = "logs.example/loggia";
const SEED: [u8; 32] = [5; 32];

fn open(dir: &Path) -> Result<Ledger, LedgerError> {
    // So long an interval that only the tests decide when something is signed.
    let config = LedgerConfig { sign_interval_ms: 3_600_000, ..LedgerConfig::new(ORIGIN) };
    Ledger::open_with(dir, &config, &SEED, Arc::new(ManualClock::new(1_700_000_000_000_000_000)))
}

fn append(ledger: &Ledger, count: usize) {
    for _entry in 0..count {
        ledger.append(new_entry(b"sealed record")).unwrap();
    }
}

fn new_entry(record: &[u8]) -> NewEntry<'_> {
    NewEntry {
        kind: EntryKind::AccessGranted,
        policy: [1; 32],
        commitment: Commitment::from_bytes([2; 32]),
        object: None,
        record,
    }
}

fn write(path: &Path, bytes: &[u8]) {
    File::create(path).unwrap().write_all(bytes).unwrap();
}

fn corrupt(result: Result<Ledger, LedgerError>) -> (String, Option<u64>, String) {
    match result {
        Err(LedgerError::Corrupt { file, index, what }) => (file, index, what),
        other => panic!("{other:?}"),
    }
}

/// Writes the journal anew with one record or leaf changed and every check made to fit.
fn forge_journal(dir: &Path, change: impl Fn(u64, &mut [u8], &mut Vec<u8>)) {
    let (header, mut reader) = Reader::open(dir).unwrap();
    let mut chain = header.chain();
    let mut bytes = header.to_bytes();
    let mut seq = 0;
    while let Next::Frame(mut frame) = reader.next().unwrap() {
        change(seq, &mut frame.leaf, &mut frame.record);
        bytes.extend_from_slice(&Draft::new(&frame.record).complete(&frame.leaf, &mut chain));
        seq += 1;
    }
    write(&dir.join(FILE), &bytes);
}

#[test]
fn a_forged_record_with_fitting_checks_is_refused() {
    let dir = TempDir::new().unwrap();
    let ledger = open(dir.path()).unwrap();
    append(&ledger, 5);
    ledger.close().unwrap();
    forge_journal(dir.path(), |seq, _leaf, record| {
        if seq == 2 {
            record[0] ^= 1;
        }
    });
    let (file, _index, what) = corrupt(open(dir.path()));
    assert_eq!(
        (file.as_str(), what.as_str()),
        (FILE, "the records are not those that were signed")
    );
    let failure = verify_dir(dir.path(), None).unwrap_err();
    assert_eq!(failure.what, "the records are not those that were signed");
}

#[test]
fn a_forged_leaf_with_fitting_checks_is_refused() {
    let dir = TempDir::new().unwrap();
    let ledger = open(dir.path()).unwrap();
    append(&ledger, 5);
    ledger.close().unwrap();
    forge_journal(dir.path(), |seq, leaf, _record| {
        if seq == 2 {
            leaf[60] ^= 1;
        }
    });
    let (file, _index, what) = corrupt(open(dir.path()));
    assert_eq!(
        (file.as_str(), what.as_str()),
        (FILE, "the entries are not those that the checkpoint signs")
    );
    assert!(verify_dir(dir.path(), None).is_err());
}

#[test]
fn a_checkpoint_of_another_history_is_refused() {
    let dir = TempDir::new().unwrap();
    let ledger = open(dir.path()).unwrap();
    append(&ledger, 3);
    ledger.close().unwrap();
    let signer = Signer::new(ORIGIN, &SEED).unwrap();
    let other = Checkpoint { origin: ORIGIN.into(), size: 3, root: [9; 32] };
    write(&dir.path().join(CHECKPOINT_FILE), other.sign(&signer).unwrap().as_bytes());
    assert_eq!(corrupt(open(dir.path())).0, FILE);
    let more = Checkpoint { origin: ORIGIN.into(), size: 4, root: [9; 32] };
    write(&dir.path().join(CHECKPOINT_FILE), more.sign(&signer).unwrap().as_bytes());
    assert_eq!(corrupt(open(dir.path())).0, HEAD_FILE);
    let head = JournalHead { size: 4, chain: [9; 32] };
    write(&dir.path().join(HEAD_FILE), head.sign(&signer).unwrap().as_bytes());
    let (file, index, what) = corrupt(open(dir.path()));
    assert_eq!((file.as_str(), index), (FILE, Some(3)));
    assert_eq!(what, "it ends here, but 4 entries were signed");
}

#[test]
fn a_failed_publication_stops_the_ledger() {
    let dir = TempDir::new().unwrap();
    let ledger = open(dir.path()).unwrap();
    append(&ledger, 1);
    // A file where the folder of the tiles must be made.
    write(&dir.path().join("tile"), b"");
    assert!(matches!(ledger.checkpoint(), Err(LedgerError::Io { .. })));
    let error = ledger.append(new_entry(b"")).unwrap_err();
    assert!(error.to_string().starts_with("the ledger takes no more entries: publishing failed"));
    assert!(ledger.checkpoint().is_err());
    assert!(ledger.close().is_err());
    fs::remove_file(dir.path().join("tile")).unwrap();
    let ledger = open(dir.path()).unwrap();
    assert_eq!(ledger.size(), 1);
    ledger.close().unwrap();
    assert_eq!(verify_dir(dir.path(), None).unwrap().signed, 1);
}

#[test]
fn a_checkpoint_written_by_somebody_else_stops_the_ledger() {
    let dir = TempDir::new().unwrap();
    let ledger = open(dir.path()).unwrap();
    append(&ledger, 1);
    write(&dir.path().join(CHECKPOINT_FILE), b"other");
    assert!(matches!(ledger.checkpoint(), Err(LedgerError::Corrupt { .. })));
    assert!(ledger.append(new_entry(b"")).is_err());
}

#[test]
fn entries_that_cannot_be_taken_are_refused_and_harm_nothing() {
    let dir = TempDir::new().unwrap();
    let ledger = open(dir.path()).unwrap();
    let large = vec![0; crate::entry::RECORD_BYTES_MAX + 1];
    assert!(matches!(ledger.append(new_entry(&large)), Err(LedgerError::Invalid(_))));
    let unknown = NewEntry { kind: EntryKind::Unknown(7777), ..new_entry(b"") };
    assert!(matches!(ledger.append(unknown), Err(LedgerError::Invalid(_))));
    let zeros = NewEntry { object: Some([0; 32]), ..new_entry(b"") };
    assert!(matches!(ledger.append(zeros), Err(LedgerError::Invalid(_))));
    let largest = vec![0xaa; crate::entry::RECORD_BYTES_MAX];
    ledger.append(new_entry(&largest)).unwrap();
    assert_eq!(ledger.read(0).unwrap().1, largest);
    ledger.close().unwrap();
    verify_dir(dir.path(), None).unwrap();
}

#[test]
fn an_unknown_kind_in_a_newer_ledger_is_tolerated() {
    let dir = TempDir::new().unwrap();
    let ledger = open(dir.path()).unwrap();
    append(&ledger, 2);
    // What a newer version would have appended: not signed yet, so the chain is all that must fit.
    let image = TempDir::new().unwrap();
    copy(dir.path(), image.path());
    forge_journal(image.path(), |seq, leaf, _record| {
        if seq == 1 {
            leaf[1..3].copy_from_slice(&60_000_u16.to_be_bytes());
        }
    });
    let newer = open(image.path()).unwrap();
    assert_eq!(newer.read(1).unwrap().0.kind, EntryKind::Unknown(60_000));
    newer.close().unwrap();
    verify_dir(image.path(), None).unwrap();
}

/// Copies a ledger as a crash at this moment would leave it.
pub(crate) fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_crash_at_any_point_of_a_publication_is_made_good() {
    // The files of a publication in their order; a crash leaves the first of them and not the rest.
    let dir = TempDir::new().unwrap();
    let ledger = open(dir.path()).unwrap();
    append(&ledger, 250);
    ledger.checkpoint().unwrap();
    append(&ledger, 20);
    let before = TempDir::new().unwrap();
    copy(dir.path(), before.path());
    ledger.checkpoint().unwrap();
    let after = dir.path();
    let order = [
        "tile/entries/000",
        "tile/0/000",
        "tile/entries/001.p/14",
        "tile/0/001.p/14",
        "tile/1/000.p/1",
        HEAD_FILE,
        CHECKPOINT_FILE,
    ];
    for done in 0..=order.len() {
        let image = TempDir::new().unwrap();
        copy(before.path(), image.path());
        for name in &order[..done] {
            let target = image.path().join(name);
            fs::create_dir_all(target.parent().unwrap()).unwrap();
            fs::copy(after.join(name), target).unwrap();
        }
        let report = verify_dir(image.path(), None).unwrap();
        assert_eq!(report.entries, 270, "{done} files");
        let reopened = open(image.path()).unwrap();
        assert_eq!(reopened.checkpoint().unwrap(), ledger.latest_checkpoint(), "{done} files");
        reopened.close().unwrap();
        assert_eq!(verify_dir(image.path(), None).unwrap().signed, 270, "{done} files");
    }
}

#[test]
fn making_a_ledger_can_be_cut_short_anywhere() {
    let whole = TempDir::new().unwrap();
    open(whole.path()).unwrap().close().unwrap();
    for done in 0..=3 {
        let image = TempDir::new().unwrap();
        for name in &["vkey", FILE, HEAD_FILE][..done] {
            fs::copy(whole.path().join(name), image.path().join(name)).unwrap();
        }
        let ledger = open(image.path()).unwrap();
        append(&ledger, 1);
        ledger.close().unwrap();
        verify_dir(image.path(), None).unwrap();
        // With an entry in it, a missing checkpoint is no cut-short beginning any more.
        fs::remove_file(image.path().join(CHECKPOINT_FILE)).unwrap();
        assert_eq!(corrupt(open(image.path())).0, CHECKPOINT_FILE);
    }
}

#[test]
fn a_header_of_another_ledger_is_refused() {
    let dir = TempDir::new().unwrap();
    open(dir.path()).unwrap().close().unwrap();
    let other = Header { shard: 1, origin: ORIGIN.into() };
    write(&dir.path().join(FILE), &other.to_bytes());
    assert_eq!(corrupt(open(dir.path())).2, "it belongs to another ledger or shard");
}
