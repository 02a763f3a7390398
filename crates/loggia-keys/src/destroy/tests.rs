//! Erasure: what is gone, what stays, and what is refused afterwards.

use super::*;
use crate::resolve::new_key;
use crate::secret::random_id;
use crate::testing::{Fixture, NOW_NS, PROMPT, any_file_holds, said};

const ANN: SubjectRef<'static> = SubjectRef::UserId("ann");

fn erase(fixture: &Fixture, who: &SubjectRef<'_>) -> Option<Destroyed> {
    fixture.store.destroy_subject("default", who, NOW_NS).unwrap()
}

#[test]
fn an_erased_persons_content_is_unreadable_and_nobody_elses() {
    let fixture = Fixture::new();
    let sealed = fixture.seal(&[said("ann", "", "mine"), said("bob", "", "his")]).sealed;
    let handle = fixture.store.subject_handle("default", "ann").unwrap().unwrap();
    assert!(fixture.open(&sealed, 0).is_ok());
    let done = erase(&fixture, &ANN).unwrap();
    assert_eq!((done.handle, done.keys, done.at_ns), (handle, 1, NOW_NS));
    assert!(matches!(fixture.open(&sealed, 0), Err(KeysError::KeyDestroyed)));
    assert_eq!(fixture.open(&sealed, 1).unwrap().get(1, PROMPT), Some("his"));
    let fixture = fixture.reopened();
    assert!(matches!(fixture.open(&sealed, 0), Err(KeysError::KeyDestroyed)));
    assert!(fixture.open(&sealed, 1).is_ok());
    assert_eq!(fixture.store.subject_handle("default", "ann").unwrap(), None);
    assert_eq!(erase(&fixture, &ANN), None);
    assert!(fixture.store.verify().unwrap().is_empty());
}

#[test]
fn late_rows_of_an_erased_person_are_refused_and_counted() {
    let fixture = Fixture::new();
    fixture.seal(&[said("ann", "c1", "early")]);
    erase(&fixture, &ANN).unwrap();
    let rows = [
        said("bob", "c9", "his"),
        said("ann", "", "late"),
        said("", "c1", "late too"),
        said("ann", "c2", "late"),
    ];
    for fixture in [&fixture, &Fixture::new()] {
        let erased = fixture.store.status().unwrap().suppressed > 0;
        let outcome = fixture.seal(&rows);
        assert_eq!(
            (outcome.sealed.rows(), outcome.refused_erased),
            if erased { (1, 3) } else { (4, 0) }
        );
        let kept = fixture.open(&outcome.sealed, 0).unwrap();
        assert_eq!(kept.iter().collect::<Vec<_>>()[0], (0, PROMPT, "his"));
        assert_eq!(outcome.sealed.times().len(), outcome.sealed.rows());
    }
    // The conversation of the refused row is known to be hers from now on.
    assert_eq!(fixture.seal(&[said("", "c2", "later still")]).refused_erased, 1);
    let fixture = fixture.reopened();
    assert_eq!(fixture.seal(&rows).refused_erased, 3);
}

#[test]
fn conversations_go_with_their_person() {
    let fixture = Fixture::new();
    let before =
        fixture.seal(&[said("", "c1", "not signed in"), said("", "c2", "a stranger")]).sealed;
    fixture.seal(&[said("ann", "c1", "signed in")]);
    let after = fixture.seal(&[said("", "c1", "session lost")]).sealed;
    assert_eq!(erase(&fixture, &ANN).unwrap().keys, 2);
    assert!(matches!(fixture.open(&before, 0), Err(KeysError::KeyDestroyed)));
    assert!(matches!(fixture.open(&after, 0), Err(KeysError::KeyDestroyed)));
    assert!(fixture.open(&before, 1).is_ok());
}

#[test]
fn erasure_is_by_tenant_and_by_handle_too() {
    let fixture = Fixture::new();
    fixture.seal(&[said("ann", "", "x")]);
    let handle = fixture.store.subject_handle("default", "ann").unwrap().unwrap();
    let by_handle = SubjectRef::Handle(handle);
    assert_eq!(fixture.store.destroy_subject("other", &ANN, NOW_NS).unwrap(), None);
    assert_eq!(fixture.store.destroy_subject("other", &by_handle, NOW_NS).unwrap(), None);
    assert_eq!(erase(&fixture, &SubjectRef::Handle(SubjectHandle([0; 16]))), None);
    assert_eq!(erase(&fixture, &SubjectRef::UserId("zoe")), None);
    assert_eq!(erase(&fixture, &by_handle).unwrap().handle, handle);
    assert_eq!(fixture.seal(&[said("ann", "", "late")]).refused_erased, 1);
    assert_eq!(fixture.count("look-up"), 1, "asking about a tenant makes no keys for it");
}

#[test]
fn a_reader_in_the_way_delays_the_emptying_of_the_log_but_not_the_erasure() {
    let fixture = Fixture::new();
    let sealed = fixture.seal(&[said("ann", "", "x"), said("bob", "", "y")]).sealed;
    let mut reader = database::connect(fixture.store.dir()).unwrap();
    let snapshot = reader.transaction().unwrap();
    let _rows: i64 = snapshot.query_row("SELECT count(*) FROM keys", [], |row| row.get(0)).unwrap();
    erase(&fixture, &ANN).unwrap();
    assert!(matches!(fixture.open(&sealed, 0), Err(KeysError::KeyDestroyed)));
    let log = fixture.store.dir().join("keys.db-wal");
    assert!(std::fs::metadata(&log).unwrap().len() > 0);
    drop(snapshot);
    fixture.store.tick(NOW_NS);
    assert_eq!(std::fs::metadata(&log).unwrap().len(), 0);
}

#[test]
fn no_file_keeps_the_wrapped_key() {
    let fixture = Fixture::new();
    fixture.seal(&[said("ann", "c1", "x"), said("bob", "c2", "y")]);
    let sql = "SELECT k.wrapped, l.id FROM keys k JOIN lookups l ON l.key_id = k.id ORDER BY l.seq LIMIT 1";
    let (wrapped, lookup): (Vec<u8>, Vec<u8>) =
        fixture.store.reader().query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    assert!(any_file_holds(&fixture.dir, &wrapped));
    erase(&fixture, &ANN).unwrap();
    assert!(!any_file_holds(&fixture.dir, &wrapped));
    assert!(!any_file_holds(&fixture.dir, &lookup));
}

#[test]
fn erasure_among_many_keys_is_fast() {
    let fixture = Fixture::new();
    {
        let mut writer = fixture.store.writer();
        let epoch = fixture.store.epoch();
        let transaction = writer.transaction().unwrap();
        for _ in 0..100_000 {
            let (id, seq) = (
                fixture.store.numbers().next_key().unwrap(),
                fixture.store.numbers().next_lookup(),
            );
            let (row, _) =
                new_key(&epoch, id, Kind::Subject, "default", None, Some(seq), 0).unwrap();
            database::insert_key(&transaction, &row, epoch.number).unwrap();
            let lookup = LookupRow {
                seq,
                id: random_id().unwrap(),
                kind: Kind::Subject,
                tenant: "default".to_owned(),
                subject: Some(seq),
                handle: Some(random_id().unwrap()),
                key_id: Some(id),
                grave: random_id().unwrap(),
                created_ms: 0,
            };
            database::put_lookup(&transaction, fixture.store.index(), &lookup).unwrap();
        }
        transaction.commit().unwrap();
    }
    fixture.store.checkpoint().unwrap();
    let users: Vec<String> = (0..5).map(|number| format!("user-{number}")).collect();
    let rows: Vec<_> = users.iter().map(|user| said(user, "", "x")).collect();
    let sealed = fixture.seal(&rows).sealed;
    let mut fastest = std::time::Duration::MAX;
    for user in &users {
        let started = std::time::Instant::now();
        erase(&fixture, &SubjectRef::UserId(user)).unwrap();
        fastest = fastest.min(started.elapsed());
    }
    println!("erasure among 100,000 keys: {fastest:?}");
    assert!(fastest.as_millis() < 100, "{fastest:?}");
    assert!((0..5).all(|row| matches!(fixture.open(&sealed, row), Err(KeysError::KeyDestroyed))));
}
