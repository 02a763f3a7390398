//! [`TimeRange`]: the event times a query can need, read off its filters to leave out whole segments and batches.
//!
//! It only ever widens: a filter it does not understand bounds nothing, so no row is lost.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "filters that bound time are listed; every other one bounds nothing"
)]

use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use loggia_policy::IMPLICIT_COLUMNS;

#[cfg(test)]
mod tests;

/// Times from `min_ns` to `max_ns`, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TimeRange {
    min_ns: i64,
    max_ns: i64,
}

impl TimeRange {
    const ALL: Self = Self { min_ns: i64::MIN, max_ns: i64::MAX };

    /// Times that can pass all of `filters`.
    pub(crate) fn of(filters: &[Expr]) -> Self {
        filters.iter().fold(Self::ALL, |range, filter| range.and(Self::of_filter(filter)))
    }

    /// Whether a span of times has one in common with the range.
    pub(crate) fn overlaps(self, min_ns: i64, max_ns: i64) -> bool {
        min_ns <= self.max_ns && max_ns >= self.min_ns
    }

    /// Whether any of `times` is in the range.
    pub(crate) fn meets(self, times: &[i64]) -> bool {
        self == Self::ALL || times.iter().any(|time| (self.min_ns..=self.max_ns).contains(time))
    }

    fn and(self, other: Self) -> Self {
        Self { min_ns: self.min_ns.max(other.min_ns), max_ns: self.max_ns.min(other.max_ns) }
    }

    fn of_filter(filter: &Expr) -> Self {
        match filter {
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
                Self::of_filter(left).and(Self::of_filter(right))
            }
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
                match (literal_ns(left), literal_ns(right)) {
                    (None, Some(ns)) if is_time(left) => Self::compared(*op, ns),
                    (Some(ns), None) if is_time(right) => {
                        op.swap().map_or(Self::ALL, |op| Self::compared(op, ns))
                    }
                    _ => Self::ALL,
                }
            }
            Expr::Between(between) if !between.negated && is_time(&between.expr) => Self {
                min_ns: literal_ns(&between.low).unwrap_or(i64::MIN),
                max_ns: literal_ns(&between.high).unwrap_or(i64::MAX),
            },
            _ => Self::ALL,
        }
    }

    /// Times that compare so with `ns`. `<` and `>` keep the bound itself: one segment too many is no mistake.
    fn compared(op: Operator, ns: i64) -> Self {
        match op {
            Operator::Eq => Self { min_ns: ns, max_ns: ns },
            Operator::Lt | Operator::LtEq => Self { min_ns: i64::MIN, max_ns: ns },
            Operator::Gt | Operator::GtEq => Self { min_ns: ns, max_ns: i64::MAX },
            _ => Self::ALL,
        }
    }
}

fn is_time(expr: &Expr) -> bool {
    let [time, _] = IMPLICIT_COLUMNS;
    matches!(expr, Expr::Column(column) if column.name == time)
}

fn literal_ns(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Literal(ScalarValue::TimestampNanosecond(Some(ns), _), _) => Some(*ns),
        Expr::Literal(ScalarValue::TimestampMicrosecond(Some(us), _), _) => us.checked_mul(1_000),
        Expr::Literal(ScalarValue::TimestampMillisecond(Some(ms), _), _) => {
            ms.checked_mul(1_000_000)
        }
        Expr::Literal(ScalarValue::TimestampSecond(Some(s), _), _) => s.checked_mul(1_000_000_000),
        _ => None,
    }
}
