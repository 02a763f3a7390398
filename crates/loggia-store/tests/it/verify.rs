//! Verification: one changed byte anywhere is found, and the right file is named.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use loggia_store::VerifyReport;

use crate::support::{World, copy_dir, expect_records, files, verify, verify_with};

/// A closed store with segments of two flushes, a log, and everything else a store has.
fn closed_store(root: &Path) {
    let world = World::open(root);
    let store = world.store();
    store.append(world.seal(0, 40)).unwrap();
    store.append(world.seal_at(40, 10, 0)).unwrap();
    store.flush().unwrap();
    store.append(world.seal(50, 20)).unwrap();
    store.flush().unwrap();
    store.append(world.seal(70, 5)).unwrap();
    store.append(world.seal(75, 5)).unwrap();
    store.close().unwrap();
    world.close();
}

fn names(report: &VerifyReport) -> Vec<&str> {
    report.errors.iter().map(|problem| problem.file.as_str()).collect()
}

/// Positions to change: first, last, and about fifty between, spread by a fixed generator.
fn positions(len: usize) -> Vec<usize> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ len as u64;
    let mut out = vec![0, len - 1];
    for _ in 0..50 {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        out.push((state >> 33) as usize % len);
    }
    out.sort_unstable();
    out.dedup();
    out
}

#[test]
fn one_changed_byte_in_any_file_is_found_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let good = dir.path().join("good");
    closed_store(&good);
    assert_eq!(verify_copy(&good, dir.path()).errors, []);
    let keys = World::open(&dir.path().join("copy")).keys;
    let mut checked = 0;
    for file in files(&good) {
        let name = file.strip_prefix(&good).unwrap().to_string_lossy().into_owned();
        let bytes = fs::read(&file).unwrap();
        if bytes.is_empty() {
            continue;
        }
        for position in positions(bytes.len()) {
            let mut changed = bytes.clone();
            changed[position] ^= 1 << (position % 8);
            fs::write(&file, &changed).unwrap();
            // Opening the key store changes its directory, so that is done on copies, and less often.
            let at_an_end = position == 0 || position == bytes.len() - 1;
            let report = match name.starts_with("keys/") && at_an_end {
                true => verify_copy(&good, dir.path()),
                false => verify_with(&good, || Ok(Arc::clone(&keys))),
            };
            assert!(
                names(&report).contains(&name.as_str()),
                "byte {position} of `{name}`: {:?}",
                report.errors
            );
            checked += 1;
        }
        fs::write(&file, &bytes).unwrap();
    }
    assert!(checked > 500, "{checked} changes were tried");
    assert_eq!(verify_copy(&good, dir.path()).errors, []);
}

/// Verifies a copy, since opening the key store changes its directory.
fn verify_copy(good: &Path, base: &Path) -> VerifyReport {
    let copy = base.join("copy");
    if copy.exists() {
        fs::remove_dir_all(&copy).unwrap();
    }
    copy_dir(good, &copy);
    verify(&copy)
}

#[test]
fn missing_and_unknown_files_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let good = dir.path().join("good");
    closed_store(&good);
    for file in files(&good) {
        let name = file.strip_prefix(&good).unwrap().to_string_lossy().into_owned();
        // The lock is made again, and a sidecar that is gone only means that bytes nobody reads were not checked.
        if name == "lock"
            || name.ends_with(".sha256")
            || name.ends_with("root.key")
            || name.ends_with("keys.sum")
        {
            continue;
        }
        if name.starts_with("keys/") {
            continue;
        }
        let bytes = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        let report = verify_copy(&good, dir.path());
        assert!(names(&report).contains(&name.as_str()), "`{name}` is gone: {:?}", report.errors);
        fs::write(&file, bytes).unwrap();
    }
    for stray in [
        "stray",
        "wal/stray.wal",
        "segments/acme/stray.parquet",
        "segments/acme/chat/2026-03-14/x.content",
    ] {
        let path = good.join(stray);
        fs::write(&path, b"x").unwrap();
        assert_eq!(names(&verify_copy(&good, dir.path())), [stray]);
        fs::remove_file(&path).unwrap();
    }
    fs::write(good.join("lock"), b"x").unwrap();
    assert_eq!(names(&verify_copy(&good, dir.path())), ["lock"]);
}

#[test]
fn the_reserved_tail_of_a_log_that_was_not_closed_is_checked() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("live");
    let world = World::open(&root);
    let store = world.store();
    store.append(world.seal(0, 10)).unwrap();
    let image = dir.path().join("image");
    copy_dir(&root, &image);
    drop(store);
    let log = files(&image)
        .into_iter()
        .find(|path| path.extension().is_some_and(|end| end == "wal"))
        .unwrap();
    assert_eq!(verify(&image).errors, []);
    let bytes = fs::read(&log).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    for position in [end + 30, bytes.len() / 2, bytes.len() - 1] {
        let mut changed = bytes.clone();
        changed[position] = 1;
        fs::write(&log, &changed).unwrap();
        let report = verify(&image);
        let name = log.strip_prefix(&image).unwrap().to_string_lossy();
        assert_eq!(names(&report), [name.as_ref()], "byte {position}");
    }
}

/// What the catalog protects by its tags: rows changed by somebody who knows SQLite, and rows added or taken away.
#[test]
fn a_catalog_changed_with_care_is_refused() {
    let statements = [
        "UPDATE segments SET rows = rows + 1",
        "UPDATE segments SET time_min_ns = 0, time_max_ns = 0",
        "DELETE FROM segments WHERE id = (SELECT id FROM segments LIMIT 1)",
        "UPDATE state SET wal_flushed = wal_flushed + 1",
        "UPDATE state SET wal_last = 0",
        "UPDATE schemas SET bytes = zeroblob(8)",
        "UPDATE segments SET ledger_index = 9",
        "INSERT INTO segments SELECT zeroblob(16), tenant, stream, day, rows, bytes, content_bytes, time_min_ns,
           time_max_ns, sha256, content_sha256, policies, schema, published_ns, ledger_index, tag FROM segments LIMIT 1",
    ];
    for statement in statements {
        let dir = tempfile::tempdir().unwrap();
        closed_store(dir.path());
        let catalog = dir.path().join("catalog.db");
        let connection = rusqlite::Connection::open(&catalog).unwrap();
        assert!(connection.execute(statement, []).unwrap() > 0);
        connection.close().unwrap();
        loggia_store::write_sidecar(&catalog).unwrap();
        let report = verify(dir.path());
        assert!(names(&report).contains(&"catalog.db"), "{statement}: {:?}", report.errors);
        let world = World::open(dir.path());
        let error = world.try_store(world.config()).unwrap_err();
        assert!(error.to_string().contains("`catalog.db` is damaged"), "{statement}: {error}");
    }
}

#[test]
fn a_damaged_log_is_refused_by_name_and_offset_a_torn_one_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    let good = dir.path().join("good");
    closed_store(&good);
    let log = files(&good)
        .into_iter()
        .find(|path| path.extension().is_some_and(|end| end == "wal"))
        .unwrap();
    let bytes = fs::read(&log).unwrap();
    let mut changed = bytes.clone();
    changed[120] ^= 4;
    fs::write(&log, &changed).unwrap();
    let world = World::open(&good);
    let error = world.try_store(world.config()).unwrap_err().to_string();
    let name: PathBuf = log.strip_prefix(&good).unwrap().into();
    assert!(error.contains(name.to_str().unwrap()) && error.contains("at byte"), "{error}");
    // The file ends early although the store was closed cleanly: that is no torn tail.
    fs::write(&log, &bytes[..bytes.len() - 10]).unwrap();
    let error = world.try_store(world.config()).unwrap_err().to_string();
    assert!(error.contains("ends early"), "{error}");
    fs::remove_file(&log).unwrap();
    let error = world.try_store(world.config()).unwrap_err().to_string();
    assert!(error.contains("it is missing"), "{error}");
    fs::write(&log, &bytes).unwrap();
    let store = world.store();
    expect_records(&world, &store, 0..80);
}
