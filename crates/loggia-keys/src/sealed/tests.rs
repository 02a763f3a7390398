//! Restoring checks every part against the others; handles travel as text.

use super::*;
use crate::testing::{Fixture, said};

fn parts() -> StoredSealed {
    Fixture::new()
        .seal(&[said("ann", "c", "x"), said("bob", "c", ""), said("bob", "c", "y")])
        .sealed
        .into_stored()
}

#[test]
fn a_batch_comes_back_from_its_parts() {
    let parts = parts();
    let sealed = Sealed::restore(parts.clone()).unwrap();
    assert_eq!((sealed.rows(), sealed.stream(), sealed.tenant()), (3, "chat", "default"));
    assert_eq!(sealed.row_blocks(), [0, NO_BLOCK, 1]);
    assert_eq!(sealed.place(1).unwrap().key_id, parts.blocks[1].key_id);
    assert!(sealed.place(2).is_none());
    assert!(sealed.into_stored() == parts);
}

#[test]
fn parts_that_do_not_fit_are_refused() {
    type Change = fn(&mut StoredSealed);
    let changes: [(&str, Change); 9] = [
        ("a time missing", |parts| parts.times.truncate(2)),
        ("a block number missing", |parts| parts.row_blocks.truncate(2)),
        ("a block that is not there", |parts| parts.row_blocks[0] = 2),
        ("a block missing", |parts| drop(parts.blocks.pop())),
        ("a block without rows", |parts| parts.row_blocks[0] = 1),
        ("a column missing", |parts| drop(parts.skeleton.pop())),
        ("a column twice", |parts| {
            let last = parts.skeleton.last().cloned().unwrap();
            parts.skeleton.push(last);
        }),
        ("columns out of order", |parts| parts.skeleton.swap(0, 1)),
        ("a column of another type", |parts| {
            parts.skeleton[3].1 =
                Column::new(vec![true; 3], ColumnData::Float(vec![0.0; 3])).unwrap();
        }),
    ];
    for (name, change) in changes {
        let mut changed = parts();
        change(&mut changed);
        assert!(matches!(Sealed::restore(changed), Err(KeysError::Tampered { .. })), "{name}");
    }
}

#[test]
fn a_handle_reads_back_and_says_nothing_else() {
    let handle = SubjectHandle([0xab; 16]);
    let text = handle.to_string();
    assert_eq!(text.parse::<SubjectHandle>().unwrap(), handle);
    assert_eq!(format!("{handle:?}"), text);
    for wrong in [
        "",
        "s_",
        "p_q6urq6urq6urq6urq6urqw",
        "s_q6urq6urq6urq6urq6urq",
        "s_q6urq6urq6urq6urq6ur/w",
    ] {
        assert!(wrong.parse::<SubjectHandle>().is_err(), "{wrong}");
    }
    assert_eq!(format!("{:?}", SubjectRef::UserId("ann")), "UserId([redacted])");
    assert_eq!(format!("{:?}", SubjectRef::Handle(handle)), format!("Handle({text})"));
}
