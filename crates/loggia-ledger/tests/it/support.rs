//! What the tests share: a ledger with entries in it, copies of it, changed bytes.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use loggia_ledger::{EntryKind, Ledger, LedgerConfig, LedgerError, ManualClock, NewEntry, commit};

pub(crate) const ORIGIN: &str = "logs.example/loggia";
pub(crate) const SEED: [u8; 32] = [42; 32];
pub(crate) const START_NS: i64 = 1_700_000_000_000_000_000;

/// Opens a ledger that signs only when told to.
pub(crate) fn open(dir: &Path) -> Result<Ledger, LedgerError> {
    let config = LedgerConfig { sign_interval_ms: 3_600_000, ..LedgerConfig::new(ORIGIN) };
    Ledger::open_with(dir, &config, &SEED, Arc::new(ManualClock::new(START_NS)))
}

/// The record of entry `i` in the tests: of a size and content that follow from the number.
pub(crate) fn record(i: u64) -> Vec<u8> {
    let size = usize::try_from(i * 13 % 97).unwrap();
    vec![u8::try_from(i % 256).unwrap(); size]
}

pub(crate) fn append(ledger: &Ledger, i: u64) -> u64 {
    let kinds = EntryKind::ALL;
    let kind = kinds[usize::try_from(i).unwrap() % kinds.len()];
    let (commitment, _blind) = commit(&record(i)).unwrap();
    let object = i.is_multiple_of(3).then_some([u8::try_from(i % 200 + 1).unwrap(); 32]);
    let entry = NewEntry { kind, policy: [1; 32], commitment, object, record: &record(i) };
    ledger.append(entry).unwrap().index()
}

/// Appends entries from many threads, so that groups form.
pub(crate) fn append_many(ledger: &Ledger, count: u64) {
    const THREADS: u64 = 64;
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            scope.spawn(move || {
                for i in (thread..count).step_by(usize::try_from(THREADS).unwrap()) {
                    append(ledger, i);
                }
            });
        }
    });
}

/// Returns a temporary folder in memory where there is one: for tests that open a ledger hundreds of
/// times, whose syncs a busy disk would make take minutes.
pub(crate) fn memory_dir() -> TempDir {
    TempDir::new_in("/dev/shm").or_else(|_no_such_folder| TempDir::new()).unwrap()
}

pub(crate) fn write(path: &Path, bytes: &[u8]) {
    File::create(path).unwrap().write_all(bytes).unwrap();
}

/// Copies a folder as it is at this moment.
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for file in files(from) {
        let target = to.join(file.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&file, target).unwrap();
    }
}

/// Returns every file below a folder, sorted.
pub(crate) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        // A folder of partial tiles goes when the full tile is there.
        let Ok(entries) = fs::read_dir(folder) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}
