//! Two roles, one store: who sees what, and what the ledger says of it.

use serde_json::{Value, json};

use crate::harness::{Served, Store};

fn chat(prompt: &str, user: &str) -> Value {
    json!({
        "gen_ai.operation.name": "chat", "gen_ai.request.model": "m-1", "gen_ai.input.messages": prompt,
        "user.id": user, "gen_ai.conversation.id": format!("conv-{user}"),
    })
}

fn fill(served: &Served<'_>) {
    let records: Vec<Value> =
        (0..20).map(|n| chat(&format!("marzipan question {n}"), &format!("user-{n}"))).collect();
    assert_eq!(served.ingest("chat", &records)["accepted"], 20);
}

/// Ledger entries, newest first.
fn ledger(served: &Served<'_>) -> Vec<Value> {
    let auditor = served.token("auditor");
    let answer = served.call(&auditor, "GET", "/api/v1/ledger/entries?limit=1000", &[], vec![]);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json().as_array().unwrap().clone()
}

#[test]
fn the_right_role_and_purpose_see_content_and_the_other_role_sees_a_mask() {
    let store = Store::sample();
    let served = store.serve();
    fill(&served);
    let reviewer = served.token("support");
    let engineer = served.token("engineer");
    let sql = "SELECT prompt FROM chat ORDER BY prompt";
    let clear = served.rows(&reviewer, "incident", sql);
    assert_eq!(clear.len(), 20);
    assert_eq!(clear[0]["prompt"], "marzipan question 0");
    let masked = served.rows(&engineer, "debugging", sql);
    assert_eq!(masked.len(), 20);
    assert!(masked.iter().all(|row| row["prompt"] == "‹masked›"), "{masked:?}");
}

#[test]
fn a_masked_column_is_no_oracle() {
    // Two stores that differ only in what the engineer may not see must answer alike.
    let (one, other) = (Store::sample(), Store::sample());
    let (one, other) = (one.serve(), other.serve());
    let prompts = ["aaaa zebra", "zzzz apple", "12", "mmmm"];
    for (served, order) in [(&one, [0, 1, 2, 3]), (&other, [3, 2, 1, 0])] {
        let records: Vec<Value> = order
            .iter()
            .enumerate()
            .map(|(row, which)| {
                let mut record = chat(prompts[*which], "user-1");
                record["gen_ai.usage.input_tokens"] = json!(row);
                record["time"] = json!(format!("2026-11-20T10:00:0{row}Z"));
                record
            })
            .collect();
        served.ingest("chat", &records);
    }
    let (token_one, token_other) = (one.token("engineer"), other.token("engineer"));
    for sql in [
        "SELECT count(*) AS n FROM chat WHERE prompt LIKE '%zebra%'",
        "SELECT count(*) AS n FROM chat WHERE prompt > 'b'",
        "SELECT input_tokens FROM chat ORDER BY prompt, input_tokens",
        "SELECT min(prompt) AS a, max(prompt) AS b, count(DISTINCT prompt) AS c FROM chat",
        "SELECT prompt, count(*) AS n FROM chat GROUP BY prompt",
        "SELECT input_tokens FROM chat WHERE length(prompt) > 5 ORDER BY input_tokens",
        "SELECT CAST(prompt AS BIGINT) AS n FROM chat",
        "SELECT CASE WHEN prompt = '12' THEN 1 ELSE 0 END AS hit FROM chat ORDER BY input_tokens",
        "SELECT a.input_tokens FROM chat a JOIN chat b ON a.prompt = b.prompt ORDER BY 1 LIMIT 3",
        "SELECT 1 / (CASE WHEN prompt LIKE '%zebra%' THEN 0 ELSE 1 END) AS n FROM chat ORDER BY input_tokens",
        "SELECT row_number() OVER (ORDER BY prompt, input_tokens) AS n, input_tokens FROM chat ORDER BY input_tokens",
        "SELECT input_tokens FROM chat WHERE prompt ~ 'z+' ORDER BY 1",
        "EXPLAIN SELECT count(*) FROM chat WHERE prompt LIKE '%zebra%'",
        "SELECT nothing FROM chat",
        "SELECT prompt FROM",
    ] {
        let a = one.query(&token_one, "debugging", sql);
        let b = other.query(&token_other, "debugging", sql);
        assert_eq!((a.status, a.text()), (b.status, b.text()), "{sql}");
        for word in ["zebra ", "apple", "mmmm"] {
            assert!(!a.text().contains(word), "{sql}: {}", a.text());
        }
    }
}

#[test]
fn both_reads_are_in_the_ledger_before_their_rows_and_say_who_why_and_what() {
    let store = Store::sample();
    let served = store.serve();
    fill(&served);
    let sql = "SELECT prompt FROM chat WHERE model = 'm-1' LIMIT 5";
    for (role, purpose) in [("support", "incident"), ("engineer", "debugging")] {
        let token = served.token(role);
        let answer = served.query(&token, purpose, sql);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let receipt: u64 = answer.headers["loggia-receipt"].to_str().unwrap().parse().unwrap();
        let entries = ledger(&served);
        let granted = entries.iter().find(|entry| entry["index"] == receipt).unwrap();
        assert_eq!(granted["kind"], "access.granted");
        assert_eq!(granted["verified"], true);
        assert_eq!(granted["event"]["role"], role);
        assert_eq!(granted["event"]["purpose"], purpose);
        assert_eq!(granted["event"]["ticket"], "INC-1");
        assert_eq!(granted["event"]["streams"], json!(["chat"]));
        assert!(!granted["event"]["statement"].as_str().unwrap().contains("m-1"));
        assert!(granted["literals"].to_string().contains("m-1"), "{granted}");
        let completed = entries
            .iter()
            .find(|entry| {
                entry["event"]["receipt"] == receipt && entry["kind"] == "access.completed"
            })
            .expect("the outcome follows");
        assert_eq!(completed["event"]["rows"], 5);
        let revealed = if role == "engineer" { 0 } else { 5 };
        assert_eq!(completed["event"]["revealed"], revealed);
    }
}

#[test]
fn a_read_without_a_need_is_refused_and_the_refusal_is_recorded() {
    let store = Store::sample();
    let served = store.serve();
    fill(&served);
    let engineer = served.token("engineer");
    let reviewer = served.token("support");
    let refused = |token: &str, headers: &[(&str, &str)], word: &str| {
        let answer = served.call(
            token,
            "POST",
            "/api/v1/query",
            headers,
            b"SELECT model FROM chat".to_vec(),
        );
        assert_eq!(answer.status, 403, "{}", answer.text());
        assert_eq!(answer.headers["content-type"], "application/problem+json");
        assert!(answer.text().contains(word), "{}", answer.text());
    };
    refused(&engineer, &[], "purpose");
    refused(&engineer, &[("Loggia-Purpose", "marketing")], "purpose");
    refused(&reviewer, &[("Loggia-Purpose", "incident")], "ticket");
    let denied = ledger(&served).iter().filter(|entry| entry["kind"] == "access.denied").count();
    assert_eq!(denied, 3);
}

#[test]
fn a_stream_that_is_not_there_and_one_that_may_not_be_seen_get_the_same_answer() {
    let store = Store::sample();
    let served = store.serve();
    fill(&served);
    let officer = served.token("privacy_officer");
    let hidden = served.query(&officer, "debugging", "SELECT model FROM chat");
    let absent = served.query(&officer, "debugging", "SELECT model FROM chad");
    assert_eq!(hidden.status, absent.status);
    assert_eq!(hidden.text().replace("chat", "X"), absent.text().replace("chad", "X"));
}

#[test]
fn every_route_refuses_no_token_a_wrong_token_and_a_role_without_the_permission() {
    let store = Store::sample();
    let served = store.serve();
    let officer = served.token("privacy_officer");
    let auditor = served.token("auditor");
    let wrong = served.agent().replace("lgk_", "lgk-");
    let before = ledger(&served).len();
    let mut failed_sign_ins = 0;
    let mut refusals = 0;
    for route in loggia::ROUTES {
        let path = route
            .path
            .replace("{stream}", "app")
            .replace("{id}", "nobody")
            .replace("{index}", "0")
            .replace("{*path}", "0/000");
        let method = route.method.to_uppercase();
        let json = [("Content-Type", "application/json"), ("Loggia-Purpose", "debugging")];
        let body = match route.path {
            "/api/v1/search" => r#"{"stream":"app"}"#,
            "/api/v1/query" => r#"{"sql":"SELECT 1 FROM app"}"#,
            "/api/v1/subjects/find" => r#"{"user_id":"x"}"#,
            "/api/v1/subjects/erase" => r#"{"user_id":"x","reason":"y"}"#,
            "/api/v1/tokens" => r#"{"principal":"x","role":"admin"}"#,
            _ => "{}",
        };
        let path = if route.path == "/api/v1/tail" { format!("{path}?stream=app") } else { path };
        let call = |token: &str| served.call(token, &method, &path, &json, body.into());
        match route.access {
            loggia::Access::Public => {
                let status = call("").status;
                assert!(status == 200 || status == 404, "{method} {path}: {status}");
            }
            loggia::Access::Permission(permission) => {
                assert_eq!(call("").status, 401, "{method} {path}");
                let answer = call(&wrong);
                assert_eq!(answer.status, 401, "{method} {path}");
                assert!(!answer.text().contains("lgk"), "the answer repeats the token");
                failed_sign_ins += 2;
                // Between them the two roles lack every permission.
                let lacks = |role: &str| match role {
                    "auditor" => !["ledger.read", "store.verify", "policy.read", "metrics.read"]
                        .contains(&permission),
                    _ => !["subject.find", "subject.erase", "policy.read", "ledger.read"]
                        .contains(&permission),
                };
                let token = if lacks("auditor") { &auditor } else { &officer };
                if lacks("auditor") || lacks("privacy_officer") {
                    let answer = call(token);
                    assert_eq!(answer.status, 403, "{method} {path}: {}", answer.text());
                    refusals += 1;
                }
            }
        }
    }
    let entries = ledger(&served);
    let new = &entries[..entries.len() - before];
    let count = |kind: &str| new.iter().filter(|entry| entry["kind"] == kind).count();
    assert_eq!(count("signin.failed"), failed_sign_ins);
    assert_eq!(count("access.denied"), refusals);
}

#[test]
fn a_revoked_token_is_dead_at_once() {
    let store = Store::sample();
    let served = store.serve();
    let engineer = served.token("engineer");
    assert_eq!(served.query(&engineer, "debugging", "SELECT count(*) AS n FROM app").status, 200);
    let id = &engineer[4..16];
    let answer =
        served.call(served.admin(), "DELETE", &format!("/api/v1/tokens/{id}"), &[], vec![]);
    assert_eq!(answer.status, 204);
    assert_eq!(served.query(&engineer, "debugging", "SELECT count(*) AS n FROM app").status, 401);
}
