//! `#[anyio::test]`.

use anyio::{Backend, checkpoint, sleep_forever};

use crate::support::work;

#[anyio::test]
async fn tests_may_give_results() -> Result<(), std::num::ParseIntError> {
    "1".parse::<i32>()?;
    Ok(())
}

#[anyio::test]
#[should_panic(expected = "assertion")]
async fn tests_may_be_expected_to_panic() {
    checkpoint().await;
    assert_eq!(1 + 1, 3, "assertion");
}

#[anyio::test(backends = [tokio(flavor = "current_thread"), smol(threads = 1), tokio], timeout = 5ms)]
#[should_panic(expected = "the test took longer than 5ms")]
async fn tests_that_take_too_long_fail() {
    sleep_forever().await;
}

#[anyio::test(timeout = 5ms)]
#[should_panic(expected = "cleaned up")]
async fn tests_that_take_too_long_get_to_clean_up() {
    anyio::finally!({ sleep_forever().await }, {
        checkpoint().await;
        panic!("cleaned up");
    });
}

#[anyio::test(timeout = 1h)]
async fn tests_with_a_timeout_see_it_as_their_effective_deadline() {
    assert!(matches!(
        anyio::current_effective_deadline(),
        anyio::EffectiveDeadline::At(_)
    ));
}

#[anyio::test(backends = [tokio(worker_threads = 3), smol(threads = 2)])]
async fn tests_may_have_backends_with_options() {
    assert_eq!(work().await, 6);
}

#[anyio::test]
async fn each_test_is_named_after_its_backend() {
    let thread = std::thread::current();
    let Some(name) = thread.name() else { return };
    let backend = anyio::run(Backend::default(), async {})
        .unwrap_err()
        .to_string();
    if name != "main" {
        let (test, suffix) = name.rsplit_once("::").unwrap();
        assert_eq!(test, "test_attribute::each_test_is_named_after_its_backend");
        assert!(
            backend.contains(&format!("`{suffix}`")),
            "{name}: {backend}"
        );
    }
}

#[cfg(all(feature = "tokio", feature = "smol"))]
#[test]
fn the_names_of_generated_tests_tell_the_options() {
    let listed = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--list", "--format", "terse"])
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    for name in [
        "test_attribute::tests_may_give_results::tokio: test",
        "test_attribute::tests_may_give_results::smol: test",
        "test_attribute::tests_may_have_backends_with_options::tokio_3_threads: test",
        "test_attribute::tests_may_have_backends_with_options::smol_2_threads: test",
        "test_attribute::tests_that_take_too_long_fail::tokio_current_thread: test",
    ] {
        assert!(
            listed.lines().any(|line| line == name),
            "{name} is not in\n{listed}"
        );
    }
}

#[anyio::test]
async fn the_task_of_a_test_is_named_after_it() {
    let task = anyio::current_task().unwrap();
    assert!(
        task.name()
            .ends_with("::the_task_of_a_test_is_named_after_it"),
        "{task}"
    );
}
