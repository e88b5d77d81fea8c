use super::expand2;
use crate::common::golden::{check, messages, tokens};

#[test]
fn expansions_are_as_kept() {
    let cases = [
        (
            "A manager",
            "file = open(path), { file.write(b\"x\").await?; }",
        ),
        (
            "One that is only changed through the name",
            "mut conn = pool.get(), { conn.ping().await }",
        ),
    ]
    .map(|(title, call)| (title, call, expand2(tokens(call))));
    check("with", &cases[..1]);
}

#[test]
fn a_name_and_a_block_are_needed() {
    for call in ["open(path), { }", "file = open(path)", "{ }", ""] {
        assert_eq!(messages(&expand2(tokens(call))).len(), 1, "{call}");
    }
}
