//! Manual: docs/manual/cancellation.md
//!
//! Random programs, on this crate and on a reference that follows the rules in the simplest way. They do
//! the same, to the tick.
#![cfg(feature = "tokio")] // for its clock, which can be stopped; what is tested does not depend on the backend

mod program;
mod real;
mod reference;
mod shrink;
mod trace;

use program::{Op, generate};

/// How many programs there are; `ANYIO_MODEL_PROGRAMS` asks for more.
const PROGRAMS: u64 = 3000;

/// What the program does; nothing if it hangs or panics.
fn real(program: &[Op]) -> Option<trace::Trace> {
    std::panic::catch_unwind(|| real::run(program)).ok()
}

fn differs(program: &[Op]) -> bool {
    real(program) != Some(reference::run(program))
}

#[test]
fn random_programs_do_what_the_reference_does() {
    let programs = std::env::var("ANYIO_MODEL_PROGRAMS")
        .ok()
        .and_then(|n| n.parse().ok());
    for seed in 0..programs.unwrap_or(PROGRAMS) {
        let program = generate(seed);
        if differs(&program) {
            let program = shrink::shrink(program, differs);
            panic!(
                "seed {seed}, made smaller: {program:#?}\nreal: {:#?}\nreference: {:#?}",
                real(&program),
                reference::run(&program)
            );
        }
    }
}

#[test]
fn the_programs_say_something() {
    let mut seen = std::collections::BTreeMap::<String, usize>::new();
    for seed in 0..PROGRAMS {
        let trace = reference::run(&generate(seed));
        for (_, what) in trace.tasks.into_values().flatten() {
            let kind: String = what.chars().filter(|c| !c.is_ascii_digit()).collect();
            *seen.entry(kind).or_default() += 1;
        }
        for (called, caught) in trace.scopes.into_values() {
            *seen
                .entry(format!("called {called}, caught {caught}"))
                .or_default() += 1;
        }
    }
    for kind in [
        "scope  done",
        "scope  cancelled",
        "clean-up",
        "caught",
        "group  done",
        "group  failed with ",
        "started ",
        "start of  failed",
        "joined : finished",
        "joined : cancelled",
        "joined : failed",
        "called true, caught true",
        "called true, caught false",
        "called false, caught false",
    ] {
        let count = seen.get(kind).copied().unwrap_or(0);
        assert!(count > 10, "too few of `{kind}`: {seen:#?}");
    }
}
