//! [`World`]: an engine, its clock and the model it is held against.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::TryStreamExt as _;
use loggia_engine::{Engine, EngineConfig, EngineError, QueryRequest, TokenRequest, verify_dir};
use loggia_keys::SubjectRef;
use loggia_policy::{Permission, Principal};
use loggia_query::arrow::array::{Array as _, AsArray as _};
use loggia_query::arrow::record_batch::RecordBatch;
use loggia_record::{Limits, decode_ndjson};
use loggia_store::Clock as _;

use crate::model::{Held, Model};
use crate::random::Random;

const USERS: u64 = 12;
const HOUR_NS: i64 = 3_600_000_000_000;
/// 2026-01-01T00:00:00Z.
const START_NS: i64 = 1_767_225_600_000_000_000;

/// The engine and the model disagree, or the engine failed where it must not.
#[derive(Debug)]
pub struct Failed(pub String);

impl From<EngineError> for Failed {
    fn from(error: EngineError) -> Self {
        Self(format!("{error:?}"))
    }
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

/// One simulated store.
pub struct World {
    runtime: tokio::runtime::Runtime,
    base: tempfile::TempDir,
    life: u64,
    policy: String,
    clock: Arc<loggia_ledger::ManualClock>,
    engine: Option<Arc<Engine>>,
    model: Model,
    random: Random,
    written: u64,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "World(life {}, {} records)", self.life, self.model.records.len())
    }
}

impl World {
    /// A new store under `policy`, whose every later choice comes from `seed`.
    ///
    /// # Errors
    /// When the store cannot be made.
    pub fn new(seed: u64, policy: &str) -> Result<Self, Failed> {
        let base = tempfile::tempdir()?;
        let clock = Arc::new(loggia_ledger::ManualClock::new(START_NS));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        let mut world = Self {
            runtime,
            base,
            life: 0,
            policy: policy.into(),
            clock,
            engine: None,
            model: Model::default(),
            random: Random::new(seed),
            written: 0,
        };
        let request = TokenRequest {
            principal: "sim".into(),
            role: "agent".into(),
            tenant: "default".into(),
            days: 1,
        };
        let clock: Arc<dyn loggia_store::Clock> = Arc::clone(&world.clock) as _;
        Engine::init(&world.config(), &[request], &clock)?;
        world.open()?;
        Ok(world)
    }

    fn dir(&self) -> PathBuf {
        self.base.path().join(format!("life-{}", self.life))
    }

    fn config(&self) -> EngineConfig {
        EngineConfig::new(self.dir(), self.policy.clone())
    }

    fn open(&mut self) -> Result<(), Failed> {
        let clock: Arc<dyn loggia_store::Clock> = Arc::clone(&self.clock) as _;
        self.engine = Some(Arc::new(Engine::open(&self.config(), &clock)?));
        Ok(())
    }

    fn engine(&self) -> Result<Arc<Engine>, Failed> {
        self.engine.clone().ok_or_else(|| Failed("the engine is not open".into()))
    }

    /// One operation and its checks. Returns its name.
    ///
    /// # Errors
    /// When the engine and the model disagree.
    pub fn step(&mut self) -> Result<&'static str, Failed> {
        match self.random.below(100) {
            0..50 => self.ingest().map(|()| "ingest"),
            50..62 => self.engine()?.flush().map(|()| "flush").map_err(Failed::from),
            62..72 => self.crash().map(|()| "crash"),
            72..78 => self.restart().map(|()| "restart"),
            78..84 => self.erase().map(|()| "erase"),
            84..87 => self.rotate().map(|()| "rotate"),
            87..92 => {
                let hours = i64::try_from(self.random.below(30)).unwrap_or(0);
                self.clock.advance_ns(hours * HOUR_NS);
                Ok("time passes")
            }
            _ => self.read().map(|()| "read"),
        }
    }

    fn ingest(&mut self) -> Result<(), Failed> {
        let rows = 1 + self.random.below(40);
        let mut lines = String::new();
        let mut batch = Vec::new();
        let mut refused = 0;
        for _ in 0..rows {
            let user = self.random.below(USERS);
            self.written += 1;
            let prompt = format!("thought number {} of somebody", self.written);
            lines.push_str(&format!(
                "{{\"gen_ai.operation.name\":\"chat\",\"gen_ai.request.model\":\"m\",\
                 \"gen_ai.input.messages\":\"{prompt}\",\"user.id\":\"user-{user}\"}}\n"
            ));
            if self.model.refuses(user) {
                refused += 1;
            } else {
                batch.push(Held { user, prompt });
            }
        }
        let decoded = decode_ndjson(lines.as_bytes(), &Limits::default())
            .map_err(|error| Failed(error.to_string()))?;
        let outcome = self.engine()?.ingest(&principal("agent"), &decoded, Some("chat"))?;
        if (outcome.accepted, outcome.refused_rows()) != (batch.len(), refused) {
            return Err(Failed(format!(
                "accepted {} and refused {}, expected {} and {refused}",
                outcome.accepted,
                outcome.refused_rows(),
                batch.len()
            )));
        }
        self.model.records.extend(batch);
        Ok(())
    }

    /// Power fails: what the disk holds now is all there is.
    fn crash(&mut self) -> Result<(), Failed> {
        // Nothing is under way while the image is taken: a copy is not atomic, a power failure is.
        self.engine()?.ledger().checkpoint().map_err(|error| Failed(error.to_string()))?;
        let from = self.dir();
        let image = self.base.path().join(format!("life-{}", self.life + 1));
        copy(&from, &image)?;
        drop(self.engine.take());
        std::fs::remove_dir_all(&from)?;
        self.life += 1;
        self.open()?;
        self.read()
    }

    fn restart(&mut self) -> Result<(), Failed> {
        self.engine()?.close()?;
        drop(self.engine.take());
        self.verify()?;
        self.open()
    }

    fn verify(&self) -> Result<(), Failed> {
        let root = loggia_engine::RootSecret::File(self.dir().join("keys").join("root.key"));
        let report = verify_dir(&self.dir(), &root, self.clock.now_ns(), &mut |_, _| {})?;
        if report.problems.is_empty() {
            return Ok(());
        }
        Err(Failed(format!("a clean store does not verify: {:?}", report.problems)))
    }

    fn erase(&mut self) -> Result<(), Failed> {
        let user = self.random.below(USERS);
        let known = self.model.records.iter().any(|held| held.user == user);
        let id = format!("user-{user}");
        let outcome = self.engine()?.erase_subject(
            &principal("privacy_officer"),
            &SubjectRef::UserId(&id),
            "sim",
        );
        match outcome {
            Ok(_) if known && !self.model.refuses(user) => {
                self.model.erased.insert(user);
                self.read()
            }
            Err(EngineError::NotFound(_)) if !known || self.model.refuses(user) => Ok(()),
            other => Err(Failed(format!("erasing `{id}` (known: {known}) gave {other:?}"))),
        }
    }

    fn rotate(&mut self) -> Result<(), Failed> {
        self.engine()?.rotate_keys(&principal("admin"))?;
        self.read()
    }

    /// Reads everything as two roles and compares with the model.
    fn read(&mut self) -> Result<(), Failed> {
        let seen = self.prompts("support", "incident")?;
        let expected = self.model.shown(loggia_query::ERASED);
        if seen != expected {
            let missing = expected.iter().find(|(text, n)| seen.get(*text) != Some(n));
            let extra = seen.iter().find(|(text, n)| expected.get(*text) != Some(n));
            return Err(Failed(format!("missing {missing:?}, extra {extra:?}")));
        }
        let masked = self.prompts("engineer", "debugging")?;
        let rows = self.model.records.len();
        let all = BTreeMap::from([(loggia_query::MASKED.to_owned(), rows)]);
        if masked != all && rows > 0 {
            return Err(Failed(format!("the engineer sees {} kinds of text", masked.len())));
        }
        Ok(())
    }

    fn prompts(&self, role: &str, purpose: &str) -> Result<BTreeMap<String, usize>, Failed> {
        let engine = self.engine()?;
        let request = QueryRequest {
            sql: "SELECT prompt FROM chat".into(),
            purpose: Some(purpose.into()),
            ticket: Some("SIM-1".into()),
            protocol: "sim",
            action: Permission::Read,
        };
        let batches: Vec<RecordBatch> = self.runtime.block_on(async {
            let answer = engine.query(&principal(role), request).await?;
            answer.try_collect().await
        })?;
        let mut counts = BTreeMap::new();
        for batch in &batches {
            let texts = batch.column(0).as_string::<i32>();
            for row in 0..texts.len() {
                *counts.entry(texts.value(row).to_owned()).or_default() += 1;
            }
        }
        Ok(counts)
    }

    /// Ends the run: closes, verifies every byte.
    ///
    /// # Errors
    /// When the closed store does not verify.
    pub fn finish(mut self) -> Result<(), Failed> {
        self.read()?;
        self.engine()?.close()?;
        drop(self.engine.take());
        self.verify()
    }
}

fn principal(role: &str) -> Principal {
    Principal {
        id: format!("{role}@sim"),
        role: role.into(),
        tenant: "default".into(),
        token_id: None,
    }
}

/// What the disk holds, file by file. Files that go while we copy are ones a crash would not show either.
fn copy(from: &Path, to: &Path) -> Result<(), Failed> {
    std::fs::create_dir_all(to)?;
    for item in std::fs::read_dir(from)? {
        let item = item?;
        let target = to.join(item.file_name());
        if item.file_type()?.is_dir() {
            copy(&item.path(), &target)?;
        } else {
            std::fs::copy(item.path(), target)?;
        }
    }
    Ok(())
}
