//! Names and days.

use super::*;

#[test]
fn days_are_the_calendars() {
    let rows = [
        (0, "1970-01-01"),
        (-1, "1969-12-31"),
        (59, "1970-03-01"),
        (58, "1970-02-28"),
        (11_016, "2000-02-29"),
        (11_017, "2000-03-01"),
        (47_540, "2100-02-28"),
        (47_541, "2100-03-01"),
        (20_526, "2026-03-14"),
        (-25_509, "1900-02-28"),
        (-25_508, "1900-03-01"),
        (day_number(i64::MAX), "2262-04-11"),
        (day_number(i64::MIN), "1677-09-21"),
    ];
    for (day, name) in rows {
        assert_eq!(day_name(day), name);
    }
    assert_eq!(
        (day_number(-1), day_number(86_400_000_000_000), day_number(86_399_999_999_999)),
        (-1, 1, 0)
    );
}

#[test]
fn names_cannot_leave_their_directory() {
    let rows = [
        ("acme-1_x", "acme-1_x"),
        ("..", "%2e%2e"),
        ("a/b", "a%2fb"),
        ("A", "%41"),
        ("%", "%25"),
        ("ü", "%c3%bc"),
    ];
    for (name, expected) in rows {
        assert_eq!(component(name).unwrap(), expected);
    }
    assert!(component("").is_err());
    assert!(component(&"x".repeat(300)).is_err());
}

#[test]
fn ids_sort_by_time_and_are_uuids() {
    let early = SegmentId::new(1_000_000_000, [0xff; 10]);
    let late = SegmentId::new(2_000_000_000_000_000_000, [0; 10]);
    assert!(early < late);
    assert_eq!(early.to_string(), "00000000-03e8-7fff-bfff-ffffffffffff");
    assert_eq!(late.to_string(), "01d1a94a-2000-7000-8000-000000000000");
}

#[test]
fn log_files_are_known_by_their_names() {
    assert_eq!(wal_file(255).to_str(), Some("wal/00000000000000ff.wal"));
    assert_eq!(wal_seq("00000000000000ff.wal"), Some(255));
    for name in ["ff.wal", "00000000000000ff.wal.tmp", "00000000000000fg.wal", "x", ""] {
        assert_eq!(wal_seq(name), None, "{name}");
    }
}
