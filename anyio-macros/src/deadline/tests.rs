use super::{Limit, Otherwise, expand2};
use crate::common::golden::{check, messages, tokens};

fn move_on_after(call: &str) -> proc_macro2::TokenStream {
    expand2(tokens(call), Limit::After, Otherwise::MoveOn)
}

#[test]
fn expansions_are_as_kept() {
    let after = [
        ("A block that stays inside", "5s, { wait().await }"),
        ("A block with every way out", "5s, { match next().await? { 0 => break, 1 => continue 'outer, 2 => return Err(stop()), n => n } }"),
        ("A closure, which is a function of its own", "timeout, |scope| -> Result<(), Error> { scope.set_deadline(later()); next().await?; Ok(()) }"),
        ("A future", "250ms, wait()"),
    ]
    .map(|(title, call)| (title, call, move_on_after(call)));
    let fail = r#"shield = true, reason = "slow peer", 1.5min, { wait().await }"#;
    let at = "deadline, { wait().await }";
    let others = [
        (
            "`fail_after!` with options",
            fail,
            expand2(tokens(fail), Limit::After, Otherwise::Fail),
        ),
        (
            "`move_on_at!`",
            at,
            expand2(tokens(at), Limit::At, Otherwise::MoveOn),
        ),
    ];
    check("deadline", &[&after[..], &others].concat());
}

#[test]
fn durations_are_exact() {
    for (literal, nanos) in [
        ("1ns", 1_u128),
        ("10us", 10_000),
        ("250ms", 250_000_000),
        ("5s", 5_000_000_000),
        ("1.5s", 1_500_000_000),
        ("0.000_000_001s", 1),
        ("2min", 120_000_000_000),
        ("1h", 3_600_000_000_000),
        ("1d", 86_400_000_000_000),
        ("0s", 0),
    ] {
        let expanded = move_on_after(&format!("{literal}, wait()")).to_string();
        let (secs, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
        let expected = format!("Duration :: new ({secs}u64 , {rest}u32)");
        assert!(expanded.contains(&expected), "{literal}: {expanded}");
    }
}

#[test]
fn durations_that_are_none() {
    for (literal, words) in [
        ("5", "needs a unit"),
        ("5.0", "needs a unit"),
        ("-5s", "cannot be negative"),
        ("5sec", "did you mean `s`?"),
        ("5minutes", "unknown unit"),
        ("\"5s\"", "needs a unit"),
        ("0.0000000001s", "nanosecond"),
        ("99999999999999999999s", "long"),
    ] {
        let found = messages(&move_on_after(&format!("{literal}, wait()")));
        assert_eq!(found.len(), 1, "{literal}: {found:?}");
        assert!(found[0].contains(words), "{literal}: {found:?}");
    }
}

#[test]
fn control_flow_of_inner_loops_and_functions_is_left_alone() {
    for inside in [
        "loop { break; }",
        "'a: loop { loop { continue 'a; } }",
        "while next() { continue; }",
        "for _ in 0..3 { break }",
        "let f = || return;",
        "async { return; }.await",
        "fn helper() { return; }",
        "'block: { break 'block; }",
    ] {
        let with = move_on_after(&format!("5s, {{ {inside} }}")).to_string();
        assert!(!with.contains("Flow"), "{inside}: {with}");
    }
    for inside in [
        "break",
        "continue 'outer",
        "return",
        "one()?",
        "loop { return; }",
        "loop { break 'outer; }",
    ] {
        let with = move_on_after(&format!("5s, {{ {inside}; }}")).to_string();
        assert!(with.contains("Flow"), "{inside}: {with}");
    }
}

#[test]
fn a_block_that_is_being_typed_is_passed_through() {
    for body in ["{ scope. }", "{ let x = }", "{ foo(,) }"] {
        let expanded = move_on_after(&format!("5s, {body}"));
        assert_eq!(messages(&expanded), [""; 0], "{body}");
        assert!(
            expanded.to_string().contains(&tokens(body).to_string()),
            "{body}"
        );
    }
}
