//! The commit stream: every committed batch, offered to bounded subscribers.
//!
//! A subscriber that does not keep up loses batches and is told how many; it never slows the writer and never makes memory
//! grow. Waiting works from threads ([`Subscription::recv_timeout`]) and from async tasks ([`Subscription::poll_next`]).

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use loggia_keys::Sealed;

/// What a subscriber is given next.
#[derive(Clone, Debug)]
pub enum TailEvent {
    /// A committed batch.
    Batch(Arc<Sealed>),
    /// So many batches were left out because the subscriber was too slow.
    Lagged(u64),
}

/// One subscriber's end of the commit stream. Dropping it ends the subscription.
pub struct Subscription {
    channel: Arc<Channel>,
}

/// Answer of a bounded wait.
#[derive(Clone, Debug)]
pub enum TailWait {
    /// Something to read.
    Event(TailEvent),
    /// Nothing within the time given.
    TimedOut,
    /// The store was closed and everything has been read.
    Closed,
}

impl Subscription {
    /// Takes what is there, without waiting.
    pub fn try_next(&mut self) -> Option<TailEvent> {
        self.channel.lock().take()
    }

    /// Waits up to `timeout`.
    pub fn recv_timeout(&mut self, timeout: Duration) -> TailWait {
        let state = self.channel.lock();
        let (mut state, _) = self
            .channel
            .ready
            .wait_timeout_while(state, timeout, |state| state.is_idle())
            .unwrap_or_else(PoisonError::into_inner);
        match state.take() {
            Some(event) => TailWait::Event(event),
            None if state.closed => TailWait::Closed,
            None => TailWait::TimedOut,
        }
    }

    /// Polls for the next event, for `futures::stream::poll_fn` and the like; `None` once the store is closed.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<TailEvent>> {
        let mut state = self.channel.lock();
        match state.take() {
            Some(event) => Poll::Ready(Some(event)),
            None if state.closed => Poll::Ready(None),
            None => {
                state.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscription").finish_non_exhaustive()
    }
}

/// All subscribers of a store.
#[derive(Default)]
pub(crate) struct Broadcast {
    channels: Vec<Weak<Channel>>,
    closed: bool,
}

impl Broadcast {
    pub(crate) fn subscribe(&mut self, batches_max: usize) -> Subscription {
        let state = State { closed: self.closed, ..State::default() };
        let channel = Arc::new(Channel {
            batches_max: batches_max.max(1),
            state: Mutex::new(state),
            ready: Condvar::new(),
        });
        self.channels.push(Arc::downgrade(&channel));
        Subscription { channel }
    }

    pub(crate) fn send(&mut self, batch: &Arc<Sealed>) {
        self.channels.retain(|channel| match channel.upgrade() {
            Some(channel) => {
                channel.offer(batch);
                true
            }
            None => false,
        });
    }

    pub(crate) fn close(&mut self) {
        self.closed = true;
        for channel in self.channels.drain(..).filter_map(|channel| channel.upgrade()) {
            channel.change(|state| state.closed = true);
        }
    }
}

struct Channel {
    batches_max: usize,
    state: Mutex<State>,
    ready: Condvar,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Arc<Sealed>>,
    /// Batches dropped since the queue was last empty enough; told before what comes after them.
    lagged: u64,
    waker: Option<Waker>,
    closed: bool,
}

impl State {
    fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.lagged == 0 && !self.closed
    }

    /// The oldest batch, or the notice that some are missing once those before the gap are read.
    fn take(&mut self) -> Option<TailEvent> {
        if let Some(batch) = self.queue.pop_front() {
            return Some(TailEvent::Batch(batch));
        }
        let lagged = std::mem::take(&mut self.lagged);
        (lagged > 0).then_some(TailEvent::Lagged(lagged))
    }
}

impl Channel {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn offer(&self, batch: &Arc<Sealed>) {
        self.change(|state| {
            // INVARIANT: once something is dropped, everything is until the reader has seen the notice, so the notice
            // stands exactly where the gap is.
            if state.lagged > 0 || state.queue.len() >= self.batches_max {
                state.lagged = state.lagged.saturating_add(1);
            } else {
                state.queue.push_back(Arc::clone(batch));
            }
        });
    }

    fn change(&self, apply: impl FnOnce(&mut State)) {
        let waker = {
            let mut state = self.lock();
            apply(&mut state);
            state.waker.take()
        };
        self.ready.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
