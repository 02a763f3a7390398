//! Tests of the writer: one sync for a group, no receipt without it, and nothing after a failure.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crossbeam_channel::{Receiver, bounded};

use super::{Order, Request, Shared, State, Writer, unix_ms};
use crate::clock::ManualClock;
use crate::commitment::Commitment;
use crate::entry::Receipt;
use crate::error::LedgerError;
use crate::journal::{Disk, Draft, Header, Index, Mark};
use crate::kind::EntryKind;

/// A disk that counts and can be told to fail.
#[derive(Clone, Default)]
struct TestDisk {
    written: Arc<Mutex<Vec<u8>>>,
    syncs: Arc<AtomicUsize>,
    finished: Arc<AtomicUsize>,
    fail_write_at: Option<usize>,
    fail_sync_at: Option<usize>,
}

impl Disk for TestDisk {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.fail_write_at == Some(self.syncs.load(Ordering::SeqCst)) {
            return Err(io::Error::other("no space left"));
        }
        self.written.lock().unwrap().extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let number = self.syncs.fetch_add(1, Ordering::SeqCst);
        if self.fail_sync_at == Some(number) {
            return Err(io::Error::other("the disk is gone"));
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.finished.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

type Answer = Receiver<Result<Receipt, LedgerError>>;

fn request() -> (Order, Answer) {
    let (reply, answer) = bounded(1);
    let request = Request {
        kind: EntryKind::AccessGranted,
        policy: [1; 32],
        commitment: Commitment::from_bytes([2; 32]),
        object: None,
        draft: Draft::new(b"sealed"),
        reply,
    };
    (Order::Append(request), answer)
}

/// Queues `groups` of appends, each group before the writer can look, and runs the writer to its end.
fn run(disk: &TestDisk, groups: &[usize]) -> (Arc<Shared>, Vec<Answer>) {
    let header = Header { shard: 0, origin: "x".into() };
    let first = Mark { offset: 0, chain: header.chain() };
    let state = State { index: Index::new(first), pending: Vec::new() };
    let shared = Arc::new(Shared::new(state));
    let mut answers = Vec::new();
    for group in groups {
        let (orders, take_orders) = bounded(100);
        for _request in 0..*group {
            let (order, answer) = request();
            orders.send(order).unwrap();
            answers.push(answer);
        }
        orders.send(Order::Stop).unwrap();
        let writer = Writer {
            disk: Box::new(disk.clone()),
            shared: Arc::clone(&shared),
            clock: Arc::new(ManualClock::new(1_700_000_000_123_456_789)),
            shard: 0,
        };
        writer.run(&take_orders);
    }
    (shared, answers)
}

#[test]
fn a_group_is_made_durable_by_one_sync() {
    let disk = TestDisk::default();
    let (shared, answers) = run(&disk, &[10]);
    assert_eq!(disk.syncs.load(Ordering::SeqCst), 1);
    assert_eq!(disk.finished.load(Ordering::SeqCst), 1);
    assert_eq!(shared.size(), 10);
    for (i, answer) in answers.iter().enumerate() {
        let receipt = answer.recv().unwrap().unwrap();
        assert_eq!(receipt.index(), i as u64);
        assert_eq!(receipt.time_ms(), 1_700_000_000_123);
    }
    let end = shared.state().index.end().offset;
    assert_eq!(end, disk.written.lock().unwrap().len() as u64);
}

fn nothing_after_a_failure(disk: &TestDisk) {
    let (shared, answers) = run(disk, &[3, 4, 2]);
    assert_eq!(shared.size(), 3);
    assert_eq!(shared.state().pending.len(), 3);
    for (i, answer) in answers.iter().enumerate() {
        let answer = answer.recv().unwrap();
        if i < 3 {
            assert_eq!(answer.unwrap().index(), i as u64);
        } else {
            assert!(matches!(answer, Err(LedgerError::Unavailable(_))), "{answer:?}");
        }
    }
    assert!(shared.check().is_err());
    // Only the first group ended well, so only then was the file left tidy.
    assert_eq!(disk.finished.load(Ordering::SeqCst), 1);
}

#[test]
fn a_failed_sync_is_final() {
    nothing_after_a_failure(&TestDisk { fail_sync_at: Some(1), ..TestDisk::default() });
}

#[test]
fn a_failed_write_is_final() {
    nothing_after_a_failure(&TestDisk { fail_write_at: Some(1), ..TestDisk::default() });
}

#[test]
fn the_first_reason_stays() {
    let (shared, _answers) = run(&TestDisk::default(), &[]);
    shared.stop("one");
    shared.stop("two");
    let error = shared.check().unwrap_err().to_string();
    assert_eq!(error, "the ledger takes no more entries: one");
}

#[test]
fn times_before_1970_count_as_1970() {
    assert_eq!(unix_ms(-1), 0);
    assert_eq!(unix_ms(i64::MIN), 0);
    assert_eq!(unix_ms(1_999_999), 1);
}
