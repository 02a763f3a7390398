//! Coercion and coarsening, row by row.

use std::borrow::Cow;

use loggia_record::Value;

use super::{
    as_bool, as_float, as_int, as_time, coarser_float, coarser_int, coarser_text, network,
};
use crate::compile::Generalise;

fn text(text: &str) -> Value<'_> {
    Value::Str(Cow::Borrowed(text))
}

#[test]
fn integers() {
    for (value, expected) in [
        (Value::Int(7), Some(7)),
        (text("12"), Some(12)),
        (text(" -3 "), Some(-3)),
        (text("4.0"), Some(4)),
        (text("4.5"), None),
        (text("twelve"), None),
        (text(""), None),
        (text("99999999999999999999"), None),
        (Value::Float(12.0), Some(12)),
        (Value::Float(12.5), None),
        (Value::Float(1e300), None),
        (Value::Float(f64::NAN), None),
        (Value::Bool(true), None),
        (Value::Json(Cow::Borrowed("[1]")), None),
    ] {
        assert_eq!(as_int(&value), expected, "{value:?}");
    }
}

#[test]
fn floats_and_flags() {
    assert_eq!(as_float(&text("1.5")), Some(1.5));
    assert_eq!(as_float(&Value::Int(2)), Some(2.0));
    assert_eq!(as_float(&text("inf")), None);
    assert_eq!(as_float(&Value::Float(f64::INFINITY)), None);
    assert_eq!(as_bool(&text("TRUE")), Some(true));
    assert_eq!(as_bool(&Value::Bool(false)), Some(false));
    assert_eq!(as_bool(&text("yes")), None);
    assert_eq!(as_bool(&Value::Int(1)), None);
}

#[test]
fn times() {
    let expected = Some(1_700_000_000_000_000_000);
    assert_eq!(as_time(&Value::Int(1_700_000_000)), expected);
    assert_eq!(as_time(&text("1700000000000")), expected);
    assert_eq!(as_time(&text("2023-11-14T22:13:20Z")), expected);
    assert_eq!(as_time(&Value::Float(1_700_000_000.0)), expected);
    assert_eq!(as_time(&Value::Float(1e300)), None);
    assert_eq!(as_time(&text("yesterday")), None);
}

#[test]
fn coarser_values() {
    for (address, expected) in [
        ("203.0.113.77", Some("203.0.113.0/24")),
        ("203.0.113.77:443", Some("203.0.113.0/24")),
        ("::ffff:203.0.113.77", Some("203.0.113.0/24")),
        ("2001:db8:1:2::3", Some("2001:db8:1::/48")),
        ("[2001:db8:1:2::3]:443", Some("2001:db8:1::/48")),
        ("example.com", None),
        ("", None),
    ] {
        assert_eq!(network(address).as_deref(), expected, "{address}");
    }
    let date = |text| coarser_text(text, Some(Generalise::Date));
    assert_eq!(date("1984-05-06T07:08:09Z").as_deref(), Some("1984-05-06"));
    assert_eq!(date("born 1984-05-06"), None);
    let bucket = Some(Generalise::Bucket(10));
    assert_eq!(coarser_int(37, bucket), Some(30));
    assert_eq!(coarser_int(-1, bucket), Some(-10));
    assert_eq!(coarser_int(i64::MIN, bucket), None);
    assert_eq!(coarser_float(37.5, bucket), Some(30.0));
    assert_eq!(coarser_text("x", bucket), None);
}
