//! The block's inner layout: every text comes back, no bytes crash the reader.

use super::*;
use proptest::prelude::*;

const PLACE: Place<'static> =
    Place { tenant: "t", stream: "s", write_id: &[1; 16], block: 7, key_id: &[2; 16] };

fn key() -> Secret {
    Secret::from_slice(&[3; 32]).unwrap()
}

fn sealed(cells: &[(u32, u16, String)]) -> Vec<u8> {
    let mut builder = BlockBuilder::default();
    cells.iter().for_each(|(row, field, text)| builder.push(*row, *field, text));
    with_context(|context| builder.seal(&key(), &PLACE, context)).unwrap()
}

#[test]
fn short_text_is_laid_down_raw_and_long_text_compressed() {
    let short = sealed(&[(0, 0, "hi".to_owned())]);
    assert_eq!(short.len(), HEADER_LEN + INNER_LEN + 4 + 2 + TAG_LEN);
    let long = sealed(&[(0, 0, "repeat ".repeat(1_000))]);
    assert!(long.len() < 200);
    assert_eq!(long[..2], [1, 0]);
}

#[test]
fn numbers_of_every_length_come_back() {
    for number in [0, 1, 127, 128, 16_383, 16_384, u32::MAX - 1, u32::MAX] {
        let mut bytes = Vec::new();
        push_number(&mut bytes, number);
        let mut rest = &bytes[..];
        assert_eq!(take_number(&mut rest).unwrap(), number);
        assert!(rest.is_empty());
    }
    assert!(take_number(&mut &[0xff; 4][..]).is_err());
    assert!(take_number(&mut &[0xff, 0xff, 0xff, 0xff, 0x7f][..]).is_err());
}

#[test]
fn a_directory_out_of_order_or_beyond_its_text_is_refused() {
    let parts = |cells: &[[u8; 3]], text: &[u8]| {
        let mut raw = vec![u8::try_from(cells.len()).unwrap()];
        cells.iter().for_each(|cell| raw.extend_from_slice(cell));
        raw.extend_from_slice(text);
        parse(&raw).map(|block| block.len())
    };
    assert_eq!(parts(&[[0, 1, 2], [1, 0, 1]], b"abc").unwrap(), 2);
    assert!(parts(&[[0, 1, 2], [0, 1, 1]], b"abc").is_err(), "the same cell twice");
    assert!(parts(&[[0, 2, 2], [0, 1, 1]], b"abc").is_err(), "fields fall");
    assert!(parts(&[[0, 1, 4]], b"abc").is_err(), "text too short");
    assert!(parts(&[[0, 1, 2]], b"abc").is_err(), "text left over");
    assert!(parts(&[[0, 1, 1], [0, 2, 1]], "é".as_bytes()).is_err(), "cut inside a character");
    assert!(parts(&[[0, 1, 1]], &[0xff]).is_err(), "not text");
    assert!(parse(&[]).is_err());
    assert!(parse(&[0xff, 0xff, 0xff, 0xff, 0x0f]).is_err(), "more cells than bytes");
}

#[test]
fn a_false_length_is_refused() {
    assert!(unpack(&[CODEC_RAW, 5, 0, 0, 0, 1, 2]).is_err());
    assert!(unpack(&[CODEC_ZSTD, 0xff, 0xff, 0xff, 0xff, 1]).is_err());
    assert!(unpack(&[9, 0, 0, 0, 0]).is_err());
    let packed = zstd::bulk::compress(&[7; 1_000], 1).unwrap();
    let inner = |length: u32| [&[CODEC_ZSTD][..], &length.to_le_bytes(), &packed].concat();
    assert_eq!(unpack(&inner(1_000)).unwrap().len(), 1_000);
    assert!(unpack(&inner(999)).is_err());
    assert!(unpack(&inner(1_001)).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_text_comes_back(rows in proptest::collection::btree_map((0_u32..5_000, 0_u16..600), ".{0,300}", 0..40)) {
        let cells: Vec<_> = rows.iter().map(|((row, field), text)| (*row, *field, text.clone())).collect();
        let opened = open(&key(), &PLACE, &sealed(&cells)).unwrap();
        let read: Vec<_> = opened.iter().map(|(row, field, text)| (row, field, text.to_owned())).collect();
        prop_assert_eq!(&read, &cells);
        for (row, field, text) in &cells {
            prop_assert_eq!(opened.get(*row, *field), Some(text.as_str()));
        }
    }

    #[test]
    fn no_bytes_crash_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(parse(&bytes));
        drop(unpack(&bytes));
        drop(open(&key(), &PLACE, &bytes));
    }
}
