//! Small files that must survive a crash: written whole, synced, renamed, and their directory synced.
//!
//! A file that replaces another also blanks the replaced one, so that an old epoch key does not linger in free blocks
//! (best effort: a solid-state disk keeps old pages, which is why an old epoch key never opens anything new).

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use zeroize::Zeroizing;

use crate::error::{KeysError, Result};

/// Only the owner reads and writes.
const OWNER_ONLY: u32 = 0o600;

/// Writes a file that must not be there yet.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = create_new(path)?;
    file.write_all(bytes).map_err(KeysError::io("write", path))?;
    file.sync_all().map_err(KeysError::io("sync", path))?;
    sync_parent(path)
}

/// Makes an empty file that only its owner can touch.
pub(crate) fn create_new(path: &Path) -> Result<File> {
    let made = OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(path);
    made.map_err(|source| {
        if source.kind() == std::io::ErrorKind::AlreadyExists {
            KeysError::Exists { path: path.to_path_buf() }
        } else {
            KeysError::Io { what: "create", path: path.to_path_buf(), source }
        }
    })
}

/// Writes a file in one step: a reader sees the old bytes or the new, never a part.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = path.with_added_extension("tmp");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(OWNER_ONLY)
        .open(&temporary)
        .map_err(KeysError::io("create", &temporary))?;
    file.write_all(bytes).map_err(KeysError::io("write", &temporary))?;
    file.sync_all().map_err(KeysError::io("sync", &temporary))?;
    rename_over(&temporary, path)
}

/// Renames `from` over `to`, then blanks what `to` was.
pub(crate) fn rename_over(from: &Path, to: &Path) -> Result<()> {
    let replaced = OpenOptions::new().write(true).open(to).ok();
    #[expect(
        clippy::disallowed_methods,
        reason = "this is this crate's durable module: the directory is synced below"
    )]
    std::fs::rename(from, to).map_err(KeysError::io("rename", from))?;
    sync_parent(to)?;
    replaced.map_or(Ok(()), |file| blank(&file, to))
}

/// Overwrites an unlinked file with zeros.
fn blank(mut file: &File, path: &Path) -> Result<()> {
    let length = file.metadata().map_err(KeysError::io("read the size of", path))?.len();
    let zeros = vec![0_u8; usize::try_from(length).unwrap_or(0)];
    file.write_all(&zeros).map_err(KeysError::io("blank the old", path))?;
    file.sync_all().map_err(KeysError::io("sync", path))
}

/// Removes a file if it is there.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Ok(()) => sync_parent(path),
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(KeysError::Io { what: "remove", path: path.to_path_buf(), source }),
    }
}

/// Reads a small file; `None` when it is not there, and an error when it is larger than `bytes_max`.
pub(crate) fn read_small(path: &Path, bytes_max: u64) -> Result<Option<Zeroizing<Vec<u8>>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => {
            return Err(KeysError::Io { what: "open", path: path.to_path_buf(), source });
        }
    };
    let room = usize::try_from(bytes_max).unwrap_or(0).saturating_add(1);
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    file.take(bytes_max.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(KeysError::io("read", path))?;
    if bytes.len() as u64 > bytes_max {
        return Err(KeysError::Tampered { what: "a key file (it is too long)" });
    }
    Ok(Some(bytes))
}

/// Makes the directory's entries durable.
fn sync_parent(path: &Path) -> Result<()> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    };
    File::open(parent).and_then(|dir| dir.sync_all()).map_err(KeysError::io("sync", parent))
}
