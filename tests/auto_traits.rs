//! Which of the public types and futures are `Send`, `Sync`, `Unpin`, `UnwindSafe`.
#![cfg(all(feature = "tokio", feature = "smol"))] // what a timer of either is shows in the table

use std::marker::PhantomData;

use anyio::{
    AsCompleted, AsyncResource, Backend, CancelScope, Cancelled, CatchCancelled, EffectiveDeadline,
    ErrorGroup, FailAfter, Fallible, Join, LocalSpawner, LocalTaskGroup, MoveOn, NoBackendError,
    Outcome, ResumeCancelled, ScopeHandle, Scoped, Shielded, Sleep, SleepForever, Smol, Spawner,
    StartError, TaskError, TaskGroup, TaskGroupStatistics, TaskHandle, TaskInfo, TaskState,
    TaskStatus, TimeoutError, Tokio, UnknownBackendError, Wait, aclose_forcefully, amap,
    cancel_scope, checkpoint, fail_after, finally, gather, lowlevel, move_on_after, shield,
    task_group, to_thread, try_amap_limited, with,
};

/// Whether a type has each of the traits, in the order `Send`, `Sync`, `Unpin`, `UnwindSafe`.
///
/// An inherent constant wins over that of a trait, so the bounds of the `impl`s decide.
struct Probe<T: ?Sized>(PhantomData<T>);

macro_rules! probes {
    ($($name:ident, $fallback:ident: $bound:path;)*) => {$(
        trait $fallback {
            const $name: bool = false;
        }
        impl<T: ?Sized> $fallback for Probe<T> {}
        #[allow(dead_code, reason = "which of the two is used is the question")]
        impl<T: ?Sized + $bound> Probe<T> {
            const $name: bool = true;
        }
    )*};
}

probes! {
    SEND, NotSend: Send;
    SYNC, NotSync: Sync;
    UNPIN, NotUnpin: Unpin;
    UNWIND_SAFE, NotUnwindSafe: std::panic::UnwindSafe;
}

/// Compares a table of types with what is so.
macro_rules! table {
    ($($(#[$why:meta])* $ty:ty: $expected:literal;)*) => {{
        let mut wrong = Vec::new();
        $({
            type This = $ty;
            let mut found = String::new();
            for (has, letter) in [
                (Probe::<This>::SEND, "send "),
                (Probe::<This>::SYNC, "sync "),
                (Probe::<This>::UNPIN, "unpin "),
                (Probe::<This>::UNWIND_SAFE, "unwind "),
            ] {
                if has {
                    found.push_str(letter);
                }
            }
            if found.trim() != $expected {
                wrong.push(format!("{}: {}", stringify!($ty), found.trim()));
            }
        })*
        assert!(wrong.is_empty(), "these are otherwise than in the table:\n{}", wrong.join("\n"));
    }};
}

type Ready = std::future::Ready<u32>;
/// A future that is not `Send`.
type Rc = std::future::Ready<std::rc::Rc<u32>>;
/// A value that is `Send` and not `Sync`.
type Cell = std::cell::Cell<u32>;

#[test]
fn values_errors_and_options() {
    table! {
        Backend: "send sync unpin unwind";
        Tokio: "send sync unpin unwind";
        Smol: "send sync unpin unwind";
        Cancelled: "send sync unpin unwind";
        TimeoutError: "send sync unpin unwind";
        TaskError: "send sync unpin unwind";
        NoBackendError: "send sync unpin unwind";
        UnknownBackendError: "send sync unpin unwind";
        EffectiveDeadline: "send sync unpin unwind";
        Outcome: "send sync unpin unwind";
        TaskInfo: "send sync unpin unwind";
        TaskState: "send sync unpin unwind";
        TaskGroupStatistics: "send sync unpin unwind";
        ErrorGroup<String>: "send sync unpin unwind";
        ErrorGroup<Cell>: "send unpin unwind";
        ErrorGroup<std::rc::Rc<u32>>: "unpin unwind";
        StartError<u32, String>: "send sync unpin unwind";
    }
}

#[test]
fn scopes_and_their_handles() {
    table! {
        CancelScope: "send unpin unwind";
        ScopeHandle: "send sync unpin unwind";
    }
}

#[test]
fn futures_around_others_are_as_these_are() {
    table! {
        Scoped<Ready>: "send";
        Scoped<Rc>: "";
        MoveOn<Ready>: "send";
        MoveOn<Rc>: "";
        FailAfter<Ready>: "send";
        FailAfter<Rc>: "";
        Shielded<Ready>: "send unpin unwind";
        Shielded<Rc>: "unpin unwind";
        Shielded<std::marker::PhantomPinned>: "send unwind";
        CatchCancelled<Ready>: "send unpin unwind";
        CatchCancelled<Rc>: "unpin unwind";
        CatchCancelled<std::marker::PhantomPinned>: "send unwind";
    }
}

#[test]
fn futures_of_their_own() {
    table! {
        Sleep: "send";
        SleepForever: "send unpin unwind";
        ResumeCancelled: "send unpin unwind";
        lowlevel::Checkpoint: "send unpin unwind";
        lowlevel::CheckpointIfCancelled: "send unpin unwind";
        lowlevel::CancelShieldedCheckpoint: "send unpin unwind";
        to_thread::RunSync<u32, fn() -> u32>: "send unpin unwind";
    }
}

#[test]
fn groups_and_what_belongs_to_them() {
    table! {
        TaskGroup<'static>: "send sync unpin";
        TaskGroup<'static, Cell>: "send sync unpin";
        TaskGroup<'static, u32, Fallible<String>>: "send sync unpin";
        Spawner<'static>: "send sync unpin";
        Spawner<'static, Fallible<Cell>>: "send sync unpin";
        LocalTaskGroup<'static>: "unpin";
        LocalSpawner<'static>: "unpin";
        TaskHandle<'static, u32>: "send sync unpin";
        TaskHandle<'static, Cell>: "send unpin";
        TaskHandle<'static, std::rc::Rc<u32>>: "unpin";
        Join<'static, u32>: "send sync unpin";
        Join<'static, Cell>: "send unpin";
        Wait<'static>: "send unpin";
        TaskStatus<u32>: "send sync unpin unwind";
        AsCompleted<'static, u32>: "send unpin";
    }
}

#[test]
fn futures_made_by_macros_and_functions_are_send_if_what_is_inside_is() {
    fn send<T: Send>(future: T) -> T {
        future
    }
    drop(send(async {
        task_group!(|tg| { tg.spawn(async { 1 }).await })
    }));
    drop(send(async { move_on_after!(1s, { checkpoint().await }) }));
    drop(send(async {
        fail_after!(reason = "r", 1s, |scope| { scope.cancel() })
    }));
    drop(send(async { cancel_scope!(|scope| { scope.cancel() }) }));
    drop(send(async { shield!({ checkpoint().await }) }));
    drop(send(async {
        finally!({ checkpoint().await }, { checkpoint().await })
    }));
    drop(send(async {
        struct File;
        impl AsyncResource for File {
            async fn aclose(&mut self) {}
        }
        with!(_file = File, { std::cell::Cell::new(1) });
        let mut file = File;
        aclose_forcefully(&mut file).await;
    }));
    drop(send(gather((async { 1 }, async { 2 }))));
    drop(send(amap([1, 2], async |n| n)));
    drop(send(try_amap_limited(2, [1, 2], async |n: u32| {
        if n == 1 { Err(n) } else { Ok(n) }
    })));
}
