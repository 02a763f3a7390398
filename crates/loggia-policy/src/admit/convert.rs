//! One value into one column: coercion to the field's type, then the field's treatment.
//!
//! A value that does not fit is refused by returning false; nothing is rounded, cut or guessed.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};

use loggia_record::Value;

use crate::compile::{Generalise, ResolvedField};
use crate::detect::ConversationRef;
use crate::schema::{FieldType, Treatment};

use super::columns::ColumnBuilder;
use super::text::TextDesk;
use super::time;

/// Longest id, in bytes.
const ID_BYTES_MAX: usize = 512;

/// Bytes of text that a value brings.
pub(super) fn text_bytes(value: &Value<'_>) -> usize {
    match value {
        Value::Str(text) | Value::Json(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::Null | Value::Bool(_) | Value::Int(_) | Value::Float(_) => 0,
    }
}

/// Writes a value into its column; false, and nothing written, when it does not fit.
pub(super) fn write(
    field: &ResolvedField,
    value: &Value<'_>,
    conversation: Option<&ConversationRef<'_>>,
    desk: &mut TextDesk<'_>,
    column: &mut ColumnBuilder,
) -> bool {
    let generalise = field.generalise;
    match field.schema.kind {
        FieldType::Text => {
            let Some(text) = as_text(value) else { return false };
            match field.schema.treatment {
                Treatment::Keep | Treatment::Redact | Treatment::Seal => {
                    desk.write(&text, field.token, conversation, column)
                }
                Treatment::Subject | Treatment::Pseudonymise => write_id(&text, column),
                Treatment::Generalise => {
                    coarser_text(&text, generalise).is_some_and(|coarse| column.push_text(&coarse))
                }
                Treatment::Drop => false,
            }
        }
        FieldType::Int => as_int(value)
            .and_then(|number| coarser_int(number, generalise))
            .is_some_and(|number| column.push_int(number)),
        FieldType::Float => as_float(value)
            .and_then(|number| coarser_float(number, generalise))
            .is_some_and(|number| column.push_float(number)),
        FieldType::Bool => as_bool(value).is_some_and(|flag| column.push_bool(flag)),
        FieldType::Timestamp => as_time(value)
            .map(|at| if generalise == Some(Generalise::Date) { time::day_start(at) } else { at })
            .is_some_and(|at| column.push_int(at)),
    }
}

/// Ids go on as they are: only keys, which has the secrets, can turn them into handles and pseudonyms.
fn write_id(text: &str, column: &mut ColumnBuilder) -> bool {
    let id = text.trim();
    !id.is_empty() && id.len() <= ID_BYTES_MAX && column.push_text(id)
}

/// A value as text; bytes only when they are text.
pub(super) fn as_text<'v>(value: &'v Value<'_>) -> Option<Cow<'v, str>> {
    match value {
        Value::Str(text) | Value::Json(text) => Some(Cow::Borrowed(text)),
        Value::Bytes(bytes) => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Value::Int(number) => Some(Cow::Owned(number.to_string())),
        Value::Float(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
        Value::Null => None,
    }
}

fn as_int(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Int(number) => Some(*number),
        Value::Float(number) => whole(*number),
        Value::Str(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| text.parse().ok().and_then(whole))
        }
        Value::Null | Value::Bool(_) | Value::Bytes(_) | Value::Json(_) => None,
    }
}

/// A float that is a whole number, exactly.
fn whole(number: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() != 0.0 || number.abs() > EXACT {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and within ±2^53, checked above")]
    let whole = number as i64;
    Some(whole)
}

fn as_float(value: &Value<'_>) -> Option<f64> {
    let number = match value {
        Value::Float(number) => *number,
        #[expect(clippy::cast_precision_loss, reason = "a float column holds what a float can")]
        Value::Int(number) => *number as f64,
        Value::Str(text) => text.trim().parse().ok()?,
        Value::Null | Value::Bool(_) | Value::Bytes(_) | Value::Json(_) => return None,
    };
    number.is_finite().then_some(number)
}

fn as_bool(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Str(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::Str(text) if text.eq_ignore_ascii_case("false") => Some(false),
        Value::Str(_)
        | Value::Null
        | Value::Int(_)
        | Value::Float(_)
        | Value::Bytes(_)
        | Value::Json(_) => None,
    }
}

fn as_time(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Int(number) => time::from_epoch(*number),
        Value::Float(seconds) => {
            let nanos = (seconds * 1e9).round();
            #[expect(clippy::cast_possible_truncation, reason = "within ±9e18, checked beside it")]
            (nanos.abs() < 9e18).then_some(nanos as i64)
        }
        Value::Str(text) => {
            time::parse(text).or_else(|| text.trim().parse().ok().and_then(time::from_epoch))
        }
        Value::Null | Value::Bool(_) | Value::Bytes(_) | Value::Json(_) => None,
    }
}

fn coarser_int(number: i64, generalise: Option<Generalise>) -> Option<i64> {
    match generalise {
        None => Some(number),
        Some(Generalise::Bucket(size)) => {
            let size = i64::from(size);
            number.checked_sub(number.checked_rem_euclid(size)?)
        }
        Some(Generalise::Network | Generalise::Date) => None,
    }
}

fn coarser_float(number: f64, generalise: Option<Generalise>) -> Option<f64> {
    match generalise {
        None => Some(number),
        Some(Generalise::Bucket(size)) => {
            let size = f64::from(size);
            Some((number / size).floor() * size)
        }
        Some(Generalise::Network | Generalise::Date) => None,
    }
}

fn coarser_text(text: &str, generalise: Option<Generalise>) -> Option<String> {
    match generalise? {
        Generalise::Network => network(text.trim()),
        Generalise::Date => {
            // Only a text that is a time as a whole: the day in its own zone.
            time::parse(text)?;
            text.trim().get(..10).map(str::to_owned)
        }
        Generalise::Bucket(_) => None,
    }
}

/// The /24 or /48 network of an address, with or without a port.
fn network(text: &str) -> Option<String> {
    let address: IpAddr =
        text.parse().or_else(|_error| text.parse::<SocketAddr>().map(|socket| socket.ip())).ok()?;
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            Some(format!("{a}.{b}.{c}.0/24"))
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            let network = std::net::Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0);
            Some(format!("{network}/48"))
        }
    }
}

#[cfg(test)]
mod tests;
