//! Counters are used once, frames open only as they were sealed, and nothing prints.

use super::*;

fn secret() -> Secret {
    Secret::from_slice(&[7; 32]).unwrap()
}

#[test]
fn a_frame_opens_only_with_its_counter_and_associated_data() {
    let (sealing, opening) =
        (FrameKey::sealing(&secret()).unwrap(), FrameKey::opening(&secret()).unwrap());
    let sealed = sealing.seal(3, b"segment 1", b"some rows").unwrap();
    assert_eq!(sealed.len(), 9 + TAG_LEN);
    assert_eq!(opening.open(3, b"segment 1", &sealed).unwrap(), b"some rows");
    assert!(opening.open(4, b"segment 1", &sealed).is_err());
    assert!(opening.open(3, b"segment 2", &sealed).is_err());
    assert!(opening.open(3, b"segment 1", &sealed[..sealed.len() - 1]).is_err());
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(matches!(opening.open(3, b"segment 1", &changed), Err(KeysError::Tampered { .. })));
    }
}

#[test]
fn a_counter_is_never_used_twice() {
    let key = FrameKey::sealing(&secret()).unwrap();
    key.seal(0, b"", b"a").unwrap();
    key.seal(5, b"", b"b").unwrap();
    for used in [0, 4, 5, u64::MAX] {
        assert!(matches!(key.seal(used, b"", b"c"), Err(KeysError::Invalid { .. })), "{used}");
    }
    key.seal(6, b"", b"d").unwrap();
}

#[test]
fn a_segment_found_on_disk_is_not_appended_to() {
    let key = FrameKey::opening(&secret()).unwrap();
    assert!(matches!(key.seal(9, b"", b"a"), Err(KeysError::Invalid { .. })));
}

#[test]
fn a_file_part_opens_only_with_its_associated_data() {
    let key = FileKey(secret());
    let (first, second) =
        (key.seal(b"index", b"blocks").unwrap(), key.seal(b"index", b"blocks").unwrap());
    assert_ne!(first, second);
    assert_eq!(key.open(b"index", &first).unwrap(), b"blocks");
    assert!(key.open(b"footer", &first).is_err());
    assert!(key.open(b"index", &first[..11]).is_err());
    assert!(key.with_bytes(|bytes| bytes == secret().expose()));
}

#[test]
fn keys_print_nothing() {
    let frame = FrameKey::sealing(&secret()).unwrap();
    assert_eq!(format!("{frame:?}"), "FrameKey([redacted])");
    assert_eq!(format!("{:?}", FileKey(secret())), "FileKey([redacted])");
}
