//! Any prefix of a log is read as a prefix of its frames; damage is told from a torn tail.

use std::path::Path;

use loggia_keys::{KeyStore, RootSecret};
use loggia_ledger::ManualClock;
use proptest::prelude::*;

use super::*;

struct Log {
    _dir: tempfile::TempDir,
    keys: Arc<KeyStore>,
    /// The one file, cut behind its last frame.
    bytes: Vec<u8>,
    /// Frames of each group, and where each frame ends.
    groups: Vec<usize>,
    ends: Vec<usize>,
    bodies: Vec<Vec<u8>>,
}

fn keys(dir: &Path) -> Arc<KeyStore> {
    let dir = dir.join("keys");
    let root = RootSecret::File(dir.join("root.key"));
    Arc::new(KeyStore::create(&dir, &root, 0).unwrap())
}

/// Writes `groups` of bodies; with `finish`, ends the file.
fn log(groups: &[Vec<Vec<u8>>], finish: bool) -> Log {
    let dir = tempfile::tempdir().unwrap();
    let keys = keys(dir.path());
    std::fs::create_dir(dir.path().join("wal")).unwrap();
    let mut config = StoreConfig::new(dir.path());
    config.wal_segment_bytes_max = 1 << 16;
    let mut wal = Wal::new(config, Arc::clone(&keys), Arc::new(ManualClock::new(0)), 1);
    for group in groups {
        wal.append(group.clone()).unwrap();
    }
    let end = wal.active.as_ref().map(|active| active.offset);
    if finish {
        assert_eq!(wal.finish().unwrap(), 1);
    }
    let mut bytes = std::fs::read(dir.path().join(layout::wal_file(1))).unwrap();
    if !finish {
        assert_eq!(bytes.len(), 1 << 16, "the file is preallocated");
        assert!(bytes[usize::try_from(end.unwrap()).unwrap()..].iter().all(|byte| *byte == 0));
        bytes.truncate(usize::try_from(end.unwrap()).unwrap());
    }
    let bodies: Vec<Vec<u8>> = groups.concat();
    let mut at = FileHeader::read(&bytes).unwrap().len;
    let ends = bodies
        .iter()
        .map(|body| {
            at += HEADER_LEN + body.len() + TAG_LEN;
            at
        })
        .collect();
    Log { _dir: dir, keys, bytes, groups: groups.iter().map(Vec::len).collect(), ends, bodies }
}

impl Log {
    fn scan(&self, bytes: &[u8]) -> Result<(Vec<Vec<u8>>, Scanned)> {
        let mut found = Vec::new();
        let scanned =
            WalReader::new("f".to_owned(), 1, bytes.to_vec())?.scan(&self.keys, |_, body| {
                found.push(body.to_vec());
                Ok(())
            })?;
        Ok((found, scanned))
    }

    /// First frame of the last group: what a crash may have torn.
    fn last_group(&self) -> usize {
        self.bodies.len() - self.groups.last().copied().unwrap_or(0)
    }
}

fn bodies(sizes: &[usize]) -> Vec<Vec<u8>> {
    sizes
        .iter()
        .map(|size| (0..*size).map(|at| u8::try_from(at % 251).unwrap()).collect())
        .collect()
}

#[test]
fn every_cut_gives_a_prefix_of_the_frames() {
    let log = log(&[bodies(&[10, 0]), bodies(&[200]), bodies(&[1, 33, 70])], false);
    let start = FileHeader::read(&log.bytes).unwrap().len;
    for cut in 0..=log.bytes.len() {
        // As a file that was not preallocated, and as one that was.
        for tail in [0, 500] {
            let mut bytes = log.bytes[..cut].to_vec();
            bytes.resize(cut + tail, 0);
            if cut < start {
                assert!(log.scan(&bytes).is_err(), "a header is whole or the file is damaged");
                continue;
            }
            let (found, scanned) = log.scan(&bytes).unwrap();
            // A frame whose missing bytes are zeros is whole all the same.
            let whole = log
                .ends
                .iter()
                .filter(|end| **end <= cut || bytes.get(..**end) == log.bytes.get(..**end))
                .count();
            assert_eq!(found, log.bodies[..whole], "cut at {cut}");
            assert_eq!(scanned.frames, whole as u64);
            assert!(!scanned.ended);
        }
    }
}

#[test]
fn an_ended_file_is_whole_to_the_byte() {
    let log = log(&[bodies(&[10, 20]), bodies(&[30])], true);
    let (found, scanned) = log.scan(&log.bytes).unwrap();
    assert_eq!(found, log.bodies);
    assert!(scanned.ended && scanned.torn_at.is_none());
    for at in 0..log.bytes.len() {
        let mut changed = log.bytes.clone();
        changed[at] ^= 1;
        let outcome = log.scan(&changed);
        match &outcome {
            Err(Error::Corrupt { file, .. }) => assert_eq!(file, "f"),
            // Only damage to the end record itself leaves all frames readable, and it shows.
            Ok((found, scanned)) => {
                assert!(at >= *log.ends.last().unwrap(), "byte {at}");
                assert!(
                    *found == log.bodies && !scanned.ended && scanned.torn_at.is_some(),
                    "byte {at}"
                );
            }
            Err(other) => panic!("byte {at}: {other}"),
        }
    }
    let mut longer = log.bytes.clone();
    longer.push(0);
    assert!(log.scan(&longer).is_err());
}

#[test]
fn damage_before_the_last_group_is_an_error_in_it_a_torn_tail() {
    let log = log(&[bodies(&[10]), bodies(&[40, 50]), bodies(&[60, 70, 80])], false);
    let first_at_risk = log.last_group();
    for (number, end) in log.ends.iter().enumerate() {
        let mut changed = log.bytes.clone();
        changed[*end - 1] ^= 1;
        match log.scan(&changed) {
            Err(Error::Corrupt { offset, .. }) => {
                assert!(number < first_at_risk);
                let start = number.checked_sub(1).map(|before| log.ends[before] as u64);
                assert_eq!(
                    offset,
                    start.or(Some(FileHeader::read(&log.bytes).unwrap().len as u64))
                );
            }
            Ok((found, scanned)) => {
                assert!(number >= first_at_risk, "frame {number} was acknowledged");
                assert_eq!(found, log.bodies[..number]);
                assert_eq!(scanned.torn_at, Some(scanned.end));
            }
            Err(other) => panic!("{other}"),
        }
    }
}

/// A frame is bound to its file, its number and its group.
#[test]
fn moved_frames_do_not_open() {
    let log = log(&[bodies(&[10]), bodies(&[10]), bodies(&[10])], false);
    let start = FileHeader::read(&log.bytes).unwrap().len;
    let (first, second) = (start..log.ends[0], log.ends[0]..log.ends[1]);
    let mut swapped = log.bytes[..start].to_vec();
    swapped.extend_from_slice(&log.bytes[second.clone()]);
    swapped.extend_from_slice(&log.bytes[first.clone()]);
    assert!(log.scan(&swapped).is_err());
    let mut doubled = log.bytes[..log.ends[0]].to_vec();
    doubled.extend_from_slice(&log.bytes[first]);
    assert_eq!(log.scan(&doubled).unwrap().0.len(), 1);
    let mut without = log.bytes[..start].to_vec();
    without.extend_from_slice(&log.bytes[second]);
    assert!(log.scan(&without).is_err(), "a missing frame before a later group is damage");
    assert!(WalReader::new("f".to_owned(), 2, log.bytes.clone()).is_err(), "a renamed file");
}

/// The retry after a failed write must not repeat a nonce: it goes to another file, with another key.
#[test]
fn a_failed_write_begins_a_new_file() {
    let dir = tempfile::tempdir().unwrap();
    let keys = keys(dir.path());
    std::fs::create_dir(dir.path().join("wal")).unwrap();
    let mut config = StoreConfig::new(dir.path());
    config.wal_segment_bytes_max = 1 << 16;
    let calls = std::sync::atomic::AtomicUsize::new(0);
    config.fault_hook = Some(Arc::new(move |point: &str| {
        let second =
            point == "wal.write" && calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 1;
        if second { Fault::Io(io::ErrorKind::StorageFull) } else { Fault::None }
    }));
    let mut wal = Wal::new(config, Arc::clone(&keys), Arc::new(ManualClock::new(0)), 1);
    wal.append(bodies(&[100])).unwrap();
    let refused = vec![vec![1; 1_000]];
    assert!(matches!(wal.append(refused), Err(Error::Io { .. })));
    let retried = wal.append(vec![vec![2; 1_000]]).unwrap();
    assert_eq!(retried, [Position { seq: 2, counter: 0 }]);
    let reader = WalReader::open(dir.path(), 1).unwrap();
    let scanned = reader.scan(&keys, |_, _| Ok(())).unwrap();
    assert!(scanned.ended && scanned.frames == 1, "the first file was cut and ended");
    let key = |seq| read_header(dir.path(), seq).unwrap().wrapped_key;
    assert_ne!(key(1), key(2));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn a_torn_log_never_reads_as_something_else(
        sizes in prop::collection::vec(prop::collection::vec(0_usize..90, 1..4), 1..5),
        cut in any::<prop::sample::Index>(),
        garbage in prop::collection::vec(any::<u8>(), 0..80),
    ) {
        let groups: Vec<_> = sizes.iter().map(|sizes| bodies(sizes)).collect();
        let log = log(&groups, false);
        let start = FileHeader::read(&log.bytes).unwrap().len;
        // A crash tears the last group only; what it leaves there may be anything.
        let group_start = log.last_group().checked_sub(1).map_or(start, |before| log.ends[before]);
        let cut = group_start + cut.index(log.bytes.len() - group_start + 1);
        let mut bytes = log.bytes[..cut].to_vec();
        bytes.extend_from_slice(&garbage);
        let (found, scanned) = log.scan(&bytes).unwrap();
        prop_assert!(found.len() >= log.last_group(), "what was acknowledged is there");
        prop_assert_eq!(&found[..], &log.bodies[..found.len()]);
        prop_assert!(!scanned.ended);
    }
}
