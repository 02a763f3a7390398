//! Bounds on time that filters imply.

use datafusion::prelude::{col, lit};

use super::*;

fn at(ns: i64) -> Expr {
    Expr::Literal(ScalarValue::TimestampNanosecond(Some(ns), Some("UTC".into())), None)
}

fn check(filters: &[Expr], min_ns: i64, max_ns: i64) {
    assert_eq!(TimeRange::of(filters), TimeRange { min_ns, max_ns }, "{filters:?}");
}

#[test]
fn bounds_are_read_off_filters() {
    let time = || col("time");
    check(&[], i64::MIN, i64::MAX);
    check(&[time().gt_eq(at(5))], 5, i64::MAX);
    check(&[at(5).gt(time())], i64::MIN, 5);
    check(&[time().gt(at(5)).and(time().lt(at(9)))], 5, 9);
    check(&[time().between(at(3), at(4)), time().lt_eq(at(3))], 3, 3);
    check(&[time().eq(at(7))], 7, 7);
    check(&[time().not_between(at(3), at(4))], i64::MIN, i64::MAX);
    check(&[time().gt_eq(at(5)).or(col("level").eq(lit("x")))], i64::MIN, i64::MAX);
    check(&[col("ingest_time").gt_eq(at(5))], i64::MIN, i64::MAX);
}

#[test]
fn spans_and_times_are_compared_inclusively() {
    let range = TimeRange { min_ns: 10, max_ns: 20 };
    assert!(range.overlaps(20, 30) && range.overlaps(0, 10) && range.overlaps(0, 99));
    assert!(!range.overlaps(21, 30) && !range.overlaps(0, 9));
    assert!(range.meets(&[1, 15]) && !range.meets(&[1, 21]) && TimeRange::ALL.meets(&[]));
}
