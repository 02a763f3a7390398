//! JSON text as we write it, read back by serde_json.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn text_reads_back(text in any::<String>()) {
        let mut out = String::new();
        write_text(&mut out, &text);
        prop_assert_eq!(&serde_json::from_str::<String>(&out).unwrap(), &text);
        prop_assert_eq!(out, serde_json::to_string(&text).unwrap());
    }

    #[test]
    fn numbers_read_back(number in any::<f64>(), whole in any::<i64>()) {
        let mut out = String::new();
        write_float(&mut out, number);
        if number.is_finite() {
            prop_assert_eq!(out.parse::<f64>().unwrap(), number);
        }
        prop_assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok());
        let mut out = String::new();
        write_int(&mut out, whole);
        prop_assert_eq!(out.parse::<i64>().unwrap(), whole);
    }
}

#[test]
fn errors_are_located() {
    for (text, at) in [("{", 1), ("{\n  x", 4), ("{\n\n\n\"a\":}", 8)] {
        let error = serde_json::from_str::<serde_json::Value>(text).unwrap_err();
        let found = offset_of(&error, text.as_bytes());
        assert!(found.abs_diff(at) <= 1, "{text}: {found}");
    }
}
