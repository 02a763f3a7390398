//! The published Argon2id vector, and what a strange `root.kdf` or key file says.

use super::*;
use crate::secret::tests::hex;
use argon2::{AssociatedData, ParamsBuilder};

#[test]
fn argon2id_gives_rfc_9106_section_5_3() {
    let params = ParamsBuilder::new()
        .m_cost(32)
        .t_cost(3)
        .p_cost(4)
        .data(AssociatedData::new(&[4; 12]).unwrap())
        .build()
        .unwrap();
    let mut out = [0_u8; 32];
    Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params)
        .unwrap()
        .hash_password_into(&[1; 32], &[2; 16], &mut out)
        .unwrap();
    let expected = "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659";
    assert_eq!(out.to_vec(), hex(expected));
}

#[test]
fn the_passphrases_parameters_are_read_back_and_bounded() {
    let bytes = encode_kdf(COST, &[7; SALT_LEN], &[8; KEY_LEN]);
    assert_eq!(bytes.len(), KDF_LEN);
    let (cost, salt, verifier) = decode_kdf(&bytes).unwrap();
    assert_eq!((cost.memory_kib, cost.passes, cost.lanes), (65_536, 3, 1));
    assert_eq!((salt, verifier), ([7; SALT_LEN], [8; KEY_LEN]));
    assert!(decode_kdf(&bytes[..KDF_LEN - 1]).is_none());
    for weak in [
        Cost { memory_kib: 8, ..COST },
        Cost { memory_kib: u32::MAX, ..COST },
        Cost { passes: 1, ..COST },
        Cost { lanes: 0, ..COST },
        Cost { lanes: 1_000, ..COST },
    ] {
        assert!(decode_kdf(&encode_kdf(weak, &[7; SALT_LEN], &[8; KEY_LEN])).is_none());
    }
    for at in 0..12 {
        let mut changed = bytes.clone();
        changed[at] ^= 0x40;
        assert!(decode_kdf(&changed).is_none(), "byte {at}");
    }
}

#[test]
fn a_key_file_of_another_length_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("root.key");
    let open = || Root::open(dir.path(), &RootSecret::File(path.clone())).map(|_root| ());
    assert!(matches!(open(), Err(KeysError::Missing { .. })));
    for length in [0, 31, 33] {
        durable::write_new(&path, &vec![1; length]).unwrap();
        assert!(matches!(open(), Err(KeysError::Tampered { .. })));
        durable::remove(&path).unwrap();
    }
    let none = Root::open(dir.path(), &RootSecret::Passphrase(Zeroizing::new(String::new())));
    assert!(matches!(none.map(|_root| ()), Err(KeysError::Missing { .. })));
}
