//! Parquet Modular Encryption of segments: uniform, footer encrypted, 256-bit key per file.
//!
//! The mistake this avoids: with column keys, columns not named are written in clear, and a clear footer shows names and
//! statistics. Here one key covers every module. Its key metadata is the JSON that pyarrow, Spark and Java understand
//! (PKMT1); what stands for the wrapped key is the *reference* a key server derives it from, not key material.

use std::sync::Arc;

use loggia_keys::FileKey;
use parquet::encryption::decrypt::FileDecryptionProperties;
use parquet::encryption::encrypt::FileEncryptionProperties;
use parquet::errors::ParquetError;

use super::SegmentId;

/// What a reader asks for: the master key's name in the key metadata.
const MASTER_KEY: &str = "loggia/v1/stream-day";

/// Properties to write the file of `id` with.
pub(crate) fn encryption(
    key: &FileKey,
    tenant: &str,
    stream: &str,
    day: &str,
    id: SegmentId,
) -> Result<Arc<FileEncryptionProperties>, ParquetError> {
    let metadata = key_metadata(tenant, stream, day, id).into_bytes();
    key.with_bytes(|bytes| FileEncryptionProperties::builder(bytes.to_vec()))
        .with_footer_key_metadata(metadata)
        .build()
}

/// Properties to read a segment with.
pub(crate) fn decryption(key: &FileKey) -> Result<Arc<FileDecryptionProperties>, ParquetError> {
    key.with_bytes(|bytes| FileDecryptionProperties::builder(bytes.to_vec())).build()
}

/// Key material in pyarrow's form. The reference is `tenant/stream/day/file id`, each escaped like its path component.
fn key_metadata(tenant: &str, stream: &str, day: &str, id: SegmentId) -> String {
    let escaped = |name: &str| crate::layout::component(name).unwrap_or_default();
    let reference = format!("{}/{}/{day}/{id}", escaped(tenant), escaped(stream));
    format!(
        concat!(
            r#"{{"keyMaterialType":"PKMT1","internalStorage":true,"isFooterKey":true,"#,
            r#""kmsInstanceID":"DEFAULT","kmsInstanceURL":"DEFAULT","masterKeyID":"{}","#,
            r#""wrappedDEK":"{}","doubleWrapping":false}}"#
        ),
        MASTER_KEY, reference
    )
}
