//! Measures durable appends per second with 1 and with 16 threads, then closing and verifying.
//!
//! `cargo run --release -p loggia-ledger --example ledger_speed [FOLDER] [SECONDS]`

#![expect(clippy::disallowed_methods, reason = "it measures time")]
#![expect(clippy::print_stdout, reason = "it is a program")]
#![expect(clippy::unwrap_used, reason = "it may stop at any failure")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use loggia_ledger::{Clock, Commitment, EntryKind, Ledger, NewEntry, verify_dir};

struct SystemClock;

impl Clock for SystemClock {
    fn now_ns(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        i64::try_from(since.as_nanos()).unwrap()
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let base = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let seconds = arguments.next().map_or(3, |text| text.parse().unwrap());
    for threads in [1, 16] {
        measure(&base, threads, Duration::from_secs(seconds));
    }
}

fn measure(base: &std::path::Path, threads: usize, length: Duration) {
    let dir = tempfile::tempdir_in(base).unwrap();
    let ledger =
        Ledger::open(dir.path(), "speed.example/log", &[1; 32], Arc::new(SystemClock)).unwrap();
    let (count, slowest_us) = (AtomicU64::new(0), AtomicU64::new(0));
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _thread in 0..threads {
            scope.spawn(|| {
                while start.elapsed() < length {
                    let before = Instant::now();
                    let entry = NewEntry {
                        kind: EntryKind::AccessGranted,
                        policy: [1; 32],
                        commitment: Commitment::from_bytes([2; 32]),
                        object: None,
                        record: &[3; 400],
                    };
                    ledger.append(entry).unwrap();
                    let took = u64::try_from(before.elapsed().as_micros()).unwrap();
                    slowest_us.fetch_max(took, Ordering::Relaxed);
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let took = start.elapsed().as_millis();
    let count = count.into_inner();
    let per_second = u128::from(count) * 1000 / took;
    let slowest_us = slowest_us.into_inner();
    println!("{threads:>2} threads: {per_second} appends/s, slowest {slowest_us} µs");
    let start = Instant::now();
    ledger.close().unwrap();
    println!("            close {} ms", start.elapsed().as_millis());
    let start = Instant::now();
    let report = verify_dir(dir.path(), None).unwrap();
    let took = start.elapsed().as_millis();
    println!("            verify {} entries, {} files: {took} ms", report.signed, report.files);
}
