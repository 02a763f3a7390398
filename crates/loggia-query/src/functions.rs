//! The functions that SQL may call: a list, not whatever the engine ships.
//!
//! Left out on purpose: functions that look behind the data (`arrow_typeof`, `arrow_metadata`, `input_file_name`,
//! `file_row_index`, `version`), that grow a short text or number into gigabytes the memory limit does not see (`repeat`,
//! `lpad`, `rpad`, `range`, `generate_series`, `array_repeat`, `array_resize`), and all table functions. A function that a
//! later engine adds is unknown here until someone lists it.

use std::sync::Arc;

use datafusion::arrow::array::{Array as _, AsArray as _, BooleanBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err};
use datafusion::execution::SessionStateDefaults;
use datafusion::logical_expr::{
    AggregateUDF, ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility, WindowUDF,
};

#[cfg(test)]
mod tests;

/// Scalar functions by their primary name; aliases come with them.
#[rustfmt::skip]
const SCALAR: &[&str] = &[
    // conditions
    "coalesce", "greatest", "least", "nullif", "nvl", "nvl2",
    // structures that operators and literals need
    "get_field", "named_struct", "struct",
    // text
    "ascii", "bit_length", "btrim", "character_length", "chr", "concat", "concat_ws", "contains",
    "ends_with", "find_in_set", "initcap", "left", "levenshtein", "lower", "ltrim", "octet_length",
    "overlay", "replace", "reverse", "right", "rtrim", "split_part", "starts_with", "strpos",
    "substr", "substr_index", "to_hex", "translate", "upper",
    // patterns
    "regexp_count", "regexp_instr", "regexp_like", "regexp_match", "regexp_replace",
    // time
    "current_date", "current_time", "date_bin", "date_part", "date_trunc", "from_unixtime",
    "make_date", "make_time", "now", "to_char", "to_date", "to_local_time", "to_time",
    "to_timestamp", "to_timestamp_micros", "to_timestamp_millis", "to_timestamp_nanos",
    "to_timestamp_seconds", "to_unixtime",
    // numbers
    "abs", "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cbrt", "ceil", "cos",
    "cosh", "cot", "degrees", "exp", "factorial", "floor", "gcd", "isnan", "iszero", "lcm", "ln",
    "log", "log10", "log2", "nanvl", "pi", "power", "radians", "round", "signum", "sin", "sinh",
    "sqrt", "tan", "tanh", "trunc",
    // arrays
    "array_any_value", "array_append", "array_concat", "array_distinct", "array_element",
    "array_except", "array_has", "array_has_all", "array_has_any", "array_intersect",
    "array_length", "array_max", "array_min", "array_position", "array_positions", "array_prepend",
    "array_remove", "array_remove_all", "array_replace", "array_replace_all", "array_reverse",
    "array_slice", "array_sort", "array_to_string", "array_union", "cardinality", "empty",
    "flatten", "make_array", "string_to_array",
];

/// Aggregate functions by their primary name.
#[rustfmt::skip]
const AGGREGATE: &[&str] = &[
    "any_value", "approx_distinct", "approx_median", "approx_percentile_cont",
    "approx_percentile_cont_with_weight", "array_agg", "avg", "bit_and", "bit_or", "bit_xor",
    "bool_and", "bool_or", "corr", "count", "covar_pop", "covar_samp", "first_value", "grouping",
    "last_value", "max", "median", "min", "nth_value", "percentile_cont", "regr_avgx", "regr_avgy",
    "regr_count", "regr_intercept", "regr_r2", "regr_slope", "regr_sxx", "regr_sxy", "regr_syy",
    "stddev", "stddev_pop", "string_agg", "sum", "var", "var_pop",
];

/// Window functions by their primary name.
#[rustfmt::skip]
const WINDOW: &[&str] = &[
    "cume_dist", "dense_rank", "first_value", "lag", "last_value", "lead", "nth_value", "ntile",
    "percent_rank", "rank", "row_number",
];

/// Scalar functions of a session.
pub(crate) fn scalar() -> Vec<Arc<ScalarUDF>> {
    let mut functions = SessionStateDefaults::default_scalar_functions();
    functions.retain(|function| SCALAR.contains(&function.name()));
    functions.push(Arc::new(ScalarUDF::new_from_impl(ContainsCi::new())));
    functions
}

/// Aggregate functions of a session.
pub(crate) fn aggregate() -> Vec<Arc<AggregateUDF>> {
    let mut functions = SessionStateDefaults::default_aggregate_functions();
    functions.retain(|function| AGGREGATE.contains(&function.name()));
    functions
}

/// Window functions of a session.
pub(crate) fn window() -> Vec<Arc<WindowUDF>> {
    let mut functions = SessionStateDefaults::default_window_functions();
    functions.retain(|function| WINDOW.contains(&function.name()));
    functions
}

/// `contains_ci(text, part)`: whether `part` occurs in `text`, whatever the case of its letters.
#[derive(PartialEq, Eq, Hash, Debug)]
struct ContainsCi {
    signature: Signature,
}

impl ContainsCi {
    fn new() -> Self {
        Self {
            signature: Signature::exact(
                vec![DataType::Utf8, DataType::Utf8],
                Volatility::Immutable,
            ),
        }
    }
}

impl ScalarUDFImpl for ContainsCi {
    fn name(&self) -> &str {
        "contains_ci"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let rows = args.number_rows;
        let [text, part] = args.args.as_slice() else {
            return exec_err!("contains_ci takes a text and a part of it");
        };
        let (text, parts) = (text.to_array(rows)?, part.to_array(rows)?);
        let (Some(text), Some(parts)) = (text.as_string_opt::<i32>(), parts.as_string_opt::<i32>())
        else {
            return exec_err!("contains_ci takes a text and a part of it");
        };
        let constant = matches!(part, ColumnarValue::Scalar(_));
        let mut needle = (constant && !parts.is_empty() && parts.is_valid(0))
            .then(|| Needle::new(parts.value(0)));
        let mut found = BooleanBuilder::with_capacity(rows);
        for (text, part) in text.iter().zip(parts.iter()) {
            let (Some(text), Some(part)) = (text, part) else {
                found.append_null();
                continue;
            };
            if !constant {
                needle = Some(Needle::new(part));
            }
            found.append_option(needle.as_ref().map(|needle| needle.is_in(text)));
        }
        Ok(ColumnarValue::Array(Arc::new(found.finish())))
    }
}

/// A part to look for, prepared once.
enum Needle {
    /// Only ASCII: candidates by the first letter's two cases, then compared in place.
    Ascii { lower: Vec<u8>, first: u8, other: u8 },
    /// With letters beyond ASCII: both sides are folded.
    Wide(String),
}

impl Needle {
    fn new(part: &str) -> Self {
        match part.as_bytes().first() {
            Some(first) if part.is_ascii() => Self::Ascii {
                lower: part.to_ascii_lowercase().into_bytes(),
                first: first.to_ascii_lowercase(),
                other: first.to_ascii_uppercase(),
            },
            Some(_) | None => Self::Wide(part.to_lowercase()),
        }
    }

    fn is_in(&self, text: &str) -> bool {
        match self {
            Self::Ascii { lower, first, other } => {
                let text = text.as_bytes();
                memchr::memchr2_iter(*first, *other, text).any(|at| {
                    at.checked_add(lower.len())
                        .and_then(|end| text.get(at..end))
                        .is_some_and(|window| window.eq_ignore_ascii_case(lower))
                })
            }
            Self::Wide(part) => text.to_lowercase().contains(part.as_str()),
        }
    }
}
