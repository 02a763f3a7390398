//! What a reader gets: columns as the grant shows them, fresh and flushed rows once, listings, errors with a place.

use loggia_query::{ERASED, MASKED, QueryError, Session};

use crate::support::{Chat, NOON_NS, Platform};

fn platform(rows: i64) -> Platform {
    let platform = Platform::new();
    let half = rows / 2;
    platform.send(&(0..half).map(Chat::new).collect::<Vec<_>>());
    platform.store.flush().unwrap();
    platform.send(&(half..rows).map(Chat::new).collect::<Vec<_>>());
    platform
}

#[test]
fn two_roles_see_what_their_grant_shows() {
    let platform = platform(8);
    let sql =
        "SELECT n, level, nickname, age, salary, vip, prompt, completion FROM chat ORDER BY n";
    let clear = platform.rows("support", sql);
    let masked = platform.rows("engineer", sql);
    for (n, (clear, masked)) in clear.iter().zip(&masked).enumerate() {
        assert_eq!(clear[0], n.to_string());
        assert_eq!(clear[2], format!("nick{}", n % 7));
        assert_eq!(clear[3], (20 + n % 50).to_string());
        assert_eq!(clear[6], format!("tell me about topic {n}"));
        assert_eq!(clear[7], format!("answer to tell me about topic {n}"));
        assert_eq!(masked[..2], clear[..2]);
        assert_eq!(masked[2..], [MASKED, "NULL", "NULL", "NULL", MASKED, MASKED]);
    }
    assert_eq!((clear.len(), masked.len()), (8, 8));
}

#[test]
fn fresh_and_flushed_records_count_once() {
    let platform = platform(20);
    let count = |platform: &Platform| {
        platform.rows("engineer", "SELECT count(*), count(DISTINCT n), sum(n) FROM chat")
    };
    assert_eq!(count(&platform), [["20", "20", "190"]]);
    platform.store.flush().unwrap();
    assert_eq!(count(&platform), [["20", "20", "190"]]);
    platform.send(&[Chat::new(20)]);
    assert_eq!(count(&platform), [["21", "21", "210"]]);
}

#[test]
fn ordinary_sql_works() {
    let platform = platform(40);
    for (sql, expected) in [
        (
            "SELECT level, count(*) FROM chat GROUP BY level ORDER BY level",
            vec![vec!["ERROR", "10"], vec!["INFO", "30"]],
        ),
        (
            "SELECT n FROM chat WHERE level = 'ERROR' AND service = 'api' ORDER BY n DESC LIMIT 2",
            vec![vec!["36"], vec!["32"]],
        ),
        (
            "WITH t AS (SELECT n % 2 AS odd FROM chat) SELECT odd, count(*) FROM t GROUP BY odd ORDER BY odd",
            vec![vec!["0", "20"], vec!["1", "20"]],
        ),
        (
            "SELECT max(time), min(time) FROM chat",
            vec![vec!["2026-03-01T10:00:39Z", "2026-03-01T10:00:00Z"]],
        ),
        (
            "SELECT count(*) FROM chat WHERE time >= '2026-03-01T10:00:10Z' AND time < '2026-03-01T10:00:30Z'",
            vec![vec!["20"]],
        ),
        ("SELECT count(*) FROM chat WHERE contains_ci(message, 'TIMED out')", vec![vec!["40"]]),
        (
            "SELECT a.n FROM chat a JOIN chat b ON a.n = b.n + 38 ORDER BY 1",
            vec![vec!["38"], vec!["39"]],
        ),
        (
            "SELECT n, row_number() OVER (ORDER BY n DESC) FROM chat ORDER BY n LIMIT 1",
            vec![vec!["0", "40"]],
        ),
        ("SELECT n FROM chat WHERE n = (SELECT max(n) FROM chat)", vec![vec!["39"]]),
        ("SELECT round(avg(latency_ms), 1) FROM chat", vec![vec!["195.5"]]),
        (
            "SELECT n FROM chat ORDER BY CASE WHEN level = 'ERROR' THEN 0 ELSE n END, n LIMIT 3",
            vec![vec!["0"], vec!["4"], vec!["8"]],
        ),
        ("SELECT n FROM chat ORDER BY n % 10, n LIMIT 2", vec![vec!["0"], vec!["10"]]),
        (
            "SELECT n FROM chat ORDER BY latency_ms + n DESC, n, latency_ms LIMIT 2",
            vec![vec!["39"], vec!["38"]],
        ),
        ("SELECT 1 UNION ALL SELECT 2 ORDER BY 1", vec![vec!["1"], vec!["2"]]),
        ("SELECT date_part('year', now())", vec![vec!["2026"]]),
    ] {
        assert_eq!(platform.rows("engineer", sql), expected, "{sql}");
    }
}

#[test]
fn listings_come_from_the_grant() {
    let platform = platform(2);
    assert_eq!(platform.rows("engineer", "SHOW TABLES"), [["chat", "Calls of models."]]);
    let both =
        platform.run_with(platform.grant("support", &["chat", "other"]), "SHOW TABLES").unwrap().0;
    assert_eq!(both.len(), 2);
    let columns = platform.rows("engineer", "DESCRIBE chat");
    let of = |name: &str| columns.iter().find(|row| row[0] == name).unwrap().clone();
    assert_eq!(of("time")[1..3], ["timestamp", "clear"]);
    assert_eq!(of("nickname")[1..3], ["text", "masked"]);
    assert_eq!(of("prompt")[1..3], ["text", "masked"]);
    assert_eq!(platform.rows("support", "SHOW COLUMNS FROM chat").len(), columns.len());
    assert!(columns.iter().all(|row| !row[0].starts_with('_')));
}

#[test]
fn a_forbidden_stream_and_none_are_the_same() {
    let platform = platform(2);
    for sql in [
        "SELECT * FROM other",
        "SELECT * FROM nothing",
        "DESCRIBE other",
        "EXPLAIN SELECT * FROM other",
    ] {
        let error = platform.run("engineer", sql).unwrap_err();
        let name = sql.rsplit(' ').next().unwrap();
        assert_eq!(error, QueryError::NotFound(name.to_owned()), "{sql}");
    }
}

#[test]
fn hidden_columns_and_hidden_functions_do_not_exist() {
    let platform = platform(2);
    for sql in [
        "SELECT _write_id FROM chat",
        "SELECT _row FROM chat",
        "SELECT _block FROM chat",
        "SELECT _part FROM chat",
        "SELECT sealed(1, n, n, n) FROM chat",
        "SELECT reveal(prompt) FROM chat",
        "SELECT arrow_typeof(prompt) FROM chat",
        "SELECT arrow_cast(n, 'Utf8') FROM chat",
        "SELECT version()",
        "SELECT repeat('x', 1000000000)",
        "SELECT input_file_name() FROM chat",
    ] {
        assert!(matches!(platform.run("support", sql), Err(QueryError::Invalid { .. })), "{sql}");
    }
}

#[test]
fn tenants_are_walls() {
    let platform = platform(4);
    let theirs = platform.grant_for("rival", "support", &["chat"]);
    assert_eq!(platform.run_with(theirs, "SELECT count(*) FROM chat").unwrap().0, [["0"]]);
}

#[test]
fn erased_content_reads_as_erased_at_once_and_the_rest_stays() {
    let platform = platform(12);
    platform.erase("ada");
    let rows = platform.rows("support", "SELECT n, prompt FROM chat ORDER BY n");
    for (n, row) in rows.iter().enumerate() {
        let expected =
            if n % 3 == 0 { ERASED.to_owned() } else { format!("tell me about topic {n}") };
        assert_eq!(row[1], expected, "record {n}");
    }
    assert_eq!(
        platform.rows("support", "SELECT count(*) FROM chat WHERE prompt LIKE '%topic 3%'"),
        [["0"]]
    );
}

#[test]
fn an_expired_grant_opens_nothing() {
    let platform = platform(2);
    let grant = platform.grant("engineer", &["chat"]);
    let session = platform.session(grant.clone());
    platform.clock.set_ns(NOON_NS + 3_600 * crate::support::SECOND_NS);
    assert_eq!(
        Session::open(&platform.service, grant, platform.receipt()).unwrap_err(),
        QueryError::Expired
    );
    let statement = loggia_query::parse_statement("SELECT 1").unwrap();
    let late = platform.runtime.block_on(session.sql(&statement)).map(|_| ());
    assert_eq!(late.unwrap_err(), QueryError::Expired);
}

#[test]
fn planning_errors_help_and_running_errors_say_no_value() {
    let platform = platform(4);
    let error = platform.run("support", "SELECT nick FROM chat").unwrap_err().to_string();
    assert!(error.contains("nick"), "{error}");
    for sql in [
        "SELECT CAST(nickname AS INT) FROM chat",
        "SELECT CAST(prompt AS INT) FROM chat",
        "SELECT 1 / (n - n) FROM chat",
        "SELECT to_timestamp(nickname) FROM chat",
        "SELECT n FROM chat WHERE CAST(prompt AS DOUBLE) > 1",
        "SELECT n FROM chat WHERE CAST(nickname AS INT) > 1",
        "SELECT n FROM chat WHERE 1 / (n - 1) > 1",
    ] {
        let error = platform.run("support", sql).unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(matches!(error, QueryError::Failed(_)), "{sql}: {error:?}");
        assert!(
            !text.contains("nick") && !text.contains("topic") && !text.contains("chat"),
            "{sql}: {text}"
        );
    }
}

#[test]
fn the_outcome_tells_rows_subjects_and_keys() {
    let platform = platform(9);
    let (_, outcome) = platform.run("support", "SELECT user_id, n FROM chat WHERE n < 2").unwrap();
    assert_eq!((outcome.rows, outcome.revealed_rows, outcome.subjects.len()), (2, 0, 2));
    assert!(outcome.complete && outcome.bytes > 0 && outcome.key_ids.is_empty());
    let (_, outcome) = platform
        .run("support", "SELECT prompt, completion FROM chat WHERE n IN (0, 3, 4)")
        .unwrap();
    assert_eq!((outcome.rows, outcome.revealed_rows, outcome.subjects.len()), (3, 3, 0));
    assert_eq!(outcome.key_ids.len(), 2);
}

/// Servers move these between threads.
#[test]
fn sessions_and_answers_can_be_sent() {
    fn sendable<T: Send + 'static>() {}
    fn shareable<T: Send + Sync + 'static>() {}
    sendable::<loggia_query::MaskedStream>();
    sendable::<Session>();
    shareable::<loggia_query::Tail>();
    shareable::<loggia_query::QueryService>();
    shareable::<loggia_query::OutcomeHandle>();
    shareable::<loggia_query::Statement>();
}
