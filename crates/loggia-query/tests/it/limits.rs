//! Bounds hold, and what was cut short is known.

use std::time::Duration;

use loggia_query::{QueryError, QueryLimits};

use crate::support::{Chat, Platform};

fn platform(limits: QueryLimits) -> Platform {
    let platform = Platform::with_limits(QueryLimits { partitions: 2, ..limits });
    platform.send(&(0..500).map(Chat::new).collect::<Vec<_>>());
    platform
}

#[test]
fn too_many_rows_are_an_error_and_the_outcome_is_incomplete() {
    let platform = platform(QueryLimits { rows_max: 100, ..QueryLimits::default() });
    assert_eq!(platform.run("engineer", "SELECT n FROM chat LIMIT 100").unwrap().1.rows, 100);
    let error = platform.run("engineer", "SELECT n FROM chat").unwrap_err();
    assert!(matches!(error, QueryError::Limit(_)), "{error:?}");
}

#[test]
fn memory_is_bounded() {
    let platform = platform(QueryLimits { memory_bytes_max: 200_000, ..QueryLimits::default() });
    let sql = "SELECT a.message, b.message, count(*) FROM chat a CROSS JOIN chat b GROUP BY 1, 2 ORDER BY 3";
    let error = platform.run("engineer", sql).unwrap_err();
    assert!(matches!(error, QueryError::Limit(_)), "{error:?}");
}

#[test]
fn time_is_bounded() {
    let platform =
        platform(QueryLimits { timeout: Duration::from_millis(50), ..QueryLimits::default() });
    let sql =
        "SELECT count(*) FROM chat a, chat b, chat c, chat d WHERE a.n + b.n + c.n + d.n = -1";
    let error = platform.run("engineer", sql).unwrap_err();
    assert!(matches!(error, QueryError::Limit(_)), "{error:?}");
}

#[test]
fn an_answer_nobody_reads_to_its_end_is_not_complete() {
    let platform = platform(QueryLimits::default());
    let statement = loggia_query::parse_statement("SELECT n FROM chat").unwrap();
    let grant = platform.grant("engineer", &["chat"]);
    let stream = platform.runtime.block_on(platform.session(grant).sql(&statement)).unwrap();
    let handle = stream.outcome_handle();
    drop(stream);
    assert!(!handle.outcome().complete);
    assert_eq!(handle.outcome().rows, 0);
}

#[test]
fn a_flood_of_statements_shapes_cannot_exhaust_planning() {
    let platform = platform(QueryLimits::default());
    let many = (0..2_900).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    assert_eq!(
        platform
            .run("engineer", &format!("SELECT count(*) FROM chat WHERE n IN ({many})"))
            .unwrap()
            .0,
        [["500"]]
    );
    let deep = "(".repeat(500) + "1" + &")".repeat(500);
    assert!(platform.run("engineer", &format!("SELECT {deep}")).is_err());
}
