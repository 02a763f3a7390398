//! A masked column cannot be learnt: two stores that differ only in masked values answer alike, whatever is asked.

use loggia_query::QueryError;

use crate::support::{Chat, Platform};

/// Two stores of the same records, but for what the engineer may not see.
pub(crate) fn twins() -> (Platform, Platform) {
    let (left, right) = (Platform::new(), Platform::new());
    let records: Vec<Chat> = (0..60).map(Chat::new).collect();
    let changed: Vec<Chat> = records
        .iter()
        .map(|chat| Chat {
            nickname: format!("x{}", 59 - chat.n),
            age: 99 - chat.n,
            prompt: chat
                .prompt
                .as_ref()
                .map(|_| "zzz ".repeat(usize::try_from(chat.n).unwrap() + 1)),
            ..chat.clone()
        })
        .collect();
    for (platform, records) in [(&left, &records), (&right, &changed)] {
        platform.send(records.get(..20).unwrap());
        platform.send(records.get(20..40).unwrap());
        platform.store.flush().unwrap();
        platform.send(records.get(40..).unwrap());
    }
    (left, right)
}

/// An answer in a form that can be compared: rows sorted, or the error. Where the planner collects names in a hash set, their
/// order differs from run to run on one and the same store; that order is taken out.
pub(crate) fn answer(
    platform: &Platform,
    role: &str,
    sql: &str,
) -> Result<Vec<Vec<String>>, QueryError> {
    let mut rows = match platform.run(role, sql) {
        Ok((rows, _)) => rows,
        Err(QueryError::Invalid { message, line, column, help }) => {
            let message = message.chars().filter(|c| !c.is_ascii_digit()).collect();
            return Err(QueryError::Invalid { message, line, column, help });
        }
        Err(other) => return Err(other),
    };
    if sql.starts_with("EXPLAIN") {
        for line in rows.iter_mut().flatten() {
            let (head, columns) = line.split_once(": ").unwrap_or(("", line));
            let mut columns: Vec<&str> = columns.split(", ").collect();
            columns.sort_unstable();
            *line = format!("{head}: {}", columns.join(", "));
        }
    } else {
        rows.sort();
    }
    Ok(rows)
}

#[test]
fn masked_columns_are_no_oracle() {
    let (left, right) = twins();
    for sql in [
        "SELECT n, nickname, age, salary, vip, prompt, completion FROM chat",
        "SELECT n FROM chat WHERE nickname = 'nick3'",
        "SELECT n FROM chat WHERE nickname LIKE 'nick%'",
        "SELECT n FROM chat WHERE nickname ~ '^n.*3$'",
        "SELECT n FROM chat WHERE regexp_like(prompt, 'topic 1.')",
        "SELECT n FROM chat WHERE age > 30 OR salary < 2500",
        "SELECT n FROM chat WHERE age IS NULL",
        "SELECT n FROM chat WHERE vip",
        "SELECT n FROM chat WHERE NOT vip",
        "SELECT count(*) FROM chat WHERE prompt LIKE '%topic%'",
        "SELECT n FROM chat ORDER BY age DESC, n LIMIT 10",
        "SELECT n FROM chat ORDER BY nickname, prompt, n LIMIT 10",
        "SELECT nickname, count(*) FROM chat GROUP BY nickname",
        "SELECT age % 10, count(*) FROM chat GROUP BY age % 10",
        "SELECT count(DISTINCT nickname), count(DISTINCT age), count(age), count(prompt), approx_distinct(nickname) FROM chat",
        "SELECT min(age), max(age), sum(age), avg(salary), stddev(salary), median(age) FROM chat",
        "SELECT min(nickname), max(prompt), string_agg(nickname, ',') FROM chat",
        "SELECT bool_or(vip), bool_and(vip) FROM chat",
        "SELECT CASE WHEN age > 40 THEN 'old' ELSE 'young' END, n FROM chat",
        "SELECT CASE WHEN prompt = 'zzz ' THEN 1 / 0 ELSE 1 END FROM chat",
        "SELECT CAST(nickname AS INT) FROM chat",
        "SELECT try_cast(nickname AS INT), n FROM chat",
        "SELECT 1 / (age - 42) FROM chat",
        "SELECT 10 / (age - age) FROM chat",
        "SELECT CAST(prompt AS DOUBLE) FROM chat WHERE age = 21",
        "SELECT n, rank() OVER (ORDER BY age), lag(nickname) OVER (ORDER BY n) FROM chat",
        "SELECT n, sum(age) OVER (PARTITION BY vip ORDER BY n) FROM chat",
        "SELECT a.n, b.n FROM chat a JOIN chat b ON a.age = b.age WHERE a.n < 5 AND b.n < 5",
        "SELECT a.n, b.n FROM chat a JOIN chat b ON a.nickname = b.nickname WHERE a.n < 5 AND b.n < 5",
        "SELECT n FROM chat WHERE age > (SELECT avg(age) FROM chat)",
        "SELECT n FROM chat WHERE nickname IN (SELECT nickname FROM chat WHERE n < 3)",
        "SELECT n FROM chat a WHERE EXISTS (SELECT 1 FROM chat b WHERE b.age = a.age + 1)",
        "SELECT nickname FROM chat UNION SELECT prompt FROM chat",
        "SELECT age FROM chat INTERSECT SELECT n FROM chat",
        "SELECT n FROM chat EXCEPT SELECT age FROM chat",
        "SELECT DISTINCT nickname, vip FROM chat",
        "SELECT DISTINCT ON (nickname) n FROM chat ORDER BY nickname, n",
        "SELECT length(prompt), octet_length(completion), md5(nickname) FROM chat",
        "SELECT length(prompt), octet_length(completion) FROM chat",
        "SELECT coalesce(age, n) FROM chat",
        "SELECT nullif(nickname, 'nick1') FROM chat",
        "SELECT array_agg(age ORDER BY n) FROM chat",
        "SELECT n FROM chat GROUP BY n, age HAVING max(age) > 50 OR count(*) > 0",
        "SELECT level, count(*) FILTER (WHERE age > 50) FROM chat GROUP BY level",
        "SELECT grouping(nickname), count(*) FROM chat GROUP BY ROLLUP (nickname)",
        "EXPLAIN SELECT n FROM chat WHERE nickname = 'nick3'",
        "EXPLAIN SELECT prompt, age FROM chat WHERE age > 3 ORDER BY age LIMIT 3",
        "EXPLAIN SELECT a.n FROM chat a JOIN chat b ON a.age = b.n WHERE b.prompt LIKE '%1%'",
        "DESCRIBE chat",
    ] {
        assert_eq!(answer(&left, "engineer", sql), answer(&right, "engineer", sql), "{sql}");
    }
    // The difference is really there for those who may see it.
    let sql = "SELECT nickname, age, prompt FROM chat";
    assert_ne!(answer(&left, "support", sql), answer(&right, "support", sql));
}

#[test]
fn a_masked_read_opens_nothing() {
    let (left, _) = twins();
    let (_, outcome) =
        left.run("engineer", "SELECT * FROM chat WHERE prompt <> 'x' ORDER BY completion").unwrap();
    assert_eq!((outcome.rows, outcome.revealed_rows, outcome.revealed_blocks), (60, 0, 0));
    assert!(outcome.key_ids.is_empty());
}

#[test]
fn plans_name_masks_and_never_the_store() {
    let (left, _) = twins();
    let plan = left
        .rows("engineer", "EXPLAIN SELECT nickname, age, prompt, n FROM chat WHERE n > 3")
        .concat()
        .join("\n");
    assert!(plan.contains("‹masked›") && plan.contains("Int64(NULL)"), "{plan}");
    assert!(plan.contains("TableScan: chat projection=[n]"), "{plan}");
    for secret in ["parquet", "segments", "acme", "rows", "bytes", "nick"] {
        assert!(!plan.replace("nickname", "").contains(secret), "{secret}: {plan}");
    }
}
