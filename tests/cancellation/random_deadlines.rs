//! Random programs of time limits on tokio's paused clock, compared with what a few lines of arithmetic say: nested
//! deadlines share timers, and whatever becomes of the scopes that share one, each goes off in its millisecond.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyio::{CancelScope, current_time, move_on_after, sleep, sleep_forever, task_group};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

use crate::support::{Boxed, poll_once};

/// Milliseconds since the start; `NEVER` is later than all of them.
type Millis = u64;

const NEVER: Millis = Millis::MAX;

#[derive(Debug)]
enum Program {
    Sleep(Millis),
    Forever,
    /// Notes its number and when it ended.
    Limit(usize, Millis, Box<Self>),
    /// A limit whose deadline a branch beside it moves, after a while, to so long after its start.
    Moved {
        number: usize,
        first: Millis,
        after: Millis,
        then: Millis,
        inside: Box<Self>,
    },
    Sequence(Vec<Self>),
    Join(Vec<Self>),
    /// All, each with a waker of its own.
    Unordered(Vec<Self>),
    Group(Vec<Self>),
    /// The first, the others being dropped.
    First(Vec<Self>),
    /// Polled once in a limit that ends then.
    BegunInLimit(Millis, Box<Self>),
    /// Polled once in another task.
    BegunInTask(Box<Self>),
    /// Polled for a while in a longer limit, then outside.
    Begun {
        place: Place,
        nap: Millis,
        limit: Millis,
        inside: Box<Self>,
    },
    /// A limit that was polled once, and is then lost by a drop or a leak; then a sleep.
    Lost(Millis, bool, Millis),
}

/// Where something is polled for a while.
#[derive(Clone, Copy, Debug)]
enum Place {
    Limit,
    TwoLimits,
    /// Below a waker of its own.
    Unordered,
    Task,
}

/// A simple generator of numbers, so that the programs are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }

    /// So many to choose from that no two fall together.
    fn millis(&mut self) -> Millis {
        1 + self.below(1 << 28)
    }
}

/// Makes programs.
struct Maker {
    numbers: Numbers,
    limits: usize,
}

impl Maker {
    fn number(&mut self) -> usize {
        self.limits += 1;
        self.limits
    }

    fn some(&mut self, depth: u32) -> Vec<Program> {
        (0..1 + self.numbers.below(3))
            .map(|_| self.program(depth))
            .collect()
    }

    fn program(&mut self, depth: u32) -> Program {
        let n = &mut self.numbers;
        if depth == 0 {
            return match n.below(4) {
                0 => Program::Forever,
                1 => Program::Lost(n.millis(), n.below(2) == 0, n.millis()),
                _ => Program::Sleep(n.millis()),
            };
        }
        let depth = depth - 1;
        match n.below(18) {
            0..5 => {
                let limit = n.millis();
                Program::Limit(self.number(), limit, Box::new(self.program(depth)))
            }
            5 | 6 => {
                let (first, after, then) = (n.millis(), n.millis(), n.millis());
                let number = self.number();
                let inside = Box::new(self.program(depth));
                Program::Moved {
                    number,
                    first,
                    after,
                    then,
                    inside,
                }
            }
            7 => Program::Sequence(self.some(depth)),
            8 => Program::Join(self.some(depth)),
            9 => Program::Unordered(self.some(depth)),
            10 => Program::Group(self.some(depth)),
            11 => Program::First(self.some(depth)),
            12 => {
                let limit = n.millis();
                Program::BegunInLimit(limit, Box::new(self.program(depth)))
            }
            13 => Program::BegunInTask(Box::new(self.program(depth))),
            _ => {
                let places = [
                    Place::Limit,
                    Place::TwoLimits,
                    Place::Unordered,
                    Place::Task,
                ];
                let place = places[n.below(4) as usize];
                let nap = n.millis() / 4 + 1;
                let limit = nap + n.millis();
                let inside = Box::new(self.program(depth));
                Program::Begun {
                    place,
                    nap,
                    limit,
                    inside,
                }
            }
        }
    }
}

/// What was noted: the number of a limit, and when it ended.
type Ends = Vec<(usize, Millis)>;

/// When `program` ends that starts at `start`. What ends before `cut` is noted.
fn predict(program: &Program, start: Millis, cut: Millis, ends: &mut Ends) -> Millis {
    let note = |ends: &mut Ends, number, end| {
        if end < cut {
            ends.push((number, end));
        }
        end
    };
    match program {
        Program::Sleep(millis) | Program::Lost(_, _, millis) => start + millis,
        Program::Forever => NEVER,
        Program::Limit(number, limit, inside) => {
            let deadline = start + limit;
            let end = predict(inside, start, cut.min(deadline), ends).min(deadline);
            note(ends, *number, end)
        }
        Program::Moved {
            number,
            first,
            after,
            then,
            inside,
        } => {
            let moves = start + after;
            let deadline = match start + first {
                // Over before it is moved.
                first if first < moves => first,
                _ => moves.max(start + then),
            };
            let end = predict(inside, start, cut.min(deadline), ends).min(deadline);
            note(ends, *number, end).max(moves)
        }
        Program::Sequence(programs) => programs.iter().fold(start, |start, program| {
            if start >= cut {
                NEVER
            } else {
                predict(program, start, cut, ends)
            }
        }),
        Program::Join(programs) | Program::Unordered(programs) | Program::Group(programs) => {
            let each = programs
                .iter()
                .map(|program| predict(program, start, cut, ends));
            each.max().unwrap_or(start)
        }
        Program::First(programs) => {
            let first = |cut, ends: &mut Ends| {
                let each = programs
                    .iter()
                    .map(|program| predict(program, start, cut, ends));
                each.min().unwrap_or(start)
            };
            // The first end of all is what cuts the others; what ends with it has ended.
            let end = first(cut, &mut Vec::new());
            first(cut.min(end.saturating_add(1)), ends)
        }
        Program::BegunInLimit(_, inside)
        | Program::BegunInTask(inside)
        | Program::Begun { inside, .. } => predict(inside, start, cut, ends),
    }
}

/// What the parts of a running program share.
struct Run {
    began: Instant,
    ends: Mutex<Ends>,
}

impl Run {
    fn note(&self, number: usize) {
        let millis = (current_time() - self.began).as_millis();
        self.ends
            .lock()
            .unwrap()
            .push((number, millis.try_into().unwrap()));
    }
}

/// Whether `inside` ends within `nap`; then it is done.
async fn first(inside: &mut Boxed<'_, ()>, nap: Duration) -> bool {
    let first = futures::future::select(inside, Box::pin(sleep(nap))).await;
    matches!(first, futures::future::Either::Left(_))
}

fn run<'a>(program: &'a Program, state: &'a Run) -> Boxed<'a, ()> {
    let duration = Duration::from_millis;
    let each = |programs: &'a [Program]| programs.iter().map(|program| run(program, state));
    match program {
        Program::Sleep(millis) => Box::pin(sleep(duration(*millis))),
        Program::Forever => Box::pin(sleep_forever()),
        Program::Lost(millis, leaked, nap) => Box::pin(async move {
            let mut lost = Box::pin(move_on_after(duration(*millis), sleep_forever()));
            assert!(poll_once(&mut lost).await.is_pending());
            if *leaked {
                #[allow(
                    clippy::mem_forget,
                    reason = "that nothing depends on its drop is the point"
                )]
                std::mem::forget(lost);
            }
            sleep(duration(*nap)).await;
        }),
        Program::Limit(number, limit, inside) => Box::pin(async move {
            move_on_after(duration(*limit), run(inside, state)).await;
            state.note(*number);
        }),
        Program::Moved {
            number,
            first,
            after,
            then,
            inside,
        } => Box::pin(async move {
            let scope = CancelScope::new().deadline_after(duration(*first));
            let handle = scope.handle();
            let start = current_time();
            let limited = async {
                let _ = scope.run(run(inside, state)).await;
                state.note(*number);
            };
            let moving = async {
                sleep(duration(*after)).await;
                handle.set_deadline(start + duration(*then));
            };
            futures::join!(limited, moving);
        }),
        Program::Sequence(programs) => Box::pin(async move {
            for program in programs {
                run(program, state).await;
            }
        }),
        Program::Join(programs) => {
            let all = futures::future::join_all(each(programs));
            Box::pin(async move { drop(all.await) })
        }
        Program::Unordered(programs) => {
            let mut all: FuturesUnordered<_> = each(programs).collect();
            Box::pin(async move { while all.next().await.is_some() {} })
        }
        Program::Group(programs) => Box::pin(async move {
            task_group!(|tg| {
                for program in programs {
                    tg.spawn(run(program, state));
                }
            });
        }),
        Program::First(programs) => {
            let first = futures::future::select_all(each(programs));
            Box::pin(async move { drop(first.await) })
        }
        Program::BegunInLimit(limit, inside) => Box::pin(async move {
            let mut inside = run(inside, state);
            let begun = move_on_after(duration(*limit), poll_once(&mut inside)).await;
            if begun.expect("it does not suspend").is_pending() {
                inside.await;
            }
        }),
        Program::BegunInTask(inside) => Box::pin(async move {
            let inside = run(inside, state);
            let left = task_group!(|tg| {
                let begun = tg.spawn(async move {
                    let mut inside = inside;
                    let polled = poll_once(&mut inside).await;
                    polled.is_pending().then_some(inside)
                });
                begun.await
            });
            if let Some(inside) = left {
                inside.await;
            }
        }),
        Program::Begun {
            place,
            nap,
            limit,
            inside,
        } => Box::pin(async move {
            let (nap, limit) = (duration(*nap), duration(*limit));
            let mut inside = run(inside, state);
            let ended = match place {
                Place::Limit => move_on_after(limit, first(&mut inside, nap)).await,
                Place::TwoLimits => {
                    let begun = move_on_after(limit, first(&mut inside, nap));
                    move_on_after(limit * 2, begun).await.flatten()
                }
                Place::Unordered => {
                    let begun = move_on_after(limit, async {
                        let mut begun = FuturesUnordered::new();
                        begun.push(first(&mut inside, nap));
                        begun.next().await
                    });
                    begun.await.flatten()
                }
                Place::Task => {
                    let ended;
                    (ended, inside) = task_group!(|tg| {
                        let begun = tg.spawn(async move {
                            let ended = move_on_after(limit, first(&mut inside, nap)).await;
                            (ended, inside)
                        });
                        begun.await
                    });
                    ended
                }
            };
            if ended == Some(false) {
                inside.await;
            }
        }),
    }
}

#[test]
fn each_limit_ends_when_arithmetic_says() {
    for seed in 0..2_000 {
        let mut maker = Maker {
            numbers: Numbers(seed),
            limits: 0,
        };
        let depth = 2 + u32::try_from(seed % 6).unwrap();
        let inside = Box::new(maker.program(depth));
        // Everything ends, since the outermost is a limit.
        let program = Program::Limit(0, maker.numbers.millis() * 4, inside);

        let mut expected = Ends::new();
        let end = predict(&program, 0, NEVER, &mut expected);
        let state = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap()
            .block_on(async {
                let state = Run {
                    began: current_time(),
                    ends: Mutex::default(),
                };
                run(&program, &state).await;
                assert_eq!((current_time() - state.began).as_millis(), end.into());
                state
            });
        let mut ends = state.ends.into_inner().unwrap();
        expected.sort_unstable();
        ends.sort_unstable();
        assert_eq!(ends, expected, "seed {seed}: {program:#?}");
    }
}
