//! The single module that writes durably: write, fsync, rename, fsync the directory.
//!
//! Guarantees: a file under its final name is whole; a name that was reported removed or created survives a power cut;
//! an fsync that fails is reported as [`Error::Sync`], after which nobody may assume anything about the file.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;

use crate::error::{Error, Result};

/// Suffix of a file that is not yet published; whoever opens the store may remove it.
pub(crate) const TEMP_SUFFIX: &str = "tmp";

/// Room of the buffer in front of a new file.
const BUFFER_BYTES: usize = 256 << 10;

/// Length and digest of a file that has been made durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Written {
    pub(crate) len: u64,
    pub(crate) sha256: [u8; 32],
}

/// A file being written under a temporary name; it gets its real one in [`NewFile::publish`], or none at all.
pub(crate) struct NewFile {
    file: Option<BufWriter<File>>,
    temp: PathBuf,
    path: PathBuf,
    hash: digest::Context,
    len: u64,
}

impl NewFile {
    /// Begins `path`, whose directory must exist.
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let temp = temp_name(path);
        let file = File::create(&temp).map_err(|e| Error::io("create", &temp, e))?;
        Ok(Self {
            file: Some(BufWriter::with_capacity(BUFFER_BYTES, file)),
            temp,
            path: path.to_path_buf(),
            hash: digest::Context::new(&digest::SHA256),
            len: 0,
        })
    }

    /// From now on only the owner can read the file; to be called while it is empty.
    fn restrict_to_owner(&self) -> Result<()> {
        use std::os::unix::fs::PermissionsExt as _;
        let Some(file) = &self.file else { return Ok(()) };
        file.get_ref()
            .set_permissions(fs::Permissions::from_mode(0o600))
            .map_err(|e| Error::io("restrict", &self.temp, e))
    }

    /// Bytes written so far.
    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    /// Makes the bytes durable and gives the file its name. The caller syncs the directory once for all its files.
    pub(crate) fn publish(mut self) -> Result<Written> {
        let Some(buffered) = self.file.take() else {
            return Err(Error::invalid("a file can be published once"));
        };
        let file =
            buffered.into_inner().map_err(|e| Error::io("write", &self.temp, e.into_error()))?;
        file.sync_all().map_err(|e| Error::sync(&self.temp, e))?;
        rename(&self.temp, &self.path)?;
        let mut sha256 = [0; 32];
        sha256.copy_from_slice(self.hash.clone().finish().as_ref());
        Ok(Written { len: self.len, sha256 })
    }
}

impl Write for NewFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(file) = self.file.as_mut() else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        let written = file.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        self.len = self.len.saturating_add(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // Not published: the temporary file is garbage. Failing to remove it is harmless, opening the store does it.
        if self.file.take().is_some() && fs::remove_file(&self.temp).is_err() {
            tracing::debug!(file = %self.temp.display(), "an unfinished file was left behind");
        }
    }
}

/// A preallocated file that is written at growing offsets: the write-ahead log's.
pub(crate) struct LogFile {
    file: File,
    path: PathBuf,
}

impl LogFile {
    /// Creates `path` with `header` as its first bytes and `reserve` bytes of disk. The name appears only when the
    /// header is durable, so a file that exists can be read.
    pub(crate) fn create(path: &Path, header: &[u8], reserve: u64) -> Result<Self> {
        let temp = temp_name(path);
        let file = File::create(&temp).map_err(|e| Error::io("create", &temp, e))?;
        let prepare = || -> Result<()> {
            // Reserving space up front means a full disk is met here, before a record was promised anything, and that
            // fdatasync need not write the file's length each time.
            reserve_space(&file, reserve.max(header.len() as u64))
                .map_err(|e| Error::io("reserve space for", &temp, e))?;
            file.write_all_at(header, 0).map_err(|e| Error::io("write", &temp, e))?;
            file.sync_all().map_err(|e| Error::sync(&temp, e))?;
            rename(&temp, path)
        };
        if let Err(error) = prepare() {
            if fs::remove_file(&temp).is_err() {
                tracing::debug!(file = %temp.display(), "an unfinished file was left behind");
            }
            return Err(error);
        }
        sync_parent(path)?;
        Ok(Self { file, path: path.to_path_buf() })
    }

    /// Opens an existing log file to cut and close it.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file =
            OpenOptions::new().write(true).open(path).map_err(|e| Error::io("open", path, e))?;
        Ok(Self { file, path: path.to_path_buf() })
    }

    pub(crate) fn write_at(&self, bytes: &[u8], offset: u64) -> Result<()> {
        self.file.write_all_at(bytes, offset).map_err(|e| Error::io("write", &self.path, e))
    }

    /// Forces written bytes to the disk (`fdatasync`).
    pub(crate) fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(|e| Error::sync(&self.path, e))
    }

    /// Cuts the file to `len` bytes; durable after the next [`LogFile::sync_all`].
    pub(crate) fn cut(&self, len: u64) -> Result<()> {
        self.file.set_len(len).map_err(|e| Error::io("cut", &self.path, e))
    }

    pub(crate) fn sync_all(&self) -> Result<()> {
        self.file.sync_all().map_err(|e| Error::sync(&self.path, e))
    }
}

/// Reserves disk space; where the file system cannot, only the length is set.
fn reserve_space(file: &File, len: u64) -> io::Result<()> {
    match fs4::FileExt::allocate(file, len) {
        Err(e) if e.kind() == io::ErrorKind::Unsupported => file.set_len(len),
        reserved => reserved,
    }
}

/// Makes the entries of a directory durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<()> {
    let handle = File::open(dir).map_err(|e| Error::io("open", dir, e))?;
    handle.sync_all().map_err(|e| Error::sync(dir, e))
}

/// Creates `dir` and what is missing above it, each made durable in its parent.
pub(crate) fn create_dir(dir: &Path) -> Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    if let Some(parent) = dir.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        create_dir(parent)?;
    }
    match fs::create_dir(dir) {
        Ok(()) => sync_parent(dir),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(e) => Err(Error::io("create", dir, e)),
    }
}

/// Writes a small file whole, under its final name only once durable.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<Written> {
    let mut file = NewFile::create(path)?;
    file.write_all(bytes).map_err(|e| Error::io("write", path, e))?;
    let written = file.publish()?;
    sync_parent(path)?;
    Ok(written)
}

/// Writes a small file whole: it appears under its name only once it is durable, and replaces what was there.
///
/// # Errors
/// Fails when the disk refuses; what was there before stays.
pub fn write_durably(path: &Path, bytes: &[u8]) -> Result<()> {
    write_file(path, bytes).map(drop)
}

/// [`write_durably`] for secrets: the file is readable by its owner alone, from its first byte.
///
/// # Errors
/// As [`write_durably`].
pub fn write_private_durably(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = NewFile::create(path)?;
    file.restrict_to_owner()?;
    file.write_all(bytes).map_err(|e| Error::io("write", path, e))?;
    file.publish()?;
    sync_parent(path)
}

/// Removes `path` if it exists; durable once its directory is synced. Answers whether it was there.
pub(crate) fn remove(path: &Path) -> Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(Error::io("remove", path, e)),
    }
}

/// Makes the entry of `path` in its directory durable.
pub(crate) fn sync_parent(path: &Path) -> Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    sync_dir(parent.unwrap_or(Path::new(".")))
}

#[expect(
    clippy::disallowed_methods,
    reason = "this is the durable module; its callers sync the directory"
)]
fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(|e| Error::io("rename", from, e))
}

fn temp_name(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".");
    name.push(TEMP_SUFFIX);
    path.with_file_name(name)
}
