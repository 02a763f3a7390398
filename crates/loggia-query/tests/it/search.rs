//! Searches as people type them.

use loggia_query::{QueryError, Search, search};

use crate::support::{Chat, NOON_NS, Platform, SECOND_NS, collect};

const TEN_NS: i64 = NOON_NS - 7_200 * SECOND_NS;

fn platform() -> Platform {
    let platform = Platform::new();
    platform.send(&(0..30).map(Chat::new).collect::<Vec<_>>());
    platform.store.flush().unwrap();
    platform.send(&(30..40).map(Chat::new).collect::<Vec<_>>());
    platform
}

fn of(text: &str) -> Search<'_> {
    Search { stream: "chat", text, from_ns: None, until_ns: None, limit: 1_000, content: false }
}

/// Numbers of the records found, newest first.
fn found(
    platform: &Platform,
    role: &str,
    asked: Search<'_>,
) -> Result<(Vec<i64>, u64), QueryError> {
    let grant = platform.grant(role, &["chat"]);
    let statement = search(&grant, &asked)?;
    platform.runtime.block_on(async {
        let stream = platform.session(grant).sql(&statement).await?;
        let column = stream.schema().index_of("n").unwrap();
        let (rows, outcome) = collect(stream).await?;
        Ok((rows.iter().map(|row| row[column].parse().unwrap()).collect(), outcome.revealed_rows))
    })
}

#[test]
fn terms_words_and_phrases() {
    let platform = platform();
    for (text, expected) in [
        ("level:error n:<10", vec![8, 4, 0]),
        ("level:ERROR service:api latency_ms:>=320", vec![36, 32]),
        ("\"request 7 timed out\"", vec![7]),
        ("timed 39", vec![39]),
        ("-level:info n:>30", vec![36, 32]),
        ("level:err* n:>34", vec![36]),
        ("n:5", vec![5]),
        ("cached:true n:>=30", vec![35, 30]),
        ("nothing_like_this", vec![]),
        ("message:\"request 12 Timed Out\"", vec![12]),
        ("message:*12*", vec![12]),
    ] {
        assert_eq!(found(&platform, "engineer", of(text)).unwrap().0, expected, "{text}");
    }
    assert_eq!(found(&platform, "engineer", of("")).unwrap().0.len(), 40);
}

#[test]
fn time_range_and_limit() {
    let platform = platform();
    let range = Search {
        from_ns: Some(TEN_NS + 10 * SECOND_NS),
        until_ns: Some(TEN_NS + 20 * SECOND_NS),
        limit: 3,
        ..of("")
    };
    assert_eq!(found(&platform, "engineer", range).unwrap().0, [19, 18, 17]);
}

#[test]
fn content_is_searched_only_on_request() {
    let platform = platform();
    let (rows, opened) = found(&platform, "support", of("answer")).unwrap();
    assert_eq!((rows.len(), opened), (0, 0));
    let (rows, opened) = found(
        &platform,
        "support",
        Search { content: true, ..of("\"answer to tell me about topic 17\"") },
    )
    .unwrap();
    assert_eq!((rows, opened), (vec![17], 40));
    let (rows, opened) =
        found(&platform, "support", Search { content: true, ..of("prompt:*topic* n:<3") }).unwrap();
    assert_eq!((rows, opened), (vec![2, 1, 0], 3));
    assert!(matches!(found(&platform, "support", of("prompt:x")), Err(QueryError::Invalid { .. })));
}

#[test]
fn masked_fields_are_not_searched() {
    let platform = platform();
    assert_eq!(found(&platform, "engineer", of("nick3")).unwrap().0, Vec::<i64>::new());
    assert_eq!(found(&platform, "support", of("nick3 n:<10")).unwrap().0, [3]);
    let error = found(&platform, "engineer", of("nickname:nick3")).unwrap_err().to_string();
    assert!(error.contains("masked"), "{error}");
}

#[test]
fn typed_text_cannot_leave_its_literal() {
    let platform = platform();
    for text in
        ["' OR 1=1 --", "level:' OR true --", "\"'; DROP TABLE chat\"", "%' --", "a\\' OR true"]
    {
        assert_eq!(found(&platform, "engineer", of(text)).unwrap().0, Vec::<i64>::new(), "{text}");
    }
    for text in ["n:1 OR 1=1", "latency_ms:1e5x", "cached:maybe", "\"open", "n:"] {
        let result = found(&platform, "engineer", of(text));
        assert!(result.is_err() || result.unwrap().0.is_empty(), "{text}");
    }
    let unknown = Search { stream: "other", ..of("x") };
    assert_eq!(
        found(&platform, "engineer", unknown).unwrap_err(),
        QueryError::NotFound("other".to_owned())
    );
}
