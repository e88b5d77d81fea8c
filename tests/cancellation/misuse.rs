//! What is wrong says so. Most of AnyIO's ways to misuse a scope do not compile here: leaving one that was not
//! entered, in the wrong order, or from another task.

use std::future::Future;

use anyio::{CancelScope, catch_cancelled, checkpoint, fail_after, move_on_after, sleep_forever};

use crate::support::{LONG, panic_of};

/// Runs `future` to its end, then polls it once more; gives the text of the panic.
fn polled_again(future: impl Future) -> String {
    panic_of(|| {
        anyio::run(anyio::Backend::default(), async {
            let mut future = Box::pin(future);
            future.as_mut().await;
            future.as_mut().await;
        })
    })
}

#[test]
fn a_scope_polled_after_its_end_panics() {
    let over = "polled after it had ended";
    assert!(polled_again(CancelScope::new().run(async {})).contains(over));
    assert!(polled_again(CancelScope::new().run(checkpoint())).contains(over));
    assert!(polled_again(move_on_after(LONG, checkpoint())).contains(over));
    assert!(polled_again(fail_after(LONG, checkpoint())).contains(over));
    let cancelled = CancelScope::new();
    cancelled.handle().cancel();
    assert!(polled_again(cancelled.run(checkpoint())).contains(over));
}

#[test]
fn a_catcher_polled_after_its_end_panics() {
    let text = polled_again(catch_cancelled(checkpoint()));
    assert!(
        text.contains("`catch_cancelled` was polled after it had ended"),
        "{text}"
    );
}

/// Polls `future` where there is no backend; gives the text of the panic.
fn polled_nowhere(future: impl Future) -> String {
    panic_of(|| futures::executor::block_on(future))
}

#[test]
fn a_deadline_without_a_backend_panics_and_names_the_remedies() {
    for text in [
        polled_nowhere(move_on_after(LONG, sleep_forever())),
        polled_nowhere(fail_after(LONG, sleep_forever())),
        polled_nowhere(CancelScope::new().deadline_after(LONG).run(sleep_forever())),
    ] {
        assert!(
            text.contains("a deadline needs a clock and a timer"),
            "{text}"
        );
        assert!(
            text.contains("#[anyio::main]") && text.contains("anyio::run"),
            "{text}"
        );
    }
}

#[test]
fn scopes_without_deadlines_need_no_backend() {
    let ended = futures::executor::block_on(async {
        anyio::cancel_scope!(|scope| {
            anyio::shield!({ checkpoint().await });
            scope.cancel();
            sleep_forever().await
        })
    });
    assert!(ended.is_err());
}

#[test]
fn a_body_that_is_ready_at_once_needs_no_backend_for_its_deadline() {
    assert_eq!(
        futures::executor::block_on(move_on_after(LONG, async { 5 })),
        Some(5)
    );
}

#[anyio::test]
async fn a_panic_inside_a_scope_goes_through_it() {
    use futures::FutureExt as _;
    let scope = CancelScope::new();
    let handle = scope.handle();
    let inside = scope.run(async {
        checkpoint().await;
        panic!("inside");
    });
    let ended = std::panic::AssertUnwindSafe(inside).catch_unwind().await;
    let _: Result<Result<(), _>, _> = ended.map_err(|payload| {
        assert_eq!(payload.downcast_ref(), Some(&"inside"));
    });
    assert!(!handle.cancelled_caught());
    checkpoint().await;
    assert_eq!(
        anyio::current_effective_deadline(),
        anyio::EffectiveDeadline::Never
    );
}
