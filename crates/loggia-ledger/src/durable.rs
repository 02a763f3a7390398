//! The one module that writes files whole: write, sync, rename, sync the folder.
//!
//! A reader sees the old file or the new one, never a part; after a crash the same holds.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::error::LedgerError;

/// The folder in which files are made before they take their place.
pub(crate) const TMP_DIR: &str = "tmp";

/// Returns the error of a file operation.
pub(crate) fn io_error(action: &'static str, file: &str, source: io::Error) -> LedgerError {
    LedgerError::Io { action, file: file.to_owned(), source }
}

/// Reads a file of the ledger whole; a missing file is [`LedgerError::NotFound`].
pub(crate) fn read(dir: &Path, name: &str) -> Result<Vec<u8>, LedgerError> {
    fs::read(dir.join(name)).map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound {
            return LedgerError::NotFound(format!("there is no file `{name}`"));
        }
        io_error("read", name, error)
    })
}

/// Reads a file of the ledger whole as text.
pub(crate) fn read_text(dir: &Path, name: &str) -> Result<String, LedgerError> {
    String::from_utf8(read(dir, name)?).map_err(|_not_utf8| LedgerError::Corrupt {
        file: name.to_owned(),
        index: None,
        what: "the file is not text".into(),
    })
}

/// Makes the folder of the ledger and the one for temporary files, which is emptied.
pub(crate) fn prepare(dir: &Path) -> Result<(), LedgerError> {
    let tmp = dir.join(TMP_DIR);
    fs::create_dir_all(dir).map_err(|error| io_error("create", &dir.to_string_lossy(), error))?;
    match fs::remove_dir_all(&tmp) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(io_error("empty", TMP_DIR, error));
        }
        _ => {}
    }
    fs::create_dir(&tmp).map_err(|error| io_error("create", TMP_DIR, error))?;
    sync_dir(dir, "")
}

/// Writes `files` (name and content) so that each is there whole or not at all; when this returns, all are durable.
pub(crate) fn write_all<'a>(
    dir: &Path,
    files: impl IntoIterator<Item = (String, &'a [u8])>,
) -> Result<(), LedgerError> {
    let mut folders = BTreeSet::new();
    let mut moves = Vec::new();
    for (number, (name, content)) in files.into_iter().enumerate() {
        let tmp_name = format!("{TMP_DIR}/{number}");
        write_synced(&dir.join(&tmp_name), content)
            .map_err(|error| io_error("write", &name, error))?;
        let folder = Path::new(&name).parent().unwrap_or_else(|| Path::new("")).to_path_buf();
        make_folder(dir, &folder, &mut folders)?;
        folders.insert(folder);
        moves.push((tmp_name, name));
    }
    for (tmp_name, name) in moves {
        rename(&dir.join(tmp_name), &dir.join(&name))
            .map_err(|error| io_error("rename", &name, error))?;
    }
    folders.iter().try_for_each(|folder| sync_dir(dir, &folder.to_string_lossy()))
}

fn write_synced(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    let mut file = options.open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the module that syncs the folder afterwards"
)]
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

/// Makes `folder` and its parents below `dir`, and notes the folders that got a new name in them.
fn make_folder(
    dir: &Path,
    folder: &Path,
    touched: &mut BTreeSet<PathBuf>,
) -> Result<(), LedgerError> {
    if dir.join(folder).is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        make_folder(dir, parent, touched)?;
        touched.insert(parent.to_path_buf());
    }
    fs::create_dir(dir.join(folder))
        .map_err(|error| io_error("create", &folder.to_string_lossy(), error))
}

/// Makes the names in a folder durable.
pub(crate) fn sync_dir(dir: &Path, folder: &str) -> Result<(), LedgerError> {
    File::open(dir.join(folder))
        .and_then(|file| file.sync_all())
        .map_err(|error| io_error("sync", if folder.is_empty() { "." } else { folder }, error))
}

/// Removes a folder with what it holds; that it is not there is no error.
pub(crate) fn remove_folder(dir: &Path, folder: &str) -> Result<(), LedgerError> {
    match fs::remove_dir_all(dir.join(folder)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(io_error("remove", folder, error))
        }
        _ => Ok(()),
    }
}
