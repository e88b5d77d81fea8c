//! Programs on the crate itself, in a tokio runtime whose clock is stopped and jumps.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use anyio::{
    CancelScope, Fallible, ScopeHandle, Spawner, StartError, TaskError, TaskStatus,
    catch_cancelled, current_time, finally, shield, sleep_until, task_group,
};

use crate::program::{Op, has_handle, next};
use crate::trace::Trace;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed;

struct World {
    start: Instant,
    trace: Mutex<Trace>,
    handles: Mutex<BTreeMap<usize, ScopeHandle>>,
}

/// More than a program sleeps. The clock jumps there at once if nothing wakes the program any more.
const HOUR: Duration = Duration::from_secs(3600);

type Group<'scope> = Option<Spawner<'scope, Fallible<Failed>>>;
type Running<'scope> = Pin<Box<dyn Future<Output = Result<(), Failed>> + Send + 'scope>>;

/// What the program does.
pub(crate) fn run(program: &[Op]) -> Trace {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let world = World {
            start: current_time(),
            trace: Mutex::default(),
            handles: Mutex::default(),
        };
        let ended = tokio::time::timeout(HOUR, calm(exec(program, &world, 0, None))).await;
        let failed = ended.expect("the program ends").is_err();
        let mut trace = world.trace.into_inner().expect("nobody panics with it");
        trace.failed = failed;
        let handles = world.handles.into_inner().expect("nobody panics with it");
        trace.scopes = handles
            .into_iter()
            .map(|(id, handle)| (id, (handle.cancel_called(), handle.cancelled_caught())))
            .collect();
        trace
    })
}

/// A program takes a few hundred polls; one that takes many more wakes itself for ever.
async fn calm(mut program: Running<'_>) -> Result<(), Failed> {
    let mut polls = 0;
    std::future::poll_fn(|cx| {
        polls += 1;
        assert!(polls < 20_000, "the program never comes to rest");
        program.as_mut().poll(cx)
    })
    .await
}

impl World {
    fn now(&self) -> u64 {
        u64::try_from((current_time() - self.start).as_millis()).expect("not that long")
    }

    fn next(&self, residue: u64) -> Instant {
        self.start + Duration::from_millis(next(self.now(), residue))
    }

    fn note(&self, task: usize, what: impl Into<String>) {
        let now = self.now();
        self.trace
            .lock()
            .expect("nobody panics with it")
            .note(task, now, what.into());
    }

    fn handles(&self) -> MutexGuard<'_, BTreeMap<usize, ScopeHandle>> {
        self.handles.lock().expect("nobody panics with it")
    }

    fn with(&self, id: usize, act: impl FnOnce(&ScopeHandle)) {
        let handle = self.handles().get(&id).cloned();
        if let Some(handle) = handle {
            act(&handle);
        }
    }
}

fn exec<'scope>(
    ops: &'scope [Op],
    world: &'scope World,
    task: usize,
    tg: Group<'scope>,
) -> Running<'scope> {
    Box::pin(async move {
        for op in ops {
            step(op, world, task, tg).await?;
        }
        Ok(())
    })
}

fn step<'scope>(
    op: &'scope Op,
    world: &'scope World,
    task: usize,
    tg: Group<'scope>,
) -> Running<'scope> {
    Box::pin(async move {
        match op {
            Op::Log(n) => world.note(task, format!("log {n}")),
            Op::Sleep(residue) => sleep_until(world.next(*residue)).await,
            Op::Scope {
                id,
                shield,
                deadline,
                body,
            } => {
                let mut scope = CancelScope::new().shield(*shield);
                if let Some(residue) = deadline {
                    scope = scope.deadline_at(world.next(*residue));
                }
                if has_handle(*id) {
                    world.handles().insert(*id, scope.handle());
                }
                match scope.run(exec(body, world, task, tg)).await {
                    Ok(result) => {
                        result?;
                        world.note(task, format!("scope {id} done"));
                    }
                    Err(_cancelled) => world.note(task, format!("scope {id} cancelled")),
                }
            }
            Op::Shield(body) => shield(exec(body, world, task, tg)).await?,
            Op::Finally { body, clean_up } => finally!({ exec(body, world, task, tg).await }, {
                world.note(task, "clean-up");
                let _ = exec(clean_up, world, task, tg).await;
            })?,
            Op::Catch { body, after } => match catch_cancelled(exec(body, world, task, tg)).await {
                Ok(result) => result?,
                Err(_cancelled) => {
                    world.note(task, "caught");
                    exec(after, world, task, tg).await?;
                }
            },
            Op::Group {
                id,
                shield,
                deadline,
                propagate,
                body,
            } => {
                let ended = task_group!(shield = *shield, |inner| -> Result<(), Failed> {
                    let scope = inner.cancel_scope();
                    if let Some(residue) = deadline {
                        scope.set_deadline(world.next(*residue));
                    }
                    world.handles().insert(*id, scope);
                    exec(body, world, task, Some(inner.spawner())).await
                });
                match ended {
                    Ok(()) => world.note(task, format!("group {id} done")),
                    Err(errors) => {
                        world.note(task, format!("group {id} failed with {}", errors.len()));
                        if *propagate {
                            return Err(errors.into_first());
                        }
                    }
                }
            }
            Op::Spawn {
                task: id,
                body,
                cancel_at,
                join,
            } => {
                let tg = tg.expect("generated inside groups only");
                let handle = tg.spawn(exec(body, world, *id, Some(tg)));
                if let Some(residue) = *cancel_at {
                    tg.spawn(async move {
                        sleep_until(world.next(residue)).await;
                        handle.cancel();
                        Ok(())
                    });
                } else if *join {
                    let outcome = match handle.join().await {
                        Ok(()) => "finished",
                        Err(TaskError::Cancelled) => "cancelled",
                        Err(TaskError::Failed) => "failed",
                        Err(error) => panic!("no other way to end: {error}"),
                    };
                    world.note(task, format!("joined {id}: {outcome}"));
                }
            }
            Op::Start {
                task: id,
                before,
                after,
            } => {
                let tg = tg.expect("generated inside groups only");
                let started = tg.start(|status: TaskStatus| async move {
                    exec(before, world, *id, Some(tg)).await?;
                    status.started(());
                    exec(after, world, *id, Some(tg)).await
                });
                match started.await {
                    Ok(((), _handle)) => world.note(task, format!("started {id}")),
                    Err(StartError::Failed(Failed)) => {
                        world.note(task, format!("start of {id} failed"));
                        return Err(Failed);
                    }
                    Err(StartError::Exited(())) => {
                        unreachable!("it says that it has started first")
                    }
                }
            }
            Op::Cancel(id) => world.with(*id, ScopeHandle::cancel),
            Op::SetShield(id, on) => world.with(*id, |scope| scope.set_shield(*on)),
            Op::SetDeadline(id, residue) => {
                world.with(*id, |scope| {
                    scope.set_deadline(residue.map(|residue| world.next(residue)))
                });
            }
            Op::Fail => return Err(Failed),
        }
        Ok(())
    })
}
