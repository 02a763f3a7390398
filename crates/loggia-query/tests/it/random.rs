//! Random small queries: over twin stores the masked role gets identical answers, and sealed text answers like clear text.

use std::mem::discriminant;
use std::sync::OnceLock;

use loggia_query::QueryError;
use proptest::prelude::*;

use crate::oracle::{answer, twins};
use crate::support::Platform;

/// Times a query is asked before its answers count as different.
const ATTEMPTS: usize = 8;

fn pair() -> &'static (Platform, Platform) {
    static PAIR: OnceLock<(Platform, Platform)> = OnceLock::new();
    PAIR.get_or_init(twins)
}

fn number() -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        Just("n".to_owned()),
        Just("age".to_owned()),
        Just("latency_ms".to_owned()),
        Just("salary".to_owned()),
        Just("length(nickname)".to_owned()),
        Just("length(prompt)".to_owned()),
        (0..100_i64).prop_map(|value| value.to_string()),
    ];
    leaf.prop_recursive(2, 8, 2, |inner| {
        prop_oneof![
            (inner.clone(), prop_oneof![Just("+"), Just("-"), Just("*"), Just("%")], inner.clone())
                .prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("coalesce({a}, {b})")),
            (condition_of(inner.clone()), inner.clone(), inner)
                .prop_map(|(test, a, b)| format!("CASE WHEN {test} THEN {a} ELSE {b} END")),
        ]
    })
    .boxed()
}

fn text() -> BoxedStrategy<String> {
    prop_oneof![
        Just("level".to_owned()),
        Just("service".to_owned()),
        Just("nickname".to_owned()),
        Just("prompt".to_owned()),
        Just("completion".to_owned()),
        Just("upper(nickname)".to_owned()),
        Just("substr(prompt, 1, 3)".to_owned()),
        Just("concat(level, nickname)".to_owned()),
        Just("'nick3'".to_owned()),
        Just("CAST(age AS VARCHAR)".to_owned()),
    ]
    .boxed()
}

fn condition_of(number: impl Strategy<Value = String> + 'static) -> BoxedStrategy<String> {
    let compare =
        prop_oneof![Just("="), Just("<"), Just(">"), Just("<>"), Just("IS DISTINCT FROM")];
    prop_oneof![
        (number, compare.clone(), 0..100_i64).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        (text(), compare, text()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        (text(), prop_oneof![Just("nick%"), Just("%z%"), Just("%1%")])
            .prop_map(|(a, like)| format!("{a} LIKE '{like}'")),
        prop_oneof![
            Just("vip"),
            Just("NOT vip"),
            Just("vip IS NULL"),
            Just("cached"),
            Just("age IS NULL")
        ]
        .prop_map(str::to_owned),
        text().prop_map(|a| format!("{a} IN (SELECT nickname FROM chat WHERE n < 9)")),
    ]
    .boxed()
}

fn condition() -> BoxedStrategy<String> {
    (
        condition_of(number()),
        proptest::option::of((prop_oneof![Just("AND"), Just("OR")], condition_of(number()))),
    )
        .prop_map(|(a, more)| more.map_or_else(|| a.clone(), |(op, b)| format!("({a}) {op} ({b})")))
        .boxed()
}

fn aggregate() -> BoxedStrategy<String> {
    prop_oneof![
        Just("count(*)".to_owned()),
        number().prop_map(|a| format!("min({a})")),
        number().prop_map(|a| format!("max({a})")),
        text().prop_map(|a| format!("count(DISTINCT {a})")),
        text().prop_map(|a| format!("max({a})")),
        condition().prop_map(|a| format!("count(*) FILTER (WHERE {a})")),
        condition().prop_map(|a| format!("bool_or({a})")),
    ]
    .boxed()
}

fn query() -> BoxedStrategy<String> {
    let plain = (number(), text(), condition())
        .prop_map(|(a, b, test)| format!("SELECT {a}, {b} FROM chat WHERE {test}"));
    let grouped = (text(), aggregate(), condition()).prop_map(|(key, fold, test)| {
        format!("SELECT {key}, {fold} FROM chat WHERE {test} GROUP BY 1")
    });
    let sorted = (number(), text(), 1..20_u8).prop_map(|(key, value, limit)| {
        format!("SELECT n, {value} FROM chat ORDER BY {key}, n LIMIT {limit}")
    });
    let joined = (condition(), aggregate())
        .prop_map(|(test, fold)| format!("SELECT {fold} FROM (SELECT * FROM chat WHERE {test}) x"));
    let paired = prop_oneof![Just("age"), Just("nickname"), Just("n"), Just("vip"), Just("prompt")].prop_map(|key| {
        format!("SELECT count(*), min(a.n), max(b.n) FROM chat a JOIN chat b ON a.{key} = b.{key} WHERE a.n < 20")
    });
    let window = (number(), text()).prop_map(|(key, part)| {
        format!("SELECT n, rank() OVER (PARTITION BY {part} ORDER BY {key}) FROM chat")
    });
    let united = (
        text(),
        text(),
        prop_oneof![Just("UNION"), Just("UNION ALL"), Just("INTERSECT"), Just("EXCEPT")],
    )
        .prop_map(|(a, b, op)| format!("SELECT {a} FROM chat {op} SELECT {b} FROM chat"));
    let query = prop_oneof![plain, grouped, sorted, joined, paired, window, united];
    (query, proptest::bool::weighted(0.2))
        .prop_map(|(query, explain)| if explain { format!("EXPLAIN {query}") } else { query })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, max_shrink_iters: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_queries_cannot_tell_the_twins_apart(sql in query()) {
        let (mut lefts, mut rights) = (Vec::new(), Vec::new());
        let (left, right) = pair();
        // The engine is not deterministic: it collects columns in hash sets, and which partition comes first decides whether a
        // row that would fail is still looked at. What one store may answer, the other must answer too.
        for _ in 0..ATTEMPTS {
            lefts.push(answer(left, "engineer", &sql));
            rights.push(answer(right, "engineer", &sql));
            if lefts.iter().any(|answer| rights.contains(answer)) {
                return Ok(());
            }
        }
        prop_assert!(false, "{}: {:?} but {:?}", sql, lefts.first(), rights.first());
    }

    /// `shadow` is a clear column with the very text that `prompt` seals.
    #[test]
    fn sealed_text_answers_like_clear_text(sql in query()) {
        let (platform, _) = pair();
        let sealed = sql.trim_start_matches("EXPLAIN ").replace("completion", "prompt");
        let clear = sealed.replace("prompt", "shadow");
        match (answer(platform, "support", &sealed), answer(platform, "support", &clear)) {
            (Ok(sealed_rows), Ok(clear_rows)) => prop_assert_eq!(sealed_rows, clear_rows, "{}", sealed),
            // Which of two conditions is tried first is the engine's choice, and so is whether one of them then fails on a value.
            (Err(QueryError::Failed(_)), _) | (_, Err(QueryError::Failed(_))) => {}
            (Err(sealed_error), Err(clear_error)) => {
                prop_assert_eq!(discriminant(&sealed_error), discriminant(&clear_error), "{}: {}", sealed, sealed_error);
            }
            (sealed_answer, clear_answer) => {
                prop_assert!(false, "{}: {:?} but {:?}", sealed, sealed_answer, clear_answer);
            }
        }
    }
}
