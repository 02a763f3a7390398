//! What a store does on a good day.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::Poll;
use std::time::Duration;

use arrow::array::Array as _;
use loggia_policy::{FieldType, Retention, StreamSchema, Treatment};
use loggia_store::{Error, TailEvent, TailWait};

use crate::support::{
    DAY_NS, NOW_NS, STREAM, TENANT, World, chat_schema, expect_records, field, read_segment,
    records, verify,
};

#[test]
fn records_are_visible_at_once_and_stay_through_flush_close_and_replay() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::open(dir.path());
    let store = world.store();
    let first = store.append(world.seal(0, 10)).unwrap();
    let second = store.append(world.seal(10, 1)).unwrap();
    assert_eq!((first.rows(), second.rows()), (10, 1));
    assert!((first.wal_seq(), first.counter()) < (second.wal_seq(), second.counter()));
    expect_records(&world, &store, 0..11);

    store.flush().unwrap();
    let snapshot = store.snapshot(TENANT, STREAM);
    assert!(snapshot.memory.is_empty());
    assert_eq!((snapshot.segments.len(), snapshot.rows()), (1, 11));
    assert_eq!(snapshot.segments[0].ledger_index(), Some(0));
    assert_eq!(world.ledger.read(0).unwrap().0.kind, loggia_ledger::EntryKind::SegmentPublished);
    expect_records(&world, &store, 0..11);
    assert_eq!(std::fs::read_dir(dir.path().join("wal")).unwrap().count(), 0, "the log is drained");

    store.append(world.seal(11, 5)).unwrap();
    expect_records(&world, &store, 0..16);
    assert!(store.verify().unwrap().is_clean());
    store.append(world.seal(16, 4)).unwrap();
    store.close().unwrap();

    let store = world.store();
    expect_records(&world, &store, 0..20);
    store.append(world.seal(20, 1)).unwrap();
    drop(store);
    let store = world.store();
    expect_records(&world, &store, 0..21);
    assert_eq!(store.streams(), [(TENANT.to_owned(), STREAM.to_owned())]);
    store.close().unwrap();
    let report = verify(&world.close());
    assert_eq!(report.errors, []);
    assert_eq!(report.notes, []);
    assert_eq!(report.rows, 16);
}

#[test]
fn rows_go_to_the_day_of_the_earlier_time_sorted() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::open(dir.path());
    let store = world.store();
    store.append(world.seal_at(0, 4, NOW_NS + 3 * DAY_NS)).unwrap();
    store.append(world.seal_at(10, 4, NOW_NS - DAY_NS)).unwrap();
    store.append(world.seal_at(20, 4, NOW_NS - DAY_NS - 2_000_000_000)).unwrap();
    store.append(world.seal_at(30, 2, -1)).unwrap();
    store.flush().unwrap();
    let segments = store.snapshot(TENANT, STREAM).segments;
    let mut days: Vec<_> =
        segments.iter().map(|segment| (segment.day().to_owned(), segment.rows())).collect();
    days.sort();
    let expected = [("1969-12-31", 1), ("1970-01-01", 1), ("2026-03-13", 8), ("2026-03-14", 4)];
    assert_eq!(days, expected.map(|(day, rows)| (day.to_owned(), rows)));
    for segment in &segments {
        assert!(segment.path().to_string_lossy().contains(segment.day()));
        let mut times = Vec::new();
        for batch in read_segment(&store, segment) {
            assert_eq!(
                batch.schema().fields(),
                loggia_store::arrow_schema(segment.schema()).fields()
            );
            let column = arrow::array::AsArray::as_primitive::<
                arrow::datatypes::TimestampNanosecondType,
            >(batch.column(0));
            times.extend(column.values().iter().copied());
        }
        assert!(times.is_sorted());
        assert_eq!(times.first(), Some(&segment.time_min_ns()));
        assert_eq!(times.last(), Some(&segment.time_max_ns()));
    }
    assert_eq!(records(&world, &store).len(), 14);
}

#[test]
fn a_second_store_is_refused_while_one_is_open() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::open(dir.path());
    let store = world.store();
    assert!(matches!(world.try_store(world.config()), Err(Error::Locked { .. })));
    assert!(matches!(
        loggia_store::verify_dir(dir.path(), &Default::default(), || Ok(Arc::clone(&world.keys))),
        Err(Error::Locked { .. })
    ));
    drop(store);
    world.store().close().unwrap();
}

#[test]
fn overload_is_refused_and_said_so() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::open(dir.path());
    let mut config = world.config();
    config.memory_bytes_max = 1;
    config.batch_bytes_max = 20_000;
    let store = world.try_store(config).unwrap();
    store.append(world.seal(0, 1)).unwrap();
    assert!(matches!(store.append(world.seal(1, 1)), Err(Error::Busy { retry_after_ms: 100 })));
    store.flush().unwrap();
    store.append(world.seal(1, 1)).unwrap();
    store.flush().unwrap();
    assert!(matches!(store.append(world.seal(2, 1_000)), Err(Error::Invalid { .. })));
    expect_records(&world, &store, 0..2);
}

/// Many writers, a flush every few batches, readers all the while: whatever was acknowledged before a snapshot is in it, once.
#[test]
fn snapshots_hold_each_record_once_while_flushes_run() {
    const WRITERS: u64 = 4;
    const BATCHES: u64 = 60;
    let dir = tempfile::tempdir().unwrap();
    let world = World::open(dir.path());
    let mut config = world.config();
    config.flush_rows_max = 25;
    config.wal_segment_bytes_max = 64 << 10;
    config.row_group_rows_max = 16;
    let store = world.try_store(config).unwrap();
    let acknowledged = AtomicU64::new(0);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (world, store, acknowledged) = (&world, &store, &acknowledged);
                scope.spawn(move || {
                    for batch in 0..BATCHES {
                        let first = (writer * BATCHES + batch) * 3;
                        store.append(world.seal(first, 3)).unwrap();
                        acknowledged.fetch_add(3, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        scope.spawn(|| {
            while !done.load(Ordering::SeqCst) {
                let before = acknowledged.load(Ordering::SeqCst);
                let found = records(&world, &store);
                assert!(found.values().all(|(times, _)| *times == 1));
                assert!(found.len() as u64 >= before, "{} of {before}", found.len());
            }
        });
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        done.store(true, Ordering::SeqCst);
    });
    expect_records(&world, &store, 0..WRITERS * BATCHES * 3);
    assert!(!store.snapshot(TENANT, STREAM).segments.is_empty(), "flushes ran");
    drop(store);
    let store = world.store();
    expect_records(&world, &store, 0..WRITERS * BATCHES * 3);
}

#[test]
fn age_alone_starts_a_flush() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::open(dir.path());
    let store = world.store();
    store.append(world.seal(0, 3)).unwrap();
    world.clock.advance_ns(121 * 1_000_000_000);
    for _ in 0..200 {
        if store.snapshot(TENANT, STREAM).memory.is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(store.snapshot(TENANT, STREAM).memory.is_empty());
    expect_records(&world, &store, 0..3);
}

#[test]
fn followers_see_what_comes_after_their_snapshot_and_are_told_of_gaps() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::open(dir.path());
    let store = world.store();
    store.append(world.seal(0, 1)).unwrap();
    let (snapshot, mut tail) = store.follow(TENANT, STREAM, 2);
    assert_eq!(snapshot.rows(), 1);
    assert!(tail.try_next().is_none());
    for first in 1..6 {
        store.append(world.seal(first, 1)).unwrap();
    }
    let mut rows = 0;
    let mut lagged = 0;
    while let Some(event) = tail.try_next() {
        match event {
            TailEvent::Batch(batch) => rows += batch.rows(),
            TailEvent::Lagged(batches) => lagged += batches,
        }
    }
    assert_eq!((rows, lagged), (2, 3));
    assert!(matches!(tail.recv_timeout(Duration::from_millis(1)), TailWait::TimedOut));
    store.append(world.seal(6, 1)).unwrap();
    assert!(matches!(
        tail.recv_timeout(Duration::from_secs(5)),
        TailWait::Event(TailEvent::Batch(_))
    ));
    store.close().unwrap();
    assert!(matches!(tail.recv_timeout(Duration::from_secs(5)), TailWait::Closed));
}

#[test]
fn async_readers_are_woken() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::open(dir.path());
    let store = world.store();
    let mut tail = store.subscribe(8);
    let woken = Arc::new(Woken::default());
    let waker = std::task::Waker::from(Arc::clone(&woken));
    let mut context = std::task::Context::from_waker(&waker);
    assert!(tail.poll_next(&mut context).is_pending());
    store.append(world.seal(0, 2)).unwrap();
    assert!(woken.0.load(Ordering::SeqCst));
    let Poll::Ready(Some(TailEvent::Batch(batch))) = tail.poll_next(&mut context) else {
        panic!("the batch is there");
    };
    assert_eq!(batch.rows(), 2);
    store.close().unwrap();
    assert!(matches!(tail.poll_next(&mut context), Poll::Ready(None)));
}

#[derive(Default)]
struct Woken(AtomicBool);

impl std::task::Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Queries must not see a difference between memory and disk.
#[test]
fn rows_have_one_form_in_memory_and_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::open(dir.path());
    let mut config = world.config();
    config.row_group_rows_max = 7;
    let store = world.try_store(config).unwrap();
    store.append(world.seal(0, 40)).unwrap();
    let sealed = store.snapshot(TENANT, STREAM).memory.remove(0);
    let memory = loggia_store::to_arrow(&sealed).unwrap();
    assert_eq!(memory.schema(), loggia_store::arrow_schema(&chat_schema()));
    assert!(memory.columns().iter().skip(2).take(8).all(|column| column.null_count() < 40));
    store.flush().unwrap();
    let segment = store.snapshot(TENANT, STREAM).segments.remove(0);
    let disk = read_segment(&store, &segment);
    let disk = arrow::compute::concat_batches(&disk[0].schema(), &disk).unwrap();
    assert_eq!(memory.columns(), disk.columns());
    let content = store.open_content(&segment).unwrap();
    let [origin] = content.batches() else { panic!("one batch") };
    assert_eq!(
        (origin.write_id, origin.policy, origin.rows),
        (sealed.write_id(), sealed.policy(), 40)
    );
}

/// A changed policy must neither lose old data nor shift its fields: they keep their own schema, by which they are read.
#[test]
fn data_of_an_older_policy_stays_readable() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::open(dir.path());
    let store = world.store();
    store.append(world.seal(0, 5)).unwrap();
    store.flush().unwrap();
    store.append(world.seal(5, 5)).unwrap();
    drop(store);

    let mut fields = vec![field("new", FieldType::Int, Treatment::Keep)];
    fields.extend(chat_schema().fields().iter().filter(|field| field.name != "model").cloned());
    fields.iter_mut().for_each(|field| field.purposes = vec!["support".to_owned()]);
    let retention = Retention { skeleton_days: 10, content_days: 1 };
    let changed = StreamSchema::new(
        STREAM.to_owned(),
        "changed".to_owned(),
        fields,
        Some(2),
        Some(3),
        retention,
    );
    let store = world.store_with(world.config(), &[Arc::new(changed)]).unwrap();
    expect_records(&world, &store, 0..10);
    let snapshot = store.snapshot(TENANT, STREAM);
    for schema in [snapshot.memory[0].schema(), snapshot.segments[0].schema()] {
        let names: Vec<_> = schema.fields().iter().map(|field| field.name.as_str()).collect();
        let written = chat_schema();
        assert_eq!(
            names,
            written.fields().iter().map(|field| field.name.as_str()).collect::<Vec<_>>()
        );
        let (_, kept) = schema.field("prompt").unwrap();
        assert_eq!(kept.purposes, ["support"], "who may read follows the policy in force");
        let (_, gone) = schema.field("model").unwrap();
        assert!(gone.purposes.is_empty(), "a field no longer listed has no purpose");
    }
    store.flush().unwrap();
    expect_records(&world, &store, 0..10);
    drop(store);
    // And a stream that the policy does not know at all.
    let store = world.store_with(world.config(), &[]).unwrap();
    expect_records(&world, &store, 0..10);
}

#[test]
fn tenants_and_streams_are_kept_apart_whatever_their_names() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::open(dir.path());
    let store = world.store();
    let names = ["a", "A", "..", "a/b", "ü", "a%2fb"];
    for (number, tenant) in names.iter().enumerate() {
        let mut parts = world.seal(number as u64, 1).into_stored();
        parts.tenant = (*tenant).to_owned();
        parts.blocks.clear();
        parts.row_blocks.iter_mut().for_each(|block| *block = loggia_keys::NO_BLOCK);
        store.append(loggia_keys::Sealed::restore(parts).unwrap()).unwrap();
    }
    store.flush().unwrap();
    let paths: BTreeSet<_> = names
        .iter()
        .map(|tenant| {
            let segments = store.snapshot(tenant, STREAM).segments;
            assert_eq!((segments.len(), segments[0].rows()), (1, 1));
            let path = segments[0].path().parent().unwrap().to_path_buf();
            assert!(path.starts_with(dir.path().join("segments")) && path.is_dir());
            path.to_string_lossy().to_lowercase()
        })
        .collect();
    assert_eq!(paths.len(), names.len());
}
