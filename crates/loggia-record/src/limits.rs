//! How much of a hostile request is read before it is refused.

/// Bounds on one request. Every decoder keeps to them; memory use follows from them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Size of a request after decompression.
    pub batch_bytes_max: usize,
    /// Size of one record on the wire; a larger one is rejected and the others kept.
    pub record_bytes_max: usize,
    /// Attributes of one record, or of one resource with its scope.
    pub attrs_per_record_max: usize,
    /// Attributes of a whole request, shared ones included.
    pub attrs_per_batch_max: usize,
    /// How deep arrays and key-value lists may nest. At most 100 counts, and 40 in OTLP's JSON,
    /// which takes three levels of JSON for one of its values.
    pub depth_max: usize,
    /// Records of one request, rejected ones included.
    pub records_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch_bytes_max: 16 << 20,
            record_bytes_max: 1 << 20,
            attrs_per_record_max: 2048,
            attrs_per_batch_max: 2 << 20,
            depth_max: 32,
            records_max: 1 << 18,
        }
    }
}

impl Limits {
    /// The nesting depth that is really allowed: the decoders recurse, so the stack bounds it.
    pub(crate) fn depth(&self) -> usize {
        self.depth_max.min(100)
    }
}
