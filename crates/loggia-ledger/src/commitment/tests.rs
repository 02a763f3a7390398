//! Tests of the commitments: the published vector, hiding of the blind, and that nothing prints.

use super::{Blind, Commitment, commit};

#[test]
fn a_commitment_opens_only_to_its_payload_and_blind() {
    let (commitment, blind) = commit(b"who: a, what: b").unwrap();
    assert!(commitment.opens_to(&blind, b"who: a, what: b"));
    assert!(!commitment.opens_to(&blind, b"who: a, what: c"));
    let other = Blind::from_bytes([7; 32]);
    assert!(!commitment.opens_to(&other, b"who: a, what: b"));
}

#[test]
fn equal_payloads_have_unlike_commitments() {
    let (a, _blind_a) = commit(b"same").unwrap();
    let (b, _blind_b) = commit(b"same").unwrap();
    assert_ne!(a, b);
}

/// RFC 4231 has no case with a 32-byte key, so this one was computed with Python's `hmac`.
#[test]
fn it_is_hmac_sha_256() {
    let blind = Blind::from_bytes([0x0b; 32]);
    let expected = [
        0x19, 0x8a, 0x60, 0x7e, 0xb4, 0x4b, 0xfb, 0xc6, 0x99, 0x03, 0xa0, 0xf1, 0xcf, 0x2b, 0xbd,
        0xc5, 0xba, 0x0a, 0xa3, 0xf3, 0xd9, 0xae, 0x3c, 0x1c, 0x7a, 0x3b, 0x16, 0x96, 0xa0, 0xb6,
        0x8c, 0xf7,
    ];
    assert!(Commitment::from_bytes(expected).opens_to(&blind, b"Hi There"));
}

#[test]
fn a_blind_prints_nothing() {
    let blind = Blind::from_bytes([0xab; 32]);
    assert_eq!(format!("{blind:?}"), "Blind([redacted])");
}
