//! Functions of the session against their plain definitions.

use super::*;

fn check(text: &str, part: &str, expected: bool) {
    assert_eq!(Needle::new(part).is_in(text), expected, "`{part}` in `{text}`");
}

#[test]
fn parts_are_found_whatever_their_case() {
    check("Connection TIMED out", "timed OUT", true);
    check("Connection TIMED out", "timed  out", false);
    check("aaab", "AAB", true);
    check("", "x", false);
    check("x", "", true);
    check("Straße GRÖSSE", "größe", false);
    check("ÄRGER", "ärger", true);
    check("naïve ünïcode", "CODE", true);
}

#[test]
fn every_listed_function_exists() {
    let scalar: Vec<String> = scalar().iter().map(|function| function.name().to_owned()).collect();
    let aggregate: Vec<String> =
        aggregate().iter().map(|function| function.name().to_owned()).collect();
    let window: Vec<String> = window().iter().map(|function| function.name().to_owned()).collect();
    for name in SCALAR {
        assert!(scalar.iter().any(|known| known == name), "no scalar function `{name}`");
    }
    for name in AGGREGATE {
        assert!(aggregate.iter().any(|known| known == name), "no aggregate function `{name}`");
    }
    for name in WINDOW {
        assert!(window.iter().any(|known| known == name), "no window function `{name}`");
    }
}
