//! A key store in a temporary directory and batches by hand, for this crate's tests.

use std::sync::Arc;

use loggia_policy::{
    Admitted, Category, Class, Column, ColumnData, FieldSchema, FieldType, PolicyDigest, Retention,
    StreamSchema, TextColumn, Treatment,
};
use tempfile::TempDir;

use crate::{KeyStore, OpenedBlock, Result, RootSecret, SealOutcome, Sealed};

/// 2025-10-09T08:53:20Z.
pub(crate) const NOW_NS: i64 = 1_760_000_000_000_000_000;
/// Field indexes of [`schema`].
pub(crate) const DEVICE: u16 = 2;
pub(crate) const PROMPT: u16 = 4;
pub(crate) const ANSWER: u16 = 5;

pub(crate) struct Fixture {
    pub(crate) dir: TempDir,
    pub(crate) store: KeyStore,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = KeyStore::create(&dir.path().join("keys"), &root(&dir), NOW_NS).unwrap();
        Self { dir, store }
    }

    /// Closes the store and opens it again.
    pub(crate) fn reopened(self) -> Self {
        let Self { dir, store } = self;
        store.close().unwrap();
        let store = KeyStore::open(&dir.path().join("keys"), &root(&dir), NOW_NS).unwrap();
        Self { dir, store }
    }

    /// Drops the store without closing it, as far as one process can, and opens it again.
    pub(crate) fn crashed(self) -> Result<Self> {
        let Self { dir, store } = self;
        drop(store);
        let store = KeyStore::open(&dir.path().join("keys"), &root(&dir), NOW_NS)?;
        Ok(Self { dir, store })
    }

    pub(crate) fn seal(&self, rows: &[Row<'_>]) -> SealOutcome {
        self.store.seal(batch("default", rows)).unwrap()
    }

    /// Opens the block of a row.
    pub(crate) fn open(&self, sealed: &Sealed, row: usize) -> Result<OpenedBlock> {
        let block = sealed.row_blocks()[row];
        let bytes = &sealed.blocks()[block as usize].bytes;
        self.store.open_block(&sealed.place(block).unwrap(), bytes)
    }

    pub(crate) fn count(&self, kind: &str) -> u64 {
        let status = self.store.status().unwrap();
        status.keys.iter().find(|(name, _)| *name == kind).unwrap().1
    }
}

pub(crate) fn root(dir: &TempDir) -> RootSecret {
    RootSecret::File(dir.path().join("root.key"))
}

/// A row: user, conversation, device, prompt, answer; empty means null. Time is [`NOW_NS`] plus `after_ns`.
#[derive(Clone, Copy, Default)]
pub(crate) struct Row<'a> {
    pub(crate) user: &'a str,
    pub(crate) conversation: &'a str,
    pub(crate) device: &'a str,
    pub(crate) prompt: &'a str,
    pub(crate) answer: &'a str,
    pub(crate) after_ns: i64,
}

/// A row of a user with a prompt.
pub(crate) fn said<'a>(user: &'a str, conversation: &'a str, prompt: &'a str) -> Row<'a> {
    Row { user, conversation, prompt, ..Row::default() }
}

pub(crate) fn batch(tenant: &str, rows: &[Row<'_>]) -> Admitted {
    let text = |value: fn(&Row<'_>) -> String| {
        let mut column = TextColumn::default();
        rows.iter().for_each(|row| column.push(&value(row)));
        let validity = rows.iter().map(|row| !value(row).is_empty()).collect();
        Column::new(validity, ColumnData::Text(column)).unwrap()
    };
    let tokens = ColumnData::Int((0_i64..).take(rows.len()).collect());
    let columns = vec![
        text(|row| row.user.to_owned()),
        text(|row| row.conversation.to_owned()),
        text(|row| row.device.to_owned()),
        Column::new(vec![true; rows.len()], tokens).unwrap(),
        text(|row| row.prompt.to_owned()),
        text(|row| row.answer.to_owned()),
    ];
    let times = rows.iter().map(|row| NOW_NS + row.after_ns).collect();
    Admitted::assemble(schema(), tenant, PolicyDigest([5; 32]), NOW_NS, times, columns).unwrap()
}

pub(crate) fn schema() -> Arc<StreamSchema> {
    let field = |name: &str, kind, treatment| FieldSchema {
        name: name.to_owned(),
        kind,
        category: Category::Operational,
        treatment,
        class: if treatment == Treatment::Seal { Class::Content } else { Class::Skeleton },
        purposes: Vec::new(),
        basis: String::new(),
        description: String::new(),
    };
    let fields = vec![
        field("user", FieldType::Text, Treatment::Subject),
        field("conversation", FieldType::Text, Treatment::Keep),
        field("device", FieldType::Text, Treatment::Pseudonymise),
        field("tokens", FieldType::Int, Treatment::Keep),
        field("prompt", FieldType::Text, Treatment::Seal),
        field("answer", FieldType::Text, Treatment::Seal),
    ];
    let retention = Retention { skeleton_days: 90, content_days: 30 };
    Arc::new(StreamSchema::new(
        "chat".to_owned(),
        String::new(),
        fields,
        Some(0),
        Some(1),
        retention,
    ))
}

/// Whether any file under the fixture's directory holds these bytes.
pub(crate) fn any_file_holds(dir: &TempDir, needle: &[u8]) -> bool {
    let mut folders = vec![dir.path().to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if std::fs::read(&path)
                .unwrap()
                .windows(needle.len())
                .any(|window| window == needle)
            {
                return true;
            }
        }
    }
    false
}
