//! Random programs of scopes, shields, groups and clean-ups.
//!
//! Each operation that waits has a *residue* of its own: it waits for the next tick that leaves this residue
//! when divided by [`CYCLE`]. So no two of them ever wake at the same tick, and what happens does not depend on
//! the order in which a scheduler runs what is ready.

/// More than there are waiting operations in a program.
pub(crate) const CYCLE: u64 = 256;

#[derive(Clone, Debug)]
pub(crate) enum Op {
    Log(usize),
    /// Sleeps until the next tick with this residue.
    Sleep(u64),
    Scope {
        id: usize,
        shield: bool,
        deadline: Option<u64>,
        body: Vec<Self>,
    },
    Shield(Vec<Self>),
    Finally {
        body: Vec<Self>,
        clean_up: Vec<Self>,
    },
    /// `catch_cancelled`, and what to do if there was something to catch.
    Catch {
        body: Vec<Self>,
        after: Vec<Self>,
    },
    /// A fallible group; `id` is that of its scope.
    Group {
        id: usize,
        shield: bool,
        deadline: Option<u64>,
        /// Whether an error goes on to whoever opened the group.
        propagate: bool,
        body: Vec<Self>,
    },
    /// Into the innermost group.
    Spawn {
        task: usize,
        body: Vec<Self>,
        /// Another child cancels it through its handle, at this residue.
        cancel_at: Option<u64>,
        /// The spawning task joins it. Not together with `cancel_at`.
        join: bool,
    },
    Start {
        task: usize,
        before: Vec<Self>,
        after: Vec<Self>,
    },
    // These four come after a sleep only.
    Cancel(usize),
    SetShield(usize, bool),
    SetDeadline(usize, Option<u64>),
    Fail,
}

/// Whether somebody has a handle to the cancel scope `id`. One without takes other ways in the crate.
pub(crate) fn has_handle(id: usize) -> bool {
    id % 3 != 2
}

/// A small generator of numbers (xorshift), so that a seed says it all.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % n
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

struct Generator {
    random: Random,
    /// Residues that are left, in random order.
    residues: Vec<u64>,
    scopes: usize,
    tasks: usize,
    logs: usize,
    in_group: bool,
    in_clean_up: bool,
    /// In a task that another one joins: a chain of joins that ends in one tick ends in any order.
    joined: bool,
}

/// The program of a seed; always the same.
pub(crate) fn generate(seed: u64) -> Vec<Op> {
    let mut random = Random::new(seed);
    let mut residues: Vec<u64> = (1..CYCLE).collect();
    for i in (1..residues.len()).rev() {
        residues.swap(i, random.below(i as u64 + 1) as usize);
    }
    let mut generator = Generator {
        random,
        residues,
        scopes: 0,
        tasks: 1,
        logs: 0,
        in_group: false,
        in_clean_up: false,
        joined: false,
    };
    generator.body(4)
}

impl Generator {
    fn body(&mut self, depth: usize) -> Vec<Op> {
        let mut ops = Vec::new();
        for _ in 0..=self.random.below(3) {
            self.op(depth, &mut ops);
        }
        ops
    }

    fn residue(&mut self) -> Option<u64> {
        self.residues.pop()
    }

    fn deadline(&mut self) -> Option<u64> {
        if self.random.one_in(3) {
            self.residue()
        } else {
            None
        }
    }

    /// A scope that was named so far, or soon will be.
    fn some_scope(&mut self) -> usize {
        self.random.below(self.scopes as u64 + 1) as usize
    }

    fn log(&mut self, ops: &mut Vec<Op>) {
        self.logs += 1;
        ops.push(Op::Log(self.logs));
    }

    /// One operation, or a few that belong together.
    fn op(&mut self, depth: usize, ops: &mut Vec<Op>) {
        let kinds = if depth == 0 { 6 } else { 14 };
        match self.random.below(kinds) {
            0 | 1 => {
                let Some(residue) = self.residue() else {
                    return;
                };
                ops.push(Op::Sleep(residue));
                self.log(ops);
            }
            2 => self.log(ops),
            3..=5 => {
                let Some(residue) = self.residue() else {
                    return;
                };
                ops.push(Op::Sleep(residue));
                let id = self.some_scope();
                let action = match self.random.below(6) {
                    0 => Op::SetShield(id, self.random.one_in(2)),
                    1 => Op::SetDeadline(id, self.deadline()),
                    2 if !self.in_clean_up => Op::Fail,
                    _ => Op::Cancel(id),
                };
                ops.push(action);
                // What follows from it, and what follows from the end of this body, do not happen at one tick.
                ops.extend(self.residue().map(Op::Sleep));
            }
            6 | 7 => {
                let id = self.new_scope();
                let (shield, deadline) = (self.random.one_in(5), self.deadline());
                let body = self.body(depth - 1);
                ops.push(Op::Scope {
                    id,
                    shield,
                    deadline,
                    body,
                });
            }
            8 => ops.push(Op::Shield(self.body(depth - 1))),
            9 => {
                let body = self.body(depth - 1);
                let was = std::mem::replace(&mut self.in_clean_up, true);
                let clean_up = self.body(depth.min(2) - 1);
                self.in_clean_up = was;
                ops.push(Op::Finally { body, clean_up });
            }
            10 => {
                let (body, after) = (self.body(depth - 1), self.body(depth.min(2) - 1));
                ops.push(Op::Catch { body, after });
            }
            11 if self.in_group && !self.in_clean_up => {
                let task = self.new_task();
                let before = self.body(depth - 1);
                // Up to its next suspension, a task that has reported is still in the scopes of the starter.
                let mut after: Vec<Op> = self.residue().map(Op::Sleep).into_iter().collect();
                if !after.is_empty() {
                    after.extend(self.body(depth - 1));
                }
                ops.push(Op::Start {
                    task,
                    before,
                    after,
                });
            }
            12 if self.in_group && !self.in_clean_up => {
                let task = self.new_task();
                let cancel_at = self.deadline();
                let join = cancel_at.is_none() && !self.joined && self.random.one_in(3);
                let was = self.joined;
                self.joined |= join;
                let body = self.body(depth - 1);
                self.joined = was;
                ops.push(Op::Spawn {
                    task,
                    body,
                    cancel_at,
                    join,
                });
            }
            _ => self.group(depth, ops),
        }
    }

    fn new_scope(&mut self) -> usize {
        self.scopes += 1;
        self.scopes - 1
    }

    fn new_task(&mut self) -> usize {
        // The next number is for the child that cancels it.
        self.tasks += 2;
        self.tasks - 2
    }

    fn group(&mut self, depth: usize, ops: &mut Vec<Op>) {
        let id = self.new_scope();
        let (shield, deadline) = (self.random.one_in(6), self.deadline());
        let propagate = !self.in_clean_up && self.random.one_in(2);
        let outer = (
            std::mem::replace(&mut self.in_group, true),
            std::mem::replace(&mut self.in_clean_up, false),
        );
        let mut body = Vec::new();
        for _ in 0..=self.random.below(3) {
            let task = self.new_task();
            let cancel_at = self.deadline();
            let child = self.body(depth - 1);
            body.push(Op::Spawn {
                task,
                body: child,
                cancel_at,
                join: false,
            });
        }
        body.extend(self.body(depth - 1));
        (self.in_group, self.in_clean_up) = outer;
        ops.push(Op::Group {
            id,
            shield,
            deadline,
            propagate,
            body,
        });
    }
}

/// The first tick after `now` with this residue.
pub(crate) fn next(now: u64, residue: u64) -> u64 {
    let start = now - now % CYCLE + residue;
    if start > now { start } else { start + CYCLE }
}
