//! A change of epoch: nothing lost whatever happens in between, and old copies dead.

use super::*;
use crate::sealed::{Sealed, SubjectRef};
use crate::testing::{Fixture, NOW_NS, batch, root, said};
use crate::{KeysError, SealOutcome};

fn filled() -> (Fixture, Sealed) {
    let fixture = Fixture::new();
    let SealOutcome { sealed, .. } =
        fixture.seal(&[said("ann", "c", "x"), said("", "d", "y"), said("", "", "z")]);
    (fixture, sealed)
}

fn check(fixture: &Fixture, sealed: &Sealed, epoch: u64) {
    assert_eq!(fixture.store.status().unwrap().epoch, epoch);
    for row in 0..sealed.rows() {
        assert!(fixture.open(sealed, row).is_ok(), "row {row} in epoch {epoch}");
    }
    assert_eq!(fixture.store.verify().unwrap(), []);
}

#[test]
fn everything_opens_in_the_next_epoch() {
    let (fixture, sealed) = filled();
    let (wal, header) = fixture.store.wal_key().unwrap();
    let frame = wal.seal(0, b"", b"frame").unwrap();
    let seed = fixture.store.signing_seed("ledger").unwrap();
    let blob = fixture.store.seal_blob("ledger", b"1", b"payload", NOW_NS).unwrap();
    for epoch in 2..5 {
        let rotated = fixture.store.rotate_epoch(NOW_NS).unwrap();
        assert_eq!(rotated.epoch, epoch);
        check(&fixture, &sealed, epoch);
    }
    let fixture = fixture.reopened();
    check(&fixture, &sealed, 4);
    assert_eq!(
        fixture.store.open_wal_key(header.as_bytes()).unwrap().open(0, b"", &frame).unwrap(),
        b"frame"
    );
    assert_eq!(fixture.store.signing_seed("ledger").unwrap(), seed);
    assert_eq!(fixture.store.open_blob("ledger", b"1", &blob).unwrap().as_slice(), b"payload");
}

#[test]
fn a_crash_at_any_step_leaves_a_store_that_opens() {
    for (stop, epoch) in [(Stop::AfterNext, 1), (Stop::BeforeCommit, 1), (Stop::AfterCommit, 2)] {
        let (fixture, sealed) = filled();
        assert_eq!(fixture.store.rotate_until(stop).unwrap(), None);
        let fixture = fixture.crashed().unwrap();
        check(&fixture, &sealed, epoch);
        assert!(!epoch::next_path(fixture.store.dir()).exists());
        fixture.store.rotate_epoch(NOW_NS).unwrap();
        check(&fixture.reopened(), &sealed, epoch + 1);
    }
}

#[test]
fn a_change_that_could_not_rename_its_file_is_finished_by_the_next() {
    // The process lives on: the key of the current epoch is in `epoch.key.next` only, which a further change must not overwrite.
    let (fixture, sealed) = filled();
    fixture.store.rotate_until(Stop::AfterCommit).unwrap();
    fixture.seal(&[said("bob", "", "between")]);
    assert_eq!(fixture.store.rotate_until(Stop::AfterNext).unwrap(), None);
    let fixture = fixture.crashed().unwrap();
    check(&fixture, &sealed, 2);
}

#[test]
fn a_copy_of_the_key_store_dies_with_its_epoch() {
    let (fixture, sealed) = filled();
    let fixture = fixture.reopened();
    let dir = fixture.store.dir().to_path_buf();
    // The backup: the database, without the epoch key, taken while the store was closed.
    let backup = tempfile::tempdir().unwrap();
    fixture.store.checkpoint().unwrap();
    std::fs::copy(dir.join("keys.db"), backup.path().join("keys.db")).unwrap();
    fixture.store.destroy_subject("default", &SubjectRef::UserId("ann"), NOW_NS).unwrap().unwrap();
    fixture.store.rotate_epoch(NOW_NS).unwrap();
    let root = root(&fixture.dir);
    fixture.store.close().unwrap();
    // Root and today's epoch key at hand, the backup does not open.
    std::fs::copy(dir.join("epoch.key"), backup.path().join("epoch.key")).unwrap();
    assert!(matches!(
        KeyStore::open(backup.path(), &root, NOW_NS),
        Err(KeysError::Tampered { .. })
    ));
    // Nor does it when its epoch number is forged to fit.
    let forged = Connection::open(backup.path().join("keys.db")).unwrap();
    forged.execute("UPDATE meta SET value = 2 WHERE name = 'epoch'", []).unwrap();
    forged.close().unwrap();
    assert!(matches!(
        KeyStore::open(backup.path(), &root, NOW_NS),
        Err(KeysError::Tampered { .. })
    ));
    assert_eq!(sealed.rows(), 3);
}

#[test]
fn the_old_epoch_key_is_blanked_not_only_unlinked() {
    use std::io::Read as _;
    let (fixture, _) = filled();
    let path = epoch::current_path(fixture.store.dir());
    let mut old = std::fs::File::open(&path).unwrap();
    fixture.store.rotate_epoch(NOW_NS).unwrap();
    let mut bytes = Vec::new();
    old.read_to_end(&mut bytes).unwrap();
    assert!(!bytes.is_empty() && bytes.iter().all(|byte| *byte == 0));
}

#[test]
fn sealing_and_opening_go_on_meanwhile() {
    let (fixture, sealed) = filled();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..2)
            .map(|worker| {
                let (store, fixture, sealed) = (&fixture.store, &fixture, &sealed);
                scope.spawn(move || {
                    for round in 0..20 {
                        let user = format!("user-{worker}-{round}");
                        let fresh =
                            store.seal(batch("default", &[said(&user, "", "x")])).unwrap().sealed;
                        fixture.open(&fresh, 0).unwrap();
                        fixture.open(sealed, round % 3).unwrap();
                        store.tick(NOW_NS + i64::try_from(round).unwrap() * 100_000_000_000);
                    }
                })
            })
            .collect();
        for _ in 0..5 {
            fixture.store.rotate_epoch(NOW_NS).unwrap();
        }
        workers.into_iter().for_each(|worker| worker.join().unwrap());
    });
    check(&fixture, &sealed, 6);
}
