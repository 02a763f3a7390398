//! Days of the Gregorian calendar, before and after the epoch.

use super::*;

#[test]
fn days_are_those_of_the_calendar() {
    let check = |day: i64, expected: &str| assert_eq!(day_text(day), expected);
    check(0, "1970-01-01");
    check(-1, "1969-12-31");
    check(58, "1970-02-28");
    check(59, "1970-03-01");
    check(11_016, "2000-02-29");
    check(11_017, "2000-03-01");
    check(20_370, "2025-10-09");
    check(47_540, "2100-02-28");
    check(47_541, "2100-03-01");
    check(2_932_896, "9999-12-31");
}

#[test]
fn days_follow_each_other() {
    // One after the other through four hundred years: the text rises, and months have their lengths.
    let mut last = day_text(-1);
    for day in 0..146_097 {
        let text = day_text(day);
        assert!(text > last && is_day(&text), "{text}");
        last = text;
    }
    assert_eq!(last, "2369-12-31");
}

#[test]
fn times_fall_on_their_day() {
    assert_eq!(day_number(-1), -1);
    assert_eq!(day_number(NANOS_PER_DAY - 1), 0);
    assert_eq!(month_text(1_760_000_000_000_000_000), "2025-10");
    assert!(!is_day("2025-10-9") && !is_day("2025/10/09") && !is_day("२०२५-१०"));
    assert_eq!(day_text(day_number(i64::MIN)), "1677-09-21");
    assert_eq!(day_text(day_number(i64::MAX)), "2262-04-11");
}
