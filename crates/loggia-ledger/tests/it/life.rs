//! The ordinary life of a ledger: append, read, sign, prove, close, open again.

use std::sync::Arc;
use std::time::Duration;

use loggia_ledger::{
    EntryKind, Ledger, LedgerError, ManualClock, NewEntry, commit, leaf_hash, verify_consistency,
    verify_dir, verify_proof,
};
use tempfile::TempDir;

use crate::support::{ORIGIN, SEED, START_NS, append, append_many, open, record};

#[test]
fn what_was_appended_is_read_back_after_opening_again() {
    let dir = TempDir::new().unwrap();
    let ledger = open(dir.path()).unwrap();
    for i in 0..150 {
        assert_eq!(append(&ledger, i), i);
    }
    assert_eq!(ledger.size(), 150);
    for again in 0..2 {
        let ledger = if again == 0 { &ledger } else { &open(dir.path()).unwrap() };
        for i in [0, 1, 63, 64, 65, 127, 128, 149] {
            let (entry, found) = ledger.read(i).unwrap();
            assert_eq!((entry.seq, found), (i, record(i)));
        }
        assert!(matches!(ledger.read(150), Err(LedgerError::NotFound(_))));
        let all: Vec<u64> =
            ledger.iterate(0..u64::MAX).unwrap().map(|item| item.unwrap().0.seq).collect();
        assert_eq!(all, (0..150).collect::<Vec<_>>());
        let some: Vec<u64> =
            ledger.iterate(60..70).unwrap().map(|item| item.unwrap().0.seq).collect();
        assert_eq!(some, (60..70).collect::<Vec<_>>());
        assert_eq!(ledger.iterate(150..160).unwrap().count(), 0);
        #[expect(clippy::reversed_empty_ranges, reason = "what a caller may ask for by mistake")]
        let none = ledger.iterate(20..10).unwrap().count();
        assert_eq!(none, 0);
        ledger.close().unwrap();
    }
}

#[test]
fn receipts_tell_where_when_and_what() {
    let dir = TempDir::new().unwrap();
    let clock = Arc::new(ManualClock::new(START_NS));
    let as_clock: Arc<ManualClock> = Arc::clone(&clock);
    let ledger = Ledger::open(dir.path(), ORIGIN, &SEED, as_clock).unwrap();
    for i in 0..3 {
        let (commitment, blind) = commit(b"payload").unwrap();
        let entry = NewEntry {
            kind: EntryKind::AccessGranted,
            policy: [8; 32],
            commitment,
            object: Some([9; 32]),
            record: b"sealed",
        };
        let receipt = ledger.append(entry).unwrap();
        let (found, sealed) = ledger.read(i).unwrap();
        assert_eq!(receipt.index(), i);
        assert_eq!(receipt.time_ms(), 1_700_000_000_000 + 250 * i);
        assert_eq!(*receipt.leaf_hash(), leaf_hash(&found.to_bytes()));
        assert_eq!(
            (found.kind, found.policy, found.object),
            (EntryKind::AccessGranted, [8; 32], Some([9; 32]))
        );
        assert!(found.commitment.opens_to(&blind, b"payload"));
        assert_eq!(sealed, b"sealed");
        clock.advance_ns(250_000_000);
    }
}

#[test]
fn every_entry_can_be_proved_under_every_later_checkpoint() {
    let dir = TempDir::new().unwrap();
    let ledger = open(dir.path()).unwrap();
    let vkey = ledger.vkey();
    for size in [1_u64, 2, 255, 256, 257, 300, 512, 513] {
        append_many(&ledger, size - ledger.size());
        ledger.checkpoint().unwrap();
        for index in [0, size / 2, size - 1] {
            let (entry, _record) = ledger.read(index).unwrap();
            let proof = ledger.prove(index).unwrap();
            let verified = verify_proof(&vkey, &proof, &entry.to_bytes()).unwrap();
            assert_eq!((verified.index, verified.checkpoint.size), (index, size));
            let other = ledger.read((index + 1) % size).unwrap().0;
            let passes = verify_proof(&vkey, &proof, &other.to_bytes()).is_ok();
            assert_eq!(passes, size == 1);
        }
        assert!(matches!(ledger.prove(size), Err(LedgerError::NotFound(_))));
    }
    ledger.close().unwrap();
    let report = verify_dir(dir.path(), Some(&vkey)).unwrap();
    assert_eq!((report.entries, report.signed), (513, 513));
    assert_eq!(report.warnings, Vec::<String>::new());
}

#[test]
fn an_unsigned_entry_is_signed_to_be_proved() {
    let dir = TempDir::new().unwrap();
    let ledger = open(dir.path()).unwrap();
    append(&ledger, 0);
    assert!(ledger.latest_checkpoint().contains("\n0\n"));
    let proof = ledger.prove(0).unwrap();
    assert!(proof.contains("\n1\n"));
    assert!(ledger.latest_checkpoint().contains("\n1\n"));
}

#[test]
fn checkpoints_are_consistent_with_all_before() {
    let dir = TempDir::new().unwrap();
    let ledger = open(dir.path()).unwrap();
    let vkey = ledger.vkey().parse().unwrap();
    let mut seen =
        vec![loggia_ledger::Checkpoint::verify(&ledger.latest_checkpoint(), &vkey).unwrap()];
    for more in [1, 100, 155, 1, 300] {
        append_many(&ledger, more);
        let note = ledger.checkpoint().unwrap();
        let new = loggia_ledger::Checkpoint::verify(&note, &vkey).unwrap();
        for old in &seen {
            let (proof, under) = ledger.prove_consistency(old.size).unwrap();
            assert_eq!(under, note);
            assert!(verify_consistency(old.size, &old.root, new.size, &new.root, &proof));
        }
        seen.push(new);
    }
    assert!(ledger.prove_consistency(558).is_err());
}

#[test]
fn it_signs_by_itself() {
    let dir = TempDir::new().unwrap();
    let clock = Arc::new(ManualClock::new(START_NS));
    let ledger = Ledger::open(dir.path(), ORIGIN, &SEED, clock).unwrap();
    append(&ledger, 0);
    let patience = crossbeam_channel::tick(Duration::from_millis(50));
    for _tick in 0..100 {
        if ledger.latest_checkpoint().contains("\n1\n") {
            return;
        }
        patience.recv().unwrap();
    }
    panic!("no checkpoint after five seconds");
}

#[test]
fn published_files_are_served_by_their_names_and_nothing_else_is() {
    let dir = TempDir::new().unwrap();
    let ledger = open(dir.path()).unwrap();
    append_many(&ledger, 257);
    ledger.checkpoint().unwrap();
    assert_eq!(ledger.tile("checkpoint").unwrap(), ledger.latest_checkpoint().into_bytes());
    assert_eq!(ledger.tile("tile/0/000").unwrap().len(), 8192);
    assert_eq!(ledger.tile("tile/0/001.p/1").unwrap().len(), 32);
    assert_eq!(ledger.tile("tile/1/000.p/1").unwrap().len(), 32);
    assert_eq!(ledger.tile("tile/entries/000").unwrap().len(), 256 * 121);
    for name in ["journal", "vkey", "tile/../journal", "/etc/hostname", "tile/0/001", "tile/0/0"] {
        assert!(matches!(ledger.tile(name), Err(LedgerError::NotFound(_))), "{name}");
    }
}

#[test]
fn a_closed_ledger_takes_nothing_and_a_second_opening_is_refused() {
    let dir = TempDir::new().unwrap();
    let ledger = open(dir.path()).unwrap();
    append(&ledger, 0);
    assert!(matches!(open(dir.path()), Err(LedgerError::InUse(_))));
    ledger.close().unwrap();
    ledger.close().unwrap();
    let entry = NewEntry {
        kind: EntryKind::ServerStopped,
        policy: [0; 32],
        commitment: commit(b"").unwrap().0,
        object: None,
        record: b"",
    };
    assert!(matches!(ledger.append(entry), Err(LedgerError::Unavailable(_))));
    assert!(matches!(ledger.checkpoint(), Err(LedgerError::Unavailable(_))));
    // What is there can still be read and proved.
    assert_eq!(ledger.read(0).unwrap().0.seq, 0);
    assert!(ledger.prove(0).is_ok());
    assert_eq!(open(dir.path()).unwrap().size(), 1);
}

#[test]
fn another_key_or_name_does_not_open_it() {
    let dir = TempDir::new().unwrap();
    open(dir.path()).unwrap().close().unwrap();
    let clock = || Arc::new(ManualClock::new(START_NS));
    for (origin, seed) in [(ORIGIN, [1; 32]), ("logs.example/other", SEED)] {
        let error = Ledger::open(dir.path(), origin, &seed, clock()).unwrap_err();
        assert!(matches!(error, LedgerError::Invalid(_)), "{error}");
    }
    assert!(Ledger::open(dir.path(), "with space", &SEED, clock()).is_err());
}

#[test]
fn many_threads_get_each_its_own_place() {
    let dir = TempDir::new().unwrap();
    let ledger = open(dir.path()).unwrap();
    append_many(&ledger, 2000);
    assert_eq!(ledger.size(), 2000);
    let mut sealed: Vec<Vec<u8>> =
        ledger.iterate(0..2000).unwrap().map(|item| item.unwrap().1).collect();
    let mut expected: Vec<Vec<u8>> = (0..2000).map(record).collect();
    sealed.sort();
    expected.sort();
    assert_eq!(sealed, expected);
    // Verified while it is open and other threads go on appending.
    std::thread::scope(|scope| {
        scope.spawn(|| append_many(&ledger, 500));
        for _time in 0..5 {
            let report = ledger.verify().unwrap();
            assert!(report.signed >= 2000);
        }
    });
    ledger.close().unwrap();
    assert_eq!(verify_dir(dir.path(), None).unwrap().signed, 2500);
}

/// Ed25519 is deterministic, so the same entries give the same files; a change here is a change of the
/// format in docs/formats/ledger.md.
#[test]
fn the_files_of_the_same_entries_never_change() {
    let dir = TempDir::new().unwrap();
    let ledger = open(dir.path()).unwrap();
    for (i, kind) in [EntryKind::ServerStarted, EntryKind::AccessGranted].into_iter().enumerate() {
        let byte = u8::try_from(i).unwrap();
        let entry = NewEntry {
            kind,
            policy: [0x11; 32],
            commitment: loggia_ledger::Commitment::from_bytes([0x22 + byte; 32]),
            object: (i == 1).then_some([0x33; 32]),
            record: &[0x44; 5],
        };
        ledger.append(entry).unwrap();
    }
    ledger.close().unwrap();
    let read = |name: &str| std::fs::read(dir.path().join(name)).unwrap();
    let text = |name: &str| String::from_utf8(read(name)).unwrap();
    let expected = concat!(
        "logs.example/loggia+b0777452+ARl/ayPhbIUyxqvIOPrNXqeJvgx2spIDNAOb+os9No1h\n|",
        "logs.example/loggia\n2\nE2w4lWACbpCSYsGyVJHclzaJ4B8l0AJqf/btLzphP8s=\n\n",
        "\u{2014} logs.example/loggia sHd0UunbOHrpEkOheKpB/hHvX1OSzuBMNcdKPCm+vFps7DLGeV6l43Ey",
        "DTfMwsdCKHfpDh7Y9jBm1Ikbx1e9Up+EyQ4=\n|",
        "loggia-journal/v1\nlogs.example/loggia\n2\nYorEDFvQUK6AiB4A36VVgOQ2dR72JrUf30kCaoU1vgc=\n\n",
        "\u{2014} logs.example/loggia sHd0Ut5MOshHpIaF2M49qYbDPijmYo8QFYSX/aD6nTKSpwh6VdFiSdax",
        "mG3FRrTN2B2jKcdpG2tdB/8ZmLDHRR1ZIQk=\n|",
        "b720fee100602bf81126bb37f1b9cc3d741a66baaee1b428ed3e477168763922",
    );
    let journal = leaf_hash(&read("journal")).map(|byte| format!("{byte:02x}")).concat();
    let found = [text("vkey"), text("checkpoint"), text("journal.head"), journal].join("|");
    assert_eq!(found, expected);
}
