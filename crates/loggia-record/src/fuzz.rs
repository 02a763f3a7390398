//! The bodies of the fuzz targets, here so that the stable property tests run the same code.
//!
//! Each takes any bytes. None may panic, and what is decoded must keep to the limits.

use crate::{
    Batch, DecodeError, Limits, decode_lines, decode_ndjson, decode_otlp_logs,
    decode_otlp_logs_json, decode_otlp_traces, decode_otlp_traces_json,
};

/// Both encodings of OTLP logs and traces.
pub fn codec_otlp(bytes: &[u8]) {
    every_limit(bytes, decode_otlp_logs);
    every_limit(bytes, decode_otlp_traces);
    every_limit(bytes, decode_otlp_logs_json);
    every_limit(bytes, decode_otlp_traces_json);
}

/// Newline-delimited JSON.
pub fn codec_ndjson(bytes: &[u8]) {
    every_limit(bytes, decode_ndjson);
}

/// Plain text log lines.
pub fn codec_lines(bytes: &[u8]) {
    for now_ns in [0, 1_763_953_756_000_000_000, i64::MAX, i64::MIN] {
        every_limit(bytes, |bytes, limits| decode_lines(bytes, now_ns, limits));
    }
}

fn every_limit<'a>(
    bytes: &'a [u8],
    decode: impl Fn(&'a [u8], &Limits) -> Result<Batch<'a>, DecodeError>,
) {
    let tight = Limits {
        batch_bytes_max: 4096,
        record_bytes_max: 256,
        attrs_per_record_max: 4,
        attrs_per_batch_max: 64,
        depth_max: 3,
        records_max: 16,
    };
    for limits in [Limits::default(), tight] {
        let outcome = decode(bytes, &limits);
        assert!(
            bytes.len() <= limits.batch_bytes_max || outcome.is_err(),
            "a request over the limit was decoded"
        );
        if let Ok(batch) = outcome {
            check(&batch, &limits);
        }
    }
}

fn check(batch: &Batch<'_>, limits: &Limits) {
    const INTRINSICS_MAX: usize = 13;
    let seen = batch.len() + batch.rejected().len();
    assert!(seen <= limits.records_max, "more records than the limit");
    for record in batch.records() {
        let own = record.own().iter().filter(|attr| !attr.key.starts_with('@')).count();
        assert!(own <= limits.attrs_per_record_max, "more attributes than the limit");
        assert!(record.own().len() - own <= INTRINSICS_MAX, "an intrinsic was forged");
        for attr in record.own().iter().chain(record.shared()) {
            if let crate::Value::Json(text) = &attr.value {
                let parsed = serde_json::from_str::<serde::de::IgnoredAny>(text);
                assert!(parsed.is_ok(), "json text is not json");
            }
        }
    }
}

#[cfg(test)]
mod tests;
