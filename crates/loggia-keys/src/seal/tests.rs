//! What sealing promises: readable by key and place alone, nobody in clear, no nonce twice.

use super::*;
use crate::sealed::BlockPlace;
use crate::testing::{ANSWER, DEVICE, Fixture, NOW_NS, PROMPT, Row, batch, said};

const DAY_NS: i64 = 86_400_000_000_000;

fn column<'a>(sealed: &'a Sealed, name: &str) -> &'a Column {
    let index = sealed.schema().field(name).unwrap().0;
    &sealed.skeleton().iter().find(|(at, _)| usize::from(*at) == index).unwrap().1
}

#[test]
fn sealed_text_opens_by_row_and_field() {
    let fixture = Fixture::new();
    let rows = [
        Row { answer: "fine", ..said("ann", "c1", "how are you") },
        said("bob", "c2", "what is the time"),
        said("ann", "c1", "and you?"),
        Row { user: "cyd", ..Row::default() },
    ];
    let outcome = fixture.seal(&rows);
    let sealed = &outcome.sealed;
    assert_eq!((outcome.refused_erased, sealed.rows(), sealed.blocks().len()), (0, 4, 2));
    assert_eq!(sealed.row_blocks(), [0, 1, 0, NO_BLOCK]);
    let (ann, bob) = (fixture.open(sealed, 0).unwrap(), fixture.open(sealed, 1).unwrap());
    assert_eq!(ann.get(0, PROMPT), Some("how are you"));
    assert_eq!(ann.get(0, ANSWER), Some("fine"));
    assert_eq!(ann.get(2, PROMPT), Some("and you?"));
    assert_eq!((ann.get(1, PROMPT), ann.get(2, ANSWER), ann.len()), (None, None, 3));
    assert_eq!(bob.iter().collect::<Vec<_>>(), [(1, PROMPT, "what is the time")]);
    assert!(!bob.is_empty());
}

#[test]
fn ids_become_handles_and_pseudonyms() {
    let fixture = Fixture::new();
    let rows = [
        Row { device: "phone-1", ..said("ann", "c1", "a") },
        Row { device: "phone-2", ..said("bob", "c1", "b") },
        Row { device: "phone-1", ..said("ann", "", "") },
        Row::default(),
    ];
    let first = fixture.seal(&rows).sealed;
    let fixture = fixture.reopened();
    let second = fixture.seal(&rows).sealed;
    for sealed in [&first, &second] {
        let (users, devices) = (column(sealed, "user"), column(sealed, "device"));
        assert_eq!(users.text(0), users.text(2));
        assert_ne!(users.text(0), users.text(1));
        assert_eq!((users.text(3), devices.text(3)), (None, None));
        assert_eq!(users.text(0), column(&first, "user").text(0));
        let handle = fixture.store.subject_handle("default", "ann").unwrap().unwrap();
        assert_eq!(users.text(0).unwrap(), handle.to_string());
        let pseudonym = fixture.store.pseudonym("default", "device", "phone-1").unwrap();
        assert_eq!((devices.text(0), devices.text(2)), (Some(&*pseudonym), Some(&*pseudonym)));
        assert!(pseudonym.starts_with("p_") && pseudonym.len() == 24);
        assert_eq!(column(sealed, "conversation").text(0), Some("c1"));
        assert_eq!(sealed.skeleton().len(), 4);
    }
    assert_eq!(fixture.store.subject_handle("default", "nobody").unwrap(), None);
    assert_eq!(usize::from(DEVICE), first.schema().field("device").unwrap().0);
}

#[test]
fn an_empty_id_is_nobody() {
    let fixture = Fixture::new();
    let mut users = TextColumn::default();
    users.push("");
    let admitted = batch("default", &[said("x", "", "words")]);
    let (schema, times) = (std::sync::Arc::clone(admitted.schema()), admitted.times().to_vec());
    let mut columns = admitted.into_columns();
    columns[0] = Column::new(vec![true], ColumnData::Text(users)).unwrap();
    let admitted = Admitted::assemble(
        schema,
        "default",
        loggia_policy::PolicyDigest([0; 32]),
        NOW_NS,
        times,
        columns,
    );
    let sealed = fixture.store.seal(admitted.unwrap()).unwrap().sealed;
    assert_eq!(column(&sealed, "user").text(0), None);
    assert_eq!((fixture.count("subject"), fixture.count("stream day")), (0, 1));
}

#[test]
fn the_same_rows_again_give_other_bytes() {
    // A crash between sealing and the acknowledgement makes the client send again: the nonce is the block number, so the key
    // must be another one, or AES-GCM's authenticity would be gone for it.
    let fixture = Fixture::new();
    let rows = [said("ann", "c", "the same"), said("bob", "d", "the same")];
    let (first, second) = (fixture.seal(&rows).sealed, fixture.seal(&rows).sealed);
    assert_ne!(first.write_id(), second.write_id());
    for (a, b) in first.blocks().iter().zip(second.blocks()) {
        assert_eq!(a.key_id, b.key_id);
        assert_ne!(a.bytes[2..34], b.bytes[2..34], "commitments");
        assert_ne!(a.bytes[34..], b.bytes[34..], "ciphertexts");
    }
    assert_ne!(first.blocks()[0].bytes, first.blocks()[1].bytes);
}

#[test]
fn a_block_opens_in_its_own_place_only() {
    let fixture = Fixture::new();
    let sealed = fixture.seal(&[said("ann", "", "secret plan"), said("bob", "", "other")]).sealed;
    let bytes = &sealed.blocks()[0].bytes;
    let place = sealed.place(0).unwrap();
    let fails = |place: BlockPlace, bytes: &[u8]| {
        let answer = fixture.store.open_block(&place, bytes);
        assert!(matches!(answer, Err(KeysError::Tampered { .. })), "{answer:?}");
        answer.unwrap_err().to_string()
    };
    fails(BlockPlace { block: 1, ..place.clone() }, bytes);
    fails(BlockPlace { stream: "app".to_owned(), ..place.clone() }, bytes);
    fails(BlockPlace { tenant: "other".to_owned(), ..place.clone() }, bytes);
    fails(BlockPlace { write_id: [1; 16], ..place.clone() }, bytes);
    fails(place.clone(), &sealed.blocks()[1].bytes);
    for length in [0, 1, 33, 34, 40, bytes.len() - 1] {
        fails(place.clone(), &bytes[..length]);
    }
    // Replayed from another write attempt of the same rows.
    let again = fixture.seal(&[said("ann", "", "secret plan"), said("bob", "", "other")]).sealed;
    fails(place.clone(), &again.blocks()[0].bytes);
    // Another subject's key: refused by the commitment, before decryption.
    let other = BlockPlace { key_id: sealed.blocks()[1].key_id, ..place.clone() };
    assert!(fails(other, bytes).contains("another key"));
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        fails(place.clone(), &changed);
    }
    let unknown = BlockPlace { key_id: [9; 16], ..place };
    assert!(matches!(fixture.store.open_block(&unknown, bytes), Err(KeysError::KeyDestroyed)));
}

#[test]
fn content_goes_under_subject_then_conversation_then_day() {
    let fixture = Fixture::new();
    let rows = [
        said("ann", "c1", "subject key"),
        said("", "c2", "conversation key"),
        said("", "", "day key"),
        Row { after_ns: -DAY_NS, ..said("", "", "key of the day before") },
        // An event from the future belongs to the day of its receipt.
        Row { after_ns: DAY_NS, ..said("", "", "day key too") },
        said("", "c3", ""),
    ];
    let sealed = fixture.seal(&rows).sealed;
    assert_eq!(sealed.row_blocks(), [0, 1, 2, 3, 2, NO_BLOCK]);
    let counts = ["subject", "conversation", "stream day"].map(|kind| fixture.count(kind));
    assert_eq!(counts, [1, 1, 2]);
    for row in 0..5 {
        assert!(fixture.open(&sealed, row).is_ok());
    }
    let file = |day: &str| fixture.store.file_key("default", "chat", day, &[1; 16], false);
    assert!(file("2025-10-09").is_ok() && file("2025-10-08").is_ok());
    assert!(matches!(file("2025-10-10"), Err(KeysError::KeyDestroyed)));
}

#[test]
fn tenants_share_nothing() {
    let fixture = Fixture::new();
    let rows = [Row { device: "d", ..said("ann", "c", "words") }];
    let one = fixture.store.seal(batch("one", &rows)).unwrap().sealed;
    let two = fixture.store.seal(batch("two", &rows)).unwrap().sealed;
    assert_ne!(one.blocks()[0].key_id, two.blocks()[0].key_id);
    for name in ["user", "device"] {
        assert_ne!(column(&one, name).text(0), column(&two, name).text(0));
    }
}

#[test]
fn long_content_is_cut_into_blocks_at_row_borders() {
    let fixture = Fixture::new();
    let long = "lorem ipsum ".repeat(10_000);
    let rows: Vec<_> = (0..8).map(|_| said("ann", "", &long)).collect();
    let sealed = fixture.seal(&rows).sealed;
    assert_eq!(sealed.row_blocks(), [0, 0, 0, 1, 1, 1, 2, 2]);
    for row in 0..8 {
        let opened = fixture.open(&sealed, row).unwrap();
        assert_eq!(opened.get(u32::try_from(row).unwrap(), PROMPT), Some(&*long));
    }
}

#[test]
fn nothing_sealed_or_identifying_stays_in_clear() {
    let fixture = Fixture::new();
    let rows = [Row {
        device: "device-marker",
        answer: "answer-marker",
        ..said("user-marker", "", "prompt-marker")
    }];
    let sealed = fixture.seal(&rows).sealed;
    let text = format!("{sealed:?} {:?} {:?}", sealed.stored(), fixture.store);
    let mut bytes = text.into_bytes();
    sealed.blocks().iter().for_each(|block| bytes.extend_from_slice(&block.bytes));
    for (_, column) in sealed.skeleton() {
        bytes.extend_from_slice(column.text(0).unwrap_or_default().as_bytes());
    }
    let fixture = fixture.reopened();
    for marker in ["user-marker", "device-marker", "prompt-marker", "answer-marker"] {
        assert!(!bytes.windows(marker.len()).any(|window| window == marker.as_bytes()), "{marker}");
        assert!(!crate::testing::any_file_holds(&fixture.dir, marker.as_bytes()), "{marker}");
    }
}

#[test]
fn an_empty_batch_seals() {
    let fixture = Fixture::new();
    let outcome = fixture.seal(&[]);
    assert_eq!((outcome.sealed.rows(), outcome.refused_erased), (0, 0));
}
