//! Groups and several threads, and wakers that live longer than the group.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;

use anyio::{TaskError, checkpoint, sleep_forever, task_group};
use futures::channel::oneshot;

use super::support::{CountingWaker, Log, settle};

#[anyio::test]
async fn a_scoped_thread_inside_a_child_may_spawn_and_cancel() {
    let count = AtomicU32::new(0);
    task_group!(|tg| {
        tg.spawn(async {
            thread::scope(|threads| {
                for _ in 0..4 {
                    threads.spawn(|| {
                        for _ in 0..50 {
                            tg.spawn(async {
                                checkpoint().await;
                                count.fetch_add(1, Ordering::Relaxed);
                            });
                        }
                    });
                }
            });
        });
    });
    assert_eq!(count.into_inner(), 200);

    let log = Log::default();
    task_group!(|tg| {
        let stuck = tg.spawn(async {
            let _guard = log.when_dropped("dropped");
            sleep_forever().await;
        });
        checkpoint().await;
        thread::scope(|threads| {
            threads.spawn(|| stuck.cancel());
        });
        assert_eq!(stuck.join().await, Err(TaskError::Cancelled));
        tg.spawn(sleep_forever());
        thread::scope(|threads| {
            threads.spawn(|| tg.cancel());
        });
    });
    assert_eq!(log.entries(), ["dropped"]);
}

#[anyio::test]
async fn a_scoped_thread_may_drop_and_poll_handles() {
    task_group!(|tg| {
        let ended = tg.spawn(async { String::from("value") });
        let running = tg.spawn(async {
            settle().await;
            String::from("dropped")
        });
        settle().await;
        let value = thread::scope(|threads| {
            threads.spawn(|| drop(running));
            threads
                .spawn(|| futures::executor::block_on(ended))
                .join()
                .unwrap()
        });
        assert_eq!(value, "value");
    });
}

#[anyio::test]
async fn a_child_is_woken_from_other_threads() {
    task_group!(|tg| {
        let children: Vec<_> = (0..20)
            .map(|n| {
                let (send, receive) = oneshot::channel();
                thread::spawn(move || send.send(n));
                tg.spawn(async { receive.await.unwrap() })
            })
            .collect();
        let mut sum = 0;
        for child in children {
            sum += child.await;
        }
        assert_eq!(sum, 190);
    });
}

#[test]
fn the_whole_group_may_move_between_threads_between_polls() {
    let count = AtomicU32::new(0);
    let (wakes, waker) = CountingWaker::new();
    let mut group = Box::pin(async {
        task_group!(|tg| {
            for _ in 0..10 {
                tg.spawn(async {
                    for _ in 0..10 {
                        checkpoint().await;
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
    });
    let mut polls = 0;
    loop {
        let ready = thread::scope(|threads| {
            let poll = threads.spawn(|| group.as_mut().poll(&mut Context::from_waker(&waker)));
            poll.join().unwrap().is_ready()
        });
        polls += 1;
        if ready {
            break;
        }
        assert!(wakes.wakes() >= polls, "it waits for nothing");
    }
    drop(group);
    assert_eq!(count.into_inner(), 100);
}

/// A future that leaves its waker to others and waits to be told.
fn leave_waker(place: &Mutex<Vec<Waker>>) -> impl Future<Output = ()> + Send {
    let mut polled = false;
    poll_fn(move |cx| {
        place.lock().unwrap().push(cx.waker().clone());
        if std::mem::replace(&mut polled, true) {
            Poll::Ready(())
        } else {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
    })
}

#[anyio::test]
async fn wakers_that_outlive_the_group_may_fire_after_its_end() {
    let wakers = Mutex::new(Vec::new());
    task_group!(|tg| {
        for _ in 0..3 {
            tg.spawn(async { leave_waker(&wakers).await });
        }
        leave_waker(&wakers).await;
    });
    let wakers = wakers.into_inner().unwrap();
    assert_eq!(wakers.len(), 8);
    let more: Vec<_> = wakers.to_vec();
    for waker in wakers {
        waker.wake_by_ref();
        waker.wake();
    }
    thread::spawn(move || more.into_iter().for_each(Waker::wake))
        .join()
        .unwrap();
}

#[test]
fn wakers_that_outlive_a_dropped_group_may_fire_and_wake_nobody() {
    let wakers = Mutex::new(Vec::new());
    let (wakes, waker) = CountingWaker::new();
    {
        let mut group = pin!(async {
            task_group!(|tg| {
                for _ in 0..3 {
                    tg.spawn(async {
                        loop {
                            leave_waker(&wakers).await;
                        }
                    });
                }
            });
        });
        let mut cx = Context::from_waker(&waker);
        for _ in 0..3 {
            assert!(group.as_mut().poll(&mut cx).is_pending());
        }
    }
    let before = wakes.wakes();
    for waker in wakers.into_inner().unwrap() {
        waker.wake();
    }
    assert_eq!(wakes.wakes(), before);
}

#[anyio::test]
async fn a_member_may_be_woken_while_another_one_is_polled() {
    let turn = AtomicU32::new(0);
    let wakers = [const { Mutex::new(None::<Waker>) }; 2];
    task_group!(|tg| {
        for own in 0..2u32 {
            let (turn, wakers) = (&turn, &wakers);
            tg.spawn(async move {
                for _ in 0..50 {
                    poll_fn(|cx| {
                        *wakers[own as usize].lock().unwrap() = Some(cx.waker().clone());
                        if turn.load(Ordering::SeqCst) % 2 == own {
                            Poll::Ready(())
                        } else {
                            Poll::Pending
                        }
                    })
                    .await;
                    turn.fetch_add(1, Ordering::SeqCst);
                    let other = wakers[1 - own as usize].lock().unwrap().take();
                    if let Some(other) = other {
                        other.wake();
                    }
                }
            });
        }
    });
    assert_eq!(turn.into_inner(), 100);
}

#[anyio::test]
async fn many_wakes_before_a_poll_make_one_poll() {
    let polls = AtomicU32::new(0);
    let waker = Mutex::new(None::<Waker>);
    task_group!(|tg| {
        let child = tg.spawn(poll_fn(|cx| {
            *waker.lock().unwrap() = Some(cx.waker().clone());
            polls.fetch_add(1, Ordering::Relaxed);
            Poll::<()>::Pending
        }));
        settle().await;
        assert_eq!(polls.load(Ordering::Relaxed), 1);
        let waker = waker.lock().unwrap().clone().unwrap();
        for _ in 0..10 {
            waker.wake_by_ref();
        }
        settle().await;
        assert_eq!(polls.load(Ordering::Relaxed), 2);
        child.cancel();
    });
}

#[anyio::test]
async fn a_blocking_call_in_a_thread_does_not_hold_the_siblings_up() {
    task_group!(|tg| {
        let (send, receive) = std::sync::mpsc::channel();
        let blocking = tg.spawn(anyio::to_thread::run_sync(move || receive.recv().unwrap()));
        tg.spawn(async move {
            settle().await;
            send.send(5).unwrap();
        });
        assert_eq!(blocking.await, 5);
    });
}
