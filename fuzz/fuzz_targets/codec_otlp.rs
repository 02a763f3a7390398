//! Fuzzes `loggia_record::fuzz::codec_otlp`; what must hold is written there.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| loggia_record::fuzz::codec_otlp(bytes));
