//! Records of ledger entries: what goes in comes out, and what was changed is told.

use std::sync::Arc;

use loggia_keys::RootSecret;
use loggia_ledger::ManualClock;

use super::*;

const NOW_NS: i64 = 1_790_000_000_000_000_000;

struct Fixture {
    dir: tempfile::TempDir,
    keys: KeyStore,
    ledger: Ledger,
}

fn fixture() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let keys_dir = dir.path().join("keys");
    std::fs::create_dir(&keys_dir).unwrap();
    let root = RootSecret::File(keys_dir.join("root.key"));
    let keys = KeyStore::create(&keys_dir, &root, NOW_NS).unwrap();
    let seed = keys.signing_seed("ledger").unwrap();
    let clock = Arc::new(ManualClock::new(NOW_NS));
    let ledger = Ledger::open(&dir.path().join("ledger"), "test", &seed, clock).unwrap();
    Fixture { dir, keys, ledger }
}

fn event() -> Event {
    Event {
        principal: "ada".into(),
        role: "engineer".into(),
        statement: "SELECT x WHERE y = ?".into(),
        rows: Some(3),
        ..Event::default()
    }
}

#[test]
fn what_was_recorded_is_read_back_and_matches_its_commitment() {
    let Fixture { dir: _dir, keys, ledger } = fixture();
    let apart = Apart { literals: vec!["zebra".into()], subjects: vec!["s_1".into()] };
    let policy = PolicyDigest([7; 32]);
    let receipt =
        record(&ledger, &keys, EntryKind::AccessGranted, policy, &event(), &apart, NOW_NS).unwrap();
    let entry = open_entry(&ledger, &keys, receipt.index()).unwrap();
    assert!(entry.verified);
    assert_eq!(entry.kind, "access.granted");
    assert_eq!(entry.policy, "07".repeat(32));
    assert_eq!(entry.event.unwrap()["principal"], "ada");
    assert_eq!(entry.literals.unwrap(), ["zebra"]);
    assert_eq!(entry.subjects.unwrap(), ["s_1"]);
}

#[test]
fn nothing_of_a_record_lies_in_the_clear() {
    let Fixture { dir, keys, ledger } = fixture();
    let apart = Apart { literals: vec!["zebra-literal".into()], subjects: vec![] };
    record(
        &ledger,
        &keys,
        EntryKind::AccessGranted,
        PolicyDigest([0; 32]),
        &event(),
        &apart,
        NOW_NS,
    )
    .unwrap();
    ledger.close().unwrap();
    for file in std::fs::read_dir(dir.path().join("ledger")).unwrap() {
        let path = file.unwrap().path();
        let Ok(bytes) = std::fs::read(&path) else { continue };
        for word in ["zebra-literal", "SELECT", "ada\""] {
            let found = bytes.windows(word.len()).any(|window| window == word.as_bytes());
            assert!(!found, "`{word}` in {}", path.display());
        }
    }
}

#[test]
fn a_record_that_says_something_else_than_its_leaf_is_told() {
    let Fixture { dir: _dir, keys, ledger } = fixture();
    // A record of another event, sealed properly, beside a commitment to this one.
    let (commitment, blind) = commit(b"something else").unwrap();
    let actor = to_json(&ActorPart { blind: hex(blind.as_bytes()), event: event() }).unwrap();
    let mut bytes = vec![VERSION];
    let sealed = keys.seal_blob("ledger/actor", &[ACTOR], &actor, NOW_NS).unwrap();
    push_part(&mut bytes, ACTOR, &sealed);
    let entry = NewEntry {
        kind: EntryKind::LedgerRead,
        policy: [0; 32],
        commitment,
        object: None,
        record: &bytes,
    };
    let receipt = ledger.append(entry).unwrap();
    assert!(!open_entry(&ledger, &keys, receipt.index()).unwrap().verified);
}

#[test]
fn a_malformed_record_is_an_entry_without_an_event() {
    let Fixture { dir: _dir, keys, ledger } = fixture();
    for bytes in [&b""[..], b"\x01", b"\x02\x01\x00\x00\x00\x00", b"\x01\x01\xff\xff\xff\xffx"] {
        let (commitment, _blind) = commit(bytes).unwrap();
        let entry = NewEntry {
            kind: EntryKind::LedgerRead,
            policy: [0; 32],
            commitment,
            object: None,
            record: bytes,
        };
        let receipt = ledger.append(entry).unwrap();
        let opened = open_entry(&ledger, &keys, receipt.index()).unwrap();
        assert!(opened.event.is_none() && !opened.verified);
    }
}

#[test]
fn hex_goes_both_ways_and_refuses_the_rest() {
    assert_eq!(unhex(&hex(&[0xAB; 32])), Some([0xAB; 32]));
    for wrong in ["", "ab", &"zz".repeat(32), &"é".repeat(32)] {
        assert_eq!(unhex(wrong), None);
    }
}
