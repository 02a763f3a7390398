//! The small files beside the store: policies that were in force, TLS files, the token table.
//!
//! While a store is open its databases change, so byte-exact digests of them exist only between a clean close and the next
//! opening: `manifest` (sealed, so it cannot be forged without the keys) lists the SHA-256 of each such file. [`Statics::begin`]
//! removes it, [`Statics::finish`] writes it, and verification tells a cleanly closed store from one that was not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::SHA256;
use loggia_keys::KeyStore;

use crate::audit::hex;
use crate::error::EngineError;

const MANIFEST: &str = "manifest";
const LABEL: &str = "engine/manifest";

/// Digests by path relative to the store's directory.
pub(crate) type Digests = BTreeMap<String, String>;

/// Keeper of the small files.
#[derive(Debug)]
pub(crate) struct Statics {
    policies: PathBuf,
}

impl Statics {
    pub(crate) fn open(dir: &Path) -> Self {
        Self { policies: dir.join("policies") }
    }

    /// Keeps the text of a policy under its digest. `true` when it was not the last one in force.
    pub(crate) fn keep_policy(
        &self,
        dir: &Path,
        digest: &str,
        yaml: &str,
    ) -> Result<bool, EngineError> {
        let current = dir.join("policies").join("current");
        let known = std::fs::read_to_string(&current).unwrap_or_default();
        if known.trim() == digest {
            return Ok(false);
        }
        std::fs::create_dir_all(&self.policies).map_err(io)?;
        let text = self.policies.join(format!("{digest}.yaml"));
        loggia_store::write_durably(&text, yaml.as_bytes())?;
        loggia_store::write_durably(&current, format!("{digest}\n").as_bytes())?;
        Ok(true)
    }

    /// The store opens: its databases may change from now on.
    pub(crate) fn begin(&self, dir: &Path) -> Result<(), EngineError> {
        match std::fs::remove_file(dir.join(MANIFEST)) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(io(error)),
        }
    }

    /// The store has closed: digests every file under it that does not check itself.
    pub(crate) fn finish(
        &self,
        dir: &Path,
        keys: &KeyStore,
        now_ns: i64,
    ) -> Result<(), EngineError> {
        // Makes the manifest's key now, so that the key store does not change after it was digested.
        keys.seal_blob(LABEL, MANIFEST.as_bytes(), b"", now_ns)?;
        keys.checkpoint()?;
        let mut digests = Digests::new();
        collect(dir, dir, &mut digests)?;
        let json = serde_json::to_vec(&digests)
            .map_err(|error| EngineError::unavailable("the manifest", error))?;
        let sealed = keys.seal_blob(LABEL, MANIFEST.as_bytes(), &json, now_ns)?;
        Ok(loggia_store::write_durably(&dir.join(MANIFEST), &sealed)?)
    }
}

/// The manifest of a cleanly closed store; `None` when there is none.
pub(crate) fn read_manifest(dir: &Path, keys: &KeyStore) -> Result<Option<Digests>, EngineError> {
    let sealed = match std::fs::read(dir.join(MANIFEST)) {
        Ok(sealed) => sealed,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(error)),
    };
    let damaged = || EngineError::Corrupt("it was changed or belongs to another store".into());
    let json =
        keys.open_blob(LABEL, MANIFEST.as_bytes(), &sealed).map_err(|_tampered| damaged())?;
    serde_json::from_slice(&json).map(Some).map_err(|_malformed| damaged())
}

/// Directories whose files check themselves: segments by the catalog, the ledger by its tree.
const SELF_CHECKING: [&str; 2] = ["data/segments", "ledger"];

/// Digests of the regular files below `at`, except the manifest, lock files and what checks itself.
pub(crate) fn collect(root: &Path, at: &Path, digests: &mut Digests) -> Result<(), EngineError> {
    for item in std::fs::read_dir(at).map_err(io)? {
        let item = item.map_err(io)?;
        let path = item.path();
        if item.file_type().map_err(io)?.is_dir() {
            if !SELF_CHECKING.contains(&relative(root, &path).as_str()) {
                collect(root, &path, digests)?;
            }
            continue;
        }
        let name = relative(root, &path);
        let empty = item.metadata().map_err(io)?.len() == 0;
        let transient = name == MANIFEST
            || name.ends_with("-shm")
            || name.ends_with("lock")
            || (empty && name.ends_with("-wal"));
        if !transient {
            digests.insert(name, digest_of(&path)?);
        }
    }
    Ok(())
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
}

fn digest_of(path: &Path) -> Result<String, EngineError> {
    use std::io::Read as _;
    let mut file = std::fs::File::open(path).map_err(io)?;
    let mut context = aws_lc_rs::digest::Context::new(&SHA256);
    let mut buffer = vec![0_u8; 1 << 20];
    loop {
        let read = file.read(&mut buffer).map_err(io)?;
        let Some(chunk) = buffer.get(..read).filter(|chunk| !chunk.is_empty()) else { break };
        context.update(chunk);
    }
    Ok(hex(context.finish().as_ref()))
}

fn io(error: std::io::Error) -> EngineError {
    EngineError::unavailable("the data directory", error)
}
