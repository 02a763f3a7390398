//! Tests of the journal: whole frames are read back, anything else ends the reading, never misleads it.

use std::io::Cursor;

use proptest::prelude::*;

use super::{Draft, Header, Index, Mark, Next, Reader};
use crate::entry::{ENTRY_BYTES, Hash};

fn header() -> Header {
    Header { shard: 7, origin: "logs.example/loggia".into() }
}

fn leaf(i: usize) -> [u8; ENTRY_BYTES] {
    [u8::try_from(i % 251).unwrap(); ENTRY_BYTES]
}

/// Frames around `records`, and the end of each.
fn frames(records: &[Vec<u8>]) -> (Vec<u8>, Vec<usize>) {
    let mut chain = header().chain();
    let (mut bytes, mut ends) = (Vec::new(), Vec::new());
    for (i, record) in records.iter().enumerate() {
        bytes.extend_from_slice(&Draft::new(record).complete(&leaf(i), &mut chain));
        ends.push(bytes.len());
    }
    (bytes, ends)
}

/// Reads frames until something else comes; returns the records and whether it was a clean end.
fn read(bytes: &[u8]) -> (Vec<Vec<u8>>, bool) {
    let mut reader = Reader { input: Cursor::new(bytes), chain: header().chain(), offset: 0 };
    let mut records = Vec::new();
    loop {
        match reader.next().unwrap() {
            Next::Frame(frame) => {
                assert_eq!(frame.leaf, leaf(records.len()));
                records.push(frame.record);
            }
            Next::End => return (records, true),
            Next::Broken(_) => return (records, false),
        }
    }
}

fn records(count: usize) -> Vec<Vec<u8>> {
    (0..count).map(|i| vec![0xee; i * 7 % 90]).collect()
}

#[test]
fn the_header_goes_round_and_every_flipped_byte_is_seen() {
    let bytes = header().to_bytes();
    assert_eq!(bytes.len(), 16 + 4 + 1 + 19 + 16);
    assert_eq!(Header::read(&mut bytes.as_slice()).unwrap(), Some(header()));
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x20;
        assert_eq!(Header::read(&mut changed.as_slice()).unwrap(), None, "byte {at}");
        assert_eq!(Header::read(&mut &bytes[..at]).unwrap(), None, "cut at {at}");
    }
}

#[test]
fn a_torn_tail_is_cut_at_every_byte_and_never_misread() {
    let records = records(6);
    let (bytes, ends) = frames(&records);
    for cut in 0..=bytes.len() {
        let whole = ends.iter().filter(|end| **end <= cut).count();
        // The first bytes of a length are zeros and cannot be told from what was written ahead.
        let start = ends.iter().rev().find(|end| **end <= cut).copied().unwrap_or(0);
        let clean = bytes[start..cut].iter().all(|byte| *byte == 0);
        assert_eq!(read(&bytes[..cut]), (records[..whole].to_vec(), clean), "cut at {cut}");
        // The same with the zeros that were written ahead behind it.
        let padded = [&bytes[..cut], &[0; 5000]].concat();
        let (found, _clean) = read(&padded);
        assert_eq!(found, records[..whole], "cut at {cut}, padded");
    }
}

#[test]
fn a_flip_of_every_byte_ends_the_reading_at_its_frame() {
    let records = records(5);
    let (bytes, ends) = frames(&records);
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let before = ends.iter().filter(|end| **end <= at).count();
        assert_eq!(read(&changed), (records[..before].to_vec(), false), "byte {at}");
    }
}

#[test]
fn removed_and_exchanged_frames_are_seen() {
    let same = vec![vec![1; 10]; 4];
    let (bytes, ends) = frames(&same);
    let removed = [&bytes[..ends[0]], &bytes[ends[1]..]].concat();
    assert_eq!(read(&removed), (same[..1].to_vec(), false));
    let exchanged =
        [&bytes[..ends[0]], &bytes[ends[1]..ends[2]], &bytes[ends[0]..ends[1]], &bytes[ends[2]..]];
    assert_eq!(read(&exchanged.concat()), (same[..1].to_vec(), false));
}

#[test]
fn only_zeros_may_follow_the_last_frame() {
    let (bytes, _ends) = frames(&records(2));
    assert_eq!(read(&[&bytes[..], &[0; 3]].concat()), (records(2), true));
    assert_eq!(read(&[&bytes[..], &[0; 100_000]].concat()), (records(2), true));
    for at in [0, 3, 4, 99, 4096, 99_999] {
        let mut padded = [&bytes[..], &[0; 100_000]].concat();
        padded[bytes.len() + at] = 1;
        assert_eq!(read(&padded), (records(2), false), "byte {at} of the padding");
    }
}

#[test]
fn a_mark_is_found_for_every_entry() {
    let mark = |i: u64| Mark { offset: i, chain: Hash::default() };
    let mut index = Index::new(mark(0));
    for i in 0..1000 {
        index.push(mark(i + 1));
    }
    for i in 0..1000 {
        let (found, skip) = index.seek(i).unwrap();
        assert_eq!(found.offset + skip, i);
        assert!(skip < 64);
    }
    assert!(index.seek(1000).is_none());
    assert_eq!(index.end(), mark(1000));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn noise_after_whole_frames_is_never_a_frame(
        sizes in prop::collection::vec(0_usize..300, 0..6),
        cut in any::<prop::sample::Index>(),
        noise in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let records: Vec<Vec<u8>> = sizes.iter().map(|size| vec![0x5a; *size]).collect();
        let (bytes, ends) = frames(&records);
        let cut = cut.index(bytes.len() + 1);
        let torn = [&bytes[..cut], &noise].concat();
        let (found, _clean) = read(&torn);
        // Noise may by chance continue the cut frame as it was, so "at most" one way, exact the other.
        let whole = ends.iter().filter(|end| **end <= cut).count();
        prop_assert!(found.len() >= whole && found.len() <= records.len());
        prop_assert_eq!(&found[..], &records[..found.len()]);
    }
}
