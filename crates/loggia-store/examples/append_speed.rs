//! How fast batches become durable and move into segments: `cargo run --release -p loggia-store --example append_speed -- [rows] [batch] [dir]`.
//!
//! Sealing is done before the clock starts, so what is measured is this crate: encode, log, `fdatasync`, memtable, flush.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a measurement that cannot go on stops, and says what it found"
)]

#[path = "../tests/it/support.rs"]
#[expect(dead_code, reason = "the tests use all of it")]
mod support;

use std::time::Instant;

use loggia_store::{Error, Store};
use support::{NOW_NS, STREAM, TENANT, World, admitted_of, chat_schema};

/// Batches on their way at once, as a server with so many clients would have.
const IN_FLIGHT: usize = 32;

fn main() {
    let mut args = std::env::args().skip(1);
    let rows: u64 = args.next().map_or(400_000, |rows| rows.parse().expect("a number of rows"));
    let batch: u64 = args.next().map_or(500, |batch| batch.parse().expect("rows per batch"));
    let base = args.next().map_or_else(std::env::temp_dir, Into::into);
    let dir = tempfile::tempdir_in(base).expect("a directory");
    let world = World::open(dir.path());
    let schema = chat_schema();
    let text = |id: u64| lifelike(id, 800);
    let sealing = Instant::now();
    let sealed: Vec<_> = (0..rows / batch)
        .map(|number| {
            let admitted = admitted_of(&schema, number * batch, batch, NOW_NS, &text);
            world.keys.seal(admitted).expect("sealed").sealed
        })
        .collect();
    println!(
        "made and sealed {rows} rows of about 1 KB in {:.2} s",
        sealing.elapsed().as_secs_f64()
    );

    let store = world.try_store(loggia_store::StoreConfig::new(dir.path())).expect("a store");
    let started = Instant::now();
    let cpu = cpu_seconds();
    let busy = append_all(&store, sealed);
    let appended = started.elapsed().as_secs_f64();
    store.flush().expect("flushed");
    let flushed = started.elapsed().as_secs_f64();
    let cpu = cpu_seconds() - cpu;
    let snapshot = store.snapshot(TENANT, STREAM);
    assert_eq!(snapshot.rows(), rows / batch * batch);
    let skeleton: u64 = snapshot.segments.iter().map(|segment| segment.bytes()).sum();
    let content: u64 = snapshot.segments.iter().map(|segment| segment.content_bytes()).sum();
    let rate = |seconds: f64| rows as f64 / seconds;
    println!("acknowledged: {appended:.2} s, {:.0} rows/s ({busy} times busy)", rate(appended));
    println!("in segments:  {flushed:.2} s, {:.0} rows/s", rate(flushed));
    println!("CPU: {cpu:.2} s, {:.0} rows/s per core", rate(cpu));
    println!(
        "{} segments: {:.1} MB clear columns, {:.1} MB sealed content",
        snapshot.segments.len(),
        skeleton as f64 / 1e6,
        content as f64 / 1e6
    );
    one_by_one(&world, &store);
    store.close().expect("closed");
}

/// Keeps a number of batches on their way; answers how often the store was busy.
fn append_all(store: &Store, sealed: Vec<loggia_keys::Sealed>) -> u64 {
    let mut waiting = std::collections::VecDeque::new();
    let mut busy = 0;
    for sealed in sealed {
        if waiting.len() >= IN_FLIGHT {
            let oldest: loggia_store::Pending = waiting.pop_front().expect("one");
            oldest.wait().expect("committed");
        }
        let mut parts = Some(sealed.into_stored());
        loop {
            let sealed =
                loggia_keys::Sealed::restore(parts.clone().expect("parts")).expect("sealed");
            match store.submit(sealed) {
                Ok(pending) => break waiting.push_back(pending),
                Err(Error::Busy { .. }) => {
                    busy += 1;
                    std::thread::sleep(std::time::Duration::from_millis(5));
                }
                Err(error) => panic!("{error}"),
            }
        }
        parts = None;
        drop(parts);
    }
    for pending in waiting {
        pending.wait().expect("committed");
    }
    busy
}

/// Latency of a lone client.
fn one_by_one(world: &World, store: &Store) {
    let mut micros: Vec<u128> = (0..500_u64)
        .map(|number| {
            let sealed = world.seal(10_000_000 + number, 1);
            let started = Instant::now();
            store.append(sealed).expect("committed");
            started.elapsed().as_micros()
        })
        .collect();
    micros.sort_unstable();
    println!("one row at a time: p50 {} us, p99 {} us", micros[250], micros[495]);
}

/// Text that compresses about as prompts do.
fn lifelike(id: u64, len: usize) -> String {
    const WORDS: [&str; 24] = [
        "please",
        "summarise",
        "the",
        "report",
        "about",
        "quarterly",
        "figures",
        "and",
        "explain",
        "why",
        "latency",
        "rose",
        "after",
        "deployment",
        "of",
        "model",
        "seven",
        "in",
        "region",
        "north",
        "with",
        "examples",
        "for",
        "me",
    ];
    let mut state = id.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut out = String::with_capacity(len + 16);
    while out.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.push_str(WORDS[(state >> 8) as usize % WORDS.len()]);
        out.push(' ');
        if state.is_multiple_of(11) {
            out.push_str(&format!("{} ", state >> 40));
        }
    }
    out
}

/// Processor time of this process so far, from the kernel's accounting.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks =
        |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or_default();
    (ticks(11) + ticks(12)) / 100.0
}
