//! RFC 5649, the binding of a wrapped key to its row, and what a damaged or foreign `epoch.key` says.

use super::*;
use crate::root::RootSecret;
use crate::secret::tests::hex;

fn root(dir: &Path) -> Root {
    Root::create(dir, &RootSecret::File(dir.join("root.key"))).unwrap()
}

#[test]
fn aes_kwp_gives_the_published_vectors() {
    // RFC 5649 prints vectors for a 192-bit key only, which aws-lc-rs does not offer; these are of NIST's validation set for
    // the same algorithm, KWP_AE_256.
    let check = |kek: &str, plain: &str, wrapped: &str| {
        let kek = Secret::from_slice(&hex(kek)).unwrap();
        assert_eq!(kwp_wrap(&kek, &hex(plain)).unwrap(), hex(wrapped));
        assert_eq!(kwp_unwrap(&kek, &hex(wrapped)).unwrap().as_slice(), hex(plain));
    };
    check(
        "95da2700ca6fd9a52554ee2a8df1386f5b94a1a60ed8a4aef60a8d61ab5f225a",
        "d1",
        "06ba7ae6f3248cfdcf267507fa001bc4",
    );
    check(
        "e9bb7f44c7baafbf392ab912589a2f8db53268106eafb74689bb1833136e6113",
        "ffe95260483 4bff899e6365 8f34246815c91597eb40a21729e0a8a959b61f2",
        "15b9f06fbc765e5e3d55d6b824616f21921d2a6918ee7bf1406b524274e170b4a78333ca5ee92af5",
    );
}

#[test]
fn a_wrapped_key_with_any_bit_changed_does_not_unwrap() {
    let kek = Secret::from_slice(&[9; 32]).unwrap();
    for length in [1_usize, 7, 8, 20, 32, 48] {
        let wrapped = kwp_wrap(&kek, &vec![0xa5; length]).unwrap();
        assert_eq!(wrapped.len(), length.next_multiple_of(8) + 8);
        for at in 0..wrapped.len() {
            let mut changed = wrapped.clone();
            changed[at] ^= 0x80;
            assert!(kwp_unwrap(&kek, &changed).is_none());
        }
    }
}

#[test]
fn a_wrapped_key_opens_only_in_its_row_and_epoch() {
    let (first, second) = (Epoch::generate(1, 0).unwrap(), Epoch::generate(2, 0).unwrap());
    let key = Secret::generate().unwrap();
    let wrapped = first.wrap(&key, b"row a").unwrap();
    assert_eq!(wrapped.len(), 56);
    assert_eq!(first.unwrap(&wrapped, b"row a").unwrap().expose(), key.expose());
    assert!(first.unwrap(&wrapped, b"row b").is_none());
    assert!(second.unwrap(&wrapped, b"row a").is_none());
    assert!(first.unwrap(&wrapped[..48], b"row a").is_none());
    assert!(first.unwrap(&[], b"row a").is_none());
}

#[test]
fn the_file_says_whether_it_was_changed_or_the_root_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let path = current_path(dir.path());
    let right = root(dir.path());
    Epoch::generate(3, 77).unwrap().save(&path, &right).unwrap();
    let loaded = Epoch::load(&path, &right).unwrap().unwrap();
    assert_eq!((loaded.number, loaded.started_ms), (3, 77));

    let elsewhere = tempfile::tempdir().unwrap();
    let wrong = root(elsewhere.path());
    assert!(matches!(Epoch::load(&path, &wrong), Err(KeysError::WrongRoot)));

    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(bytes.len(), FILE_LEN);
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        std::fs::write(&path, &changed).unwrap();
        assert!(matches!(Epoch::load(&path, &right), Err(KeysError::Tampered { .. })), "byte {at}");
    }
    std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
    assert!(Epoch::load(&path, &right).is_err());
    std::fs::remove_file(&path).unwrap();
    assert!(Epoch::load(&path, &right).unwrap().is_none());
}
