//! Manual: docs/manual/cancellation.md
//!
//! A run of nested deadlines has one timer. Here scopes part from each other, so that nobody's timer would be
//! left if it were not for the rules at the top of `anyio-rt/src/scope/alarm.rs`.
#![cfg(feature = "tokio")] // for its clock, which can be stopped; the rules do not depend on the backend

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use anyio::{CancelScope, MoveOn, SleepForever, current_time, move_on_after, sleep, sleep_forever};

const MS: Duration = Duration::from_millis(1);

/// Runs `test` on a clock that jumps to the next timer; fails if nothing wakes it any more.
fn on_a_jumping_clock<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let hour = Duration::from_secs(3600);
    runtime
        .block_on(async { tokio::time::timeout(hour, test).await })
        .expect("something wakes it")
}

type Inner = RefCell<Pin<Box<MoveOn<SleepForever>>>>;

/// A timeout that lives elsewhere and is polled from here.
fn inner(ms: u32) -> Inner {
    RefCell::new(Box::pin(move_on_after(ms * MS, sleep_forever())))
}

fn poll_inner(inner: &Inner, cx: &mut Context<'_>) -> Poll<Option<()>> {
    inner
        .borrow_mut()
        .as_mut()
        .poll(cx)
        .map(|ended| ended.map(drop))
}

/// Polls `outer` once, in which `inner` is covered.
async fn once<F: Future>(mut outer: Pin<&mut F>) {
    poll_fn(|cx| {
        assert!(outer.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}

/// Polls `inner` once this task is woken, and not before, until its time is over: `ms` after `start`.
async fn ends_at(inner: &Inner, start: Instant, ms: u32) {
    let mut rested = false;
    poll_fn(|cx| {
        if !std::mem::replace(&mut rested, true) {
            return Poll::Pending;
        }
        poll_inner(inner, cx)
    })
    .await;
    assert_eq!(current_time() - start, ms * MS);
}

#[test]
fn the_covering_scope_is_dropped() {
    on_a_jumping_clock(async {
        let (start, inner) = (current_time(), inner(20));
        {
            let mut outer = pin!(move_on_after(10 * MS, poll_fn(|cx| poll_inner(&inner, cx))));
            once(outer.as_mut()).await;
        }
        ends_at(&inner, start, 20).await;
    });
}

#[test]
fn the_covering_scope_ends_first() {
    on_a_jumping_clock(async {
        let (start, inner) = (current_time(), inner(20));
        assert_eq!(
            move_on_after(10 * MS, poll_fn(|cx| poll_inner(&inner, cx))).await,
            None
        );
        ends_at(&inner, start, 20).await;
    });
}

#[test]
fn the_covering_scope_ends_with_a_value() {
    on_a_jumping_clock(async {
        let (start, inner) = (current_time(), inner(20));
        let mut polls = 0;
        let value = move_on_after(
            30 * MS,
            poll_fn(|cx| {
                assert!(poll_inner(&inner, cx).is_pending());
                polls += 1;
                if polls == 2 {
                    return Poll::Ready(5);
                }
                cx.waker().wake_by_ref();
                Poll::Pending
            }),
        )
        .await;
        assert_eq!(value, Some(5));
        ends_at(&inner, start, 20).await;
    });
}

#[test]
fn the_covering_scope_is_leaked() {
    on_a_jumping_clock(async {
        let (start, inner) = (current_time(), &*Box::leak(Box::new(inner(20))));
        let mut outer = Box::pin(move_on_after(30 * MS, poll_fn(|cx| poll_inner(inner, cx))));
        once(outer.as_mut()).await;
        #[allow(clippy::mem_forget)] // what is tested
        std::mem::forget(outer);
        ends_at(inner, start, 20).await;
    });
}

#[test]
fn the_one_in_the_middle_is_dropped() {
    on_a_jumping_clock(async {
        let (start, inner) = (current_time(), inner(20));
        let mut middle = Some(Box::pin(move_on_after(
            15 * MS,
            poll_fn(|cx| poll_inner(&inner, cx)),
        )));
        let ended = move_on_after(
            100 * MS,
            poll_fn(|cx| {
                if let Some(covering) = &mut middle {
                    assert!(covering.as_mut().poll(cx).is_pending());
                    middle = None;
                    return Poll::Pending;
                }
                poll_inner(&inner, cx)
            }),
        );
        assert_eq!(ended.await, Some(None));
        assert_eq!(current_time() - start, 20 * MS);
    });
}

/// In the first poll, `inner` is polled below two limits that both end in that poll; then right below the top,
/// which covers another one from the first poll on.
fn two_that_end_at_once(end: impl Fn(&mut Context<'_>, &Inner)) {
    on_a_jumping_clock(async {
        let (start, inner) = (current_time(), inner(20));
        let mut beside = pin!(move_on_after(60 * MS, sleep_forever()));
        let mut first = true;
        let ended = move_on_after(
            100 * MS,
            poll_fn(|cx| {
                assert!(beside.as_mut().poll(cx).is_pending());
                if std::mem::take(&mut first) {
                    end(cx, &inner);
                    return Poll::Pending;
                }
                poll_inner(&inner, cx)
            }),
        );
        assert_eq!(ended.await, Some(None));
        assert_eq!(current_time() - start, 20 * MS);
    });
}

#[test]
fn those_in_the_middle_end_in_the_poll_in_which_they_cover() {
    two_that_end_at_once(|cx, inner| {
        let mut between = pin!(move_on_after(
            50 * MS,
            move_on_after(
                40 * MS,
                poll_fn(|cx| {
                    assert!(poll_inner(inner, cx).is_pending());
                    Poll::Ready(())
                }),
            ),
        ));
        assert_eq!(between.as_mut().poll(cx), Poll::Ready(Some(Some(()))));
    });
}

#[test]
fn those_in_the_middle_panic_in_the_poll_in_which_they_cover() {
    two_that_end_at_once(|cx, inner| {
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let mut between = pin!(move_on_after(
                50 * MS,
                move_on_after(
                    40 * MS,
                    poll_fn(|cx| -> Poll<()> {
                        assert!(poll_inner(inner, cx).is_pending());
                        panic!("on purpose");
                    }),
                ),
            ));
            between.as_mut().poll(cx)
        }));
        assert!(panicked.is_err());
    });
}

/// A waker that passes wakes on and counts them.
struct Passing {
    to: Waker,
    wakes: Arc<AtomicUsize>,
}

impl Wake for Passing {
    fn wake(self: Arc<Self>) {
        self.wakes.fetch_add(1, Ordering::Relaxed);
        self.to.wake_by_ref();
    }
}

#[test]
fn the_covering_scope_turns_up_under_another_waker_without_the_inner_one() {
    on_a_jumping_clock(async {
        let (start, inner) = (current_time(), inner(20));
        let wanted = RefCell::new(true);
        let mut outer = Box::pin(move_on_after(
            200 * MS,
            poll_fn(|cx| {
                if *wanted.borrow() {
                    let _pending = poll_inner(&inner, cx);
                }
                Poll::<()>::Pending
            }),
        ));
        once(outer.as_mut()).await;
        *wanted.borrow_mut() = false;
        // As if another task had it now: that one is woken for the long deadline, this one for nothing.
        let elsewhere = Waker::from(Arc::new(Passing {
            to: Waker::noop().clone(),
            wakes: Arc::default(),
        }));
        assert!(
            outer
                .as_mut()
                .poll(&mut Context::from_waker(&elsewhere))
                .is_pending()
        );
        ends_at(&inner, start, 20).await;
    });
}

#[test]
fn it_turns_up_there_with_nothing_to_wait_for_and_with_another_limit_later() {
    on_a_jumping_clock(async {
        let (start, inner) = (current_time(), inner(20));
        let mut beside = pin!(move_on_after(60 * MS, sleep_forever()));
        let mut polls = 0;
        // A scope without a deadline of its own.
        let mut outer = pin!(CancelScope::new().run(poll_fn(|cx| {
            polls += 1;
            match polls {
                1 => assert!(poll_inner(&inner, cx).is_pending()),
                2 => {}
                _ => assert!(beside.as_mut().poll(cx).is_pending()),
            }
            Poll::<()>::Pending
        })));
        once(outer.as_mut()).await;
        let elsewhere = Waker::from(Arc::new(Passing {
            to: Waker::noop().clone(),
            wakes: Arc::default(),
        }));
        for _ in 0..2 {
            let mut cx = Context::from_waker(&elsewhere);
            assert!(outer.as_mut().poll(&mut cx).is_pending());
        }
        ends_at(&inner, start, 20).await;
    });
}

#[test]
fn a_new_waker_for_each_poll_wakes_nobody_for_ever() {
    on_a_jumping_clock(async {
        let start = current_time();
        let wakes = Arc::<AtomicUsize>::default();
        let mut nested = Box::pin(move_on_after(
            50 * MS,
            move_on_after(40 * MS, async {
                for _ in 0..3 {
                    sleep(10 * MS).await;
                }
                sleep_forever().await;
            }),
        ));
        let mut polls = 0;
        let ended = poll_fn(|cx| {
            polls += 1;
            let fresh = Waker::from(Arc::new(Passing {
                to: cx.waker().clone(),
                wakes: Arc::clone(&wakes),
            }));
            nested.as_mut().poll(&mut Context::from_waker(&fresh))
        })
        .await;
        assert_eq!(ended, Some(None));
        assert_eq!(current_time() - start, 40 * MS);
        assert!(polls <= 10, "{polls} polls");
        assert!(wakes.load(Ordering::Relaxed) <= 10, "{wakes:?} wakes");
    });
}

#[test]
fn two_wakers_that_take_turns_wake_nobody_for_ever() {
    on_a_jumping_clock(async {
        let start = current_time();
        let mut nested = Box::pin(move_on_after(
            50 * MS,
            move_on_after(40 * MS, sleep_forever()),
        ));
        let mut polls = 0;
        let mut wakers = None;
        let ended = poll_fn(|cx| {
            polls += 1;
            let (odd, even) = wakers.get_or_insert_with(|| {
                let waker = || {
                    Waker::from(Arc::new(Passing {
                        to: cx.waker().clone(),
                        wakes: Arc::default(),
                    }))
                };
                (waker(), waker())
            });
            let waker = if polls % 2 == 0 { even } else { odd };
            let polled = nested.as_mut().poll(&mut Context::from_waker(waker));
            if polls == 1 {
                cx.waker().wake_by_ref();
            }
            polled
        })
        .await;
        assert_eq!(ended, Some(None));
        assert_eq!(current_time() - start, 40 * MS);
        assert!(polls <= 8, "{polls} polls");
    });
}
