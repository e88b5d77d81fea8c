//! What several of the modules need.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use anyio::checkpoint;

/// Longer than any test takes, so that it is noticed when it is waited for.
pub(crate) const LONG: Duration = Duration::from_secs(3600);

/// Short enough to be waited for.
pub(crate) const SHORT: Duration = Duration::from_millis(2);

pub(crate) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Polls `future` once, in the scopes and with the waker of the caller.
pub(crate) async fn poll_once<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
    std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut *future).poll(cx))).await
}

/// Lets others run `times` times.
pub(crate) async fn checkpoints(times: usize) {
    for _ in 0..times {
        checkpoint().await;
    }
}

/// The text that `run` panics with.
pub(crate) fn panic_of<T>(run: impl FnOnce() -> T) -> String {
    let Err(payload) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)) else {
        panic!("there was no panic");
    };
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => (*payload.downcast::<&'static str>().expect("a text")).to_owned(),
    }
}
