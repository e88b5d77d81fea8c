//! Random programs.

use std::fmt;

/// What a task does, one after the other.
pub(crate) type Ops = Vec<Op>;

#[derive(Debug)]
pub(crate) enum Op {
    Yield(u64),
    /// Never goes on; made only where something is sure to drop it.
    Forever,
    Group(Group),
    /// A scope, cancelled before it begins or by a `CancelScope` in it.
    Scope {
        cancelled: bool,
        inside: Ops,
    },
    CancelScope,
    CancelGroup,
    Shield(Ops),
    Catch(Ops),
    CatchPanic(Ops),
    Finally(Ops, Ops),
    /// A foreign race between these and so many yields.
    Race(u64, Ops),
    /// A foreign join.
    Join(Ops, Ops),
    /// A sibling, and what is done with its handle after so many yields.
    Sibling(Ops, u64, Fate),
    /// `start`: what the child does before and after it reports.
    Start(Ops, Ops, Fate),
    Fail,
    Panic,
}

#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) shield: bool,
    pub(crate) children: Vec<(Ops, Fate)>,
    pub(crate) parallel: Vec<(Ops, Fate)>,
    pub(crate) body: Ops,
}

/// What becomes of a handle.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    Dropped,
    Kept,
    Waited,
    Joined,
    Cancelled,
}

#[derive(Debug)]
pub(crate) struct Program {
    seed: u64,
    pub(crate) ops: Ops,
}

impl Program {
    /// The program of a seed. It is leaked, so that parallel children can refer to it.
    pub(crate) fn random(seed: u64, parallel: bool) -> &'static Self {
        let mut random = Random::new(seed);
        let mut ops = vec![Op::Group(random.group(5, parallel))];
        ops.extend(random.ops(2, parallel));
        Box::leak(Box::new(Self { seed, ops }))
    }
}

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the program of seed {}", self.seed)
    }
}

/// A small xorshift generator.
struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        // Far apart for neighbours, and never zero.
        Self((seed + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % limit
    }

    fn fate(&mut self) -> Fate {
        match self.below(5) {
            0 => Fate::Dropped,
            1 => Fate::Kept,
            2 => Fate::Waited,
            3 => Fate::Joined,
            _ => Fate::Cancelled,
        }
    }

    fn ops(&mut self, depth: u64, parallel: bool) -> Ops {
        (0..=self.below(3))
            .map(|_| self.op(depth, parallel))
            .collect()
    }

    /// Operations of which the last may wait for ever, if need be behind something that catches.
    fn endless(&mut self, depth: u64, parallel: bool) -> Ops {
        let mut ops = self.ops(depth, parallel);
        match self.below(3) {
            0 => ops.push(Op::Forever),
            1 => ops.push(Op::Catch(vec![Op::Forever])),
            _ => {}
        }
        ops
    }

    fn group(&mut self, depth: u64, parallel: bool) -> Group {
        let children = |random: &mut Self, most| {
            (0..random.below(most))
                .map(|_| (random.ops(depth - 1, parallel), random.fate()))
                .collect()
        };
        Group {
            children: children(self, 4),
            parallel: if parallel {
                children(self, 3)
            } else {
                Vec::new()
            },
            shield: self.below(8) == 0,
            body: self.ops(depth - 1, parallel),
        }
    }

    fn op(&mut self, depth: u64, parallel: bool) -> Op {
        if depth == 0 {
            // Mostly yields, or else no program gets far.
            return match self.below(30) {
                0 | 1 => Op::CancelScope,
                2 | 3 => Op::CancelGroup,
                4 => Op::Fail,
                5 => Op::Panic,
                n => Op::Yield(n % 4),
            };
        }
        let depth = depth - 1;
        match self.below(20) {
            0..=2 if depth > 0 => Op::Group(self.group(depth, parallel)),
            3 | 4 => {
                let cancelled = self.below(2) == 0;
                Op::Scope {
                    cancelled,
                    inside: if cancelled {
                        self.endless(depth, parallel)
                    } else {
                        self.ops(depth, parallel)
                    },
                }
            }
            5 | 6 => Op::Shield(self.ops(depth, parallel)),
            7 => Op::Catch(self.ops(depth, parallel)),
            8 => Op::CatchPanic(self.ops(depth, parallel)),
            9 | 10 => Op::Finally(self.ops(depth, parallel), self.ops(depth, parallel)),
            11 => Op::Race(self.below(4), self.endless(depth, parallel)),
            12 => Op::Join(self.ops(depth, parallel), self.ops(depth, parallel)),
            13 | 14 => Op::Sibling(self.ops(depth, parallel), self.below(3), self.fate()),
            15 | 16 => Op::Start(
                self.ops(depth, parallel),
                self.ops(depth, parallel),
                self.fate(),
            ),
            17 => self.op(0, parallel),
            n => Op::Yield(n % 4),
        }
    }
}
