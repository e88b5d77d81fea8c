//! Interleaved rounds and medians.

use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

use crate::allocations;

/// The options of a run.
pub struct Bench {
    pub rounds: usize,
    filter: Option<String>,
}

impl Bench {
    pub fn from_args() -> Self {
        let mut bench = Self {
            rounds: 15,
            filter: None,
        };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--rounds" => {
                    bench.rounds = args
                        .next()
                        .and_then(|n| n.parse().ok())
                        .expect("--rounds N")
                }
                other => bench.filter = Some(other.to_owned()),
            }
        }
        bench
    }

    /// A row, unless it is filtered out.
    pub fn row(&self, name: impl Into<String>) -> Option<Row<'_>> {
        let name = name.into();
        let wanted = self
            .filter
            .as_ref()
            .is_none_or(|filter| match filter.strip_suffix('$') {
                Some(end) => name.ends_with(end),
                None => name.contains(filter.as_str()),
            });
        wanted.then_some(Row {
            bench: self,
            name,
            contestants: Vec::new(),
        })
    }
}

type Boxed = Pin<Box<dyn Future<Output = ()> + Send>>;

struct Contestant {
    name: &'static str,
    run: Box<dyn Fn() -> Boxed>,
    times: Vec<f64>,
    allocations: f64,
}

/// One comparison: the same work done by several.
pub struct Row<'a> {
    bench: &'a Bench,
    name: String,
    contestants: Vec<Contestant>,
}

impl Row<'_> {
    /// Adds a contestant; the first is the peer that the others are compared with.
    pub fn add<F: Future<Output = ()> + Send + 'static>(
        mut self,
        name: &'static str,
        run: impl Fn() -> F + 'static,
    ) -> Self {
        let run = Box::new(move || Box::pin(run()) as Boxed);
        self.contestants.push(Contestant {
            name,
            run,
            times: Vec::new(),
            allocations: 0.0,
        });
        self
    }

    /// Measures: each run is `operations` operations, in a task of a current-thread tokio runtime.
    pub fn measure(mut self, operations: usize) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            // The first round warms up and is not counted.
            for round in 0..=self.bench.rounds {
                for contestant in &mut self.contestants {
                    let run = (contestant.run)();
                    let timed = tokio::spawn(async move {
                        let before = allocations::count();
                        let start = Instant::now();
                        run.await;
                        (start.elapsed(), allocations::count() - before)
                    });
                    let (time, allocations) = timed.await.expect("no panics");
                    if round > 0 {
                        contestant
                            .times
                            .push(time.as_nanos() as f64 / operations as f64);
                        contestant.allocations = allocations as f64 / operations as f64;
                    }
                }
            }
        });
        self.print();
    }

    fn print(&mut self) {
        print!("{:<42}", self.name);
        let mut base = None;
        for contestant in &mut self.contestants {
            contestant.times.sort_by(f64::total_cmp);
            let median = contestant.times[contestant.times.len() / 2];
            let base = *base.get_or_insert(median);
            print!(
                " | {} {median:.0} ({:.2}) {:.2}x",
                contestant.name,
                contestant.allocations,
                median / base
            );
        }
        println!();
    }
}

/// Suspends once.
pub struct Yield(u32);

/// Suspends `times` times, waking itself.
pub fn yields(times: u32) -> Yield {
    Yield(times)
}

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<()> {
        if self.0 == 0 {
            return std::task::Poll::Ready(());
        }
        self.0 -= 1;
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    }
}
