//! Keys for the other crates: found again, kept apart, destroyed.

use crate::testing::{Fixture, NOW_NS};
use crate::{KeyStore, KeysError};

const MONTH_NS: i64 = 31 * 86_400_000_000_000;

#[test]
fn a_log_segments_key_is_found_again_until_it_is_forgotten() {
    let fixture = Fixture::new();
    let (key, header) = fixture.store.wal_key().unwrap();
    let (other, _) = fixture.store.wal_key().unwrap();
    let frame = key.seal(0, b"a", b"rows").unwrap();
    assert_ne!(other.seal(0, b"a", b"rows").unwrap(), frame);
    let fixture = fixture.reopened();
    let again = fixture.store.open_wal_key(header.as_bytes()).unwrap();
    assert_eq!(again.open(0, b"a", &frame).unwrap(), b"rows");
    assert!(again.seal(1, b"a", b"more").is_err());
    assert_eq!(fixture.count("log segment"), 2);
    fixture.store.forget_wal_key(header.as_bytes()).unwrap();
    fixture.store.forget_wal_key(header.as_bytes()).unwrap();
    assert!(matches!(fixture.store.open_wal_key(header.as_bytes()), Err(KeysError::KeyDestroyed)));
    for wrong in [&[][..], &[1], &[2; 17], &[1; 16]] {
        assert!(matches!(fixture.store.open_wal_key(wrong), Err(KeysError::Tampered { .. })));
    }
}

#[test]
fn a_log_segments_header_cannot_name_another_kind_of_key() {
    let fixture = Fixture::new();
    fixture.store.signing_seed("ledger").unwrap();
    let id: [u8; 16] = fixture
        .store
        .reader()
        .query_row("SELECT id FROM keys WHERE kind = 10", [], |row| row.get(0))
        .unwrap();
    let header = [&[1][..], &id].concat();
    assert!(fixture.store.open_wal_key(&header).is_err());
    assert!(fixture.store.forget_wal_key(&header).is_err());
    assert_eq!(fixture.count("signing seed"), 1);
}

#[test]
fn file_keys_differ_by_everything_and_come_back() {
    let fixture = Fixture::new();
    let bytes = |fixture: &Fixture, tenant: &str, stream: &str, day: &str, file: u8| {
        let key = fixture.store.file_key(tenant, stream, day, &[file; 16], true).unwrap();
        key.with_bytes(|bytes| *bytes)
    };
    let all = |fixture: &Fixture| {
        [
            bytes(fixture, "t", "chat", "2025-10-09", 1),
            bytes(fixture, "t", "chat", "2025-10-09", 2),
            bytes(fixture, "t", "chat", "2025-10-10", 1),
            bytes(fixture, "t", "app", "2025-10-09", 1),
            bytes(fixture, "u", "chat", "2025-10-09", 1),
        ]
    };
    let first = all(&fixture);
    let distinct: std::collections::BTreeSet<_> = first.iter().collect();
    assert_eq!(distinct.len(), first.len());
    assert_eq!(all(&fixture.reopened()), first);
    let fixture = Fixture::new();
    let missing = fixture.store.file_key("t", "chat", "2025-10-09", &[1; 16], false);
    assert!(matches!(missing, Err(KeysError::KeyDestroyed)));
    for day in ["", "2025-1-09", "2025-10-09/x", "20251009xx"] {
        let wrong = fixture.store.file_key("t", "chat", day, &[1; 16], true);
        assert!(matches!(wrong, Err(KeysError::Invalid { .. })), "{day}");
    }
}

#[test]
fn payloads_open_only_with_their_label_and_context() {
    let fixture = Fixture::new();
    let seal = |at| fixture.store.seal_blob("ledger", b"entry 1", b"who and why", at).unwrap();
    let (sealed, again, later) = (seal(NOW_NS), seal(NOW_NS), seal(NOW_NS + MONTH_NS));
    assert_ne!(sealed, again);
    assert_eq!(sealed.len(), 11 + 1 + 16 + 16 + 32 + 16);
    for sealed in [&sealed, &again, &later] {
        let open = |label, context| fixture.store.open_blob(label, context, sealed);
        assert_eq!(open("ledger", b"entry 1").unwrap().as_slice(), b"who and why");
        assert!(open("ledger", b"entry 2").is_err());
        assert!(open("tokens", b"entry 1").is_err());
    }
    assert_eq!(fixture.count("blob"), 2, "one key per month");
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert!(fixture.store.open_blob("ledger", b"entry 1", &changed).is_err(), "byte {at}");
        assert!(fixture.store.open_blob("ledger", b"entry 1", &sealed[..at]).is_err());
    }
}

#[test]
fn seeds_are_stable_and_apart() {
    let fixture = Fixture::new();
    let seed = |fixture: &Fixture, label: &str| *fixture.store.signing_seed(label).unwrap();
    let (first, other) = (seed(&fixture, "ledger"), seed(&fixture, "placeholders"));
    assert_ne!(first, other);
    assert_eq!(seed(&fixture, "ledger"), first);
    assert_eq!(seed(&fixture.reopened(), "ledger"), first);
    assert_ne!(seed(&Fixture::new(), "ledger"), first);
    assert_ne!(*KeyStore::random::<16>().unwrap(), *KeyStore::random::<16>().unwrap());
}

#[test]
fn pseudonyms_differ_by_tenant_and_domain() {
    let fixture = Fixture::new();
    let name = |tenant: &str, domain: &str| fixture.store.pseudonym(tenant, domain, "v").unwrap();
    assert_eq!(name("t", "device"), name("t", "device"));
    assert_ne!(name("t", "device"), name("t", "session"));
    assert_ne!(name("t", "device"), name("u", "device"));
}
