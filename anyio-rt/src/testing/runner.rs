//! Running one test on one backend.

use std::future::Future;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use crate::backend::Backend;
use crate::run::run_named;
use crate::scope::{FailAfter, fail_after};
use crate::time::{Sleep, sleep};
use crate::util::name::TaskName;

/// How long a test that ran out of time has for its shielded parts and clean-ups.
const GRACE: Duration = Duration::from_secs(5);

/// Runs `test` to its end, in a task called `name`.
///
/// # Panics
///
/// If the test does, if it takes longer than `timeout`, or if the backend cannot be run.
#[track_caller]
pub(crate) fn run_test<T>(
    backend: Backend,
    timeout: Option<Duration>,
    name: TaskName,
    test: Pin<&mut dyn Future<Output = T>>,
) -> T {
    let ended = run_named(backend, name, async {
        match timeout {
            None => Ok(test.await),
            Some(timeout) => within(timeout, test).await,
        }
    });
    match ended {
        Ok(Ok(output)) => output,
        Ok(Err(problem)) => panic!("{problem}"),
        Err(error) => panic!("{error}"),
    }
}

/// Cancels a test that takes too long, and gives up on one that does not react to that.
async fn within<T>(timeout: Duration, test: Pin<&mut dyn Future<Output = T>>) -> Result<T, String> {
    let mut test: Pin<&mut FailAfter<_>> = std::pin::pin!(fail_after(timeout, test));
    let mut last: Pin<&mut Sleep> = std::pin::pin!(sleep(timeout.saturating_add(GRACE)));
    std::future::poll_fn(|cx| {
        if let Poll::Ready(ended) = test.as_mut().poll(cx) {
            return Poll::Ready(ended.map_err(|_| format!("the test took longer than {timeout:?}")));
        }
        last.as_mut().poll(cx).map(|()| {
            Err(format!(
                "the test took longer than {timeout:?} and did not end within {GRACE:?} of being cancelled: \
                 something in it is shielded"
            ))
        })
    })
    .await
}
