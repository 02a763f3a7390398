//! Kinds keep their numbers; ids rise; a foreign database is refused.

use super::*;

#[test]
fn kinds_keep_their_numbers() {
    let codes: Vec<_> = Kind::ALL.map(Kind::code).into();
    assert_eq!(codes, (1..=10).collect::<Vec<u8>>());
    assert!(Kind::ALL.iter().all(|kind| Kind::from_code(i64::from(kind.code())) == Some(*kind)));
    assert!([-1, 0, 11, 256].iter().all(|code| Kind::from_code(*code).is_none()));
}

#[test]
fn numbers_go_on_after_a_restart() {
    let fixture = crate::testing::Fixture::new();
    let first = fixture.store.numbers().next_key().unwrap();
    fixture.store.wal_key().unwrap();
    let fixture = fixture.reopened();
    let second = fixture.store.numbers().next_key().unwrap();
    assert!(first[..6] < second[..6] && first[6..] != second[6..]);
}

#[test]
fn a_foreign_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(open(dir.path()), Err(KeysError::Missing { .. })));
    Connection::open(path(dir.path())).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
    assert!(matches!(open(dir.path()), Err(KeysError::Tampered { .. })));
    std::fs::write(path(dir.path()), vec![7; 10_000]).unwrap();
    assert!(matches!(open(dir.path()), Err(KeysError::Database { .. })));
}
