use super::expand2;
use crate::common::golden::{check, messages, tokens};

#[test]
fn expansions_are_as_kept() {
    let plain = "async fn adds_up() { assert_eq!(sum().await, 2); }";
    let result = "#[should_panic] #[cfg(unix)] async fn adds_up() -> Result<(), Error> { sum().await?; Ok(()) }";
    let cases = [
        (
            "On every backend",
            plain,
            expand2(tokens(""), tokens(plain)),
        ),
        (
            "On some, with options",
            result,
            expand2(
                tokens(
                    r#"backends = [tokio(flavor = "current_thread"), smol(threads = 1)], timeout = 5s"#,
                ),
                tokens(result),
            ),
        ),
    ];
    check("test", &cases);
}

#[test]
fn a_backend_may_be_listed_twice_with_other_options() {
    let args = r#"backends = [tokio, tokio(flavor = "current_thread"), smol]"#;
    let expanded = expand2(tokens(args), tokens("async fn adds_up() {}"));
    assert_eq!(messages(&expanded), [""; 0]);
    for name in ["fn tokio ()", "fn tokio_current_thread ()", "fn smol ()"] {
        assert!(expanded.to_string().contains(name), "{name}: {expanded}");
    }
}

#[test]
fn every_mistake_of_the_function_is_reported_and_it_is_given_back() {
    let expanded = expand2(
        tokens("backends = [smol, smol], time_out = 5s"),
        tokens("fn adds_up<T>(n: T) {}"),
    );
    let found = messages(&expanded);
    assert_eq!(found.len(), 4, "{found:#?}");
    assert!(expanded.to_string().contains("fn adds_up"));
}
