//! Data of another policy, data of another day.

use std::io::Write as _;

use loggia_policy::{AccessRequest, Grant, Permission, Policy, Principal};
use loggia_query::QueryError;

use crate::support::{Chat, NOON_NS, POLICY, Platform, SECOND_NS};

/// Grant under a changed policy, over what the first one stored.
fn grant(policy: &str) -> Grant {
    let policy = Policy::parse(policy).unwrap_or_else(|error| panic!("{error}"));
    let principal = Principal {
        id: "p1".to_owned(),
        role: "support".to_owned(),
        tenant: "acme".to_owned(),
        token_id: None,
    };
    let request = AccessRequest {
        principal: &principal,
        streams: &["chat"],
        purpose: Some("debugging"),
        ticket: None,
        action: Permission::Read,
        now_ns: NOON_NS,
    };
    policy.authorize(&request).unwrap()
}

fn stored() -> Platform {
    let platform = Platform::new();
    platform.send(&(0..6).map(Chat::new).collect::<Vec<_>>());
    platform.store.flush().unwrap();
    platform.send(&(6..9).map(Chat::new).collect::<Vec<_>>());
    platform
}

#[test]
fn content_is_found_by_name_when_fields_have_moved() {
    let platform = stored();
    let prompt = "      prompt: { from: prompt, category: content, treatment: seal, purposes: [debugging] }\n";
    let moved = POLICY.replace(prompt, "").replace(
        "      level:",
        &format!("      extra: {{ from: extra, category: content, treatment: seal, purposes: [debugging] }}\n{prompt}      level:"),
    );
    let sql = "SELECT n, extra, prompt, completion FROM chat ORDER BY n";
    let rows = platform.run_with(grant(&moved), sql).unwrap().0;
    for (n, row) in rows.iter().enumerate() {
        let prompt = format!("tell me about topic {n}");
        assert_eq!(
            row[..],
            [n.to_string(), "NULL".to_owned(), prompt.clone(), format!("answer to {prompt}")]
        );
    }
    assert_eq!(rows.len(), 9);
}

#[test]
fn a_type_that_changed_and_a_field_that_is_new_do_not_break_queries() {
    let platform = stored();
    let changed = POLICY
        .replace("level: { from: \"@severity\", type: text", "level: { from: \"@severity\", type: int")
        .replace("format: token, purposes: [debugging] }\n      service", "purposes: [debugging] }\n      service")
        .replace("cached: { from: cached, type: bool", "cached: { from: cached, type: text")
        .replace("vip: {", "added: { from: added, type: int, category: operational, treatment: keep, purposes: [debugging] }\n      vip: {");
    let grant = grant(&changed);
    let sql = "SELECT n, level, cached, added FROM chat WHERE n IN (1, 8) ORDER BY n";
    let rows = platform.run_with(grant.clone(), sql).unwrap().0;
    assert_eq!(rows, [["1", "NULL", "false", "NULL"], ["8", "NULL", "false", "NULL"]]);
    let sql = "SELECT count(*) FROM chat WHERE added IS NULL AND (level > 3 OR cached = 'true')";
    assert_eq!(platform.run_with(grant, sql).unwrap().0, [["2"]]);
}

#[test]
fn what_was_sealed_is_not_laid_open_by_calling_it_clear() {
    let platform = stored();
    let clear = POLICY.replace(
        "prompt: { from: prompt, category: content, treatment: seal",
        "prompt: { from: prompt, type: text, category: free_text, treatment: keep",
    );
    let (rows, outcome) =
        platform.run_with(grant(&clear), "SELECT prompt FROM chat WHERE n = 1").unwrap();
    assert_eq!((rows, outcome.revealed_rows), (vec![vec!["NULL".to_owned()]], 0));
}

#[test]
fn segments_outside_the_time_asked_for_are_not_touched() {
    let platform = Platform::new();
    let line = |day: u32, n: u32| {
        format!("{{\"time\":\"2026-02-{day:02}T08:00:00Z\",\"level\":\"INFO\",\"n\":{n}}}\n")
    };
    for day in 10..13 {
        platform.store.append(platform.seal("acme", "chat", &line(day, day))).unwrap();
        platform.store.flush().unwrap();
    }
    let snapshot = platform.store.snapshot("acme", "chat");
    let oldest = snapshot.segments.iter().min_by_key(|segment| segment.time_min_ns()).unwrap();
    assert_eq!(snapshot.segments.len(), 3);
    assert!(oldest.time_max_ns() < NOON_NS - 18 * 86_400 * SECOND_NS);
    std::fs::remove_file(oldest.path()).unwrap();
    for sql in [
        "SELECT n FROM chat WHERE time >= '2026-02-11' ORDER BY n",
        "SELECT n FROM chat WHERE time BETWEEN '2026-02-11T00:00:00Z' AND '2026-02-13T00:00:00Z' AND level = 'INFO' ORDER BY n",
        "SELECT n FROM chat WHERE '2026-02-10T09:00:00Z' < time ORDER BY n",
    ] {
        assert_eq!(platform.rows("engineer", sql), [["11"], ["12"]], "{sql}");
    }
    let error = platform.run("engineer", "SELECT n FROM chat").unwrap_err();
    assert!(matches!(error, QueryError::Unavailable(_)), "{error:?}");
    assert!(
        !error.to_string().contains("acme") && !error.to_string().contains("segments/"),
        "{error}"
    );
}

#[test]
fn damage_is_an_error_that_names_no_content() {
    let platform = stored();
    let snapshot = platform.store.snapshot("acme", "chat");
    let path = snapshot.segments.first().unwrap().content_path().to_path_buf();
    let mut bytes = std::fs::read(&path).unwrap();
    if let Some(byte) = bytes.get_mut(200) {
        *byte ^= 1;
    }
    std::fs::File::create(&path).unwrap().write_all(&bytes).unwrap();
    let error = platform.run("support", "SELECT prompt FROM chat").unwrap_err();
    assert!(matches!(error, QueryError::Corrupt(_)), "{error:?}");
}
