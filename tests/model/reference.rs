//! The reference: what a program should do, by the rules and in the simplest way there is.
//!
//! A cancellation here is an exception: raised at a suspension, it unwinds a task's stack until a scope
//! absorbs it. There are no polls, no wakers, and nothing is ever dropped.

use std::collections::{BTreeMap, VecDeque};

use crate::program::{Op, has_handle, next};
use crate::trace::Trace;

/// How a part of a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signal {
    Value,
    Cancelled,
    Failed,
}

/// A scope, a shield, a group, or a child as far as its handle can cancel it.
#[derive(Debug, Default)]
struct Region {
    parent: Option<usize>,
    cancelled: bool,
    caught: bool,
    shield: bool,
    deadline: Option<u64>,
    ended: bool,
}

/// What is to be done with the signal of what was begun above it.
#[derive(Clone, Copy)]
enum Frame<'a> {
    Sequence(&'a [Op]),
    Scope(usize),
    Shield,
    Finally(&'a [Op]),
    CleanUp(Signal),
    Catch(&'a [Op]),
    Group {
        id: usize,
        group: usize,
        outer: Option<usize>,
        propagate: bool,
    },
    Start {
        task: usize,
        caller: usize,
        after: &'a [Op],
    },
    /// It reported to a starter that did not hear of it any more.
    Unheard {
        task: usize,
        caller: usize,
    },
    /// The children are being waited for.
    Closing {
        id: usize,
        group: usize,
        outer: Option<usize>,
        propagate: bool,
    },
    /// Sleeps until the next tick with this residue.
    Nap(u64),
    CancelChild(usize),
    Join {
        task: usize,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ready(Signal),
    Sleeping(u64),
    /// Waits for the children of this group.
    Closing(usize),
    /// Waits for the end of this task.
    Joining(usize),
    Ended(Signal),
}

struct Task<'a> {
    /// By what number its operations are noted.
    name: usize,
    frames: Vec<Frame<'a>>,
    state: State,
    region: Option<usize>,
    /// The outermost: what the handle of a child cancels.
    root: Option<usize>,
    /// The innermost group.
    group: Option<usize>,
    /// The group whose child it is.
    parent: Option<usize>,
}

#[derive(Default)]
struct Group {
    region: usize,
    live: usize,
    errors: usize,
    cancelled_member: bool,
}

#[derive(Default)]
struct Reference<'a> {
    now: u64,
    trace: Trace,
    regions: Vec<Region>,
    /// The regions that programs know by number.
    scopes: BTreeMap<usize, usize>,
    groups: Vec<Group>,
    tasks: Vec<Task<'a>>,
    ready: VecDeque<usize>,
}

/// What the program should do.
pub(crate) fn run(program: &[Op]) -> Trace {
    let mut reference = Reference::default();
    reference.spawn(0, vec![Frame::Sequence(program)], None, None);
    while reference.pass() {}
    let ended = reference.tasks[0].state;
    let State::Ended(signal) = ended else {
        panic!("the program hangs: {ended:?}")
    };
    let mut trace = reference.trace;
    trace.failed = signal == Signal::Failed;
    for (id, region) in reference.scopes {
        let region = &reference.regions[region];
        trace.scopes.insert(id, (region.cancelled, region.caught));
    }
    trace
}

impl<'a> Reference<'a> {
    /// Runs what is ready, delivers cancellations, or lets time pass. Says whether there was anything.
    fn pass(&mut self) -> bool {
        if let Some(task) = self.ready.pop_front() {
            self.resume(task);
            return true;
        }
        // Whoever joins hears of a task that ends for its cancellation at this tick, before he is cancelled.
        let sleeping: fn(State) -> bool = |state| matches!(state, State::Sleeping(_));
        let joining: fn(State) -> bool = |state| matches!(state, State::Joining(_));
        for waits in [sleeping, joining] {
            let hit: Vec<usize> = (0..self.tasks.len())
                .filter(|&task| {
                    waits(self.tasks[task].state) && self.reaches(self.tasks[task].region)
                })
                .collect();
            for &task in &hit {
                self.wake(task, Signal::Cancelled);
            }
            if !hit.is_empty() {
                return true;
            }
        }
        let sleepers = self.tasks.iter().filter_map(|task| match task.state {
            State::Sleeping(until) => Some(until),
            _ => None,
        });
        let live = |region: &&Region| !region.ended && !region.cancelled;
        let deadlines = self
            .regions
            .iter()
            .filter(live)
            .filter_map(|region| region.deadline);
        let Some(then) = sleepers.chain(deadlines).min() else {
            return false;
        };
        self.now = then;
        for region in &mut self.regions {
            region.cancelled |= !region.ended && region.deadline == Some(then);
        }
        for task in 0..self.tasks.len() {
            if self.tasks[task].state == State::Sleeping(then) {
                self.wake(task, Signal::Value);
            }
        }
        true
    }

    fn note(&mut self, task: usize, what: String) {
        self.trace.note(self.tasks[task].name, self.now, what);
    }

    fn wake(&mut self, task: usize, signal: Signal) {
        self.tasks[task].state = State::Ready(signal);
        self.ready.push_back(task);
    }

    /// Whether a cancellation reaches the inside of `region`.
    fn reaches(&self, mut at: Option<usize>) -> bool {
        while let Some(region) = at {
            let region = &self.regions[region];
            if region.cancelled {
                return true;
            }
            at = if region.shield { None } else { region.parent };
        }
        false
    }

    /// Whether a cancelled `region` takes the cancellation that comes out of it.
    fn absorbs(&mut self, region: usize) -> bool {
        let Region {
            cancelled,
            shield,
            parent,
            ..
        } = self.regions[region];
        let absorbs = cancelled && (shield || !self.reaches(parent));
        self.regions[region].caught |= absorbs;
        absorbs
    }

    fn enter(&mut self, task: usize, shield: bool, deadline: Option<u64>) -> usize {
        let deadline = deadline.map(|residue| next(self.now, residue));
        let parent = self.tasks[task].region;
        self.regions.push(Region {
            parent,
            shield,
            deadline,
            ..Region::default()
        });
        let region = self.regions.len() - 1;
        self.tasks[task].region = Some(region);
        region
    }

    fn leave(&mut self, task: usize) -> usize {
        let region = self.tasks[task].region.expect("entered before");
        self.regions[region].ended = true;
        self.tasks[task].region = self.regions[region].parent;
        region
    }

    fn spawn(
        &mut self,
        name: usize,
        frames: Vec<Frame<'a>>,
        region: Option<usize>,
        group: Option<usize>,
    ) -> usize {
        self.tasks.push(Task {
            name,
            frames,
            state: State::Ended(Signal::Value),
            region,
            root: region,
            group,
            parent: group,
        });
        if let Some(group) = group {
            self.groups[group].live += 1;
        }
        let task = self.tasks.len() - 1;
        self.wake(task, Signal::Value);
        task
    }

    /// A child, in a region that its handle cancels.
    fn child(&mut self, name: usize, frames: Vec<Frame<'a>>, group: usize) -> usize {
        let parent = Some(self.groups[group].region);
        self.regions.push(Region {
            parent,
            ..Region::default()
        });
        self.spawn(name, frames, Some(self.regions.len() - 1), Some(group))
    }

    /// Runs a task until it waits or ends.
    fn resume(&mut self, task: usize) {
        let State::Ready(mut signal) = self.tasks[task].state else {
            unreachable!("woken before");
        };
        while let Some(frame) = self.tasks[task].frames.pop() {
            match self.take(task, frame, signal) {
                Some(next) => signal = next,
                None => return,
            }
        }
        self.end(task, signal);
    }

    /// Gives `signal` to the frame: what comes out of it, or nothing if the task waits.
    fn take(&mut self, task: usize, frame: Frame<'a>, signal: Signal) -> Option<Signal> {
        match frame {
            Frame::Sequence(ops) => match (signal, ops.split_first()) {
                (Signal::Value, Some((op, rest))) => {
                    self.tasks[task].frames.push(Frame::Sequence(rest));
                    return self.begin(task, op);
                }
                (_, _) => return Some(signal),
            },
            Frame::Scope(id) => {
                let region = self.leave(task);
                match signal {
                    Signal::Value => self.note(task, format!("scope {id} done")),
                    Signal::Cancelled if self.absorbs(region) => {
                        self.note(task, format!("scope {id} cancelled"));
                        return Some(Signal::Value);
                    }
                    Signal::Cancelled | Signal::Failed => {}
                }
            }
            Frame::Shield => {
                self.leave(task);
            }
            Frame::Finally(clean_up) => {
                self.note(task, "clean-up".to_owned());
                self.enter(task, true, None);
                let frames = &mut self.tasks[task].frames;
                frames.extend([Frame::CleanUp(signal), Frame::Sequence(clean_up)]);
                return Some(Signal::Value);
            }
            Frame::CleanUp(pending) => {
                self.leave(task);
                return Some(pending);
            }
            Frame::Catch(after) => {
                if signal == Signal::Cancelled {
                    self.note(task, "caught".to_owned());
                    self.tasks[task].frames.push(Frame::Sequence(after));
                    return Some(Signal::Value);
                }
            }
            Frame::Group {
                id,
                group,
                outer,
                propagate,
            } => {
                self.body_ended(group, signal);
                self.tasks[task].frames.push(Frame::Closing {
                    id,
                    group,
                    outer,
                    propagate,
                });
                if self.groups[group].live > 0 {
                    self.tasks[task].state = State::Closing(group);
                    return None;
                }
                return Some(Signal::Value);
            }
            Frame::Closing {
                id,
                group,
                outer,
                propagate,
            } => {
                self.tasks[task].group = outer;
                let region = self.leave(task);
                return Some(self.close(task, id, group, region, propagate));
            }
            Frame::Nap(residue) => {
                if signal == Signal::Value {
                    self.tasks[task].state = State::Sleeping(next(self.now, residue));
                    return None;
                }
            }
            Frame::Start {
                task: name,
                caller,
                after,
            } => match signal {
                Signal::Value if self.reaches(self.tasks[task].region) => {
                    let frames = &mut self.tasks[task].frames;
                    frames.extend([
                        Frame::Unheard { task: name, caller },
                        Frame::Sequence(after),
                    ]);
                }
                Signal::Value => {
                    let group = self.tasks[task].group.expect("in a group");
                    self.child(name, vec![Frame::Sequence(after)], group);
                    self.tasks[task].name = caller;
                    self.note(task, format!("started {name}"));
                }
                Signal::Cancelled => self.tasks[task].name = caller,
                Signal::Failed => {
                    self.tasks[task].name = caller;
                    self.note(task, format!("start of {name} failed"));
                }
            },
            Frame::Unheard { task: name, caller } => {
                self.tasks[task].name = caller;
                if signal == Signal::Failed {
                    self.note(task, format!("start of {name} failed"));
                    return Some(signal);
                }
                return Some(Signal::Cancelled);
            }
            Frame::CancelChild(child) => {
                if signal == Signal::Value {
                    let region = self.tasks[child].root.expect("a child has one");
                    let ended = matches!(self.tasks[child].state, State::Ended(_));
                    self.regions[region].cancelled |= !ended;
                }
            }
            Frame::Join { task: child } => {
                let state = self.tasks[child].state;
                if state == State::Ended(Signal::Cancelled) && self.reaches(self.tasks[task].region)
                {
                    // Cancelled together with the task, and not told of it.
                    return Some(Signal::Cancelled);
                }
                if signal == Signal::Value {
                    let name = self.tasks[child].name;
                    let outcome = match state {
                        State::Ended(Signal::Value) => "finished",
                        State::Ended(Signal::Cancelled) => "cancelled",
                        State::Ended(Signal::Failed) => "failed",
                        state => unreachable!("joined while {state:?}"),
                    };
                    self.note(task, format!("joined {name}: {outcome}"));
                }
            }
        }
        Some(signal)
    }

    /// Begins an operation: how it ended, or nothing if the task waits or goes on above.
    fn begin(&mut self, task: usize, op: &'a Op) -> Option<Signal> {
        match op {
            Op::Log(n) => self.note(task, format!("log {n}")),
            Op::Sleep(residue) => {
                self.tasks[task].state = State::Sleeping(next(self.now, *residue));
                return None;
            }
            Op::Scope {
                id,
                shield,
                deadline,
                body,
            } => {
                let region = self.enter(task, *shield, *deadline);
                if has_handle(*id) {
                    self.scopes.insert(*id, region);
                }
                self.push(task, Frame::Scope(*id), body);
            }
            Op::Shield(body) => {
                self.enter(task, true, None);
                self.push(task, Frame::Shield, body);
            }
            Op::Finally { body, clean_up } => self.push(task, Frame::Finally(clean_up), body),
            Op::Catch { body, after } => self.push(task, Frame::Catch(after), body),
            Op::Group {
                id,
                shield,
                deadline,
                propagate,
                body,
            } => {
                let region = self.enter(task, *shield, *deadline);
                self.scopes.insert(*id, region);
                self.groups.push(Group {
                    region,
                    ..Group::default()
                });
                let group = self.groups.len() - 1;
                let outer = self.tasks[task].group.replace(group);
                let (id, propagate) = (*id, *propagate);
                self.push(
                    task,
                    Frame::Group {
                        id,
                        group,
                        outer,
                        propagate,
                    },
                    body,
                );
            }
            Op::Spawn {
                task: name,
                body,
                cancel_at,
                join,
            } => {
                let group = self.tasks[task]
                    .group
                    .expect("generated inside groups only");
                let child = self.child(*name, vec![Frame::Sequence(body)], group);
                if let Some(residue) = cancel_at {
                    let frames = vec![Frame::CancelChild(child), Frame::Nap(*residue)];
                    self.child(*name + 1, frames, group);
                } else if *join && self.reaches(self.tasks[task].region) {
                    // A checkpoint, like all that waits: in a cancelled scope it does not return.
                    return Some(Signal::Cancelled);
                } else if *join {
                    self.tasks[task].frames.push(Frame::Join { task: child });
                    self.tasks[task].state = State::Joining(child);
                    return None;
                }
            }
            Op::Start {
                task: name,
                before,
                after,
            } => {
                let caller = std::mem::replace(&mut self.tasks[task].name, *name);
                self.push(
                    task,
                    Frame::Start {
                        task: *name,
                        caller,
                        after,
                    },
                    before,
                );
            }
            Op::Cancel(id) => self.with(*id, |region| region.cancelled = true),
            Op::SetShield(id, on) => self.with(*id, |region| region.shield = *on),
            Op::SetDeadline(id, residue) => {
                let deadline = residue.map(|residue| next(self.now, residue));
                self.with(*id, |region| region.deadline = deadline);
            }
            Op::Fail => return Some(Signal::Failed),
        }
        Some(Signal::Value)
    }

    fn push(&mut self, task: usize, frame: Frame<'a>, body: &'a [Op]) {
        self.tasks[task]
            .frames
            .extend([frame, Frame::Sequence(body)]);
    }

    fn with(&mut self, id: usize, act: impl FnOnce(&mut Region)) {
        if let Some(&region) = self.scopes.get(&id) {
            act(&mut self.regions[region]);
        }
    }

    /// The body of a group counts like a child.
    fn body_ended(&mut self, group: usize, signal: Signal) {
        let group = &mut self.groups[group];
        match signal {
            Signal::Value => {}
            Signal::Cancelled => group.cancelled_member = true,
            Signal::Failed => {
                group.errors += 1;
                self.regions[group.region].cancelled = true;
            }
        }
    }

    /// All members of a group have ended: what comes out of it.
    fn close(
        &mut self,
        task: usize,
        id: usize,
        group: usize,
        region: usize,
        propagate: bool,
    ) -> Signal {
        let Group {
            errors,
            cancelled_member,
            ..
        } = self.groups[group];
        if errors > 0 {
            self.note(task, format!("group {id} failed with {errors}"));
            return if propagate {
                Signal::Failed
            } else {
                Signal::Value
            };
        }
        if cancelled_member && !self.absorbs(region) {
            return Signal::Cancelled;
        }
        self.note(task, format!("group {id} done"));
        Signal::Value
    }

    fn end(&mut self, task: usize, signal: Signal) {
        self.tasks[task].state = State::Ended(signal);
        let Some(group) = self.tasks[task].parent else {
            return;
        };
        let region = self.tasks[task].region.expect("a child has one");
        // One that was cancelled through its handle, and for no other reason, says nothing about its group.
        if signal != Signal::Cancelled || !self.absorbs(region) {
            self.body_ended(group, signal);
        }
        self.groups[group].live -= 1;
        let over = self.groups[group].live == 0;
        for other in 0..self.tasks.len() {
            match self.tasks[other].state {
                State::Joining(child) if child == task => self.wake(other, Signal::Value),
                State::Closing(closing) if closing == group && over => {
                    self.wake(other, Signal::Value)
                }
                _ => {}
            }
        }
    }
}
