//! Committed batches through the same view.

use std::sync::Arc;

use loggia_query::{MASKED, QueryError, Tail, parse_statement};

use crate::support::{Chat, NOON_NS, Platform, SECOND_NS, collect};

fn tail(platform: &Platform, role: &str, sql: &str) -> Result<Tail, QueryError> {
    let statement = parse_statement(sql)?;
    platform.runtime.block_on(platform.session(platform.grant(role, &["chat"])).tail(&statement))
}

fn line(n: i64) -> String {
    format!(
        r#"{{"time":"2026-03-01T10:00:00Z","level":"INFO","n":{n},"nickname":"nick","prompt":"hello {n}","user_id":"ada"}}"#
    ) + "\n"
}

#[test]
fn batches_are_masked_filtered_and_revealed() {
    let platform = Platform::new();
    let batch = Arc::new(platform.seal("acme", "chat", &(line(1) + &line(2) + &line(3))));
    for (role, prompt, nickname) in [("engineer", MASKED, MASKED), ("support", "hello 2", "nick")] {
        let tail =
            tail(&platform, role, "SELECT n, prompt, nickname FROM chat WHERE n = 2").unwrap();
        let (rows, _) = platform
            .runtime
            .block_on(async { collect(tail.batch(&batch).await.unwrap().unwrap()).await.unwrap() });
        assert_eq!(rows, [["2", prompt, nickname]]);
        let (rows, _) = platform
            .runtime
            .block_on(async { collect(tail.batch(&batch).await.unwrap().unwrap()).await.unwrap() });
        assert_eq!(rows.len(), 1);
        assert_eq!(tail.outcome().rows, 2);
        assert_eq!(tail.outcome().revealed_rows, if role == "support" { 2 } else { 0 });
    }
}

#[test]
fn batches_of_others_are_not_for_this_tail() {
    let platform = Platform::new();
    let tail = tail(&platform, "support", "SELECT * FROM chat").unwrap();
    let theirs = Arc::new(platform.seal("rival", "chat", &line(1)));
    let other = Arc::new(platform.seal("acme", "other", "{\"message\":\"x\"}\n"));
    for batch in [theirs, other] {
        assert!(platform.runtime.block_on(tail.batch(&batch)).unwrap().is_none());
    }
}

#[test]
fn only_row_by_row_statements_can_be_watched() {
    let platform = Platform::new();
    platform.send(&[Chat::new(1)]);
    for sql in [
        "SELECT count(*) FROM chat",
        "SELECT n FROM chat ORDER BY n",
        "SELECT n FROM chat LIMIT 3",
        "SELECT 1",
        "SHOW TABLES",
        "SELECT n FROM chat WHERE n IN (SELECT max(n) FROM chat)",
        "SELECT a.n FROM chat a, chat b",
        "SELECT DISTINCT n FROM chat",
    ] {
        assert!(
            matches!(tail(&platform, "support", sql), Err(QueryError::Invalid { .. })),
            "{sql}"
        );
    }
    assert!(matches!(
        tail(&platform, "engineer", "SELECT * FROM other"),
        Err(QueryError::NotFound(_))
    ));
}

#[test]
fn a_tail_ends_with_its_grant() {
    let platform = Platform::new();
    let tail = tail(&platform, "support", "SELECT * FROM chat").unwrap();
    let batch = Arc::new(platform.seal("acme", "chat", &line(1)));
    platform.clock.set_ns(NOON_NS + 3_600 * SECOND_NS);
    let late = platform.runtime.block_on(tail.batch(&batch)).map(|_| ());
    assert_eq!(late.unwrap_err(), QueryError::Expired);
}
