//! Errors of the disk: full, or not syncing.

use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use loggia_store::{Error, Fault, Store};

use crate::support::{World, expect_records, verify};

/// A store whose named steps fail while the switch is on.
fn faulty(
    world: &World,
    points: &'static [&'static str],
    kind: ErrorKind,
) -> (Store, Arc<AtomicBool>) {
    let on = Arc::new(AtomicBool::new(false));
    let switch = Arc::clone(&on);
    let mut config = world.config();
    config.flush_retry_ms = 10;
    config.fault_hook = Some(Arc::new(move |point: &str| {
        if on.load(Ordering::SeqCst) && points.contains(&point) {
            Fault::Io(kind)
        } else {
            Fault::None
        }
    }));
    (world.try_store(config).unwrap(), switch)
}

#[test]
fn a_full_disk_refuses_appends_and_recovers_when_there_is_room() {
    for points in [&["wal.write"][..], &["wal.write", "wal.end"], &["wal.create"]] {
        let points: &'static [&'static str] = Box::leak(points.to_vec().into_boxed_slice());
        let dir = tempfile::tempdir().unwrap();
        let world = World::open(dir.path());
        let (store, full) = faulty(&world, points, ErrorKind::StorageFull);
        if points != ["wal.create"] {
            store.append(world.seal(0, 3)).unwrap();
        } else {
            store.append(world.seal(0, 3)).unwrap();
            store.flush().unwrap();
        }
        full.store(true, Ordering::SeqCst);
        for _ in 0..3 {
            assert!(matches!(store.append(world.seal(900, 2)), Err(Error::Unavailable { .. })));
        }
        store.check_writable().unwrap();
        expect_records(&world, &store, 0..3);
        full.store(false, Ordering::SeqCst);
        store.append(world.seal(3, 2)).unwrap();
        expect_records(&world, &store, 0..5);
        drop(store);
        let store = world.store();
        expect_records(&world, &store, 0..5);
        store.close().unwrap();
        assert_eq!(verify(&world.close()).errors, [], "{points:?}");
    }
}

#[test]
fn a_full_disk_delays_a_flush_and_loses_nothing() {
    for point in ["flush.frozen", "flush.announced", "flush.write", "flush.written"] {
        let points: &'static [&'static str] = Box::leak(vec![point].into_boxed_slice());
        let dir = tempfile::tempdir().unwrap();
        let world = World::open(dir.path());
        let (store, full) = faulty(&world, points, ErrorKind::StorageFull);
        store.append(world.seal(0, 3)).unwrap();
        full.store(true, Ordering::SeqCst);
        assert!(store.flush().is_err(), "{point}");
        store.append(world.seal(3, 3)).unwrap();
        assert!(store.flush().is_err(), "{point}");
        expect_records(&world, &store, 0..6);
        full.store(false, Ordering::SeqCst);
        store.flush().unwrap();
        expect_records(&world, &store, 0..6);
        assert!(store.snapshot("acme", "chat").memory.is_empty());
        store.close().unwrap();
        let report = verify(&world.close());
        assert_eq!(report.errors, [], "{point}: files of failed tries are gone");
    }
}

#[test]
fn a_failed_sync_stops_writing_for_good_and_reading_not() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::open(dir.path());
    let (store, failing) = faulty(&world, &["wal.sync"], ErrorKind::Other);
    store.append(world.seal(0, 3)).unwrap();
    failing.store(true, Ordering::SeqCst);
    assert!(matches!(store.append(world.seal(3, 2)), Err(Error::Unavailable { .. })));
    failing.store(false, Ordering::SeqCst);
    assert!(matches!(store.append(world.seal(5, 2)), Err(Error::Unavailable { .. })));
    assert!(matches!(store.flush(), Err(Error::Unavailable { .. })));
    expect_records(&world, &store, 0..3);
    assert!(store.close().is_err(), "a store that failed is not closed cleanly");
    let store = world.store();
    // What the failed sync was for may or may not be there; here it is, whole.
    expect_records(&world, &store, 0..5);
}

/// The shape of a commit: what waits while the disk is busy shares the next sync.
#[test]
fn batches_that_wait_share_one_sync() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::open(dir.path());
    let syncs = Arc::new(Mutex::new(0_usize));
    let mut config = world.config();
    let counted = Arc::clone(&syncs);
    config.fault_hook = Some(Arc::new(move |point: &str| {
        if point == "wal.sync" {
            *counted.lock().unwrap() += 1;
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        Fault::None
    }));
    let store = world.try_store(config).unwrap();
    let waiting: Vec<_> =
        (0..40).map(|first| store.submit(world.seal(first, 1)).unwrap()).collect();
    let committed: Vec<_> = waiting.into_iter().map(|pending| pending.wait().unwrap()).collect();
    assert!(committed.is_sorted_by_key(|commit| (commit.wal_seq(), commit.counter())));
    assert!(*syncs.lock().unwrap() < 20, "{} syncs", syncs.lock().unwrap());
    expect_records(&world, &store, 0..40);
}
