//! Tests of the kinds: numbers and names are a format, so they are pinned here.

use std::collections::BTreeSet;

use super::EntryKind;

#[test]
fn numbers_and_names_are_unique_and_go_round() {
    let mut codes = BTreeSet::new();
    let mut names = BTreeSet::new();
    for kind in EntryKind::ALL {
        assert!(codes.insert(kind.code()), "number {} is used twice", kind.code());
        assert!(names.insert(kind.to_string()), "name {kind} is used twice");
        assert_eq!(EntryKind::from_code(kind.code()), *kind);
        assert_eq!(kind.to_string().parse::<EntryKind>().unwrap(), *kind);
    }
}

#[test]
fn the_numbers_on_disk_do_not_change() {
    let pinned = [
        (EntryKind::AccessGranted, 1, "access.granted"),
        (EntryKind::AccessDenied, 2, "access.denied"),
        (EntryKind::AccessCompleted, 3, "access.completed"),
        (EntryKind::SubjectErased, 33, "subject.erased"),
        (EntryKind::PolicyChanged, 64, "policy.changed"),
        (EntryKind::SegmentPublished, 97, "segment.published"),
        (EntryKind::ServerStopped, 130, "server.stopped"),
    ];
    for (kind, code, name) in pinned {
        assert_eq!((kind.code(), kind.to_string().as_str()), (code, name));
    }
}

#[test]
fn an_unknown_number_is_kept() {
    let kind = EntryKind::from_code(60_000);
    assert_eq!(kind, EntryKind::Unknown(60_000));
    assert_eq!(kind.code(), 60_000);
    assert_eq!(kind.to_string(), "unknown.60000");
    assert!("unknown.60000".parse::<EntryKind>().is_err());
}
