//! What must compile (`cases/*/pass`) and what must not, with the compiler's words (`cases/*/fail`).
//!
//! ```text
//! cargo test -p anyio-trybuild
//! ANYIO_UI_ONLY=cases/task_group/fail/handle_escapes.rs cargo test -p anyio-trybuild
//! TRYBUILD=overwrite cargo test -p anyio-trybuild        # then read the difference as text
//! ```
//!
//! The compiler's words change from version to version, so the failing cases run on one version only; the
//! passing ones run on all.

use std::process::Command;

/// The version that the `.stderr` files are of.
const TOOLCHAIN: &str = "rustc 1.95.";

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    if let Ok(only) = std::env::var("ANYIO_UI_ONLY") {
        if only.contains("/pass/") {
            cases.pass(only);
        } else {
            cases.compile_fail(only);
        }
        return;
    }
    cases.pass("cases/*/pass/*.rs");
    let version = Command::new("rustc")
        .arg("--version")
        .output()
        .expect("rustc runs")
        .stdout;
    let version = String::from_utf8_lossy(&version).into_owned();
    if version.starts_with(TOOLCHAIN) {
        cases.compile_fail("cases/*/fail/*.rs");
    } else {
        println!("the failing cases are for {TOOLCHAIN}x, not for {version}");
    }
}
