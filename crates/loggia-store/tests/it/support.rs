//! A small world for tests and examples: a stream with every kind of field, keys, a ledger, and ways to read everything back.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{Array as _, AsArray as _, RecordBatch};
use arrow::datatypes::UInt32Type;
use loggia_keys::{KeyStore, RootSecret, Sealed};
use loggia_ledger::{Clock, Ledger, ManualClock};
use loggia_policy::{
    Admitted, Category, Class, Column, ColumnData, FieldSchema, FieldType, PolicyDigest, Retention,
    StreamSchema, TextColumn, Treatment,
};
use loggia_store::{SegmentInfo, Store, StoreConfig, VerifyOptions, VerifyReport};
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};

pub(crate) const TENANT: &str = "acme";
pub(crate) const STREAM: &str = "chat";
/// 2026-03-14 15:09:26 UTC.
pub(crate) const NOW_NS: i64 = 1_773_500_966_000_000_000;
pub(crate) const SECOND_NS: i64 = 1_000_000_000;
pub(crate) const DAY_NS: i64 = 86_400 * SECOND_NS;

pub(crate) fn field(name: &str, kind: FieldType, treatment: Treatment) -> FieldSchema {
    let content = treatment == Treatment::Seal;
    FieldSchema {
        name: name.to_owned(),
        kind,
        category: if content { Category::Content } else { Category::Operational },
        treatment,
        class: if content { Class::Content } else { Class::Skeleton },
        purposes: vec!["operations".to_owned()],
        basis: "contract".to_owned(),
        description: String::new(),
    }
}

pub(crate) fn chat_schema() -> Arc<StreamSchema> {
    let fields = vec![
        field("record", FieldType::Text, Treatment::Keep),
        field("user", FieldType::Text, Treatment::Subject),
        field("session", FieldType::Text, Treatment::Pseudonymise),
        field("model", FieldType::Text, Treatment::Keep),
        field("prompt", FieldType::Text, Treatment::Seal),
        field("tokens", FieldType::Int, Treatment::Keep),
        field("latency_ms", FieldType::Float, Treatment::Keep),
        field("stream", FieldType::Bool, Treatment::Keep),
        field("answered_at", FieldType::Timestamp, Treatment::Keep),
        field("completion", FieldType::Text, Treatment::Seal),
    ];
    let retention = Retention { skeleton_days: 365, content_days: 30 };
    Arc::new(StreamSchema::new(
        STREAM.to_owned(),
        String::new(),
        fields,
        Some(1),
        Some(2),
        retention,
    ))
}

/// The text that row `id` has in its sealed `prompt`.
pub(crate) fn prompt_of(id: u64) -> String {
    format!("prompt of record {id}, which nobody may read without a receipt")
}

/// `rows` admitted records, named from `first` on, their times one second apart from `time_ns` on.
pub(crate) fn admitted(
    schema: &Arc<StreamSchema>,
    first: u64,
    rows: u64,
    time_ns: i64,
) -> Admitted {
    admitted_of(schema, first, rows, time_ns, &prompt_of)
}

/// The same with a text of one's own.
pub(crate) fn admitted_of(
    schema: &Arc<StreamSchema>,
    first: u64,
    rows: u64,
    time_ns: i64,
    prompt: &dyn Fn(u64) -> String,
) -> Admitted {
    let ids: Vec<u64> = (first..first + rows).collect();
    let columns = schema
        .fields()
        .iter()
        .map(|field| {
            let validity = ids.iter().map(|id| field.name == "record" || id % 7 != 3).collect();
            Column::new(validity, values(field, &ids, prompt)).unwrap()
        })
        .collect();
    let times = (0..rows).map(|row| time_ns + SECOND_NS * i64::try_from(row).unwrap()).collect();
    Admitted::assemble(Arc::clone(schema), TENANT, PolicyDigest([7; 32]), NOW_NS, times, columns)
        .unwrap()
}

fn values(field: &FieldSchema, ids: &[u64], prompt: &dyn Fn(u64) -> String) -> ColumnData {
    let number = |id: &u64| i64::try_from(*id).unwrap();
    match field.kind {
        FieldType::Int => ColumnData::Int(ids.iter().map(number).collect()),
        FieldType::Float => {
            ColumnData::Float(ids.iter().map(|id| number(id) as f64 / 4.0).collect())
        }
        FieldType::Bool => ColumnData::Bool(ids.iter().map(|id| id % 2 == 0).collect()),
        FieldType::Timestamp => {
            ColumnData::Timestamp(ids.iter().map(|id| NOW_NS + number(id)).collect())
        }
        FieldType::Text => {
            let mut out = TextColumn::default();
            for id in ids {
                match field.name.as_str() {
                    "record" => out.push(&format!("r{id}")),
                    "user" => out.push(&format!("user-{}", id % 5)),
                    "prompt" => out.push(&prompt(*id)),
                    other => out.push(&format!("{other} {}", id % 3)),
                }
            }
            ColumnData::Text(out)
        }
    }
}

/// A data directory with keys and a ledger beside the store.
pub(crate) struct World {
    pub(crate) root: PathBuf,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) keys: Arc<KeyStore>,
    pub(crate) ledger: Arc<Ledger>,
}

impl World {
    /// Opens the world in `root`, or makes it.
    pub(crate) fn open(root: &Path) -> Self {
        let clock = Arc::new(ManualClock::new(NOW_NS));
        let (dir, secret) = (root.join("keys"), RootSecret::File(root.join("keys/root.key")));
        let keys = if dir.join("keys.db").exists() {
            KeyStore::open(&dir, &secret, NOW_NS).unwrap()
        } else {
            KeyStore::create(&dir, &secret, NOW_NS).unwrap()
        };
        let seed = keys.signing_seed("ledger").unwrap();
        let as_clock: Arc<dyn Clock> = Arc::clone(&clock) as _;
        let ledger =
            Ledger::open(&root.join("ledger"), "loggia.test/log", &seed, as_clock).unwrap();
        Self { root: root.to_path_buf(), clock, keys: Arc::new(keys), ledger: Arc::new(ledger) }
    }

    pub(crate) fn config(&self) -> StoreConfig {
        let mut config = StoreConfig::new(&self.root);
        config.wal_segment_bytes_max = 1 << 20;
        config
    }

    pub(crate) fn store(&self) -> Store {
        self.try_store(self.config()).unwrap()
    }

    pub(crate) fn try_store(&self, config: StoreConfig) -> loggia_store::Result<Store> {
        self.store_with(config, &[chat_schema()])
    }

    pub(crate) fn store_with(
        &self,
        config: StoreConfig,
        schemas: &[Arc<StreamSchema>],
    ) -> loggia_store::Result<Store> {
        let (keys, ledger) = (Arc::clone(&self.keys), Arc::clone(&self.ledger));
        Store::open(config, keys, ledger, schemas, Arc::clone(&self.clock) as _)
    }

    pub(crate) fn seal(&self, first: u64, rows: u64) -> Sealed {
        self.seal_at(first, rows, NOW_NS - DAY_NS / 4)
    }

    pub(crate) fn seal_at(&self, first: u64, rows: u64, time_ns: i64) -> Sealed {
        self.keys.seal(admitted(&chat_schema(), first, rows, time_ns)).unwrap().sealed
    }

    /// Closes keys and ledger, and leaves sidecars for the files of the key store.
    pub(crate) fn close(self) -> PathBuf {
        Arc::into_inner(self.ledger).unwrap().close().unwrap();
        Arc::into_inner(self.keys).unwrap().close().unwrap();
        for file in key_files(&self.root) {
            loggia_store::write_sidecar(&file).unwrap();
        }
        self.root
    }
}

pub(crate) fn key_files(root: &Path) -> Vec<PathBuf> {
    let mut out: Vec<PathBuf> = std::fs::read_dir(root.join("keys"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_none_or(|extension| extension != "sha256"))
        .filter(|path| path.file_name().is_some_and(|name| name != "lock" && name != "keys.lock"))
        .collect();
    out.sort();
    out
}

/// Verifies a closed world.
pub(crate) fn verify(root: &Path) -> VerifyReport {
    verify_with(root, || {
        KeyStore::open(&root.join("keys"), &RootSecret::File(root.join("keys/root.key")), NOW_NS)
            .map(Arc::new)
    })
}

pub(crate) fn verify_with(
    root: &Path,
    keys: impl FnOnce() -> loggia_keys::Result<Arc<KeyStore>>,
) -> VerifyReport {
    let options = VerifyOptions {
        sealed_files: key_files(root),
        foreign: vec!["ledger".into(), "keys/keys.lock".into()],
    };
    loggia_store::verify_dir(root, &options, keys).unwrap()
}

/// How often each record is in the store, by name, with the prompt it opens to.
pub(crate) fn records(world: &World, store: &Store) -> BTreeMap<String, (usize, Option<String>)> {
    let mut out = BTreeMap::new();
    let snapshot = store.snapshot(TENANT, STREAM);
    for sealed in &snapshot.memory {
        let batch = loggia_store::to_arrow(sealed).unwrap();
        collect(&batch, &mut out, |_, row, block| {
            let place = sealed.place(block).unwrap();
            let bytes = &sealed.blocks()[block as usize].bytes;
            text(world, &place, bytes, row)
        });
    }
    for segment in &snapshot.segments {
        let content = store.open_content(segment).unwrap();
        for batch in read_segment(store, segment) {
            collect(&batch, &mut out, |write_id, row, block| {
                let (place, bytes) = content.read_block(&write_id, block).unwrap();
                text(world, &place, &bytes, row)
            });
        }
    }
    out
}

fn text(world: &World, place: &loggia_keys::BlockPlace, bytes: &[u8], row: u32) -> Option<String> {
    world.keys.open_block(place, bytes).unwrap().get(row, 4).map(str::to_owned)
}

pub(crate) fn read_segment(store: &Store, segment: &SegmentInfo) -> Vec<RecordBatch> {
    let options = ArrowReaderOptions::new()
        .with_file_decryption_properties(store.decryption(segment).unwrap());
    let file = File::open(segment.path()).unwrap();
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options).unwrap();
    builder.build().unwrap().collect::<Result<_, _>>().unwrap()
}

fn collect(
    batch: &RecordBatch,
    out: &mut BTreeMap<String, (usize, Option<String>)>,
    open: impl Fn([u8; 16], u32, u32) -> Option<String>,
) {
    let names = batch.column_by_name("record").unwrap().as_string::<i32>();
    let writes = batch.column_by_name("_write_id").unwrap().as_fixed_size_binary();
    let rows = batch.column_by_name("_row").unwrap().as_primitive::<UInt32Type>();
    let blocks = batch.column_by_name("_block").unwrap().as_primitive::<UInt32Type>();
    for at in 0..batch.num_rows() {
        let prompt = blocks
            .is_valid(at)
            .then(|| open(writes.value(at).try_into().unwrap(), rows.value(at), blocks.value(at)))
            .flatten();
        let entry = out.entry(names.value(at).to_owned()).or_insert((0, None));
        entry.0 += 1;
        entry.1 = prompt;
    }
}

/// Checks that exactly the records `range` are there, each once, each with its content.
pub(crate) fn expect_records(world: &World, store: &Store, range: std::ops::Range<u64>) {
    let found = records(world, store);
    for (name, (times, _)) in &found {
        assert_eq!(*times, 1, "{name} is there {times} times");
    }
    let expected: BTreeMap<String, (usize, Option<String>)> =
        range.map(|id| (format!("r{id}"), (1, (id % 7 != 3).then(|| prompt_of(id))))).collect();
    assert_eq!(found.len(), expected.len(), "number of records");
    assert!(found == expected, "records or their content differ");
}

pub(crate) fn copy_dir(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// All files under `root`, except the ledger's, which verifies itself.
pub(crate) fn files(root: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut stack = vec![root.to_path_buf()];
    while let Some(dir) = stack.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if !path.ends_with("ledger") {
                    stack.push(path);
                }
            } else {
                out.push(path);
            }
        }
    }
    out.sort();
    out
}
