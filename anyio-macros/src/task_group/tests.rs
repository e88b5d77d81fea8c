use super::{Marker, expand2};
use crate::common::golden::{check, messages, tokens};

fn expand(call: &str) -> proc_macro2::TokenStream {
    expand2(tokens(call), Marker::Threaded)
}

#[test]
fn expansions_are_as_kept() {
    let cases = [
        ("A plain group", "|tg| { tg.spawn(work()); 5 }"),
        (
            "A fallible one, with options",
            r#"name = "crawler", shield = true, |tg| -> Result<u32, Error> { Ok(tg.spawn(work()).await?) }"#,
        ),
        ("A body that moves what it uses, and is an expression", "move |tg| serve(tg, socket).await"),
    ]
    .map(|(title, call)| (title, call, expand(call)));
    let local = "|tg| { tg.spawn(async { rc.len() }); }";
    let local = (
        "A local group",
        local,
        expand2(tokens(local), Marker::Local),
    );
    check("task_group", &[&cases[..], &[local]].concat());
}

#[test]
fn a_body_that_is_being_typed_is_passed_through() {
    for body in [
        "{ tg. }",
        "{ tg.spawn(async).await }",
        "{ let x = }",
        "{ match tg }",
    ] {
        let expanded = expand(&format!("|tg| {body}"));
        assert_eq!(messages(&expanded), [""; 0], "{body}");
        let body: proc_macro2::TokenStream = tokens(body);
        assert!(expanded.to_string().contains(&body.to_string()), "{body}");
    }
}

#[test]
fn a_question_mark_counts_only_in_the_body_itself() {
    for inside in [
        "async { one()? }",
        "|| one()?",
        "{ fn helper() -> Option<()> { one()? ; None } }",
        "try_something!(one()?)",
    ] {
        assert_eq!(
            messages(&expand(&format!("|tg| {{ {inside}; }}"))),
            [""; 0],
            "{inside}"
        );
    }
    for body in ["one()?;", "if one()? {}", "loop { one()?; }", "(1, one()?)"] {
        let found = messages(&expand(&format!("|tg| {{ {body} }}")));
        assert_eq!(found.len(), 1, "{body}");
        assert!(
            found[0].contains("task_group!(|tg| -> Result<_, Error>"),
            "{found:?}"
        );
    }
    let each = messages(&expand("|tg| { one()?; two()?; }"));
    assert_eq!(each.len(), 2, "every `?` is reported: {each:?}");
}

#[test]
fn all_wrong_options_are_reported_together() {
    let found = messages(&expand(
        r#"nme = "a", shield = true, shield = false, size = 3, |tg| {}"#,
    ));
    assert_eq!(
        found,
        [
            "unknown option `nme` (did you mean `name`?); the options here are: `name` and `shield`",
            "option `shield` is given twice",
            "unknown option `size`; the options here are: `name` and `shield`",
        ]
    );
}

#[test]
fn the_group_has_the_name_that_the_user_gave_the_handle() {
    // So that the compiler's message about one that escapes names something the user wrote.
    assert!(
        expand("|children| {}")
            .to_string()
            .contains("let children = :: anyio")
    );
    assert!(
        expand("|_| {}")
            .to_string()
            .contains("let task_group = :: anyio")
    );
}

#[test]
fn the_path_can_be_moved() {
    let expanded = expand("crate = my::reexport, |tg| {}").to_string();
    assert!(
        expanded.contains("my :: reexport :: __private"),
        "{expanded}"
    );
    assert!(!expanded.contains(":: anyio ::"), "{expanded}");
}
