//! What a group gives: `finish`, `try_finish`, `cancel`.

use std::sync::atomic::{AtomicU32, Ordering};

use anyio::{TaskGroup, checkpoint, finally, local_task_group, shield, sleep_forever, task_group};

use super::support::{Log, settle, when_dropped};

#[anyio::test]
async fn finishing_cancels_the_members_and_gives_the_value() {
    let log = Log::default();
    let value = task_group!(|tg| {
        tg.spawn(async {
            let _guard = log.when_dropped("sibling dropped");
            sleep_forever().await;
        });
        tg.spawn(async {
            settle().await;
            tg.finish("first");
        });
        sleep_forever().await;
        "never"
    });
    assert_eq!(value, "first");
    assert_eq!(log.entries(), ["sibling dropped"]);
}

#[anyio::test]
async fn finish_returns_before_anybody_has_reacted() {
    let log = Log::default();
    let value = task_group!(|tg| {
        tg.spawn(async {
            let _guard = log.when_dropped("dropped");
            sleep_forever().await
        });
        checkpoint().await;
        tg.finish(1);
        log.note("finish has returned");
        sleep_forever().await;
        2
    });
    assert_eq!(value, 1);
    assert_eq!(log.entries(), ["finish has returned", "dropped"]);
}

#[anyio::test]
async fn the_first_value_stays() {
    let dropped = AtomicU32::new(0);
    let value = task_group!(|tg| {
        tg.finish((1, None));
        tg.finish((
            2,
            Some(when_dropped(|| {
                dropped.fetch_add(1, Ordering::Relaxed);
            })),
        ));
        assert_eq!(dropped.load(Ordering::Relaxed), 1, "dropped at once");
        (3, None)
    });
    assert_eq!(value.0, 1);
}

#[anyio::test]
async fn trying_to_finish_gives_a_late_value_back() {
    let value = task_group!(|tg| {
        assert_eq!(tg.try_finish(String::from("one")), Ok(()));
        assert_eq!(tg.try_finish(String::from("two")), Err(String::from("two")));
        sleep_forever().await;
        String::from("never")
    });
    assert_eq!(value, "one");
}

#[anyio::test]
async fn several_children_race_and_one_wins() {
    let value = task_group!(|tg| {
        for n in [30, 10, 20] {
            tg.spawn(async move {
                for _ in 0..n {
                    checkpoint().await;
                }
                tg.finish(n);
            });
        }
        sleep_forever().await;
        0
    });
    assert_eq!(value, 10);
}

#[anyio::test]
async fn a_finished_group_waits_for_clean_ups() {
    let log = Log::default();
    let value = task_group!(|tg| {
        tg.spawn(async {
            finally!({ sleep_forever().await }, {
                settle().await;
                log.note("cleaned up");
            });
        });
        settle().await;
        tg.finish(5);
        sleep_forever().await;
        0
    });
    assert_eq!(value, 5);
    assert_eq!(log.entries(), ["cleaned up"]);
}

#[anyio::test]
async fn a_value_does_not_hide_an_error() {
    let result = task_group!(|tg| -> Result<u32, &'static str> {
        tg.spawn(async {
            shield!({ settle().await });
            Err::<(), _>("after the finish")
        });
        checkpoint().await;
        tg.finish(1);
        Ok(2)
    });
    assert_eq!(result.unwrap_err().into_first(), "after the finish");
}

#[anyio::test]
async fn a_fallible_group_can_be_finished_well() {
    let result = task_group!(|tg| -> Result<u32, &'static str> {
        tg.spawn(async {
            settle().await;
            tg.finish(7);
            Ok(())
        });
        sleep_forever().await;
        Err("never")
    });
    assert_eq!(result, Ok(7));
}

#[anyio::test]
async fn a_group_that_gives_the_unit_can_be_cancelled_by_anyone() {
    async fn stop(tg: TaskGroup<'_>) {
        settle().await;
        tg.cancel();
    }

    task_group!(|tg| {
        tg.spawn(stop(tg));
        sleep_forever().await
    });
    let result = task_group!(|tg| -> Result<(), &'static str> {
        tg.spawn(async {
            tg.cancel_because("enough");
            Ok(())
        });
        sleep_forever().await;
        Err("never")
    });
    assert_eq!(result, Ok(()));
}

#[anyio::test]
async fn finishing_with_a_deadline_from_further_out_is_cut_off_as_any_group() {
    let mut never = true;
    let ended = anyio::cancel_scope!(|scope| {
        task_group!(|tg| {
            tg.spawn(async {
                finally!({ sleep_forever().await }, {
                    scope.cancel();
                });
            });
            settle().await;
            tg.finish(1);
            sleep_forever().await;
            2
        });
        never = false;
    });
    assert!(ended.is_err());
    assert!(never, "the outer scope was cancelled while the group ended");
}

#[anyio::test]
async fn a_value_that_borrows_from_before_the_group_can_be_given() {
    let words = ["a", "longer", "word"];
    let longest = task_group!(|tg| {
        let lengths: Vec<_> = words
            .iter()
            .map(|word| tg.spawn(async move { (word.len(), *word) }))
            .collect();
        let mut longest = (0, "");
        for length in lengths {
            longest = longest.max(length.await);
        }
        longest.1
    });
    assert_eq!(longest, "longer");
}

#[anyio::test]
async fn a_local_group_can_be_finished_with_what_is_not_send() {
    let value = local_task_group!(|tg| {
        tg.spawn(async {
            checkpoint().await;
            tg.finish(std::rc::Rc::new(5));
        });
        sleep_forever().await;
        std::rc::Rc::new(0)
    });
    assert_eq!(*value, 5);
}

#[anyio::test]
async fn the_value_of_a_body_that_was_overtaken_is_dropped() {
    let dropped = AtomicU32::new(0);
    let value = task_group!(|tg| {
        tg.finish(None);
        Some(when_dropped(|| {
            dropped.fetch_add(1, Ordering::Relaxed);
        }))
    });
    assert!(value.is_none());
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
}
