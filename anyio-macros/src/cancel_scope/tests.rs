use super::expand2;
use crate::common::golden::{check, messages, tokens};

#[test]
fn expansions_are_as_kept() {
    let cases = [
        ("A scope", "|scope| { scope.cancel(); wait().await }"),
        (
            "Shielded, with `?`",
            "shield = true, |scope| -> Result<u32, Error> { Ok(wait().await?) }",
        ),
    ]
    .map(|(title, call)| (title, call, expand2(tokens(call))));
    check("cancel_scope", &cases);
}

#[test]
fn a_question_mark_needs_the_annotation() {
    let found = messages(&expand2(tokens("|scope| { one()?; }")));
    assert_eq!(found.len(), 1);
    assert!(
        found[0].contains("cancel_scope!(|scope| -> Result<_, Error>"),
        "{found:?}"
    );
}
