//! How fast the door is: a store of N records (200,000 by default), each question asked several times, medians printed.
//!
//! ```text
//! cargo run --release -p loggia-query --example speed -- 1000000
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a measuring tool: it prints, times, and stops when it cannot go on"
)]
#![allow(
    unfulfilled_lint_expectations,
    reason = "some of these lints exist only with the workspace's clippy.toml"
)]

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use loggia_keys::{KeyStore, RootSecret};
use loggia_ledger::{EntryKind, Ledger, ManualClock, NewEntry, commit};
use loggia_policy::{
    AccessRequest, AdmitContext, Grant, Permission, PlaceholderBook, Policy, Principal,
};
use loggia_query::{QueryLimits, QueryService, Session, parse_statement};
use loggia_record::{Limits, decode_ndjson};
use loggia_store::{Clock, Store, StoreConfig};

const NOON_NS: i64 = 1_772_366_400_000_000_000;
const BATCH: usize = 2_000;

const POLICY: &str = r#"
version: 1
controller: { name: Example Ltd, contact: privacy@example.com }
notice: { rights_contact: privacy@example.com }
registry: gen-ai
purposes:
  debugging: { description: Find out why something failed., basis: legitimate_interests }
streams:
  chat:
    description: Calls of models.
    source: genai
    subject: user_id
    conversation: conversation_id
    retention: { skeleton: 180d, content: 30d }
    fields:
      level: { from: "@severity", format: token, category: operational, treatment: keep, purposes: [debugging] }
      service: { from: service, format: token, category: operational, treatment: keep, purposes: [debugging] }
      trace_id: { from: "@trace_id", format: token, treatment: keep, purposes: [debugging] }
      latency_ms: { from: latency_ms, type: float, category: operational, treatment: keep, purposes: [debugging] }
      message: { from: note, type: text, category: free_text, treatment: keep, purposes: [debugging] }
      user_id: { from: user_id, category: linkable, treatment: subject, purposes: [debugging] }
      conversation_id: { from: conversation_id, category: linkable, treatment: pseudonymise, purposes: [debugging] }
      prompt: { from: prompt, category: content, treatment: seal, purposes: [debugging] }
roles:
  support:
    can: [read]
    purposes: [debugging]
    streams: { "*": { clear: [operational, linkable, free_text, person, content] } }
"#;

fn main() {
    let rows: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(200_000);
    let dir = tempfile::TempDir::new().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(NOON_NS));
    let policy = Policy::parse(POLICY).unwrap();
    let root = RootSecret::File(dir.path().join("root.key"));
    let keys = Arc::new(KeyStore::create(&dir.path().join("keys"), &root, NOON_NS).unwrap());
    std::fs::create_dir_all(dir.path().join("ledger")).unwrap();
    let ledger = Arc::new(
        Ledger::open(&dir.path().join("ledger"), "example.com/speed", &[7; 32], Arc::clone(&clock))
            .unwrap(),
    );
    let schemas: Vec<_> = policy.streams().cloned().collect();
    let config = StoreConfig::new(dir.path().join("store"));
    let store = Arc::new(
        Store::open(config, Arc::clone(&keys), Arc::clone(&ledger), &schemas, Arc::clone(&clock))
            .unwrap(),
    );
    load(rows, &policy, &keys, &store);
    let service = Arc::new(
        QueryService::new(
            Arc::clone(&store),
            Arc::clone(&keys),
            QueryLimits::default(),
            Arc::clone(&clock),
        )
        .unwrap(),
    );
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    println!("{rows} records in {} segments", store.snapshot("acme", "chat").segments.len());
    for (name, sql) in QUESTIONS {
        let mut times = Vec::new();
        let mut told = (0, 0);
        for _ in 0..7 {
            let statement = parse_statement(sql).unwrap();
            let session = session(&service, &policy, &ledger);
            let start = Instant::now();
            told = runtime.block_on(async {
                let mut stream = session.sql(&statement).await.unwrap();
                while let Some(batch) = stream.next().await {
                    batch.unwrap();
                }
                (stream.outcome().rows, stream.outcome().revealed_rows)
            });
            times.push(start.elapsed());
        }
        times.sort();
        let median: Duration = times.get(times.len() / 2).copied().unwrap_or_default();
        println!(
            "{name:<34} {:>9.2} ms   {} rows, {} opened",
            median.as_secs_f64() * 1e3,
            told.0,
            told.1
        );
    }
}

const QUESTIONS: &[(&str, &str)] = &[
    ("nothing (session and plan)", "SELECT 1"),
    ("count all", "SELECT count(*) FROM chat"),
    ("count by service", "SELECT service, count(*) FROM chat GROUP BY service"),
    (
        "p95 latency per 5 minutes",
        "SELECT date_bin(INTERVAL '5 minutes', time), approx_percentile_cont(latency_ms, 0.95) FROM chat GROUP BY 1",
    ),
    (
        "needle by trace id",
        "SELECT * FROM chat WHERE trace_id = '000000000000000000000000000003e7'",
    ),
    ("rare phrase", "SELECT time, message FROM chat WHERE contains_ci(message, 'number 777 ')"),
    (
        "last 100 errors of a service",
        "SELECT time, level, message FROM chat WHERE level = 'ERROR' AND service = 's3' ORDER BY time DESC LIMIT 100",
    ),
    ("last 100 with content", "SELECT time, prompt FROM chat ORDER BY time DESC LIMIT 100"),
    (
        "last 100 with a piece of content",
        "SELECT time, substr(prompt, 1, 80) FROM chat ORDER BY time DESC LIMIT 100",
    ),
    (
        "phrase in content, all opened",
        "SELECT count(*) FROM chat WHERE prompt LIKE '%number 777 %'",
    ),
];

fn load(rows: usize, policy: &Policy, keys: &KeyStore, store: &Store) {
    let book = PlaceholderBook::new([3; 32], 10_000);
    let start = Instant::now();
    for first in (0..rows).step_by(BATCH) {
        let mut lines = String::new();
        for n in first..rows.min(first + BATCH) {
            let (seconds, level) = (n * 60_000 / rows, if n % 50 == 0 { "ERROR" } else { "INFO" });
            write!(
                lines,
                r#"{{"time":{},"level":"{level}","service":"s{}","trace_id":"{n:032x}","#,
                1_772_300_000 + seconds,
                n % 7
            )
            .unwrap();
            write!(lines, r#""latency_ms":{}.5,"note":"request number {n} took its time and came back in the end","#, n % 1_000).unwrap();
            write!(lines, r#""user_id":"u{}","conversation_id":"c{}","prompt":"please tell me all about number {n} "#, n % 997, n % 4_999).unwrap();
            writeln!(lines, "{}\"}}", "and explain the whole story in plain words ".repeat(10))
                .unwrap();
        }
        let batch = decode_ndjson(lines.as_bytes(), &Limits::default()).unwrap();
        let context = AdmitContext {
            tenant: "acme",
            now_ns: NOON_NS,
            placeholders: &book,
            stream: Some("chat"),
        };
        for admitted in policy.admit(&batch, &context).admitted {
            let sealed = keys.seal(admitted).unwrap().sealed;
            while store
                .append(loggia_keys::Sealed::restore(sealed.stored().clone()).unwrap())
                .is_err()
            {
                store.flush().unwrap();
            }
        }
    }
    store.flush().unwrap();
    println!("loaded in {:.1} s", start.elapsed().as_secs_f64());
}

fn session(service: &Arc<QueryService>, policy: &Policy, ledger: &Ledger) -> Session {
    let (commitment, _) = commit(b"a read").unwrap();
    let entry = NewEntry {
        kind: EntryKind::AccessGranted,
        policy: policy.digest().0,
        commitment,
        object: None,
        record: b"sealed",
    };
    Session::open(service, grant(policy), ledger.append(entry).unwrap()).unwrap()
}

fn grant(policy: &Policy) -> Grant {
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
