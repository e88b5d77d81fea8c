//! Smaller programs that still show the same.

use crate::program::Op;

/// The smallest program that is found by leaving operations out, one at a time, or keeping only their bodies.
pub(crate) fn shrink(mut program: Vec<Op>, fails: impl Fn(&[Op]) -> bool) -> Vec<Op> {
    while let Some(smaller) = smaller(&program)
        .into_iter()
        .find(|smaller| is_apart(smaller) && fails(smaller))
    {
        program = smaller;
    }
    program
}

/// Whether what concerns other tasks comes after a sleep, as the generator has it: at a tick of its own.
fn is_apart(ops: &[Op]) -> bool {
    ops.iter().enumerate().all(|(at, op)| match op {
        Op::Cancel(_) | Op::SetShield(..) | Op::SetDeadline(..) | Op::Fail => {
            at > 0 && matches!(ops[at - 1], Op::Sleep(_))
        }
        Op::Start { after, .. } if !matches!(after.first(), None | Some(Op::Sleep(_))) => false,
        _ => bodies(&mut op.clone())
            .into_iter()
            .all(|body| is_apart(body)),
    })
}

fn smaller(ops: &[Op]) -> Vec<Vec<Op>> {
    let mut all = Vec::new();
    for (at, op) in ops.iter().enumerate() {
        let with =
            |instead: Vec<Op>| -> Vec<Op> { [&ops[..at], &instead, &ops[at + 1..]].concat() };
        all.push(with(Vec::new()));
        if at > 0 {
            all.push([&ops[..at - 1], &ops[at + 1..]].concat());
        }
        // Not those of groups, starts and spawns: what is in them needs a group.
        if let Op::Scope { body, .. }
        | Op::Shield(body)
        | Op::Finally { body, .. }
        | Op::Catch { body, .. } = op
        {
            all.push(with(body.clone()));
        }
        let mut whole = op.clone();
        for part in 0..2 {
            let Some(body) = bodies(&mut whole).into_iter().nth(part).cloned() else {
                break;
            };
            for smaller in smaller(&body) {
                let mut op = op.clone();
                *bodies(&mut op).swap_remove(part) = smaller;
                all.push(with(vec![op]));
            }
        }
        for simpler in simpler(op) {
            all.push(with(vec![simpler]));
        }
    }
    all
}

fn bodies(op: &mut Op) -> Vec<&mut Vec<Op>> {
    match op {
        Op::Scope { body, .. }
        | Op::Shield(body)
        | Op::Group { body, .. }
        | Op::Spawn { body, .. } => vec![body],
        Op::Finally {
            body,
            clean_up: more,
        }
        | Op::Catch { body, after: more }
        | Op::Start {
            before: body,
            after: more,
            ..
        } => vec![body, more],
        _ => Vec::new(),
    }
}

/// The same operation with fewer options.
fn simpler(op: &Op) -> Vec<Op> {
    let mut all = Vec::new();
    let mut without = |change: fn(&mut Op) -> bool| {
        let mut op = op.clone();
        if change(&mut op) {
            all.push(op);
        }
    };
    without(|op| match op {
        Op::Scope { shield, .. } | Op::Group { shield, .. } => std::mem::take(shield),
        _ => false,
    });
    without(|op| match op {
        Op::Scope { deadline, .. } | Op::Group { deadline, .. } => deadline.take().is_some(),
        Op::Spawn { cancel_at, .. } => cancel_at.take().is_some(),
        _ => false,
    });
    without(|op| match op {
        Op::Spawn { join, .. } => std::mem::take(join),
        Op::Group { propagate, .. } => std::mem::take(propagate),
        _ => false,
    });
    all
}
