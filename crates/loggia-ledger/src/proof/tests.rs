//! Tests of proof files: the format to the byte, and that only true proofs pass.

use super::{Proof, verify_proof, write};
use crate::checkpoint::Checkpoint;
use crate::commitment::Commitment;
use crate::entry::{ENTRY_BYTES, Entry};
use crate::kind::EntryKind;
use crate::merkle::{leaf_hash, prove_inclusion, root, tests::Leaves};
use crate::note::Signer;

fn leaf(seq: u64) -> [u8; ENTRY_BYTES] {
    Entry {
        kind: EntryKind::AccessGranted,
        shard: 0,
        seq,
        time_ms: 5,
        policy: [1; 32],
        commitment: Commitment::from_bytes([2; 32]),
        object: None,
    }
    .to_bytes()
}

fn signer() -> Signer {
    Signer::new("logs.example/loggia", &[3; 32]).unwrap()
}

fn proof_of(index: u64, size: u64) -> String {
    let mut tree = Leaves((0..size).map(|i| leaf_hash(&leaf(i))).collect());
    let root = root(&mut tree, size).unwrap();
    let checkpoint = Checkpoint { origin: "logs.example/loggia".into(), size, root };
    let hashes = prove_inclusion(&mut tree, index, size).unwrap();
    write(index, &hashes, &checkpoint.sign(&signer()).unwrap())
}

#[test]
fn every_entry_is_proved_and_no_other_passes() {
    let vkey = signer().key().to_string();
    for index in 0..7 {
        let proof = proof_of(index, 7);
        let verified = verify_proof(&vkey, &proof, &leaf(index)).unwrap();
        assert_eq!((verified.index, verified.checkpoint.size), (index, 7));
        assert_eq!(verified.entry.seq, index);
        assert!(verify_proof(&vkey, &proof, &leaf(index + 1)).is_err());
    }
}

#[test]
fn the_text_is_that_of_the_format() {
    let proof = proof_of(2, 3);
    let lines: Vec<&str> = proof.lines().collect();
    assert_eq!(lines[..2], ["c2sp.org/tlog-proof@v1", "index 2"]);
    assert_eq!(lines[2].len(), 44);
    assert_eq!(lines[3..6], ["", "logs.example/loggia", "3"]);
    assert!(lines[8].starts_with("\u{2014} logs.example/loggia "));
    assert_eq!(lines.len(), 9);
}

#[test]
fn a_change_of_any_byte_is_refused() {
    let vkey = signer().key().to_string();
    let proof = proof_of(3, 6);
    for at in 0..proof.len() {
        let mut bytes = proof.as_bytes().to_vec();
        bytes[at] ^= 1;
        let Ok(changed) = String::from_utf8(bytes) else { continue };
        assert!(verify_proof(&vkey, &changed, &leaf(3)).is_err(), "byte {at}");
    }
    assert!(verify_proof("other", &proof, &leaf(3)).is_err());
    let other = Signer::new("logs.example/loggia", &[4; 32]).unwrap();
    assert!(verify_proof(&other.key().to_string(), &proof, &leaf(3)).is_err());
}

#[test]
fn extra_data_are_allowed_and_ignored() {
    let vkey = signer().key().to_string();
    let proof = proof_of(1, 2).replacen("index", "extra aGVsbG8=\nindex", 1);
    assert!(verify_proof(&vkey, &proof, &leaf(1)).is_ok());
    assert!(Proof::parse(&proof.replace("aGVsbG8=", "!")).is_err());
}

#[test]
fn malformed_proofs_are_refused() {
    let good = proof_of(1, 4);
    for bad in [
        String::new(),
        good.replace("@v1", "@v2"),
        good.replace("index 1", "index 01"),
        good.replace("index 1", "index -1"),
        good.replace("index 1\n", ""),
        good.replace("\n\n", "\n"),
        good.replacen("\n\n", "\nAAAA\n\n", 1),
        good.replacen(
            "\n\n",
            &format!("{}\n\n", "\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".repeat(65)),
            1,
        ),
    ] {
        assert!(Proof::parse(&bad).is_err(), "{bad:?} was read");
    }
}
