use super::expand2;
use crate::common::golden::{check, messages, tokens};

#[test]
fn expansions_are_as_kept() {
    let cases = [
        (
            "A body that may leave the function",
            "{ write(&mut file).await? }, { file.close().await; }",
        ),
        (
            "A body that stays inside",
            "{ write().await }, { close().await }",
        ),
    ]
    .map(|(title, call)| (title, call, expand2(tokens(call))));
    check("finally", &cases);
}

#[test]
fn a_clean_up_cannot_leave() {
    for clean_up in ["return;", "break;", "continue 'outer;", "close()?;"] {
        let found = messages(&expand2(tokens(&format!(
            "{{ work().await }}, {{ {clean_up} }}"
        ))));
        assert_eq!(found.len(), 1, "{clean_up}: {found:?}");
    }
    for clean_up in [
        "loop { break; }",
        "let f = || return;",
        "async { close()? };",
    ] {
        let found = messages(&expand2(tokens(&format!(
            "{{ work().await }}, {{ {clean_up} }}"
        ))));
        assert_eq!(found, [""; 0], "{clean_up}");
    }
}
