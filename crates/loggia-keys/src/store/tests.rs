//! Making, opening and closing: every refusal says what to do.

use super::*;
use crate::testing::{Fixture, NOW_NS, root, said};
use std::os::unix::fs::PermissionsExt as _;
use zeroize::Zeroizing;

fn passphrase(text: &str) -> RootSecret {
    RootSecret::Passphrase(Zeroizing::new(text.to_owned()))
}

#[test]
fn a_store_is_made_once_and_held_by_one() {
    let fixture = Fixture::new();
    let dir = fixture.store.dir().to_path_buf();
    let root = root(&fixture.dir);
    assert!(matches!(KeyStore::open(&dir, &root, NOW_NS), Err(KeysError::InUse { .. })));
    fixture.store.close().unwrap();
    assert!(matches!(KeyStore::create(&dir, &root, NOW_NS), Err(KeysError::Exists { .. })));
    let nowhere = KeyStore::open(&fixture.dir.path().join("nowhere"), &root, NOW_NS);
    assert!(matches!(nowhere, Err(KeysError::Missing { .. })));
    std::fs::remove_file(epoch::current_path(&dir)).unwrap();
    assert!(matches!(KeyStore::open(&dir, &root, NOW_NS), Err(KeysError::Missing { .. })));
}

#[test]
fn another_root_is_told_from_a_changed_file() {
    let fixture = Fixture::new();
    let dir = fixture.store.dir().to_path_buf();
    fixture.store.close().unwrap();
    let other = Fixture::new();
    let wrong = KeyStore::open(&dir, &root(&other.dir), NOW_NS);
    assert!(matches!(wrong, Err(KeysError::WrongRoot)));
    // The failed start left the sum in place: the next one still compares.
    assert!(dir.join("keys.sum").exists());
    assert!(KeyStore::open(&dir, &root(&fixture.dir), NOW_NS).is_ok());
}

#[test]
fn every_file_is_its_owners_alone() {
    let fixture = Fixture::new();
    fixture.seal(&[said("ann", "", "x")]);
    for entry in std::fs::read_dir(fixture.store.dir()).unwrap() {
        let path = entry.unwrap().path();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", path.display());
    }
    let mode = std::fs::metadata(fixture.store.dir()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o700);
}

#[test]
fn a_root_key_that_others_can_read_is_refused() {
    let fixture = Fixture::new();
    let (dir, path) = (fixture.store.dir().to_path_buf(), fixture.dir.path().join("root.key"));
    assert_eq!(std::fs::read(&path).unwrap().len(), 32);
    fixture.store.close().unwrap();
    for mode in [0o640, 0o604, 0o660, 0o620] {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        let error = KeyStore::open(&dir, &root(&fixture.dir), NOW_NS).unwrap_err();
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o400)).unwrap();
    assert!(KeyStore::open(&dir, &root(&fixture.dir), NOW_NS).is_ok());
}

#[test]
fn a_passphrase_opens_what_it_made_and_no_other_does() {
    let dir = tempfile::tempdir().unwrap();
    let (right, wrong) =
        (passphrase("correct horse battery staple"), passphrase("correct horse battery stable"));
    let short = KeyStore::create(&dir.path().join("short"), &passphrase("too short"), NOW_NS);
    assert!(matches!(short, Err(KeysError::Invalid { .. })));
    let store = KeyStore::create(dir.path(), &right, NOW_NS).unwrap();
    let seed = store.signing_seed("s").unwrap();
    assert_eq!(store.verify().unwrap(), []);
    store.close().unwrap();
    let error = KeyStore::open(dir.path(), &wrong, NOW_NS).unwrap_err();
    assert!(matches!(error, KeysError::WrongRoot));
    let store = KeyStore::open(dir.path(), &right, NOW_NS).unwrap();
    assert_eq!(store.signing_seed("s").unwrap(), seed);
    assert_eq!(format!("{right:?}"), "Passphrase([redacted])");
}

#[test]
fn cached_keys_grow_old() {
    let fixture = Fixture::new();
    let sealed = fixture.seal(&[said("ann", "", "x")]).sealed;
    fixture.open(&sealed, 0).unwrap();
    let key_id = sealed.blocks()[0].key_id;
    // As another process would: the row goes without this process being told.
    fixture.store.writer().execute("DELETE FROM keys WHERE id = ?1", [key_id]).unwrap();
    assert!(fixture.open(&sealed, 0).is_ok(), "still cached");
    fixture.store.tick(NOW_NS + 61_000_000_000);
    assert!(matches!(fixture.open(&sealed, 0), Err(KeysError::KeyDestroyed)));
}
