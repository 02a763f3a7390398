//! Properties over arbitrary text.

use proptest::prelude::*;

use super::{DETECTOR, found};
use crate::detect::{EntityKind, PlaceholderBook, Scratch};

/// Text with pieces that the detectors care about, glued by anything.
fn seeded() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "\\PC{0,12}",
        2 => "[a-zA-Z0-9 .,:;@%\\\\/_=\"'<>()+\\[\\]{}-]{0,16}",
        1 => "[0-9]{1,4}([ ./-][0-9]{1,4}){0,5}",
        1 => proptest::sample::select(vec![
            "4111 1111 1111 1111", "ann@example.org", "password=", "Bearer ", "https://u:p4ss@h/", "\\u0040", "%40", "＠", "\u{200b}", "SSN ",
            "536-90-4399", "GB82WEST12345698765432", "Dear Emma Stone", "12 Elm Road", "born ", "1984-03-12", "+44 20 7946 0958", "電話", "我叫王小明",
            "-----BEGIN PRIVATE KEY-----", "<EMAIL_1>", "&#64;", "::1", "fe80::", "81.2.69.160", " at ", " dot com", "名前は", "year", "user ", "sig=",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx", "phone ", "O'", "J. ",
        ]).prop_map(str::to_owned),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn redacted(text: &str) -> String {
    DETECTOR.with(|detector| {
        let mut out = String::new();
        detector.redact(
            text,
            None,
            &PlaceholderBook::new([3; 32], 8),
            &mut Scratch::new(),
            &mut out,
        );
        out
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn offsets_are_exact(text in seeded()) {
        DETECTOR.with(|detector| {
            let mut scratch = Scratch::new();
            let mut last = 0;
            for finding in detector.detect(&text, &mut scratch).unwrap() {
                assert!(finding.start >= last && finding.start < finding.end && finding.end <= text.len());
                assert!(text.is_char_boundary(finding.start) && text.is_char_boundary(finding.end));
                last = finding.end;
            }
        });
    }

    #[test]
    fn any_text_is_read(text in any::<String>()) {
        found(&text);
    }

    #[test]
    fn redacting_twice_changes_nothing(text in seeded()) {
        let once = redacted(&text);
        prop_assert_eq!(redacted(&once), once);
    }

    #[test]
    fn no_validated_value_is_left(before in "[a-z ]{0,20}", after in "[a-z .,]{0,20}", pick in 0usize..5) {
        let value = ["4111 1111 1111 1111", "DE89370400440532013000", "ann.kern@example.org", "529.982.247-25", "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"][pick];
        let out = redacted(&format!("{before} {value} {after}"));
        prop_assert!(!out.contains(value), "{}", out);
    }

    #[test]
    fn findings_do_not_depend_on_what_scanned_before(a in seeded(), b in seeded()) {
        DETECTOR.with(|detector| {
            let mut used = Scratch::new();
            detector.detect(&a, &mut used).unwrap();
            let again = detector.detect(&b, &mut used).unwrap().to_vec();
            assert_eq!(again, detector.detect(&b, &mut Scratch::new()).unwrap());
        });
    }
}

#[test]
fn a_long_line_takes_linear_time_and_is_read_to_its_end() {
    for filler in [
        "a",
        "1",
        "1 ",
        "1.",
        "@",
        "a@",
        "Aa ",
        "%40",
        "\\u0040",
        "::",
        "a:",
        "(1",
        "x=",
        "password=",
        "-",
        "eyJ",
        "名",
        "\u{200b}",
        "1-",
        "Emma ",
        "user ",
        "12 Aa ",
    ] {
        let mut text = filler.repeat(400_000 / filler.len());
        text.push_str(" mail ann.kern@example.org");
        assert!(
            found(&text).iter().any(|(value, kind)| *kind == EntityKind::Email
                && value.ends_with("ann.kern@example.org")),
            "{filler}"
        );
    }
}

#[test]
fn ten_times_the_text_takes_about_ten_times_the_work() {
    // Counted in findings, not in time: each repetition is read once, whatever stands before it.
    let line = "reach ann.kern%40example.org or 4111 1111 1111 1111 \\u0040 ";
    let (short, long) = (found(&line.repeat(100)).len(), found(&line.repeat(1000)).len());
    assert_eq!((short, long), (200, 2000));
}
