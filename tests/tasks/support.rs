//! What the tests of this page share.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Wake, Waker};

use futures::FutureExt as _;

/// Gives the other members of the groups around the call the time to come to rest.
///
/// Enough for chains of a few wakes; it does not wait for other tasks of the backend.
pub(crate) async fn settle() {
    for _ in 0..20 {
        anyio::checkpoint().await;
    }
}

/// What happened, in order.
#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<Vec<String>>);

impl Log {
    pub(crate) fn note(&self, entry: impl Into<String>) {
        self.0.lock().unwrap().push(entry.into());
    }

    pub(crate) fn entries(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Notes `entry` when the guard is dropped.
    pub(crate) fn when_dropped(&self, entry: &'static str) -> WhenDropped<impl FnOnce() + Send> {
        when_dropped(move || self.note(entry))
    }
}

/// Calls a function when it is dropped.
#[derive(Debug)]
pub(crate) struct WhenDropped<F: FnOnce()>(Option<F>);

pub(crate) fn when_dropped<F: FnOnce()>(call: F) -> WhenDropped<F> {
    WhenDropped(Some(call))
}

impl<F: FnOnce()> Drop for WhenDropped<F> {
    fn drop(&mut self) {
        if let Some(call) = self.0.take() {
            call();
        }
    }
}

/// The text of the panic that `future` ends with.
pub(crate) async fn panic_of<F: Future>(future: F) -> String {
    let Err(payload) = AssertUnwindSafe(future).catch_unwind().await else {
        panic!("there was no panic");
    };
    text(&*payload)
}

/// The text of a panic's payload.
pub(crate) fn text(payload: &(dyn std::any::Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "no text".to_owned()
    }
}

/// A waker that counts.
#[derive(Debug, Default)]
pub(crate) struct CountingWaker(AtomicUsize);

impl CountingWaker {
    pub(crate) fn new() -> (Arc<Self>, Waker) {
        let count = Arc::new(Self::default());
        (Arc::clone(&count), Waker::from(count))
    }

    pub(crate) fn wakes(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wake for CountingWaker {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
