//! Of several cancelled scopes, which one ends, judged when it is about to.

use anyio::{
    CancelScope, cancel_scope, catch_cancelled, checkpoint, fail_after, finally, move_on_after,
    resume_cancelled, shield, sleep_forever, task_group,
};

use crate::support::{LONG, SHORT, checkpoints};

/// Two nested scopes: how each ended, and whether the code between them ran.
#[derive(Debug, PartialEq, Eq)]
struct Ended {
    inner_caught: bool,
    between: bool,
    outer_caught: bool,
}

/// Runs `cancel` in two nested scopes, then waits there.
async fn nested(
    shield: bool,
    cancel: impl FnOnce(&anyio::ScopeHandle, &anyio::ScopeHandle),
) -> Ended {
    let (outer, inner) = (CancelScope::new(), CancelScope::new().shield(shield));
    let (outer_handle, inner_handle) = (outer.handle(), inner.handle());
    let mut between = false;
    let ended = outer.run(async {
        let ended = inner.run(async {
            cancel(&outer_handle, &inner_handle);
            sleep_forever().await;
        });
        assert!(ended.await.is_err());
        between = true;
        checkpoint().await;
    });
    let outer_caught = ended.await.is_err();
    assert_eq!(outer_caught, outer_handle.cancelled_caught());
    Ended {
        inner_caught: inner_handle.cancelled_caught(),
        between,
        outer_caught,
    }
}

#[anyio::test]
async fn the_inner_scope_alone_ends_itself() {
    let ended = nested(false, |_, inner| inner.cancel()).await;
    assert_eq!(
        ended,
        Ended {
            inner_caught: true,
            between: true,
            outer_caught: false
        }
    );
}

#[anyio::test]
async fn the_outer_scope_alone_takes_the_inner_one_along() {
    let ended = nested(false, |outer, _| outer.cancel()).await;
    assert_eq!(
        ended,
        Ended {
            inner_caught: false,
            between: false,
            outer_caught: true
        }
    );
}

#[anyio::test]
async fn of_two_cancelled_scopes_the_outer_one_ends_whichever_came_first() {
    let whole = Ended {
        inner_caught: false,
        between: false,
        outer_caught: true,
    };
    let inner_first = |outer: &anyio::ScopeHandle, inner: &anyio::ScopeHandle| {
        inner.cancel();
        outer.cancel();
    };
    assert_eq!(nested(false, inner_first).await, whole);
    let outer_first = |outer: &anyio::ScopeHandle, inner: &anyio::ScopeHandle| {
        outer.cancel();
        inner.cancel();
    };
    assert_eq!(nested(false, outer_first).await, whole);
}

#[anyio::test]
async fn a_shielded_inner_scope_ends_itself_and_the_outer_one_afterwards() {
    let ended = nested(true, |outer, inner| {
        outer.cancel();
        inner.cancel();
    });
    assert_eq!(
        ended.await,
        Ended {
            inner_caught: true,
            between: true,
            outer_caught: true
        }
    );
}

#[anyio::test]
async fn a_shield_switched_on_in_a_cancelled_scope_makes_it_end_itself() {
    let ended = nested(false, |outer, inner| {
        outer.cancel();
        inner.set_shield(true);
        inner.cancel();
    });
    assert_eq!(
        ended.await,
        Ended {
            inner_caught: true,
            between: true,
            outer_caught: true
        }
    );
}

#[anyio::test]
async fn an_outer_scope_cancelled_during_the_clean_up_of_the_inner_one_takes_it_over() {
    let mut log = Vec::new();
    let (outer, inner) = (CancelScope::new(), CancelScope::new());
    let (outer_handle, inner_handle) = (outer.handle(), inner.handle());
    let ended = outer.run(async {
        let _ = inner
            .run(async {
                inner_handle.cancel();
                finally!({ sleep_forever().await }, {
                    checkpoint().await;
                    outer_handle.cancel();
                    log.push("cleaned up");
                });
            })
            .await;
        log.push("between");
    });
    assert!(ended.await.is_err());
    assert!(!inner_handle.cancelled_caught());
    assert!(outer_handle.cancelled_caught());
    assert_eq!(log, ["cleaned up"]);
}

#[anyio::test]
async fn an_outer_scope_cancelled_in_a_handler_takes_over() {
    let mut between = false;
    let ended = cancel_scope!(|outer| {
        let _ = cancel_scope!(|inner| {
            inner.cancel();
            let cancelled = catch_cancelled(sleep_forever()).await.unwrap_err();
            outer.cancel();
            resume_cancelled(cancelled).await;
        });
        between = true;
    });
    assert!(ended.is_err());
    assert!(!between);
}

#[anyio::test]
async fn a_handler_that_ends_without_suspending_leaves_nothing_to_absorb() {
    let (outer, inner) = (CancelScope::new(), CancelScope::new());
    let (outer_handle, inner_handle) = (outer.handle(), inner.handle());
    let ended = outer.run(async {
        inner_handle.cancel();
        let ended = inner.run(async { catch_cancelled(sleep_forever()).await.is_err() });
        assert!(ended.await.unwrap());
        outer_handle.cancel();
        "ended well"
    });
    assert_eq!(ended.await.unwrap(), "ended well");
    assert!(!inner_handle.cancelled_caught());
    assert!(!outer_handle.cancelled_caught());
}

#[anyio::test]
async fn the_middle_one_of_three_cancelled_scopes_is_passed_over() {
    let caught = cancel_scope!(|outer| {
        let middle = cancel_scope!(|middle| {
            let inner = cancel_scope!(|inner| {
                inner.cancel();
                middle.cancel();
                sleep_forever().await
            });
            unreachable!("{inner:?}");
        });
        let reached = (middle.is_err(), outer.cancel_called());
        checkpoint().await;
        reached
    });
    assert_eq!(caught.unwrap(), (true, false));
}

#[anyio::test]
async fn an_outer_time_limit_takes_an_inner_one_along_and_the_inner_one_does_not_fire() {
    let mut inner_ended = false;
    let outer = move_on_after!(SHORT, {
        let inner = move_on_after!(LONG, { sleep_forever().await });
        inner_ended = inner.is_none();
    });
    assert!(outer.is_none());
    assert!(!inner_ended);
}

#[anyio::test]
async fn an_inner_limit_that_is_over_too_when_the_outer_one_runs_out_does_not_fail() {
    let mut inner_failed = false;
    let deadline = anyio::current_time();
    let outer = anyio::move_on_at!(deadline, {
        let inner = anyio::fail_at!(deadline, { sleep_forever().await });
        inner_failed = inner.is_err();
    });
    assert!(outer.is_none());
    assert!(!inner_failed);
}

#[anyio::test]
async fn a_time_limit_around_a_group_fails_once_however_many_tasks_it_cancelled() {
    let ended = fail_after!(SHORT, {
        task_group!(|tg| {
            for _ in 0..5 {
                tg.spawn(sleep_forever());
            }
            task_group!(|inner| {
                inner.spawn(sleep_forever());
            });
        })
    });
    assert!(ended.unwrap_err().is_deadline());
}

#[anyio::test]
async fn a_cancellation_from_outside_passes_through_a_group_as_one() {
    let ended = cancel_scope!(|scope| {
        let result = task_group!(|tg| -> Result<(), String> {
            tg.spawn(async {
                sleep_forever().await;
                Ok(())
            });
            scope.cancel();
            checkpoint().await;
            Ok(())
        });
        unreachable!("{result:?}");
    });
    assert!(ended.is_err());
}

#[anyio::test]
async fn a_group_whose_tasks_all_end_well_ends_well_in_a_cancelled_scope() {
    let scope = CancelScope::new();
    let handle = scope.handle();
    let mut log = Vec::new();
    let ended = scope.run(async {
        let value = task_group!(|tg| {
            tg.spawn(shield(checkpoints(3)));
            tg.spawn(async {});
            handle.cancel();
            "the body too"
        });
        log.push(value);
        value
    });
    assert_eq!(ended.await.unwrap(), "the body too");
    assert_eq!(log, ["the body too"]);
    assert!(handle.cancel_called());
    assert!(!handle.cancelled_caught());
}

#[anyio::test]
async fn a_group_cancelled_itself_and_from_outside_is_the_outer_scopes() {
    let mut after = false;
    let ended = cancel_scope!(|scope| {
        task_group!(|tg| {
            tg.spawn(async {
                finally!({ sleep_forever().await }, { scope.cancel() });
            });
            checkpoint().await;
            tg.cancel();
        });
        after = true;
    });
    assert!(ended.is_err());
    assert!(!after);
}

#[anyio::test]
async fn an_error_is_kept_when_an_outer_scope_is_cancelled_after_it() {
    let result = cancel_scope!(|scope| {
        let result = task_group!(|tg| -> Result<(), &'static str> {
            tg.spawn(async { Err::<(), _>("broken") });
            tg.spawn(async {
                finally!({ sleep_forever().await }, { scope.cancel() });
                Ok(())
            });
            checkpoint().await;
            checkpoint().await;
            Ok(())
        });
        result.unwrap_err().into_first()
    });
    assert_eq!(result.unwrap(), "broken");
}

#[anyio::test]
async fn a_group_that_fails_in_a_shield_is_cancelled_itself_whatever_is_cancelled_further_out() {
    let mut scope = None;
    let ended = cancel_scope!(|outer| {
        outer.cancel();
        shield!({
            task_group!(|tg| -> Result<(), &'static str> {
                scope = Some(tg.cancel_scope());
                tg.spawn(async { Err::<(), _>("failed") });
                sleep_forever().await;
                Ok(())
            })
        })
    });
    assert_eq!(ended.unwrap().unwrap_err().into_first(), "failed");
    assert!(scope.unwrap().cancel_called());
}
