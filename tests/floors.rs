//! The floors of `ARCHITECTURE.md`: inside `anyio-rt`, imports go down only; inside `anyio-macros`, a macro's
//! folder imports only `common`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The rooms of `anyio-rt` from the ground up. A room imports from lower floors, and from its neighbours
/// only where `NEIGHBOURS` says so.
const FLOORS: [&[&str]; 6] = [
    &["util", "error"],
    &["backend"],
    &["scope"],
    &["task", "time", "resource"],
    &["run", "gather", "thread"],
    &["testing"],
];

/// Imports between rooms on one floor: `(who, whom)`.
const NEIGHBOURS: [(&str, &str); 0] = [];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).expect("a folder of the workspace") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The room a source file belongs to: the folder or file right under `src`.
fn room(src: &Path, file: &Path) -> String {
    let inside = file.strip_prefix(src).expect("under src");
    let first = inside.components().next().expect("not src itself");
    first
        .as_os_str()
        .to_string_lossy()
        .trim_end_matches(".rs")
        .to_owned()
}

/// The rooms that a line of code names after `crate::`.
fn imports(line: &str) -> impl Iterator<Item = &str> {
    let code = line.split("//").next().unwrap_or("");
    code.match_indices("crate::").map(|(at, found)| {
        let rest = &code[at + found.len()..];
        let end = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        &rest[..end]
    })
}

#[test]
fn imports_in_the_runtime_go_down_only() {
    let floor: BTreeMap<&str, usize> = FLOORS
        .iter()
        .enumerate()
        .flat_map(|(n, rooms)| rooms.iter().map(move |room| (*room, n)))
        .collect();
    let src = root().join("anyio-rt/src");
    let mut wrong = Vec::new();
    for file in sources(&src) {
        let from = room(&src, &file);
        if from == "lib" || from == "__private" {
            continue; // the ceiling sees everything
        }
        let here = floor
            .get(from.as_str())
            .unwrap_or_else(|| panic!("the room `{from}` is on no floor"));
        let text = fs::read_to_string(&file).expect("a source file");
        for (n, line) in text.lines().enumerate() {
            for to in imports(line) {
                let Some(there) = floor.get(to) else {
                    continue; // an item re-exported at the root
                };
                let allowed =
                    to == from || there < here || NEIGHBOURS.contains(&(from.as_str(), to));
                if !allowed {
                    wrong.push(format!(
                        "{}:{}: `{from}` imports `{to}`",
                        file.display(),
                        n + 1
                    ));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "imports that do not go down:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn macro_folders_import_only_what_is_common() {
    let src = root().join("anyio-macros/src");
    let mut wrong = Vec::new();
    for file in sources(&src) {
        let from = room(&src, &file);
        if from == "lib" {
            continue;
        }
        let text = fs::read_to_string(&file).expect("a source file");
        for (n, line) in text.lines().enumerate() {
            for to in imports(line) {
                if to != from && (to != "common" || from == "common") {
                    wrong.push(format!(
                        "{}:{}: `{from}` imports `{to}`",
                        file.display(),
                        n + 1
                    ));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "imports between macros:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn unsafe_code_is_where_it_is_said_to_be() {
    /// The files of `anyio-rt` that may allow it.
    const FILES: [&str; 11] = [
        "scope/frame.rs",
        "task/child.rs",
        "task/drive.rs",
        "task/driver.rs",
        "task/group.rs",
        "task/handle.rs",
        "task/header.rs",
        "task/parallel.rs",
        "task/ready.rs",
        "task/shared.rs",
        "task/spawner.rs",
    ];
    let src = root().join("anyio-rt/src");
    let mut found: Vec<String> = sources(&src)
        .into_iter()
        .filter(|file| {
            fs::read_to_string(file)
                .expect("a source file")
                .contains("allow(unsafe_code)")
        })
        .map(|file| {
            file.strip_prefix(&src)
                .expect("under src")
                .to_string_lossy()
                .replace('\\', "/")
        })
        .collect();
    found.sort();
    let mut expected: Vec<String> = FILES.iter().map(ToString::to_string).collect();
    expected.push("task/start.rs".to_owned());
    expected.sort();
    assert_eq!(found, expected);
}

#[test]
fn no_file_has_grown_out_of_its_room() {
    /// Lines of code: neither blank nor only a comment.
    const LIMIT: usize = 600;
    let mut large = Vec::new();
    for part in ["anyio-rt/src", "anyio-macros/src", "src"] {
        for file in sources(&root().join(part)) {
            let text = fs::read_to_string(&file).expect("a source file");
            let code = text
                .lines()
                .filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with("//"))
                .count();
            if code > LIMIT {
                large.push(format!("{}: {code}", file.display()));
            }
        }
    }
    assert!(
        large.is_empty(),
        "look for a second room in:\n{}",
        large.join("\n")
    );
}
