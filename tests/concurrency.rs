//! Manual: docs/manual/tasks.md
//!
//! `gather`, `amap` and their kin; for `as_completed` see `as_completed.rs`.

use std::cell::Cell;
use std::future::{Future, pending};
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyio::{
    amap, amap_limited, cancel_scope, checkpoint, current_task, finally, gather, sleep_forever,
    try_amap, try_amap_limited, try_gather,
};
use futures::FutureExt as _;
use futures::channel::oneshot;

async fn after(checkpoints: u32) -> u32 {
    for _ in 0..checkpoints {
        checkpoint().await;
    }
    checkpoints
}

async fn settle() {
    after(20).await;
}

async fn fail(text: &'static str) -> Result<u32, &'static str> {
    checkpoint().await;
    Err(text)
}

async fn panics<F: Future>(future: F) -> bool {
    AssertUnwindSafe(future).catch_unwind().await.is_err()
}

/// Counts how often it is dropped.
struct Token<'a>(&'a AtomicUsize);

impl Drop for Token<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[anyio::test]
async fn results_of_gather_come_in_the_order_of_the_arguments() {
    // They end in the opposite order.
    let chain: Vec<_> = (0..2).map(|_| oneshot::channel::<()>()).collect();
    let [(to_first, first_waits), (to_second, second_waits)] = <[_; 2]>::try_from(chain).unwrap();
    let order = std::sync::Mutex::new(Vec::new());
    let results = gather((
        async {
            first_waits.await.unwrap();
            order.lock().unwrap().push(1);
            1
        },
        async {
            second_waits.await.unwrap();
            order.lock().unwrap().push(2);
            to_first.send(()).unwrap();
            "two"
        },
        async {
            order.lock().unwrap().push(3);
            to_second.send(()).unwrap();
            3.0
        },
    ))
    .await;
    assert_eq!(results, (1, "two", 3.0));
    assert_eq!(order.into_inner().unwrap(), [3, 2, 1]);
}

#[anyio::test]
async fn nothing_to_gather_gives_nothing() {
    gather(()).await;
    assert_eq!(gather(Vec::<std::future::Ready<u8>>::new()).await, [0; 0]);
    assert_eq!(gather::<[std::future::Ready<u8>; 0]>([]).await, [0; 0]);
    let none = try_gather(Vec::<std::future::Ready<Result<u8, ()>>>::new()).await;
    assert_eq!(none, Ok(vec![]));
}

#[anyio::test]
async fn tuples_arrays_and_vectors_can_be_gathered() {
    assert_eq!(gather((after(2),)).await, (2,));
    assert_eq!(gather([after(2), after(0), after(1)]).await, [2, 0, 1]);
    assert_eq!(gather(vec![after(2), after(1)]).await, [2, 1]);
    let twelve = gather((
        after(11),
        after(10),
        after(9),
        after(8),
        after(7),
        after(6),
        after(5),
        after(4),
        after(3),
        after(2),
        after(1),
        after(0),
    ))
    .await;
    assert_eq!((twelve.0, twelve.11), (11, 0));
}

#[anyio::test]
async fn what_is_gathered_may_borrow_and_need_not_be_send() {
    let text = String::from("abc");
    let shared = Rc::new(Cell::new(0));
    let (length, ()) = gather((async { text.len() }, async { shared.set(7) })).await;
    assert_eq!((length, shared.get()), (3, 7));
}

#[anyio::test]
async fn a_gathering_of_what_is_send_is_send() {
    fn send<T: Send>(future: T) -> T {
        future
    }
    let text = String::from("abc");
    assert_eq!(send(gather((async { text.len() }, after(1)))).await, (3, 1));
    assert_eq!(send(gather(vec![after(1)])).await, [1]);
    assert_eq!(send(amap([1, 2], after)).await, [1, 2]);
    assert_eq!(send(amap_limited(1, [1, 2], after)).await, [1, 2]);
    assert!(send(try_gather([fail("no")])).await.is_err());
}

#[anyio::test]
async fn the_first_error_cancels_the_rest() {
    let dropped = AtomicUsize::new(0);
    let token = Token(&dropped);
    let errors = try_gather((
        async {
            let _token = token;
            pending::<Result<(), _>>().await
        },
        fail("the second"),
    ))
    .await
    .unwrap_err();
    assert_eq!((errors.len(), errors.into_first()), (1, "the second"));
    assert_eq!(dropped.into_inner(), 1);
}

#[anyio::test]
async fn all_errors_come_out() {
    let errors = try_gather(["one", "two"].map(async |text| Err::<(), _>(text)))
        .await
        .unwrap_err();
    let mut errors: Vec<_> = errors.into_iter().collect();
    errors.sort_unstable();
    assert_eq!(errors, ["one", "two"]);
}

#[anyio::test]
async fn values_that_were_there_already_are_dropped_with_an_error() {
    let dropped = AtomicUsize::new(0);
    let result = try_gather((async { Ok::<_, &str>(Token(&dropped)) }, async {
        settle().await;
        Err::<(), _>("late")
    }))
    .await;
    assert!(result.is_err());
    drop(result);
    assert_eq!(dropped.into_inner(), 1);
}

#[anyio::test]
async fn a_panic_goes_on_after_the_clean_ups_of_the_others() {
    let cleaned_up = Cell::new(false);
    let panicked = panics(gather((
        async {
            finally!({ sleep_forever().await }, {
                settle().await;
                cleaned_up.set(true);
            });
        },
        async {
            settle().await;
            panic!("the second");
        },
    )))
    .await;
    assert!(panicked);
    assert!(cleaned_up.get());
}

#[anyio::test]
async fn cancelled_each_part_keeps_its_clean_up() {
    let cleaned_up = AtomicUsize::new(0);
    let part = || async {
        finally!({ sleep_forever().await }, {
            settle().await;
            cleaned_up.fetch_add(1, Ordering::Relaxed);
        });
    };
    let ended = cancel_scope!(|scope| {
        let stop = async {
            settle().await;
            scope.cancel();
        };
        gather((part(), part(), stop)).await;
        cleaned_up.store(100, Ordering::Relaxed);
    });
    assert!(ended.is_err());
    assert_eq!(cleaned_up.into_inner(), 2);
}

#[anyio::test]
async fn in_a_cancelled_scope_what_is_ready_at_once_is_given() {
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        gather((async { 1 }, async { 2 })).await
    });
    // The parts are ready, but the wait for their handles is a suspension.
    assert!(ended.is_err());
    let ended = cancel_scope!(|scope| {
        scope.cancel();
        gather(()).await;
        "nothing to wait for"
    });
    assert_eq!(ended.unwrap(), "nothing to wait for");
}

#[anyio::test]
async fn dropped_from_outside_all_parts_are_dropped() {
    let dropped = AtomicUsize::new(0);
    {
        let part = || async {
            let _token = Token(&dropped);
            sleep_forever().await
        };
        let mut gathering = pin!(gather([part(), part(), part()]));
        for _ in 0..3 {
            assert!(futures::poll!(gathering.as_mut()).is_pending());
        }
        assert_eq!(dropped.load(Ordering::Relaxed), 0);
    }
    assert_eq!(dropped.load(Ordering::Relaxed), 3);
    // Never polled, the parts go unstarted.
    drop(gather([async { unreachable!("never polled") }]));
}

#[anyio::test]
async fn each_part_is_a_task_of_its_own_and_a_child_of_the_caller() {
    let caller = current_task().unwrap();
    let (one, two) = gather((async { current_task().unwrap() }, async {
        current_task().unwrap()
    }))
    .await;
    assert_ne!(one, two);
    for part in [one, two] {
        assert_eq!(part.parent_id(), Some(caller.id()));
    }
}

#[anyio::test]
async fn gatherings_nest() {
    let sum = gather([0, 1, 2].map(|n| async move {
        let (one, two) = gather((after(n), gather([after(n), after(1)]))).await;
        one + two[0] + two[1]
    }))
    .await;
    assert_eq!(sum, [1, 3, 5]);
}

#[anyio::test]
async fn outputs_of_amap_come_in_the_order_of_the_arguments() {
    assert_eq!(amap([3, 2, 1, 0], after).await, [3, 2, 1, 0]);
    assert_eq!(amap(1..=4, async |n| n * n).await, [1, 4, 9, 16]);
    assert_eq!(
        try_amap([2, 1], async |n| Ok::<_, ()>(after(n).await)).await,
        Ok(vec![2, 1])
    );
}

#[anyio::test]
async fn no_arguments_give_no_outputs() {
    assert_eq!(amap(0..0, after).await, [0; 0]);
    assert_eq!(amap_limited(3, 0..0, after).await, [0; 0]);
    assert_eq!(try_amap([(); 0], |()| fail("never")).await, Ok(vec![]));
    assert_eq!(
        try_amap_limited(3, [(); 0], |()| fail("never")).await,
        Ok(vec![])
    );
}

#[anyio::test]
async fn an_error_in_amap_cancels_the_rest() {
    let started = AtomicUsize::new(0);
    let errors = try_amap(0..5, async |n| {
        started.fetch_add(1, Ordering::Relaxed);
        if n == 2 { Err(n) } else { pending().await }
    })
    .await
    .map(|never: Vec<()>| never.len())
    .unwrap_err();
    assert_eq!((errors.len(), errors.into_first()), (1, 2));
    assert_eq!(started.into_inner(), 5);
}

#[anyio::test]
async fn no_more_than_the_limit_run_at_a_time() {
    let (running, most) = (Cell::new(0), Cell::new(0));
    let outputs = amap_limited(3, 0..20, async |n| {
        running.set(running.get() + 1);
        most.set(most.get().max(running.get()));
        after(n % 4).await;
        running.set(running.get() - 1);
        n
    })
    .await;
    assert_eq!(outputs, (0..20).collect::<Vec<_>>());
    assert_eq!(most.get(), 3);
}

#[anyio::test]
async fn a_limit_of_one_runs_one_after_the_other() {
    let log = std::sync::Mutex::new(Vec::new());
    amap_limited(1, 0..3, async |n| {
        log.lock().unwrap().push((n, "begins"));
        settle().await;
        log.lock().unwrap().push((n, "ends"));
    })
    .await;
    let expected: Vec<_> = (0..3).flat_map(|n| [(n, "begins"), (n, "ends")]).collect();
    assert_eq!(log.into_inner().unwrap(), expected);
}

#[anyio::test]
async fn with_a_limit_arguments_are_read_as_they_get_their_turn() {
    let read = Cell::new(0);
    let args = (0..100).inspect(|_| read.set(read.get() + 1));
    let result = try_amap_limited(2, args, async |n| {
        checkpoint().await;
        if n == 5 { Err(n) } else { Ok(n) }
    })
    .await;
    assert_eq!(result.unwrap_err().into_first(), 5);
    assert!(read.get() < 12, "{} were read", read.get());
}

#[anyio::test]
async fn with_a_limit_outputs_and_arguments_are_dropped_with_an_error() {
    let dropped = AtomicUsize::new(0);
    let args: Vec<_> = (0..10).map(|n| (n, Token(&dropped))).collect();
    let result = try_amap_limited(2, args, async |(n, token)| {
        checkpoint().await;
        if n == 4 { Err("four") } else { Ok(token) }
    })
    .await;
    assert!(result.is_err());
    assert_eq!(dropped.load(Ordering::Relaxed), 10);
}

#[anyio::test]
async fn with_a_limit_a_panic_of_the_function_goes_on() {
    assert!(
        panics(amap_limited(2, 0..10, |n| {
            assert!(n < 3, "the function");
            after(n)
        }))
        .await
    );
    assert!(
        panics(amap_limited(2, 0..10, async |n| {
            checkpoint().await;
            assert!(n < 3, "the future");
        }))
        .await
    );
}

#[test]
#[should_panic = "with a limit of 0 nothing would ever run"]
fn a_limit_of_zero_is_refused_at_once() {
    drop(amap_limited(0, 0..1, after));
}

#[anyio::test]
async fn with_a_limit_cancelled_futures_keep_their_clean_ups_and_no_new_one_begins() {
    let (begun, cleaned_up) = (Cell::new(0), Cell::new(0));
    let ended = cancel_scope!(|scope| {
        amap_limited(2, 0..10, async |_| {
            begun.set(begun.get() + 1);
            if begun.get() == 2 {
                scope.cancel();
            }
            finally!({ sleep_forever().await }, {
                settle().await;
                cleaned_up.set(cleaned_up.get() + 1);
            });
        })
        .await;
    });
    assert!(ended.is_err());
    assert_eq!((begun.get(), cleaned_up.get()), (2, 2));
}

#[anyio::test]
async fn with_a_limit_everything_is_dropped_from_outside() {
    let dropped = AtomicUsize::new(0);
    let args: Vec<_> = (0..10).map(|_| Token(&dropped)).collect();
    {
        let mut mapping = pin!(amap_limited(3, args, async |token| {
            let _token = token;
            sleep_forever().await
        }));
        for _ in 0..3 {
            assert!(futures::poll!(mapping.as_mut()).is_pending());
        }
        assert_eq!(dropped.load(Ordering::Relaxed), 0);
    }
    assert_eq!(dropped.load(Ordering::Relaxed), 10);
}
