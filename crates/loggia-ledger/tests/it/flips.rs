//! One flipped byte anywhere: found, whatever the file.

use std::fs;

use loggia_ledger::verify_dir;
use tempfile::TempDir;

use crate::support::{append_many, files, memory_dir, open, write};

fn made(count: u64) -> TempDir {
    let dir = memory_dir();
    let ledger = open(dir.path()).unwrap();
    append_many(&ledger, count);
    ledger.close().unwrap();
    dir
}

#[test]
fn a_flip_of_every_byte_of_a_small_ledger_is_found() {
    let dir = made(5);
    verify_dir(dir.path(), None).unwrap();
    let mut flipped = 0;
    for file in files(dir.path()) {
        let name = file.strip_prefix(dir.path()).unwrap().to_str().unwrap();
        let bytes = fs::read(&file).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << (at % 8);
            write(&file, &changed);
            let found = verify_dir(dir.path(), None);
            assert!(found.is_err(), "byte {at} of {name}");
            flipped += 1;
        }
        write(&file, &bytes);
    }
    verify_dir(dir.path(), None).unwrap();
    assert!(flipped > 2000, "only {flipped} bytes were flipped");
}

#[test]
fn five_hundred_random_flips_of_a_larger_ledger_are_found_in_their_file() {
    let dir = made(1000);
    let report = verify_dir(dir.path(), None).unwrap();
    assert_eq!(report.files, files(dir.path()).len());
    let all: Vec<(std::path::PathBuf, usize)> = files(dir.path())
        .into_iter()
        .map(|file| {
            let size = usize::try_from(fs::metadata(&file).unwrap().len()).unwrap();
            (file, size)
        })
        .collect();
    let total: usize = all.iter().map(|(_file, size)| size).sum();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _time in 0..500 {
        let mut at = usize::try_from(random.next() % total as u64).unwrap();
        let bit = random.next() % 8;
        let (file, _size) = all
            .iter()
            .find(|(_file, size)| {
                let here = at < *size;
                at -= if here { 0 } else { *size };
                here
            })
            .unwrap();
        let name = file.strip_prefix(dir.path()).unwrap().to_str().unwrap();
        let bytes = fs::read(file).unwrap();
        let mut changed = bytes.clone();
        changed[at] ^= 1 << bit;
        write(file, &changed);
        let failure = verify_dir(dir.path(), None).unwrap_err();
        assert_eq!(failure.file, name, "bit {bit} of byte {at}: {failure}");
        write(file, &bytes);
    }
    verify_dir(dir.path(), None).unwrap();
}

#[test]
fn longer_shorter_and_empty_files_are_found() {
    let dir = made(300);
    for file in files(dir.path()) {
        let bytes = fs::read(&file).unwrap();
        let longer = [bytes.as_slice(), &[1]].concat();
        let zeros = [bytes.as_slice(), &[0]].concat();
        let is_journal = file.ends_with("journal");
        for changed in [&longer, &zeros[..], &bytes[..bytes.len() - 1], &[]] {
            // Zeros behind the last frame are what the journal writes ahead, and say nothing.
            if is_journal && *changed == zeros {
                continue;
            }
            write(&file, changed);
            assert!(verify_dir(dir.path(), None).is_err(), "{}: {}", file.display(), changed.len());
        }
        write(&file, &bytes);
    }
    verify_dir(dir.path(), None).unwrap();
}

/// The xorshift generator of Marsaglia: the same flips on every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}
