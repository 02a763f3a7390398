//! A small platform: two streams, two roles, records sent as NDJSON through the real path.

use std::path::Path;
use std::sync::Arc;

use futures::StreamExt as _;
use loggia_keys::{KeyStore, RootSecret, Sealed, SubjectRef};
use loggia_ledger::{EntryKind, Ledger, ManualClock, NewEntry, Receipt, commit};
use loggia_policy::{
    AccessRequest, AdmitContext, Grant, Permission, PlaceholderBook, Policy, Principal,
};
use loggia_query::arrow::array::RecordBatch;
use loggia_query::arrow::util::display::{ArrayFormatter, FormatOptions};
use loggia_query::{
    MaskedStream, Outcome, QueryError, QueryLimits, QueryService, Session, parse_statement,
};
use loggia_record::{Limits, decode_ndjson};
use loggia_store::{Clock, Store, StoreConfig};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// 2026-03-01T12:00:00Z.
pub(crate) const NOON_NS: i64 = 1_772_366_400_000_000_000;
pub(crate) const SECOND_NS: i64 = 1_000_000_000;

pub(crate) const POLICY: &str = r#"
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
      level: { from: "@severity", type: text, category: operational, treatment: keep, format: token, purposes: [debugging] }
      service: { from: service, type: text, category: operational, treatment: keep, format: token, purposes: [debugging] }
      "n": { from: "n", type: int, category: operational, treatment: keep, purposes: [debugging] }
      latency_ms: { from: latency_ms, type: float, category: operational, treatment: keep, purposes: [debugging] }
      cached: { from: cached, type: bool, category: operational, treatment: keep, purposes: [debugging] }
      message: { from: message_text, type: text, category: free_text, treatment: keep, purposes: [debugging] }
      shadow: { from: shadow, type: text, category: free_text, treatment: keep, purposes: [debugging] }
      user_id: { from: user_id, category: linkable, treatment: subject, purposes: [debugging] }
      conversation_id: { from: conversation_id, category: linkable, treatment: pseudonymise, purposes: [debugging] }
      nickname: { from: nickname, type: text, category: person, treatment: keep, format: token, purposes: [debugging] }
      age: { from: age, type: int, category: person, treatment: keep, purposes: [debugging] }
      salary: { from: salary, type: float, category: person, treatment: keep, purposes: [debugging] }
      vip: { from: vip, type: bool, category: person, treatment: keep, purposes: [debugging] }
      prompt: { from: prompt, category: content, treatment: seal, purposes: [debugging] }
      completion: { from: completion, category: content, treatment: seal, purposes: [debugging] }
  other:
    description: Not for everybody.
    source: logs
    subject: none
    retention: { skeleton: 30d }
    fields:
      message: { from: "@body", purposes: [debugging] }
roles:
  engineer:
    can: [read]
    purposes: [debugging]
    streams: { chat: { clear: [operational, linkable, free_text] } }
  support:
    can: [read]
    purposes: [debugging]
    streams: { "*": { clear: [operational, linkable, free_text, person, content] } }
  agent:
    can: [ingest]
"#;

/// One record of the chat stream, as NDJSON.
#[derive(Clone, Debug)]
pub(crate) struct Chat {
    pub(crate) n: i64,
    pub(crate) user: Option<&'static str>,
    pub(crate) nickname: String,
    pub(crate) age: i64,
    pub(crate) prompt: Option<String>,
    /// The prompt again, in a clear column.
    pub(crate) shadow: String,
}

impl Chat {
    pub(crate) fn new(n: i64) -> Self {
        let user = ["ada", "bob", "cyd"].into_iter().nth(usize::try_from(n % 3).unwrap());
        Self {
            n,
            user,
            nickname: format!("nick{}", n % 7),
            age: 20 + n % 50,
            prompt: Some(format!("tell me about topic {n}")),
            shadow: format!("tell me about topic {n}"),
        }
    }

    fn line(&self) -> String {
        let level = if self.n % 4 == 0 { "ERROR" } else { "INFO" };
        let service = if self.n % 2 == 0 { "api" } else { "worker" };
        let mut line = format!(
            concat!(
                r#"{{"time":"2026-03-01T10:{:02}:{:02}Z","level":"{}","service":"{}","n":{},"latency_ms":{}.5,"cached":{},"#,
                r#""message_text":"request {} Timed Out","nickname":"{}","age":{},"salary":{}.25,"vip":{},"conversation_id":"c{}""#
            ),
            self.n / 60 % 60,
            self.n % 60,
            level,
            service,
            self.n,
            self.n * 10,
            self.n % 5 == 0,
            self.n,
            self.nickname,
            self.age,
            self.age * 100,
            self.age % 2 == 0,
            self.n % 6,
        );
        if let Some(user) = self.user {
            line.push_str(&format!(r#","user_id":"{user}""#));
        }
        if let Some(prompt) = &self.prompt {
            line.push_str(&format!(
                r#","prompt":"{prompt}","completion":"answer to {prompt}","shadow":"{}""#,
                self.shadow
            ));
        }
        line.push_str("}\n");
        line
    }
}

/// Everything that runs, in one directory.
pub(crate) struct Platform {
    pub(crate) runtime: Runtime,
    pub(crate) policy: Policy,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) keys: Arc<KeyStore>,
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) store: Arc<Store>,
    pub(crate) service: Arc<QueryService>,
    book: PlaceholderBook,
    _dir: TempDir,
}

impl Platform {
    pub(crate) fn new() -> Self {
        Self::with_limits(QueryLimits { partitions: 2, ..QueryLimits::default() })
    }

    pub(crate) fn with_limits(limits: QueryLimits) -> Self {
        let dir = TempDir::new().unwrap();
        let clock = Arc::new(ManualClock::new(NOON_NS));
        let policy = Policy::parse(POLICY).unwrap_or_else(|error| panic!("{error}"));
        let root = dir.path().join("root.key");
        let keys = Arc::new(
            KeyStore::create(&dir.path().join("keys"), &RootSecret::File(root), NOON_NS).unwrap(),
        );
        let as_clock = || Arc::clone(&clock) as Arc<dyn Clock>;
        let ledger = Arc::new(
            Ledger::open(
                &subdir(dir.path(), "ledger"),
                "test.example/loggia",
                &[7; 32],
                as_clock(),
            )
            .unwrap(),
        );
        let schemas: Vec<_> = policy.streams().cloned().collect();
        let config = StoreConfig::new(dir.path().join("store"));
        let store = Arc::new(
            Store::open(config, Arc::clone(&keys), Arc::clone(&ledger), &schemas, as_clock())
                .unwrap(),
        );
        let service = Arc::new(
            QueryService::new(Arc::clone(&store), Arc::clone(&keys), limits, as_clock()).unwrap(),
        );
        let book = PlaceholderBook::new([3; 32], 1_000);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        Self { runtime, policy, clock, keys, ledger, store, service, book, _dir: dir }
    }

    pub(crate) fn seal(&self, tenant: &str, stream: &str, ndjson: &str) -> Sealed {
        let batch = decode_ndjson(ndjson.as_bytes(), &Limits::default()).unwrap();
        assert!(batch.rejected().is_empty(), "the test's lines are well-formed");
        let context = AdmitContext {
            tenant,
            now_ns: self.clock.now_ns(),
            placeholders: &self.book,
            stream: Some(stream),
        };
        let admission = self.policy.admit(&batch, &context);
        let mut admitted = admission.admitted;
        assert_eq!(admitted.len(), 1, "{:?}", admission.report);
        self.keys.seal(admitted.pop().unwrap()).unwrap().sealed
    }

    pub(crate) fn send(&self, records: &[Chat]) {
        let lines: String = records.iter().map(Chat::line).collect();
        self.store.append(self.seal("acme", "chat", &lines)).unwrap();
    }

    pub(crate) fn grant(&self, role: &str, streams: &[&str]) -> Grant {
        self.grant_for("acme", role, streams)
    }

    pub(crate) fn grant_for(&self, tenant: &str, role: &str, streams: &[&str]) -> Grant {
        let principal = Principal {
            id: "p1".to_owned(),
            role: role.to_owned(),
            tenant: tenant.to_owned(),
            token_id: None,
        };
        let request = AccessRequest {
            principal: &principal,
            streams,
            purpose: Some("debugging"),
            ticket: None,
            action: Permission::Read,
            now_ns: self.clock.now_ns(),
        };
        self.policy.authorize(&request).unwrap()
    }

    pub(crate) fn receipt(&self) -> Receipt {
        let (commitment, _) = commit(b"a read").unwrap();
        let entry = NewEntry {
            kind: EntryKind::AccessGranted,
            policy: self.policy.digest().0,
            commitment,
            object: None,
            record: b"sealed",
        };
        self.ledger.append(entry).unwrap()
    }

    pub(crate) fn session(&self, grant: Grant) -> Session {
        Session::open(&self.service, grant, self.receipt()).unwrap()
    }

    /// Runs `sql` as `role` over the chat stream: rows as text, and the outcome.
    pub(crate) fn run(
        &self,
        role: &str,
        sql: &str,
    ) -> Result<(Vec<Vec<String>>, Outcome), QueryError> {
        self.run_with(self.grant(role, &["chat"]), sql)
    }

    pub(crate) fn run_with(
        &self,
        grant: Grant,
        sql: &str,
    ) -> Result<(Vec<Vec<String>>, Outcome), QueryError> {
        let statement = parse_statement(sql)?;
        self.runtime.block_on(async {
            let stream = self.session(grant).sql(&statement).await?;
            collect(stream).await
        })
    }

    /// Rows of a query that must succeed.
    pub(crate) fn rows(&self, role: &str, sql: &str) -> Vec<Vec<String>> {
        self.run(role, sql).unwrap_or_else(|error| panic!("{sql}: {error}")).0
    }

    pub(crate) fn erase(&self, user: &str) {
        self.keys
            .destroy_subject("acme", &SubjectRef::UserId(user), self.clock.now_ns())
            .unwrap()
            .unwrap();
    }
}

pub(crate) async fn collect(
    mut stream: MaskedStream,
) -> Result<(Vec<Vec<String>>, Outcome), QueryError> {
    let mut rows = Vec::new();
    while let Some(batch) = stream.next().await {
        rows.extend(texts(&batch?));
    }
    Ok((rows, stream.outcome()))
}

pub(crate) fn texts(batch: &RecordBatch) -> Vec<Vec<String>> {
    let options = FormatOptions::default().with_null("NULL");
    let columns: Vec<_> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column, &options).unwrap())
        .collect();
    (0..batch.num_rows())
        .map(|row| columns.iter().map(|column| column.value(row).to_string()).collect())
        .collect()
}

fn subdir(dir: &Path, name: &str) -> std::path::PathBuf {
    let path = dir.join(name);
    std::fs::create_dir_all(&path).unwrap();
    path
}
