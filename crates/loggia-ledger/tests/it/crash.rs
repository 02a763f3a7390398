//! Crashes: what a journal cut at any byte becomes, and that nothing acknowledged is lost.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use loggia_ledger::{Ledger, LedgerConfig, LedgerError, ManualClock, verify_dir};
use tempfile::TempDir;

use crate::support::{
    ORIGIN, SEED, append, append_many, copy, files, memory_dir, open, record, write,
};

/// A ledger with `signed` signed entries and `unsigned` more, as a crash leaves it.
fn crashed(signed: u64, unsigned: u64) -> TempDir {
    let dir = memory_dir();
    let ledger = open(dir.path()).unwrap();
    (0..signed).for_each(|i| _ = append(&ledger, i));
    ledger.checkpoint().unwrap();
    (signed..signed + unsigned).for_each(|i| _ = append(&ledger, i));
    let image = memory_dir();
    copy(dir.path(), image.path());
    image
}

/// Returns where each frame ends, from the lengths in the file.
fn frame_ends(journal: &[u8]) -> Vec<usize> {
    let mut at = 16 + 4 + 1 + usize::from(journal[20]) + 16;
    let mut ends = vec![at];
    loop {
        let length: [u8; 4] = journal[at..at + 4].try_into().unwrap();
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap();
        if length == 0 {
            return ends;
        }
        at += 4 + length + 16;
        ends.push(at);
    }
}

fn reopened_size(dir: &Path, context: usize) -> u64 {
    let ledger = open(dir).unwrap();
    let size = ledger.size();
    for i in 0..size {
        let (entry, found) = ledger.read(i).unwrap();
        assert_eq!((entry.seq, found), (i, record(i)), "cut at {context}");
    }
    // It goes on from there.
    append(&ledger, size);
    ledger.close().unwrap();
    let report = verify_dir(dir, None).unwrap();
    assert_eq!((report.entries, report.signed), (size + 1, size + 1), "cut at {context}");
    size
}

#[test]
fn acknowledged_entries_survive_without_a_checkpoint() {
    let image = crashed(3, 40);
    assert_eq!(reopened_size(image.path(), 0), 43);
}

#[test]
fn a_torn_tail_is_cut_at_every_byte_of_the_last_frames() {
    let image = crashed(2, 3);
    let journal = fs::read(image.path().join("journal")).unwrap();
    let ends = frame_ends(&journal);
    assert_eq!(ends.len(), 6);
    let work = memory_dir();
    for cut in ends[2]..=ends[5] {
        let whole = ends.iter().filter(|end| **end <= cut).count() as u64 - 1;
        // As a file that ends there, and as one whose rest is still zeros that were written ahead.
        let mut padded = journal[..cut].to_vec();
        padded.resize(ends[5] + 5000, 0);
        for torn in [&journal[..cut], &padded] {
            let dir = work.path().join(format!("{cut}-{}", torn.len()));
            copy(image.path(), &dir);
            write(&dir.join("journal"), torn);
            assert_eq!(reopened_size(&dir, cut), whole, "cut at {cut}");
            fs::remove_dir_all(dir).unwrap();
        }
    }
}

#[test]
fn a_journal_cut_below_what_was_signed_does_not_open() {
    let image = crashed(4, 1);
    let journal = fs::read(image.path().join("journal")).unwrap();
    let ends = frame_ends(&journal);
    for cut in (ends[0]..ends[4]).step_by(7).chain([ends[0], ends[1], ends[3], ends[4] - 1]) {
        write(&image.path().join("journal"), &journal[..cut]);
        let whole = ends.iter().filter(|end| **end <= cut).count() as u64 - 1;
        match open(image.path()) {
            Err(LedgerError::Corrupt { file, index, .. }) => {
                assert_eq!((file.as_str(), index), ("journal", Some(whole)), "cut at {cut}");
            }
            other => panic!("cut at {cut}: {other:?}"),
        }
        let failure = verify_dir(image.path(), None).unwrap_err();
        assert_eq!((failure.file.as_str(), failure.index), ("journal", Some(whole)));
    }
}

#[test]
fn signed_entries_that_were_changed_do_not_open() {
    let image = crashed(4, 0);
    let journal = fs::read(image.path().join("journal")).unwrap();
    let end = *frame_ends(&journal).last().unwrap();
    for at in (0..end).step_by(3) {
        let mut changed = journal.clone();
        changed[at] ^= 4;
        write(&image.path().join("journal"), &changed);
        assert!(matches!(open(image.path()), Err(LedgerError::Corrupt { .. })), "byte {at}");
    }
}

#[test]
fn images_taken_at_any_moment_open_again() {
    let dir = memory_dir();
    let config = LedgerConfig { sign_interval_ms: 3, ..LedgerConfig::new(ORIGIN) };
    let clock = Arc::new(ManualClock::new(0));
    let ledger = Ledger::open_with(dir.path(), &config, &SEED, clock).unwrap();
    let mut images = 0;
    std::thread::scope(|scope| {
        let load = scope.spawn(|| append_many(&ledger, 20_000));
        while !load.is_finished() {
            // In the order of docs/formats/ledger.md: the journal last, so that it covers what was signed.
            let image = memory_dir();
            let acknowledged = ledger.size();
            for name in ["checkpoint", "journal.head"] {
                fs::copy(dir.path().join(name), image.path().join(name)).unwrap();
            }
            copy_growing(&dir.path().join("tile"), &image.path().join("tile"));
            for name in ["vkey", "journal"] {
                fs::copy(dir.path().join(name), image.path().join(name)).unwrap();
            }
            if let Err(failure) = verify_dir(image.path(), None) {
                // A torn frame at the end, or a partial tile that went while the full one came.
                let torn = failure.what.contains("behind the last signed entry");
                assert!(torn || failure.what.contains("there is no file"), "{failure}");
            }
            let reopened = open(image.path()).unwrap();
            assert!(reopened.size() >= acknowledged);
            reopened.close().unwrap();
            verify_dir(image.path(), None).unwrap();
            images += 1;
        }
    });
    assert!(images > 0);
}

/// Copies a folder in which files come and go.
fn copy_growing(from: &Path, to: &Path) {
    if !from.is_dir() {
        return;
    }
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        if let Err(error) = fs::copy(&file, &target) {
            assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
        }
    }
}
