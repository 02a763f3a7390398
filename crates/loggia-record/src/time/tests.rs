//! Time stamps against known instants.

use super::*;

const NOW: i64 = 1_763_953_756 * NS_PER_S; // 2025-11-24T03:09:16Z

#[test]
fn iso_stamps() {
    let rows: &[(&str, Option<i64>, usize)] = &[
        ("2025-11-24T03:09:16Z", Some(NOW), 20),
        ("2025-11-24t03:09:16z,", Some(NOW), 20),
        ("2025-11-24 03:09:16", Some(NOW), 19),
        ("2025/11/24 03:09:16 x", Some(NOW), 19),
        ("2025-11-24T03:09:16.000000001+00:00", Some(NOW + 1), 35),
        ("2025-11-24T03:09:16.0000000019Z", Some(NOW + 1), 31),
        ("2025-11-24T04:09:16+0100", Some(NOW), 24),
        ("2025-11-24T04:09:16+01", Some(NOW), 22),
        ("2025-11-23 21:39:16 -0530", Some(NOW), 25),
        ("2025-11-24 03:09:16 +x", Some(NOW), 19),
        ("2025-11-24 03:09:16.", Some(NOW), 19),
        ("1970-01-01T00:00:00Z", Some(0), 20),
        ("1969-12-31T23:59:59Z", Some(-NS_PER_S), 20),
        ("2000-02-29T00:00:60Z", Some(951_782_460 * NS_PER_S), 20),
        ("1900-02-29T00:00:00Z", None, 0),
        ("2025-11-24T24:00:00Z", None, 0),
        ("2025-11/24 03:09:16", None, 0),
        ("9999-01-01T00:00:00Z", None, 0),
        ("2025-11-24", None, 0),
        ("", None, 0),
    ];
    for (text, ns, used) in rows {
        assert_eq!(iso(text.as_bytes()), ns.map(|ns| (ns, *used)), "{text}");
    }
}

#[test]
fn whole_texts() {
    let rows: &[(&str, Option<i64>)] = &[
        ("2025-11-24T03:09:16Z", Some(NOW)),
        ("2025-11-24T03:09:16Z x", None),
        ("1763953756", Some(NOW)),
        ("1763953756000", Some(NOW)),
        ("1763953756.5", Some(NOW + 500_000_000)),
        ("-1.5", Some(-1_500_000_000)),
        ("1763953756000.25", Some(NOW + 250_000)),
        ("1763953756000000000.7", Some(NOW)),
        ("99999999999999999999", None),
        ("", None),
        (".5", None),
        ("-", None),
        ("+1", None),
        ("1.", Some(NS_PER_S)),
    ];
    for (text, ns) in rows {
        assert_eq!(any(text), *ns, "{text}");
    }
    for number in [f64::NAN, f64::INFINITY, -1e300, 1e19] {
        assert_eq!(epoch_float(number), None);
    }
    assert_eq!(epoch_float(1_763_953_756.25), Some(NOW + 250_000_000));
    assert_eq!(epoch_int(i64::MIN), None);
}

#[test]
fn the_calendar_is_its_own_inverse() {
    for days in (-800_000..800_000).step_by(37) {
        let (year, month, day) = civil_from_days(days);
        assert_eq!(days_from_civil(year, month, day), days);
        assert!((1..=days_in_month(year, month)).contains(&day));
    }
    assert_eq!(civil_from_days(0), (1970, 1, 1));
}

#[test]
fn extremes_of_now_do_not_overflow() {
    for now in [i64::MIN, 0, i64::MAX] {
        // Whatever comes out, it is not far in the future.
        if let Some((ns, _)) = rfc3164(b"Feb 29 03:09:16", now) {
            assert!(ns <= now.saturating_add(DAY_S * NS_PER_S));
        }
    }
}
