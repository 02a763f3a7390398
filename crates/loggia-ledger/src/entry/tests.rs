//! Tests of the leaf: every byte has its place, and only our version and size are read.

use super::{ENTRY_BYTES, Entry};
use crate::commitment::Commitment;
use crate::kind::EntryKind;

fn sample() -> Entry {
    Entry {
        kind: EntryKind::AccessGranted,
        shard: 0x0102_0304,
        seq: 0x1112_1314_1516_1718,
        time_ms: 0x2122_2324_2526_2728,
        policy: [0x33; 32],
        commitment: Commitment::from_bytes([0x44; 32]),
        object: Some([0x55; 32]),
    }
}

#[test]
fn the_layout_is_fixed_to_the_byte() {
    let bytes = sample().to_bytes();
    assert_eq!(bytes[0], 1);
    assert_eq!(bytes[1..3], [0, 1]);
    assert_eq!(bytes[3..7], [1, 2, 3, 4]);
    assert_eq!(bytes[7..15], [0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18]);
    assert_eq!(bytes[15..23], [0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28]);
    assert_eq!(bytes[23..55], [0x33; 32]);
    assert_eq!(bytes[55..87], [0x44; 32]);
    assert_eq!(bytes[87..119], [0x55; 32]);
}

#[test]
fn it_goes_round_with_and_without_an_object() {
    for object in [None, Some([9; 32])] {
        let entry = Entry { object, ..sample() };
        assert_eq!(Entry::from_bytes(&entry.to_bytes()).unwrap(), entry);
    }
}

#[test]
fn other_sizes_and_versions_are_refused() {
    let bytes = sample().to_bytes();
    assert!(Entry::from_bytes(&bytes[..ENTRY_BYTES - 1]).is_err());
    assert!(Entry::from_bytes(&[bytes.as_slice(), &[0]].concat()).is_err());
    let mut newer = bytes;
    newer[0] = 2;
    assert!(Entry::from_bytes(&newer).is_err());
}

#[test]
fn an_unknown_kind_is_read() {
    let entry = Entry { kind: EntryKind::Unknown(999), ..sample() };
    assert_eq!(Entry::from_bytes(&entry.to_bytes()).unwrap(), entry);
}
