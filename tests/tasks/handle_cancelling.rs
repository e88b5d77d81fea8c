//! Cancelling one child through its handle.

use anyio::{TaskError, TaskState, catch_cancelled, checkpoint, shield, sleep_forever, task_group};
use futures::channel::oneshot;

use super::support::{Log, panic_of, settle};

#[anyio::test]
async fn cancelling_a_handle_ends_that_child_alone() {
    let log = Log::default();
    task_group!(|tg| {
        let one = tg.spawn(async {
            let _guard = log.when_dropped("one dropped");
            sleep_forever().await;
        });
        let other = tg.spawn(async {
            settle().await;
            settle().await;
            "other"
        });
        settle().await;
        one.cancel();
        assert_eq!(one.status(), TaskState::Cancelling);
        assert_eq!(one.value(), Err(TaskError::Cancelled));
        assert!(!one.is_finished());
        one.wait().await;
        assert_eq!(one.status(), TaskState::Cancelled);
        assert_eq!(one.value(), Err(TaskError::Cancelled));
        assert!(!tg.cancel_scope().cancel_called());
        log.note(other.await);
    });
    assert_eq!(log.entries(), ["one dropped", "other"]);
}

#[anyio::test]
async fn a_child_cancelled_before_its_first_poll_runs_to_its_first_suspension() {
    let log = Log::default();
    task_group!(|tg| {
        let child = tg.spawn(async {
            log.note("started");
            checkpoint().await;
            log.note("never");
        });
        child.cancel();
        assert_eq!(child.status(), TaskState::Cancelling);
        assert_eq!(child.join().await, Err(TaskError::Cancelled));
    });
    assert_eq!(log.entries(), ["started"]);
}

#[anyio::test]
async fn a_child_cancelled_before_its_first_poll_that_never_suspends_is_finished() {
    task_group!(|tg| {
        let child = tg.spawn(async { 5 });
        child.cancel();
        child.wait().await;
        assert_eq!(child.status(), TaskState::Finished);
        assert_eq!(child.await, 5);
    });
}

#[anyio::test]
async fn cancelling_a_child_that_has_ended_does_nothing() {
    task_group!(|tg| {
        let child = tg.spawn(async { 5 });
        child.wait().await;
        child.cancel();
        assert_eq!(child.status(), TaskState::Finished);
        assert_eq!(child.value(), Ok(&5));
        assert_eq!(child.await, 5);
    });
}

#[anyio::test]
async fn a_child_that_catches_its_cancellation_may_give_a_value() {
    task_group!(|tg| {
        let child = tg.spawn(async {
            let caught = catch_cancelled(sleep_forever()).await;
            assert!(caught.is_err());
            "caught"
        });
        settle().await;
        child.cancel();
        child.wait().await;
        assert_eq!(child.status(), TaskState::Finished);
        assert_eq!(child.await, "caught");
        assert!(!tg.cancel_scope().cancel_called());
    });
}

#[anyio::test]
async fn a_child_that_answers_its_cancellation_with_an_error_fails_the_group() {
    let log = Log::default();
    let result = task_group!(|tg| -> Result<(), &'static str> {
        let child = tg.spawn(async {
            let _ = catch_cancelled(sleep_forever()).await;
            Err::<(), _>("in the clean-up")
        });
        settle().await;
        child.cancel();
        shield!({
            child.wait().await;
            log.note(format!("{:?}", child.status()));
        });
        sleep_forever().await;
        Ok(())
    });
    assert_eq!(log.entries(), ["Failed"]);
    assert_eq!(result.unwrap_err().into_first(), "in the clean-up");
}

#[anyio::test]
async fn a_cancelled_child_is_waited_for_in_its_shield() {
    let log = Log::default();
    let (release, released) = oneshot::channel::<()>();
    task_group!(|tg| {
        let child = tg.spawn(async {
            shield!({ released.await.unwrap() });
            log.note("shield done");
            checkpoint().await;
            log.note("never");
        });
        checkpoint().await;
        child.cancel();
        settle().await;
        assert_eq!(child.status(), TaskState::Cancelling);
        release.send(()).unwrap();
        child.wait().await;
        assert_eq!(child.status(), TaskState::Cancelled);
    });
    assert_eq!(log.entries(), ["shield done"]);
}

#[anyio::test]
async fn a_child_doomed_by_its_group_still_reads_pending() {
    let log = Log::default();
    task_group!(|tg| {
        let child = tg.spawn(async {
            shield!({ settle().await });
            checkpoint().await;
        });
        checkpoint().await;
        tg.cancel();
        shield!({
            checkpoint().await;
            log.note(format!("{:?}", child.status()));
            child.wait().await;
            log.note(format!("{:?}", child.status()));
        });
    });
    assert_eq!(log.entries(), ["Pending", "Cancelled"]);
}

#[anyio::test]
async fn a_child_can_cancel_itself_through_its_handle() {
    let log = Log::default();
    task_group!(|tg| {
        let (give, take) = oneshot::channel::<anyio::TaskHandle<'_, ()>>();
        let child = tg.spawn(async {
            let own = take.await.unwrap();
            own.cancel();
            log.note("goes on");
            checkpoint().await;
            log.note("never");
        });
        assert!(give.send(child).is_ok());
        settle().await;
        assert!(!tg.cancel_scope().cancel_called());
    });
    assert_eq!(log.entries(), ["goes on"]);
}

#[anyio::test]
async fn two_children_can_wait_for_each_other_and_be_cancelled() {
    task_group!(|tg| {
        let (to_one, from_other) = oneshot::channel::<anyio::TaskHandle<'_, ()>>();
        let one = tg.spawn(async { from_other.await.unwrap().await });
        let other = tg.spawn(one);
        assert!(to_one.send(other).is_ok());
        settle().await;
        assert_eq!(tg.statistics().tasks, 2);
        tg.cancel();
    });
}

#[anyio::test]
async fn awaiting_by_value_what_was_cancelled_alone_panics_and_says_what_to_do() {
    let text = panic_of(async {
        task_group!(|tg| {
            let child = tg.spawn(sleep_forever()).named("sleeper");
            child.cancel();
            child.await
        })
    })
    .await;
    assert_eq!(
        text,
        "there is no value to await: task `sleeper`: the task was cancelled; use `join()` to be told \
         instead"
    );
}
