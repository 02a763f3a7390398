//! Crash at every commit step: the image of the directory at that moment, opened again, holds exactly what was acknowledged.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use loggia_store::{Error, Fault};

use crate::support::{World, copy_dir, expect_records, records, verify};

/// Every commit step that must have been crossed, see `docs/formats`.
const POINTS: [&str; 17] = [
    "close.catalog",
    "close.stopped",
    "flush.announced",
    "flush.drain",
    "flush.frozen",
    "flush.ledger",
    "flush.published",
    "flush.swapped",
    "flush.write",
    "flush.written",
    "wal.create",
    "wal.created",
    "wal.durable",
    "wal.end",
    "wal.sync",
    "wal.visible",
    "wal.write",
];

struct Image {
    point: String,
    dir: PathBuf,
    /// Records acknowledged when the image was taken, and those handed in.
    acknowledged: u64,
    submitted: u64,
}

/// One run of a life of a store; an image of the directory is kept at each step it takes.
#[test]
fn every_commit_step_survives_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let images = Arc::new(Mutex::new(Vec::<Image>::new()));
    let (acknowledged, submitted) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let world = World::open(&dir.path().join("live"));
    let mut config = world.config();
    config.wal_segment_bytes_max = 8 << 10;
    config.flush_age_ms = u64::MAX;
    let hook = {
        let (images, acknowledged, submitted) =
            (Arc::clone(&images), Arc::clone(&acknowledged), Arc::clone(&submitted));
        let base = dir.path().to_path_buf();
        let root = world.root.clone();
        move |point: &str| {
            let mut images = images.lock().unwrap();
            let dir = base.join(format!("image-{}", images.len()));
            copy_dir(&root, &dir);
            images.push(Image {
                point: point.to_owned(),
                dir,
                acknowledged: acknowledged.load(Ordering::SeqCst),
                submitted: submitted.load(Ordering::SeqCst),
            });
            Fault::None
        }
    };
    config.fault_hook = Some(Arc::new(hook));
    let store = world.try_store(config).unwrap();
    let append = |rows: u64| {
        let first = submitted.fetch_add(rows, Ordering::SeqCst);
        store.append(world.seal(first, rows)).unwrap();
        acknowledged.fetch_add(rows, Ordering::SeqCst);
    };
    (1..6).for_each(append);
    store.flush().unwrap();
    (1..4).for_each(append);
    store.flush().unwrap();
    append(2);
    store.close().unwrap();

    let images = std::mem::take(&mut *images.lock().unwrap());
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for image in images {
        *seen.entry(image.point.clone()).or_default() += 1;
        check_image(&image);
    }
    for point in &POINTS {
        assert!(seen.contains_key(*point), "`{point}` was never reached: {seen:?}");
    }
    for point in seen.keys() {
        assert!(POINTS.contains(&point.as_str()), "`{point}` is not in the list");
    }
}

fn check_image(image: &Image) {
    let world = World::open(&image.dir);
    let store = world
        .try_store(world.config())
        .map_err(|error| format!("{}: {error}", image.point))
        .unwrap();
    let found = records(&world, &store);
    assert!(found.values().all(|(times, _)| *times == 1), "{}: something is doubled", image.point);
    let count = found.len() as u64;
    // A batch may be durable before its acknowledgement; it is then there whole.
    assert!(
        count == image.acknowledged || count == image.submitted,
        "{}: {count} records, {} acknowledged of {}",
        image.point,
        image.acknowledged,
        image.submitted
    );
    expect_records(&world, &store, 0..count);
    // Life goes on, and nothing of the crash is left.
    store.append(world.seal(count, 3)).unwrap();
    store.flush().unwrap();
    store.append(world.seal(count + 3, 1)).unwrap();
    expect_records(&world, &store, 0..count + 4);
    assert!(
        store
            .snapshot("acme", "chat")
            .segments
            .iter()
            .all(|segment| segment.ledger_index().is_some())
    );
    store.close().unwrap();
    let root = world.close();
    assert_eq!(verify(&root).errors, [], "{}", image.point);
    std::fs::remove_dir_all(root).unwrap();
}

/// The store stops at the step instead: it refuses, keeps reading, and a new one finds everything acknowledged.
#[test]
fn a_store_that_stopped_at_a_step_refuses_appends_and_reopens() {
    for point in POINTS {
        let dir = tempfile::tempdir().unwrap();
        check_stop(dir.path(), point);
    }
}

fn check_stop(dir: &Path, point: &'static str) {
    let world = World::open(dir);
    let mut config = world.config();
    let armed = Arc::new(AtomicU64::new(0));
    let hook = {
        let armed = Arc::clone(&armed);
        move |reached: &str| match reached == point && armed.load(Ordering::SeqCst) == 1 {
            true => Fault::Crash,
            false => Fault::None,
        }
    };
    config.fault_hook = Some(Arc::new(hook));
    let store = world.try_store(config).unwrap();
    store.append(world.seal(0, 4)).unwrap();
    store.flush().unwrap();
    if point != "wal.create" && point != "wal.created" {
        store.append(world.seal(4, 4)).unwrap();
    }
    let before = records(&world, &store).len() as u64;
    armed.store(1, Ordering::SeqCst);
    let mut sure = before;
    if point.starts_with("wal.") && point != "wal.end" {
        assert!(store.append(world.seal(before, 2)).is_err(), "{point}");
    } else if point.starts_with("close.") {
        store.append(world.seal(before, 2)).unwrap();
        sure += 2;
    } else {
        assert!(store.flush().is_err(), "{point}");
    }
    if !point.starts_with("close.") {
        assert!(
            matches!(store.append(world.seal(before, 2)), Err(Error::Unavailable { .. })),
            "{point}"
        );
        assert!(store.check_writable().is_err());
        assert!(records(&world, &store).len() as u64 >= sure, "{point}: reads stay");
        drop(store);
    } else {
        assert!(store.close().is_err(), "{point}");
    }
    let store = world.store();
    let found = records(&world, &store).len() as u64;
    assert!(found == sure || found == before + 2, "{point}: {found} of {sure}");
    expect_records(&world, &store, 0..found);
    store.close().unwrap();
    assert_eq!(verify(&world.close()).errors, [], "{point}");
}
