use super::expand2;
use crate::common::golden::{check, messages, tokens};

#[test]
fn expansions_are_as_kept() {
    let item = "async fn main() -> Result<(), Error> { serve().await?; Ok(()) }";
    let cases = [
        (
            "The first backend there is",
            item,
            expand2(tokens(""), tokens(item)),
        ),
        (
            "A backend with options",
            item,
            expand2(tokens("backend = tokio(worker_threads = 4)"), tokens(item)),
        ),
    ];
    check("main_attr", &cases);
}

#[test]
fn a_function_that_is_no_main_is_given_back_with_the_error() {
    for (args, item) in [
        ("", "fn main() {}"),
        ("", "async fn main(name: String) {}"),
        ("backend = tokyo", "async fn main() {}"),
        ("threads = 4", "async fn main() {}"),
    ] {
        let expanded = expand2(tokens(args), tokens(item));
        assert_eq!(messages(&expanded).len(), 1, "{args} {item}: {expanded}");
        assert!(expanded.to_string().contains("fn main"), "{args} {item}");
    }
}
