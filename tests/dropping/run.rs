//! Running a program.

use std::future::Future;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::pin::{Pin, pin};

use anyio::{
    CancelScope, Fallible, ScopeHandle, Spawner, TaskHandle, TaskStatus, catch_cancelled,
    checkpoint, finally, shield, sleep_forever, task_group,
};
use futures::FutureExt as _;

use crate::program::{Fate, Group, Op, Program};
use crate::world::{Local, Token, World};

/// An error of a task.
#[derive(Debug)]
#[allow(dead_code)] // it is there to be dropped
pub(crate) struct Fault(Token);

type Ended = Result<(), Fault>;
type Task<'a> = Pin<Box<dyn Future<Output = Ended> + Send + 'a>>;

/// Where a task is.
#[derive(Clone)]
struct Place<'a> {
    world: World,
    /// What the task may borrow.
    local: &'a Local,
    tasks: Option<Spawner<'a, Fallible<Fault>>>,
    group: Option<ScopeHandle>,
    scope: Option<ScopeHandle>,
}

/// The future of a whole program.
pub(crate) fn start(
    program: &'static Program,
    world: &World,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(alone(&program.ops, world.clone()).map(drop))
}

/// Runs operations outside all groups.
async fn alone(ops: &'static [Op], world: World) -> Ended {
    let local = world.local();
    let place = Place {
        world,
        local: &local,
        tasks: None,
        group: None,
        scope: None,
    };
    run(ops, place).await
}

fn run<'a>(ops: &'static [Op], place: Place<'a>) -> Task<'a> {
    Box::pin(async move {
        let _held = place.local.token();
        for op in ops {
            step(op, &place).await?;
        }
        Ok(())
    })
}

/// As a child: with a value that borrows.
async fn child(ops: &'static [Op], place: Place<'_>) -> Result<Token, Fault> {
    let local = place.local;
    run(ops, place).await?;
    Ok(local.token())
}

async fn yields(count: u64) {
    for _ in 0..count {
        checkpoint().await;
    }
}

async fn step<'a>(op: &'static Op, place: &Place<'a>) -> Ended {
    let inside = |ops: &'static Vec<Op>| run(ops, place.clone());
    match op {
        Op::Yield(count) => yields(*count).await,
        Op::Forever => sleep_forever().await,
        Op::Group(group) => return run_group(group, place.world.clone()).await,
        Op::Scope {
            cancelled,
            inside: ops,
        } => {
            let scope = CancelScope::new();
            let handle = scope.handle();
            if *cancelled {
                handle.cancel();
            }
            let place = Place {
                scope: Some(handle),
                ..place.clone()
            };
            if let Ok(ended) = scope.run(run(ops, place)).await {
                return ended;
            }
        }
        Op::CancelScope => {
            if let Some(scope) = &place.scope {
                scope.cancel();
            }
        }
        Op::CancelGroup => {
            if let Some(group) = &place.group {
                group.cancel();
            }
        }
        Op::Shield(ops) => shield!({ inside(ops).await? }),
        Op::Catch(ops) => {
            if let Ok(ended) = catch_cancelled(inside(ops)).await {
                return ended;
            }
        }
        Op::CatchPanic(ops) => {
            if let Ok(ended) = AssertUnwindSafe(inside(ops)).catch_unwind().await {
                return ended;
            }
        }
        Op::Finally(ops, clean_up) => {
            finally!({ inside(ops).await? }, {
                let _ = inside(clean_up).await;
            });
        }
        Op::Race(count, ops) => {
            let limit = pin!(yields(*count));
            let won = futures::future::select(inside(ops), limit).await;
            if let futures::future::Either::Left((ended, _)) = won {
                return ended;
            }
        }
        Op::Join(one, other) => {
            let (one, other) = futures::join!(inside(one), inside(other));
            return one.and(other);
        }
        Op::Sibling(ops, count, fate) => {
            if let Some(tasks) = place.tasks {
                let handle = tasks.spawn(child(ops, place.clone()));
                yields(*count).await;
                meet(*fate, handle).await;
            }
        }
        Op::Start(before, after, fate) => {
            if let Some(tasks) = place.tasks {
                let inside = place.clone();
                let started = tasks.start(move |status: TaskStatus<Token>| async move {
                    let report = inside.local.token();
                    run(before, inside.clone()).await?;
                    status.started(report);
                    child(after, inside).await
                });
                // An error before the report is dropped here.
                if let Ok((report, handle)) = started.await {
                    meet(*fate, handle).await;
                    drop(report);
                }
            }
        }
        Op::Fail => return Err(Fault(place.world.token())),
        Op::Panic => resume_unwind(Box::new(place.world.token())),
    }
    Ok(())
}

/// Does with a handle what it is for.
async fn meet(fate: Fate, handle: TaskHandle<'_, Token>) {
    match fate {
        Fate::Dropped => drop(handle),
        Fate::Kept => {
            checkpoint().await;
            let _ = handle.value();
        }
        Fate::Waited => {
            handle.wait().await;
            let _ = handle.value();
        }
        Fate::Joined => drop(handle.join().await),
        Fate::Cancelled => {
            handle.cancel();
            drop(handle.join().await);
        }
    }
}

async fn run_group(group: &'static Group, world: World) -> Ended {
    let local = world.local();
    let ended = task_group!(shield = group.shield, |tg| -> Result<(), Fault> {
        let place = Place {
            world: world.clone(),
            local: &local,
            tasks: Some(tg.spawner()),
            group: Some(tg.cancel_scope()),
            scope: None,
        };
        let mut handles = Vec::new();
        for (ops, fate) in &group.children {
            handles.push((tg.spawn(child(ops, place.clone())), *fate));
        }
        for (ops, fate) in &group.parallel {
            let world = world.for_parallel();
            let task = async move {
                let value = world.token();
                alone(ops, world).await?;
                Ok(value)
            };
            handles.push((tg.spawn_parallel(task), *fate));
        }
        run(&group.body, place).await?;
        for (handle, fate) in handles {
            meet(fate, handle).await;
        }
        Ok(())
    });
    ended.map_err(anyio::ErrorGroup::into_first)
}
