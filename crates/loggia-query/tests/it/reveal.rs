//! Content is opened late: only for rows that survive, and only where it is used.

use crate::support::{Chat, Platform};

const ROWS: i64 = 240;

fn platform() -> Platform {
    let platform = Platform::new();
    for start in (0..ROWS).step_by(60) {
        platform.send(&(start..start + 60).map(Chat::new).collect::<Vec<_>>());
        if start < ROWS / 2 {
            platform.store.flush().unwrap();
        }
    }
    platform
}

/// Records opened by `sql`.
fn opened(platform: &Platform, sql: &str) -> u64 {
    platform.run("support", sql).unwrap_or_else(|error| panic!("{sql}: {error}")).1.revealed_rows
}

#[test]
fn only_surviving_rows_are_opened() {
    let platform = platform();
    for (sql, expected) in [
        ("SELECT count(*) FROM chat", 0),
        ("SELECT n FROM chat ORDER BY n LIMIT 5", 0),
        ("SELECT prompt FROM chat ORDER BY n DESC LIMIT 5", 5),
        ("SELECT prompt AS p, completion FROM chat ORDER BY time DESC, n LIMIT 5", 5),
        ("SELECT * FROM (SELECT * FROM chat) AS inner_one ORDER BY latency_ms LIMIT 7", 7),
        ("SELECT p FROM (SELECT n, prompt AS p FROM chat) ORDER BY n LIMIT 3 OFFSET 4", 3),
        ("SELECT substr(prompt, 1, 4), n FROM chat ORDER BY n DESC LIMIT 5", 5),
        ("SELECT length(prompt) FROM chat ORDER BY n LIMIT 5", 5),
        (
            "SELECT upper(prompt), completion, n * 2 FROM chat WHERE level = 'ERROR' ORDER BY latency_ms DESC LIMIT 4",
            4,
        ),
        ("SELECT prompt FROM chat WHERE n < 12 AND level = 'ERROR'", 3),
        ("SELECT count(*) FROM chat WHERE n < 12 AND prompt LIKE '%topic%'", 12),
        ("SELECT n FROM chat WHERE prompt LIKE '%topic 7' AND service = 'worker' AND n < 20", 10),
        (
            "SELECT prompt FROM (SELECT * FROM chat ORDER BY n LIMIT 9) WHERE prompt LIKE '%topic%'",
            9,
        ),
        ("SELECT a.prompt FROM chat a JOIN chat b ON a.n = b.n WHERE b.n < 4", 4),
        ("SELECT max(prompt) FROM chat WHERE n < 10", 10),
        ("SELECT DISTINCT prompt FROM chat WHERE n < 10", 10),
        (
            "SELECT prompt FROM chat WHERE n < 3 UNION ALL SELECT completion FROM chat WHERE n BETWEEN 3 AND 5",
            6,
        ),
        ("SELECT prompt, row_number() OVER (ORDER BY n) FROM chat WHERE n < 3", 3),
        (
            "SELECT n FROM chat WHERE n < 30 AND prompt IN (SELECT prompt FROM chat WHERE n < 10)",
            30,
        ),
        ("SELECT prompt IS NULL FROM chat WHERE n = 1", 1),
    ] {
        assert_eq!(opened(&platform, sql), expected, "{sql}");
    }
}

#[test]
fn content_computes_like_any_text() {
    let platform = platform();
    for (sql, expected) in [
        ("SELECT prompt FROM chat WHERE n = 130", vec![vec!["tell me about topic 130"]]),
        (
            "SELECT substr(prompt, 1, 7), n FROM chat ORDER BY n DESC LIMIT 2",
            vec![vec!["tell me", "239"], vec!["tell me", "238"]],
        ),
        (
            "SELECT n FROM chat WHERE prompt LIKE '%topic 12_' ORDER BY prompt DESC LIMIT 2",
            vec![vec!["129"], vec!["128"]],
        ),
        (
            "SELECT upper(completion) FROM chat WHERE prompt = 'tell me about topic 3'",
            vec![vec!["ANSWER TO TELL ME ABOUT TOPIC 3"]],
        ),
        (
            "SELECT count(DISTINCT prompt), min(prompt) FROM chat",
            vec![vec!["240", "tell me about topic 0"]],
        ),
        (
            "SELECT CASE WHEN prompt LIKE '%7' THEN 'seven' ELSE level END FROM chat WHERE n IN (4, 7) ORDER BY n",
            vec![vec!["ERROR"], vec!["seven"]],
        ),
        (
            "SELECT a.n, b.n FROM chat a JOIN chat b ON a.completion = concat('answer to ', b.prompt) WHERE a.n = 9",
            vec![vec!["9", "9"]],
        ),
        (
            "SELECT x FROM (SELECT prompt AS x FROM chat WHERE n = 1 UNION ALL SELECT 'plain') ORDER BY x",
            vec![vec!["plain"], vec!["tell me about topic 1"]],
        ),
        ("SELECT (SELECT prompt FROM chat WHERE n = 2) AS p", vec![vec!["tell me about topic 2"]]),
        (
            "SELECT n FROM chat a WHERE n < 3 AND EXISTS (SELECT 1 FROM chat b WHERE b.prompt = a.prompt AND b.n > 1) ORDER BY n",
            vec![vec!["2"]],
        ),
        (
            "SELECT first_value(prompt) OVER (ORDER BY n) FROM chat WHERE n < 2",
            vec![vec!["tell me about topic 0"], vec!["tell me about topic 0"]],
        ),
        (
            "WITH t AS (SELECT n, prompt p FROM chat) SELECT a.p, b.p FROM t a, t b WHERE a.n = 1 AND b.n = 2",
            vec![vec!["tell me about topic 1", "tell me about topic 2"]],
        ),
        (
            "SELECT coalesce(b.prompt, 'none') FROM chat a LEFT JOIN chat b ON a.n = b.n + 1000 WHERE a.n = 1",
            vec![vec!["none"]],
        ),
        (
            "SELECT b.prompt FROM chat a LEFT JOIN chat b ON a.n = b.n + 1000 WHERE a.n = 1",
            vec![vec!["NULL"]],
        ),
        (
            "SELECT string_agg(prompt, '|' ORDER BY n) FROM chat WHERE n < 2",
            vec![vec!["tell me about topic 0|tell me about topic 1"]],
        ),
        (
            "SELECT prompt FROM chat WHERE n < 2 EXCEPT SELECT prompt FROM chat WHERE n = 0",
            vec![vec!["tell me about topic 1"]],
        ),
        (
            "SELECT length(prompt) AS l FROM chat GROUP BY prompt HAVING count(*) = 1 ORDER BY l DESC LIMIT 1",
            vec![vec!["23"]],
        ),
    ] {
        assert_eq!(platform.rows("support", sql), expected, "{sql}");
    }
}

/// A sort must not slip below the reveal it needs, where it would compare tokens.
#[test]
fn ranks_and_sorts_compare_content() {
    let platform = platform();
    let key = "CASE WHEN prompt LIKE '%z%' THEN n ELSE length(prompt) END";
    let ranked = format!(
        "SELECT n, rank() OVER (PARTITION BY 'x' ORDER BY {key}) FROM chat WHERE n < 12 ORDER BY n"
    );
    let ranks: Vec<String> =
        platform.rows("support", &ranked).into_iter().map(|row| row[1].clone()).collect();
    assert_eq!(ranks, ["1", "1", "1", "1", "1", "1", "1", "1", "1", "1", "11", "11"]);
    let sorted = "SELECT prompt FROM chat WHERE n < 240 ORDER BY reverse(prompt), n LIMIT 3";
    assert_eq!(
        platform.rows("support", sorted).concat(),
        ["tell me about topic 0", "tell me about topic 100", "tell me about topic 200"]
    );
}

#[test]
fn absent_content_is_null() {
    let platform = Platform::new();
    platform.send(&[Chat { prompt: None, ..Chat::new(1) }, Chat::new(2)]);
    let rows = platform.rows("support", "SELECT prompt, completion IS NULL FROM chat ORDER BY n");
    assert_eq!(rows, [["NULL", "true"], ["tell me about topic 2", "false"]]);
}

#[test]
fn text_that_looks_like_a_token_stays_text() {
    let platform = Platform::new();
    let forged = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    platform.send(&[
        Chat { nickname: forged.to_owned(), prompt: Some(forged.to_owned()), ..Chat::new(1) },
        Chat { nickname: "sealed".to_owned(), ..Chat::new(2) },
    ]);
    let sql = "SELECT nickname FROM chat UNION ALL SELECT prompt FROM chat ORDER BY 1";
    let rows: Vec<String> = platform.rows("support", sql).concat();
    assert_eq!(rows, [forged, forged, "sealed", "tell me about topic 2"]);
    let sql =
        format!("SELECT CASE WHEN n = 1 THEN '{forged}' ELSE prompt END FROM chat ORDER BY n");
    assert_eq!(platform.rows("support", &sql).concat(), [forged, "tell me about topic 2"]);
}

#[test]
fn explain_shows_where_content_is_opened_and_reads_nothing() {
    let platform = platform();
    let (late, outcome) =
        platform.run("support", "EXPLAIN SELECT prompt FROM chat ORDER BY n LIMIT 5").unwrap();
    assert_eq!(late[0], ["Reveal on output: chat.prompt"]);
    assert_eq!(outcome.revealed_rows, 0);
    let early = platform
        .rows("support", "EXPLAIN SELECT n FROM chat WHERE prompt LIKE '%x%' AND n < 5")
        .concat()
        .join("\n");
    let reveal = early.find("Reveal: ").expect("a reveal");
    assert!(early.find("chat.n < Int64(5)").expect("the cheap filter") > reveal, "{early}");
}
