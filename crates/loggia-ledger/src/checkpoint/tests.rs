//! Tests of checkpoints, cosignatures and journal heads.

use super::{Checkpoint, Cosignature, JournalHead, check_origin};
use crate::note::{Signer, VerifierKey};

/// Made by an independent implementation (aics-tlog 0.2.1) with seeds of 32 times 1 and 2.
const LOG_VKEY: &str = "example.com/log+9be5d3c6+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c";
const WITNESS_VKEY: &str =
    "witness.example/w1+df1c0a35+BIE5dw6ofRdfVqNUZsNMfszLjYqRtO43ol32D1uPybOU";
const COSIGNED: &str = "example.com/log\n\
    3\n\
    AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n\
    \u{2014} example.com/log m+XTxuaIQCV7bhbP96ykyRbT/LJy/wLtXlaVeCnFSq29sVYD9nTyNfURVaG8kz7VAIluz/UxEisP1jQb+OwhxCIVpQE=\n\
    \u{2014} witness.example/w1 3xwKNQAAAABlU/EATfk/yAcpUGZiJvRvLQC+bih9/c9Hm5hMtOf6JEB1CgS3e/+Fh5NDYX8rCPZJCdciA/KHAXIYQ61piOhIJ8i0Dw==\n";

fn key(vkey: &str) -> VerifierKey {
    vkey.parse().unwrap()
}

fn checkpoint() -> Checkpoint {
    let root = core::array::from_fn(|i| u8::try_from(i).unwrap());
    Checkpoint { origin: "example.com/log".into(), size: 3, root }
}

#[test]
fn a_cosigned_checkpoint_of_another_implementation_verifies() {
    assert_eq!(Checkpoint::verify(COSIGNED, &key(LOG_VKEY)).unwrap(), checkpoint());
    let cosignature = Cosignature::verify(COSIGNED, &key(WITNESS_VKEY)).unwrap();
    assert_eq!(cosignature.time_s, 1_700_000_000);
    assert_eq!(cosignature.checkpoint, checkpoint());
}

#[test]
fn our_checkpoint_is_the_same_to_the_byte() {
    let signer = Signer::new("example.com/log", &[1; 32]).unwrap();
    assert_eq!(signer.key().to_string(), LOG_VKEY);
    let ours = checkpoint().sign(&signer).unwrap();
    assert!(COSIGNED.starts_with(&ours));
}

#[test]
fn a_cosignature_needs_its_witness_and_every_byte() {
    let witness = key(WITNESS_VKEY);
    let log_only = checkpoint().sign(&Signer::new("example.com/log", &[1; 32]).unwrap()).unwrap();
    assert!(Cosignature::verify(&log_only, &witness).is_err());
    assert!(Cosignature::verify(COSIGNED, &key(LOG_VKEY)).is_err());
    for at in 0..COSIGNED.len() {
        let mut bytes = COSIGNED.as_bytes().to_vec();
        bytes[at] ^= 1;
        let Ok(changed) = String::from_utf8(bytes) else { continue };
        let both = Cosignature::verify(&changed, &witness).is_ok()
            && Checkpoint::verify(&changed, &key(LOG_VKEY)).is_ok();
        assert!(!both, "byte {at}");
    }
}

#[test]
fn texts_that_are_no_checkpoint_are_refused() {
    let signer = Signer::new("example.com/log", &[1; 32]).unwrap();
    let root = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let refused = [
        format!("example.com/log\n3\n{root}"),
        "example.com/log\n3\n".to_owned(),
        format!("example.com/log\n03\n{root}\n"),
        format!("example.com/log\n+3\n{root}\n"),
        format!("example.com/log\n-3\n{root}\n"),
        "example.com/log\n3\nAAEC\n".to_owned(),
        format!("\n3\n{root}\n"),
        format!("example.com/log\n3\n{root}\n\nx\n"),
        format!("example.com/other\n3\n{root}\n"),
    ];
    for text in refused {
        let note = signer.sign(&text).unwrap();
        assert!(Checkpoint::verify(&note, signer.key()).is_err(), "{text:?} was read");
    }
    let extended = signer.sign(&format!("example.com/log\n3\n{root}\nextension\n")).unwrap();
    assert_eq!(Checkpoint::verify(&extended, signer.key()).unwrap(), checkpoint());
}

#[test]
fn a_journal_head_and_a_checkpoint_are_never_taken_for_each_other() {
    let signer = Signer::new("example.com/log", &[1; 32]).unwrap();
    let head = JournalHead { size: 3, chain: [9; 32] };
    let note = head.sign(&signer).unwrap();
    assert_eq!(JournalHead::verify(&note, signer.key()).unwrap(), head);
    assert!(Checkpoint::verify(&note, signer.key()).is_err());
    let note = checkpoint().sign(&signer).unwrap();
    assert!(JournalHead::verify(&note, signer.key()).is_err());
    assert!(check_origin("loggia-journal/v1").is_err());
    assert!(check_origin("logs.example/loggia").is_ok());
    for origin in ["", "a b", "a+b", "a\nb", "a\u{a0}b"] {
        assert!(check_origin(origin).is_err(), "{origin:?}");
    }
}
