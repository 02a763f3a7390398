//! What is encoded is decoded the same, and no damaged bytes are.

use std::sync::Arc;

use loggia_keys::{NO_BLOCK, Sealed, SealedBlock, StoredSealed};
use loggia_policy::{
    Category, Class, Column, ColumnData, FieldSchema, FieldType, PolicyDigest, Retention,
    StreamSchema, TextColumn, Treatment,
};
use proptest::prelude::*;

use super::bytes::{Cursor, put_bits};
use super::frame::{EndHeader, FileHeader, FrameHeader};
use super::index::{self, BatchOrigin, BlockExtent, BlockIndex};
use super::{batch, schema};

const KINDS: [FieldType; 5] =
    [FieldType::Text, FieldType::Int, FieldType::Float, FieldType::Bool, FieldType::Timestamp];

/// A schema with clear fields of the given kinds and one sealed field behind each.
fn schema_of(kinds: &[usize]) -> Arc<StreamSchema> {
    let field = |name: String, kind, treatment, class| FieldSchema {
        name,
        kind,
        category: Category::Linkable,
        treatment,
        class,
        purposes: Vec::new(),
        basis: String::new(),
        description: String::new(),
    };
    let fields = kinds.iter().enumerate().flat_map(|(at, kind)| {
        [
            field(format!("clear.{at}"), KINDS[*kind], Treatment::Generalise, Class::Skeleton),
            field(format!("sealed.{at}"), FieldType::Text, Treatment::Seal, Class::Content),
        ]
    });
    let retention = Retention { skeleton_days: 3, content_days: 2 };
    let conversation = (kinds.len() > 1).then_some(2);
    Arc::new(StreamSchema::new(
        "s".to_owned(),
        String::new(),
        fields.collect(),
        None,
        conversation,
        retention,
    ))
}

prop_compose! {
    fn stored()(kinds in prop::collection::vec(0..KINDS.len(), 0..4), rows in 0_usize..20)(
        columns in kinds.iter().map(|kind| column(*kind, rows)).collect::<Vec<_>>(),
        kinds in Just(kinds),
        times in prop::collection::vec(any::<i64>(), rows),
        blocks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..=rows.min(3)),
        policy in any::<[u8; 32]>(),
        write_id in any::<[u8; 16]>(),
        ingest_time_ns in any::<i64>(),
        tenant in "[a-zü]{1,8}",
    ) -> StoredSealed {
        let row_blocks = (0..times.len())
            .map(|row| if row < blocks.len() { u32::try_from(row).unwrap() } else { NO_BLOCK })
            .collect();
        StoredSealed {
            schema: schema_of(&kinds),
            tenant,
            policy: PolicyDigest(policy),
            write_id,
            ingest_time_ns,
            times,
            skeleton: columns.into_iter().enumerate().map(|(at, column)| (u16::try_from(2 * at).unwrap(), column)).collect(),
            row_blocks,
            blocks: blocks.into_iter().enumerate().map(|(at, bytes)| SealedBlock { key_id: [u8::try_from(at).unwrap(); 16], bytes }).collect(),
        }
    }
}

fn column(kind: usize, rows: usize) -> BoxedStrategy<Column> {
    fn of<T: std::fmt::Debug>(
        rows: usize,
        values: impl Strategy<Value = T> + 'static,
        data: impl Fn(Vec<T>) -> ColumnData + 'static,
    ) -> BoxedStrategy<Column> {
        prop::collection::vec((any::<bool>(), values), rows)
            .prop_map(move |rows| {
                let (validity, values) = rows.into_iter().unzip();
                Column::new(validity, data(values)).unwrap()
            })
            .boxed()
    }
    match KINDS[kind] {
        FieldType::Int => of(rows, any::<i64>(), ColumnData::Int),
        FieldType::Float => of(rows, any::<i32>().prop_map(f64::from), ColumnData::Float),
        FieldType::Bool => of(rows, any::<bool>(), ColumnData::Bool),
        FieldType::Timestamp => of(rows, any::<i64>(), ColumnData::Timestamp),
        FieldType::Text => of(rows, ".{0,6}", |texts: Vec<String>| {
            let mut out = TextColumn::default();
            texts.iter().for_each(|text| out.push(text));
            ColumnData::Text(out)
        }),
    }
}

proptest! {
    #[test]
    fn a_batch_comes_back_as_it_was(parts in stored()) {
        let sealed = Sealed::restore(parts.clone()).unwrap();
        let bytes = batch::encode(&sealed, usize::MAX).unwrap();
        // With the policy's schema at hand, and without.
        let mut with = schema::Catalogue::new(&[Arc::clone(&parts.schema)]).unwrap();
        let mut without = schema::Catalogue::default();
        for schemas in [&mut with, &mut without] {
            let back = batch::decode(&bytes, schemas).unwrap();
            prop_assert!(*back.stored() == parts);
        }
        prop_assert!(batch::encode(&sealed, bytes.len() / 2).is_err());
    }

    /// A cut or changed payload is refused or is another whole batch; it never panics.
    #[test]
    fn no_payload_panics(parts in stored(), cut in any::<prop::sample::Index>(), flip in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let bytes = batch::encode(&Sealed::restore(parts).unwrap(), usize::MAX).unwrap();
        let mut schemas = schema::Catalogue::default();
        let cut = cut.index(bytes.len());
        prop_assert!(batch::decode(&bytes[..cut], &mut schemas).is_none());
        let mut longer = bytes.clone();
        longer.push(0);
        prop_assert!(batch::decode(&longer, &mut schemas).is_none());
        let mut changed = bytes;
        let at = flip.index(changed.len());
        changed[at] ^= 1_u8 << bit;
        drop(batch::decode(&changed, &mut schemas));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(batch::decode(&bytes, &mut schema::Catalogue::default()));
        drop(FileHeader::read(&bytes));
        drop(BlockIndex::decode(&bytes, 1 << 20));
        let _header = (FrameHeader::read(&bytes), EndHeader::read(&bytes));
        let _trailer = index::read_trailer(&bytes, 1 << 20);
    }

    #[test]
    fn bits_come_back(bits in prop::collection::vec(any::<bool>(), 0..70)) {
        let mut out = Vec::new();
        put_bits(&mut out, &bits);
        prop_assert_eq!(out.len(), bits.len().div_ceil(8));
        prop_assert_eq!(Cursor::new(&out).bits(bits.len()), Some(bits));
    }

    #[test]
    fn headers_come_back(seq in any::<u64>(), counter in any::<u64>(), group in any::<u64>(), len in any::<u32>(), key in prop::collection::vec(any::<u8>(), 0..60)) {
        let mut out = Vec::new();
        let frame = FrameHeader { len, counter, group };
        frame.put(&mut out);
        prop_assert_eq!(FrameHeader::read(&out), Some(frame));
        prop_assert_eq!(EndHeader::read(&out), None);
        out.clear();
        let end = EndHeader { len, frames: counter, offset: group };
        end.put(&mut out);
        prop_assert_eq!(EndHeader::read(&out), Some(end));
        let file = FileHeader::encode(seq, &key);
        let read = FileHeader::read(&file).unwrap();
        prop_assert_eq!((read.seq, read.wrapped_key, read.len), (seq, key, file.len()));
        for at in 0..file.len() {
            let mut changed = file.clone();
            changed[at] ^= 0x10;
            prop_assert!(FileHeader::read(&changed).is_err());
            prop_assert!(FileHeader::read(&file[..at]).is_err());
        }
    }

    #[test]
    fn an_index_comes_back(blocks in prop::collection::btree_map((any::<[u8; 16]>(), any::<u32>()), (24_u64..1_000, 0_u32..1_000, any::<[u8; 16]>()), 0..10), policy in any::<[u8; 32]>()) {
        let index = BlockIndex {
            batches: blocks.keys().map(|(write_id, rows)| BatchOrigin { write_id: *write_id, policy: PolicyDigest(policy), ingest_time_ns: -1, rows: *rows }).collect(),
            blocks: blocks.into_iter().map(|(key, (offset, len, key_id))| (key, BlockExtent { offset, len, key_id })).collect(),
        };
        let bytes = index.encode();
        prop_assert_eq!(BlockIndex::decode(&bytes, 2_000), Some(index.clone()));
        if !index.blocks.is_empty() {
            prop_assert_eq!(BlockIndex::decode(&bytes, 23), None, "blocks past the end");
        }
    }
}

/// The bytes of version 1, fixed: a change here needs a new version and a change of `docs/formats/wal.md`.
#[test]
fn the_first_version_stays_as_it_is() {
    let parts = StoredSealed {
        schema: schema_of(&[0]),
        tenant: "t".to_owned(),
        policy: PolicyDigest([1; 32]),
        write_id: [2; 16],
        ingest_time_ns: 3,
        times: vec![4, 5],
        skeleton: vec![(0, {
            let mut text = TextColumn::default();
            text.push("ab");
            text.push("");
            Column::new(vec![true, false], ColumnData::Text(text)).unwrap()
        })],
        row_blocks: vec![0, NO_BLOCK],
        blocks: vec![SealedBlock { key_id: [6; 16], bytes: vec![7, 8] }],
    };
    let bytes = batch::encode(&Sealed::restore(parts).unwrap(), usize::MAX).unwrap();
    let mut expected: Vec<u8> = vec![1];
    expected.extend(b"\x01\0t");
    let schema = b"\x01\0s\x02\0\x07\0clear.0\x01\x02\x05\x01\x08\0sealed.0\x01\x02\x07\x02\xff\xff\xff\xff\x03\0\0\0\x02\0\0\0";
    expected.extend(u32::try_from(schema.len()).unwrap().to_le_bytes());
    expected.extend(schema);
    expected.extend([1; 32]);
    expected.extend([2; 16]);
    expected.extend(3_i64.to_le_bytes());
    expected.extend(b"\x02\0\0\0");
    expected.extend(4_i64.to_le_bytes());
    expected.extend(5_i64.to_le_bytes());
    expected.extend(b"\x01\0\0\0\0\0\0\x01\x05\x02\0\0\0\x02\0\0\0ab");
    expected.extend(b"\0\0\0\0\xff\xff\xff\xff\x01\0\0\0");
    expected.extend([6; 16]);
    expected.extend(b"\x02\0\0\0\x07\x08");
    assert_eq!(bytes, expected);
}
