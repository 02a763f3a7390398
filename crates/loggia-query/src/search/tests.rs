//! Search terms and the statements they become.

use super::*;

fn check(text: &str, expected: &[(bool, Option<&str>, &str, bool)]) {
    let found = terms(text).unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|term| (term.negated, term.field.as_deref(), term.value.as_str(), term.quoted))
        .collect();
    assert_eq!(found, expected, "{text}");
}

#[test]
fn terms_are_split_at_white_space_outside_quotes() {
    check("", &[]);
    check("  one  two ", &[(false, None, "one", false), (false, None, "two", false)]);
    check(
        "level:error \"timed out\"",
        &[(false, Some("level"), "error", false), (false, None, "timed out", true)],
    );
    check("-level:\"a b\" -x", &[(true, Some("level"), "a b", true), (true, None, "x", false)]);
    check("a:b:c", &[(false, Some("a"), "b:c", false)]);
    check("n:>=3", &[(false, Some("n"), ">=3", false)]);
    check("- x:", &[(false, None, "-", false), (false, None, "x:", false)]);
    check("größe:5", &[(false, Some("größe"), "5", false)]);
    assert!(terms("\"open").is_err());
}

#[test]
fn patterns_escape_everything_but_the_star() {
    assert_eq!(pattern("GPT*_5%\\"), "gpt%\\_5\\%\\\\");
}
