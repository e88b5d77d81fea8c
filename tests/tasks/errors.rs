//! Members that fail.

use std::future::pending;
use std::sync::atomic::{AtomicBool, Ordering};

use anyio::{ErrorGroup, catch_cancelled, checkpoint, finally, shield, sleep_forever, task_group};

use super::support::{Log, settle};

/// Texts of the errors in a group, sorted: the order is not promised.
fn texts(errors: ErrorGroup<String>) -> Vec<String> {
    let mut texts: Vec<_> = errors.into_iter().collect();
    texts.sort();
    texts
}

async fn fail(text: &str) -> Result<(), String> {
    Err(text.to_owned())
}

#[anyio::test]
async fn a_body_that_fails_cancels_the_children_and_waits_for_them() {
    let log = Log::default();
    let result = task_group!(|tg| -> Result<(), String> {
        tg.spawn(async {
            finally!({ sleep_forever().await }, {
                settle().await;
                log.note("cleaned up");
            });
            log.note("never");
            Ok(())
        });
        settle().await;
        Err("the body".to_owned())
    });
    assert_eq!(texts(result.unwrap_err()), ["the body"]);
    assert_eq!(log.entries(), ["cleaned up"]);
}

#[anyio::test]
async fn the_question_mark_in_the_body_stays_in_the_group() {
    let result = task_group!(|tg| -> Result<u32, std::num::ParseIntError> {
        tg.spawn(pending::<Result<(), _>>());
        let number: u32 = "twelve".parse()?;
        Ok(number)
    });
    assert_eq!(result.unwrap_err().len(), 1);
}

#[anyio::test]
async fn a_child_that_fails_cancels_the_body_where_it_waits() {
    let gone_on = AtomicBool::new(false);
    let result = task_group!(|tg| -> Result<(), String> {
        tg.spawn(async {
            settle().await;
            fail("the child").await
        });
        sleep_forever().await;
        gone_on.store(true, Ordering::Relaxed);
        Ok(())
    });
    assert_eq!(texts(result.unwrap_err()), ["the child"]);
    assert!(!gone_on.into_inner());
}

#[anyio::test]
async fn a_child_that_fails_cancels_its_siblings() {
    let log = Log::default();
    let result = task_group!(|tg| -> Result<(), String> {
        tg.spawn(async {
            let _guard = log.when_dropped("dropped");
            sleep_forever().await;
            Ok(())
        });
        settle().await;
        tg.spawn(fail("the sibling"));
        Ok(())
    });
    assert_eq!(texts(result.unwrap_err()), ["the sibling"]);
    assert_eq!(log.entries(), ["dropped"]);
}

#[anyio::test]
async fn a_single_error_comes_in_a_group_too() {
    let result = task_group!(|_tg| -> Result<(), String> { fail("alone").await });
    let errors = result.unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors.first(), "alone");
}

#[anyio::test]
async fn all_errors_are_in_the_group() {
    let result = task_group!(|tg| -> Result<(), String> {
        tg.spawn(fail("one"));
        tg.spawn(fail("two"));
        fail("the body").await
    });
    assert_eq!(texts(result.unwrap_err()), ["one", "the body", "two"]);
}

#[anyio::test]
async fn the_first_error_is_the_one_that_cancelled_the_rest() {
    let result = task_group!(|tg| -> Result<(), String> {
        for n in 0..3 {
            tg.spawn(async move {
                for _ in 0..5 * (3 - n) {
                    checkpoint().await;
                }
                // Those that are cancelled first fail for it.
                Err::<(), _>(format!("child {n}"))
            });
        }
        Ok(())
    });
    let errors = result.unwrap_err();
    assert_eq!((errors.first().as_str(), errors.len()), ("child 2", 1));
}

#[anyio::test]
async fn a_sibling_that_answers_its_cancellation_with_an_error_adds_it() {
    let result = task_group!(|tg| -> Result<(), String> {
        tg.spawn(async {
            match catch_cancelled(sleep_forever()).await {
                Ok(()) => unreachable!("it never ends"),
                Err(cancelled) => fail(&format!("the sibling: {cancelled}")).await,
            }
        });
        settle().await;
        tg.spawn(fail("the child"));
        Ok(())
    });
    let errors = result.unwrap_err();
    assert_eq!(errors.len(), 2);
    assert_eq!(errors.first(), "the child");
    assert!(
        errors
            .iter()
            .any(|error| error.starts_with("the sibling: "))
    );
}

#[anyio::test]
async fn a_shielded_sibling_runs_to_its_end_and_its_error_counts() {
    let result = task_group!(|tg| -> Result<(), String> {
        tg.spawn(async {
            shield!({
                settle().await;
                return fail("the shielded one").await;
            })
        });
        checkpoint().await;
        fail("the body").await
    });
    assert_eq!(texts(result.unwrap_err()), ["the body", "the shielded one"]);
}

#[anyio::test]
async fn a_child_that_fails_in_a_group_that_is_cancelled_already_is_heard() {
    let result = task_group!(|tg| -> Result<(), String> {
        tg.cancel();
        tg.spawn(fail("late"));
        Ok(())
    });
    assert_eq!(texts(result.unwrap_err()), ["late"]);
}

#[anyio::test]
async fn an_error_goes_before_the_cancellation_from_further_out() {
    let mut texts_inside = Vec::new();
    let ended = anyio::cancel_scope!(|scope| {
        let result = task_group!(|tg| -> Result<(), String> {
            tg.spawn(async {
                scope.cancel();
                let _ = catch_cancelled(sleep_forever()).await;
                fail("while cancelled").await
            });
            pending().await
        });
        // The group has an error to give, so this is reached; the next suspension is not passed.
        texts_inside = texts(result.unwrap_err());
        checkpoint().await;
        texts_inside.clear();
    });
    assert!(ended.is_err());
    assert_eq!(texts_inside, ["while cancelled"]);
}

#[anyio::test]
async fn errors_of_nested_groups_nest() {
    #[derive(Debug)]
    enum Problem {
        Own(&'static str),
        Inner(ErrorGroup<&'static str>),
    }

    let result = task_group!(|outer| -> Result<(), Problem> {
        outer.spawn(async {
            let _ = catch_cancelled(sleep_forever()).await;
            Err::<(), _>(Problem::Own("outer"))
        });
        settle().await;
        task_group!(|inner| -> Result<(), &'static str> {
            inner.spawn(async { Err::<(), _>("inner") });
            pending().await
        })
        .map_err(Problem::Inner)
    });
    let errors: Vec<_> = result.unwrap_err().into_iter().collect();
    let [Problem::Inner(inner), Problem::Own("outer")] = &errors[..] else {
        panic!("{errors:?}");
    };
    assert_eq!(inner.iter().collect::<Vec<_>>(), [&"inner"]);
}

#[anyio::test]
async fn children_that_were_cancelled_are_no_errors_at_any_level() {
    let result = task_group!(|outer| -> Result<(), ErrorGroup<&'static str>> {
        outer.spawn(async {
            task_group!(|inner| -> Result<(), &'static str> {
                inner.spawn(pending::<Result<(), _>>());
                pending().await
            })
        });
        settle().await;
        ErrorGroup::new(["only this"]).map_or(Ok(()), Err)
    });
    let errors = result.unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors.into_first().into_first(), "only this");
}

#[anyio::test]
async fn a_child_may_give_a_value_after_the_first_error() {
    let log = Log::default();
    let result = task_group!(|tg| -> Result<(), String> {
        let value = tg.spawn(async {
            shield!({
                settle().await;
            });
            Ok(7)
        });
        checkpoint().await;
        tg.spawn(fail("the child"));
        shield!({
            log.note(format!("{:?}", value.join().await));
        });
        Ok(())
    });
    assert_eq!(texts(result.unwrap_err()), ["the child"]);
    assert_eq!(log.entries(), ["Ok(7)"]);
}

#[anyio::test]
async fn a_body_that_gave_a_value_does_not_hide_an_error() {
    let result = task_group!(|tg| -> Result<&str, String> {
        tg.spawn(async {
            settle().await;
            fail("later").await
        });
        Ok("value")
    });
    assert_eq!(texts(result.unwrap_err()), ["later"]);
}

#[anyio::test]
async fn nothing_keeps_an_error_alive_after_the_group() {
    let kept = std::sync::Arc::new("error");
    let error = kept.clone();
    let result = task_group!(|tg| -> Result<(), std::sync::Arc<&str>> {
        tg.spawn(async move { Err::<(), _>(error) });
        pending().await
    });
    assert_eq!(std::sync::Arc::strong_count(&kept), 2);
    drop(result);
    assert_eq!(std::sync::Arc::strong_count(&kept), 1);
}
