//! Sidecars: the digest of a file that has none inside, written at a clean close and removed on the next open.
//!
//! A database keeps bytes that no reader looks at (free pages, slack); with its sidecar a single changed byte is found
//! there too. It is a check against damage, not against an adversary: rows carry tags for that.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use aws_lc_rs::digest;

use crate::durable;
use crate::error::{Error, Result};

const SUFFIX: &str = ".sha256";
const READ_BYTES: usize = 1 << 20;

/// What a sidecar says about its file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SidecarState {
    /// There is no sidecar: the file's owner was not closed cleanly, or is in use.
    Absent,
    /// The file is as it was when the sidecar was written.
    Same,
    /// The file was changed.
    Changed,
    /// The sidecar itself is damaged.
    Damaged,
}

/// Writes the sidecar of `file`, which nobody may be writing to. The engine calls this for the files of the key store
/// after closing it; the store does it for its catalog.
///
/// # Errors
/// Fails when the file cannot be read or the sidecar not written.
pub fn write_sidecar(file: &Path) -> Result<()> {
    let (len, sha256) = hash_file(file)?;
    durable::write_file(&sidecar_of(file), render(file, len, &sha256).as_bytes())?;
    Ok(())
}

/// Removes the sidecar of `file`, before the file is opened for writing.
///
/// # Errors
/// Fails when the sidecar is there and cannot be removed.
pub fn remove_sidecar(file: &Path) -> Result<()> {
    if durable::remove(&sidecar_of(file))? {
        durable::sync_parent(file)?;
    }
    Ok(())
}

/// Compares `file` with its sidecar.
///
/// # Errors
/// Fails when one of the two exists and cannot be read.
pub fn check_sidecar(file: &Path) -> Result<SidecarState> {
    let sidecar = sidecar_of(file);
    let found = match fs::read(&sidecar) {
        Ok(found) => found,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(SidecarState::Absent),
        Err(e) => return Err(Error::io("read", &sidecar, e)),
    };
    if !is_whole(&found) {
        return Ok(SidecarState::Damaged);
    }
    let (len, sha256) = hash_file(file)?;
    let expected = render(file, len, &sha256);
    Ok(if found == expected.as_bytes() { SidecarState::Same } else { SidecarState::Changed })
}

/// Path of the sidecar of `file`.
pub(crate) fn sidecar_of(file: &Path) -> PathBuf {
    let mut name: OsString = file.file_name().unwrap_or_default().to_os_string();
    name.push(SUFFIX);
    file.with_file_name(name)
}

/// Whether a path is a sidecar's, and then the path of its file.
pub(crate) fn owner_of(sidecar: &Path) -> Option<PathBuf> {
    let name = sidecar.file_name()?.to_str()?.strip_suffix(SUFFIX)?;
    Some(sidecar.with_file_name(name))
}

/// Length and SHA-256 of a file.
pub(crate) fn hash_file(path: &Path) -> Result<(u64, [u8; 32])> {
    let mut file = File::open(path).map_err(|e| Error::io("open", path, e))?;
    let mut context = digest::Context::new(&digest::SHA256);
    let mut buffer = vec![0; READ_BYTES];
    let mut len = 0_u64;
    loop {
        let read = file.read(&mut buffer).map_err(|e| Error::io("read", path, e))?;
        if read == 0 {
            break;
        }
        context.update(buffer.get(..read).unwrap_or_default());
        len = len.saturating_add(read as u64);
    }
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(context.finish().as_ref());
    Ok((len, sha256))
}

/// Two lines: `sha256  name  length`, and the SHA-256 of the first, so that damage to the sidecar is not taken for damage
/// to its file.
fn render(file: &Path, len: u64, sha256: &[u8; 32]) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let line = format!("{}  {name}  {len}\n", hex(sha256));
    let check = hex(digest::digest(&digest::SHA256, line.as_bytes()).as_ref());
    format!("{line}{check}\n")
}

fn is_whole(bytes: &[u8]) -> bool {
    let Some(at) = bytes.iter().position(|byte| *byte == b'\n') else { return false };
    let (line, rest) = bytes.split_at(at.saturating_add(1));
    let check = hex(digest::digest(&digest::SHA256, line).as_ref());
    rest.strip_suffix(b"\n") == Some(check.as_bytes())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
