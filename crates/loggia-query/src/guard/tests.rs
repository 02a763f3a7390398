//! The statement guard: what passes, what is refused, and with which words.

use super::*;

fn names(sql: &str) -> (Vec<String>, Vec<String>, bool) {
    let statement = parse_statement(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    (statement.tables().to_vec(), statement.columns().to_vec(), statement.all_columns())
}

#[test]
fn a_statement_tells_what_it_touches() {
    for (sql, tables, columns, all) in [
        ("SELECT a, t.b FROM t WHERE c > 1", &["t"][..], &["a", "b", "c"][..], false),
        ("select * from T join u using (id)", &["t", "u"], &["id"], true),
        ("SELECT \"Big\".\"X\" FROM \"Big\"", &["Big"], &["X"], false),
        ("WITH w AS (SELECT a FROM t) SELECT w.* FROM w", &["t"], &["a"], true),
        ("WITH t AS (SELECT a FROM t) SELECT count(*) FROM t", &["t"], &["a"], false),
        ("SELECT 1", &[], &[], false),
        (
            "SELECT x FROM t WHERE y IN (SELECT z FROM u) ORDER BY v",
            &["t", "u"],
            &["v", "x", "y", "z"],
            false,
        ),
        ("EXPLAIN SELECT a FROM t", &["t"], &["a"], false),
        ("DESCRIBE t", &["t"], &[], false),
        ("SHOW COLUMNS FROM t", &["t"], &[], false),
        ("SHOW TABLES", &[], &[], false),
        ("SELECT sum(a) OVER (PARTITION BY b) FROM t;", &["t"], &["a", "b"], false),
        ("(SELECT a FROM t) UNION ALL (SELECT b FROM u)", &["t", "u"], &["a", "b"], false),
    ] {
        let (found_tables, found_columns, found_all) = names(sql);
        assert_eq!(
            (found_tables, found_columns, found_all),
            (strings(tables), strings(columns), all),
            "{sql}"
        );
    }
}

fn strings(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

#[test]
fn literals_are_told_apart() {
    for (sql, text, literals) in [
        (
            "select a from t where b = 'x y' and c in (1, 2.5) limit 10",
            "SELECT a FROM t WHERE b = ? AND c IN (?, ?) LIMIT ?",
            &["x y", "1", "2.5", "10"][..],
        ),
        ("SELECT /* secret */ a -- secret\n FROM t", "SELECT a FROM t", &[]),
        (
            "SELECT a FROM t WHERE time > TIMESTAMP '2026-01-01' AND b LIKE 'x%'",
            "SELECT a FROM t WHERE time > TIMESTAMP ? AND b LIKE ?",
            &["2026-01-01", "x%"],
        ),
        ("SELECT INTERVAL '1 day', NULL, true", "SELECT INTERVAL ?, NULL, ?", &["1 day", "true"]),
        ("EXPLAIN SELECT 'a'", "EXPLAIN SELECT ?", &["a"]),
    ] {
        let statement = parse_statement(sql).unwrap();
        assert_eq!(statement.text(), text, "{sql}");
        assert_eq!(statement.literals(), literals, "{sql}");
        assert!(!format!("{statement:?}").contains("x y"));
    }
}

#[test]
fn what_does_not_only_read_is_refused() {
    for sql in [
        "INSERT INTO t VALUES (1)",
        "UPDATE t SET a = 1",
        "DELETE FROM t",
        "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE",
        "TRUNCATE TABLE t",
        "CREATE TABLE x AS SELECT * FROM t",
        "CREATE EXTERNAL TABLE x STORED AS PARQUET LOCATION '/etc/passwd'",
        "CREATE VIEW v AS SELECT * FROM t",
        "CREATE FUNCTION f() RETURNS INT RETURN 1",
        "DROP TABLE t",
        "ALTER TABLE t ADD COLUMN x INT",
        "COPY t TO '/tmp/x.parquet'",
        "COPY (SELECT * FROM t) TO 'x.csv'",
        "SET datafusion.catalog.information_schema = true",
        "SHOW ALL",
        "SHOW datafusion.execution.batch_size",
        "RESET ALL",
        "USE other",
        "BEGIN",
        "COMMIT",
        "PREPARE p AS SELECT 1",
        "EXECUTE p",
        "DEALLOCATE p",
        "GRANT SELECT ON t TO x",
        "EXPLAIN ANALYZE SELECT * FROM t",
        "EXPLAIN VERBOSE SELECT * FROM t",
        "EXPLAIN FORMAT JSON SELECT * FROM t",
        "EXPLAIN INSERT INTO t VALUES (1)",
        "EXPLAIN EXPLAIN SELECT 1",
        "SELECT 1; SELECT 2",
        "SELECT * INTO x FROM t",
        "SELECT * FROM t FOR UPDATE",
        "SELECT * FROM generate_series(1, 10)",
        "SELECT * FROM range(1000000000)",
        "SELECT * FROM UNNEST(make_array(1, 2))",
        "SELECT * FROM TABLE(f(1))",
        "SELECT * FROM t, LATERAL (SELECT 1) x",
        "SELECT * FROM t TABLESAMPLE BERNOULLI (10)",
        "SELECT * FROM t PIVOT (sum(a) FOR b IN (1, 2))",
        "WITH RECURSIVE r AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM r) SELECT * FROM r",
        "WITH x AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM x",
        "WITH x AS (DELETE FROM t) SELECT 1",
        "SELECT a FROM t WHERE b = $1",
        "SELECT a FROM t WHERE b = ?",
        "SELECT pg_catalog.f(a) FROM t",
        "SELECT {fn concat('a', 'b')}",
        "SHOW TABLES LIKE 'x%'",
        "SHOW TABLES FROM information_schema",
        "TABLE t",
        "SELECT TOP 5 a FROM t",
        "SELECT * FROM t |> WHERE a = 1",
    ] {
        let error = parse_statement(sql).err().unwrap_or_else(|| panic!("passed: {sql}"));
        assert!(
            matches!(error, QueryError::Refused(_) | QueryError::Invalid { .. }),
            "{sql}: {error:?}"
        );
    }
}

#[test]
fn foreign_schemas_and_files_are_no_streams() {
    for sql in [
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM datafusion.public.t",
        "SELECT * FROM pg_catalog.pg_tables",
        "DESCRIBE information_schema.tables",
        "SHOW COLUMNS FROM information_schema.tables",
    ] {
        assert!(matches!(parse_statement(sql), Err(QueryError::NotFound(_))), "{sql}");
    }
    // A quoted path is a name like any other: no stream is called so.
    assert_eq!(names("SELECT * FROM 'x.parquet'").0, ["x.parquet"]);
}

#[test]
fn syntax_errors_have_a_place() {
    for (sql, line, column) in [
        ("SELECT FROM", 1, 12),
        ("SELECT a\nFROM t WHERE", 2, 13),
        ("SELEC 1", 1, 1),
        ("SELECT 'open", 1, 8),
        ("SELECT a FROM t WHERE (b = 1", 1, 29),
    ] {
        let error = parse_statement(sql).unwrap_err();
        let QueryError::Invalid { line: found_line, column: found_column, message, .. } = &error
        else {
            panic!("{sql}: {error:?}");
        };
        assert!(
            found_line.is_some() && found_column.is_some() && !message.contains("at Line"),
            "{sql}: {error:?}"
        );
        assert_eq!((found_line.unwrap(), found_column.unwrap()), (line, column), "{sql}: {error}");
    }
    assert!(
        parse_statement("").is_err()
            && parse_statement(" ; ; ").is_err()
            && parse_statement("-- x").is_err()
    );
}

#[test]
fn size_and_depth_are_bounded() {
    let ands = |n: usize| format!("SELECT 1 WHERE {}", vec!["a"; n].join(" AND "));
    assert!(parse_statement(&ands(100)).is_ok());
    for sql in [
        ands(2_900),
        format!("SELECT {}", "1".repeat(70_000)),
        format!("SELECT {}1{}", "(".repeat(3_000), ")".repeat(3_000)),
        format!("SELECT {}1", "NOT ".repeat(3_000)),
        format!("SELECT {}1", "- ".repeat(3_000)),
        format!("SELECT a{}", "::int".repeat(1_900)),
        format!("SELECT a{}", "[1]".repeat(1_900)),
        format!("SELECT {}", vec!["a"; 7_000].join(",")),
        vec!["SELECT 1"; 1_500].join(" UNION ALL "),
        format!("SELECT * FROM {}", vec!["t"; 70].join(", ")),
        doubling(12),
    ] {
        // On a thread with the stack of a server's worker.
        let small = std::thread::Builder::new().stack_size(2 << 20);
        let start: String = sql.chars().take(40).collect();
        let result =
            small.spawn(move || parse_statement(&sql).map(|_| ())).unwrap().join().unwrap();
        assert!(result.is_err(), "passed: {start}");
    }
    assert!(parse_statement(&doubling(4)).is_ok());
    let values = (0..2_000).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    assert!(parse_statement(&format!("SELECT 1 WHERE a IN ({values})")).is_ok());
}

/// A WITH of which each part reads the one before twice.
fn doubling(levels: usize) -> String {
    let parts: Vec<String> = (1..=levels)
        .map(|n| format!("w{n} AS (SELECT a.x FROM w{} a, w{} b)", n - 1, n - 1))
        .collect();
    format!("WITH w0 AS (SELECT x FROM t), {} SELECT * FROM w{levels}", parts.join(", "))
}
