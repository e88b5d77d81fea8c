//! Manual: docs/manual/tasks.md
use anyio::*;
use std::sync::atomic::*;
use std::time::Duration;
fn is_send<T: Send>(t: T) -> T {
    t
}
#[anyio::test]
async fn gathers() {
    let s = String::from("abc");
    let (a, b) = is_send(gather((async { s.len() }, async {
        sleep(Duration::from_millis(1)).await;
        s.clone()
    })))
    .await;
    assert_eq!((a, b.as_str()), (3, "abc"));
    gather(()).await;
    assert_eq!(gather(Vec::<std::future::Ready<u8>>::new()).await, [0u8; 0]);
    let rc = std::rc::Rc::new(1);
    assert_eq!(gather([async { *rc },]).await, [1]);
    let running = AtomicUsize::new(0);
    let max = AtomicUsize::new(0);
    let out = amap_limited(3, 0..10, async |n| {
        max.fetch_max(
            running.fetch_add(1, Ordering::Relaxed) + 1,
            Ordering::Relaxed,
        );
        for _ in 0..n {
            checkpoint().await;
        }
        running.fetch_sub(1, Ordering::Relaxed);
        n
    })
    .await;
    assert_eq!(out, (0..10).collect::<Vec<_>>());
    assert_eq!(max.into_inner(), 3);
    let e = try_amap_limited(2, 0..10, async |n| if n == 4 { Err(n) } else { Ok(n) })
        .await
        .unwrap_err();
    assert_eq!(e.into_first(), 4);
    let order = task_group!(|tg| {
        let mut hs = vec![];
        for n in [5u32, 1, 3] {
            hs.push(tg.spawn(async move {
                for _ in 0..n {
                    checkpoint().await
                }
                n
            }));
        }
        let mut d = as_completed(hs);
        let mut o = vec![];
        while let Some(h) = d.next().await {
            o.push(h.await);
        }
        o
    });
    assert_eq!(order, [1, 3, 5]);
    assert_eq!(to_thread::run_sync(|| 5).await, 5);
}
