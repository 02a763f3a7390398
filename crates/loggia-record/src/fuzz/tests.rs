//! Runs the fuzz targets on random bytes, and on damaged specimens of what they expect.

use proptest::collection::vec;
use proptest::prelude::*;

use super::{codec_lines, codec_ndjson, codec_otlp};

const OTLP: [&[u8]; 4] = [
    include_bytes!("../../../../fuzz/corpus/codec_otlp/logs.bin"),
    include_bytes!("../../../../fuzz/corpus/codec_otlp/traces.bin"),
    include_bytes!("../../../../fuzz/corpus/codec_otlp/logs.json"),
    include_bytes!("../../../../fuzz/corpus/codec_otlp/traces.json"),
];
const NDJSON: &[u8] = include_bytes!("../../../../fuzz/corpus/codec_ndjson/rows.ndjson");
const LINES: &[u8] = include_bytes!("../../../../fuzz/corpus/codec_lines/lines.log");

/// A specimen with some bytes overwritten, inserted or cut off.
fn damaged(specimen: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![any::<u8>(), Just(b'"'), Just(b'{'), Just(b'['), Just(0xff)];
    vec((any::<prop::sample::Index>(), 0..3_u8, byte), 0..5).prop_map(move |edits| {
        let mut bytes = specimen.clone();
        for (at, what, byte) in edits {
            let at = at.index(bytes.len() + 1);
            match what {
                0 if at < bytes.len() => bytes[at] = byte,
                1 => bytes.truncate(at.max(bytes.len() / 2)),
                _ => bytes.insert(at, byte),
            }
        }
        bytes
    })
}

proptest! {
    #[test]
    fn otlp(bytes in prop::sample::select(OTLP.to_vec()).prop_flat_map(|s| damaged(s.to_vec()))) {
        codec_otlp(&bytes);
    }

    #[test]
    fn ndjson(bytes in damaged(NDJSON.to_vec())) {
        codec_ndjson(&bytes);
    }

    #[test]
    fn lines(bytes in damaged(LINES.to_vec())) {
        codec_lines(&bytes);
    }

    #[test]
    fn any_bytes(bytes in vec(any::<u8>(), 0..200)) {
        codec_otlp(&bytes);
        codec_ndjson(&bytes);
        codec_lines(&bytes);
    }
}

#[test]
fn the_seeds_are_good_specimens() {
    let limits = crate::Limits::default();
    let [logs, traces, logs_json, traces_json] = OTLP;
    for batch in [
        crate::decode_otlp_logs(logs, &limits),
        crate::decode_otlp_traces(traces, &limits),
        crate::decode_otlp_logs_json(logs_json, &limits),
        crate::decode_otlp_traces_json(traces_json, &limits),
        crate::decode_ndjson(NDJSON, &limits),
        crate::decode_lines(LINES, 0, &limits),
    ] {
        let batch = batch.unwrap();
        assert!(batch.len() >= 2, "a seed holds too little");
        assert_eq!(batch.rejected(), []);
    }
}
