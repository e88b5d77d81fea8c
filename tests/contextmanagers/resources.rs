//! `AsyncResource` and `aclose_forcefully`.

use anyio::{
    AsyncResource, CancelScope, aclose_forcefully, cancel_scope, checkpoint, finally,
    move_on_after, shield, sleep_forever, with,
};

const LONG: std::time::Duration = std::time::Duration::from_secs(3600);

/// Says goodbye, which takes forever unless it `answers`.
struct Peer<'a> {
    answers: bool,
    log: &'a std::sync::Mutex<Vec<&'static str>>,
}

impl AsyncResource for Peer<'_> {
    async fn aclose(&mut self) {
        self.log.lock().unwrap().push("goodbye");
        if !self.answers {
            sleep_forever().await;
        }
        checkpoint().await;
        self.log.lock().unwrap().push("answered");
    }
}

impl Drop for Peer<'_> {
    fn drop(&mut self) {
        self.log.lock().unwrap().push("released");
    }
}

#[anyio::test]
async fn a_resource_is_closed_and_then_dropped() {
    let log = std::sync::Mutex::new(Vec::new());
    with!(
        peer = Peer {
            answers: true,
            log: &log
        },
        {
            peer.log.lock().unwrap().push("inside");
        }
    );
    assert_eq!(
        *log.lock().unwrap(),
        ["inside", "goodbye", "answered", "released"]
    );
}

#[anyio::test]
async fn a_resource_is_closed_in_a_cancelled_scope_too() {
    let log = std::sync::Mutex::new(Vec::new());
    let ended = cancel_scope!(|scope| {
        with!(
            _peer = Peer {
                answers: true,
                log: &log
            },
            {
                scope.cancel();
                sleep_forever().await;
            }
        );
    });
    assert!(ended.is_err());
    assert_eq!(*log.lock().unwrap(), ["goodbye", "answered", "released"]);
}

#[anyio::test]
async fn closed_forcefully_it_waits_for_nothing() {
    let log = std::sync::Mutex::new(Vec::new());
    let mut peer = Peer {
        answers: false,
        log: &log,
    };
    aclose_forcefully(&mut peer).await;
    drop(peer);
    assert_eq!(*log.lock().unwrap(), ["goodbye", "released"]);
}

#[anyio::test]
async fn closing_forcefully_cancels_nothing_further_out() {
    let log = std::sync::Mutex::new(Vec::new());
    let mut peer = Peer {
        answers: true,
        log: &log,
    };
    let scope = CancelScope::new();
    let handle = scope.handle();
    let ended = scope.run(async {
        aclose_forcefully(&mut peer).await;
        checkpoint().await;
        5
    });
    assert_eq!(ended.await.unwrap(), 5);
    assert!(!handle.cancel_called());
}

#[anyio::test]
async fn closing_forcefully_gets_to_the_end_of_what_is_shielded() {
    struct Stubborn(u32);
    impl AsyncResource for Stubborn {
        async fn aclose(&mut self) {
            shield(checkpoint()).await;
            self.0 += 1;
            checkpoint().await;
            self.0 += 1;
        }
    }
    let mut stubborn = Stubborn(0);
    aclose_forcefully(&mut stubborn).await;
    assert_eq!(stubborn.0, 1);
}

#[anyio::test]
async fn closing_forcefully_works_in_a_clean_up_with_a_deadline() {
    let log = std::sync::Mutex::new(Vec::new());
    let ended = move_on_after!(1ms, {
        let mut peer = Peer {
            answers: false,
            log: &log,
        };
        finally!({ sleep_forever().await }, {
            if move_on_after!(1ms, { peer.aclose().await }).is_none() {
                aclose_forcefully(&mut peer).await;
            }
        });
    });
    assert!(ended.is_none());
    assert_eq!(*log.lock().unwrap(), ["goodbye", "goodbye", "released"]);
    assert_eq!(move_on_after(LONG, async { 1 }).await, Some(1));
}
