//! `docs/parity.md` is true: a row for each feature and rule of AnyIO, a status, and tests that exist.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// How many rows there are of each kind.
const KINDS: [(&str, usize); 45] = [
    ("AR", 2),
    ("BF", 8),
    ("BK", 11),
    ("BP", 12),
    ("CL", 6),
    ("CM", 2),
    ("CN", 4),
    ("CO", 6),
    ("CS", 15),
    ("CU", 3),
    ("EL", 14),
    ("EV", 3),
    ("EX", 16),
    ("FI", 7),
    ("FN", 4),
    ("FS", 4),
    ("FT", 5),
    ("FU", 6),
    ("IT", 20),
    ("LK", 6),
    ("LL", 8),
    ("MS", 11),
    ("MX", 3),
    ("PA", 27),
    ("PR", 8),
    ("R", 142),
    ("RG", 1),
    ("SA", 6),
    ("SE", 4),
    ("SG", 2),
    ("SK", 15),
    ("SO", 13),
    ("SP", 4),
    ("ST", 10),
    ("TA", 4),
    ("TD", 16),
    ("TF", 9),
    ("TG", 14),
    ("TH", 9),
    ("TI", 2),
    ("TL", 9),
    ("TP", 5),
    ("TS", 2),
    ("TT", 7),
    ("TX", 4),
];

struct Row<'a> {
    id: &'a str,
    tests: Vec<&'a str>,
    status: &'a str,
    note: &'a str,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The rows of all tables whose first column is an id.
fn rows(text: &str) -> Vec<Row<'_>> {
    text.lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.strip_prefix('|')?.split('|').map(str::trim).collect();
            let (kind, number) = cells.first()?.split_once('-')?;
            if !kind.chars().all(|c| c.is_ascii_uppercase()) || number.parse::<usize>().is_err() {
                return None;
            }
            let [id, _api, tests, status, note, ""] = cells[..] else {
                panic!("a row has five cells, and `|` is no part of any: {line}");
            };
            let tests = tests.split(", ").filter(|test| !test.is_empty());
            Some(Row {
                id,
                tests: tests.map(|test| test.trim_matches('`')).collect(),
                status,
                note,
            })
        })
        .collect()
}

#[test]
fn there_is_one_row_for_each_feature_and_rule() {
    let text = fs::read_to_string(root().join("docs/parity.md")).expect("the table is there");
    let mut numbers: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for row in rows(&text) {
        let (kind, number) = row.id.split_once('-').expect("checked by `rows`");
        let number = number.parse().expect("checked by `rows`");
        numbers.entry(kind).or_default().push(number);
    }
    for (kind, count) in KINDS {
        let mut found = numbers.remove(kind).unwrap_or_default();
        found.sort_unstable();
        assert_eq!(
            found,
            (1..=count).collect::<Vec<_>>(),
            "rows {kind}-1 to {kind}-{count}"
        );
    }
    assert!(numbers.is_empty(), "unknown kinds of rows: {numbers:?}");
}

#[test]
fn each_row_has_a_status_that_is_backed() {
    let text = fs::read_to_string(root().join("docs/parity.md")).expect("the table is there");
    let mut wrong = Vec::new();
    for row in rows(&text) {
        let backed = match row.status {
            "done" => !row.tests.is_empty(),
            "adapted" => !row.tests.is_empty() && !row.note.is_empty(),
            "n/a" => !row.note.is_empty(),
            "open" => true,
            _ => false,
        };
        if !backed {
            wrong.push(format!(
                "{}: `{}` with {} tests, note `{}`",
                row.id,
                row.status,
                row.tests.len(),
                row.note
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "done and adapted rows name tests, adapted and n/a rows say why:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn the_tests_that_are_named_exist() {
    let text = fs::read_to_string(root().join("docs/parity.md")).expect("the table is there");
    let known = tests();
    let mut missing = BTreeSet::new();
    for row in rows(&text) {
        for test in row.tests {
            if !known.contains(test) {
                missing.insert(format!("{}: {test}", row.id));
            }
        }
    }
    assert!(
        missing.is_empty(),
        "named in docs/parity.md, but not there: {missing:#?}"
    );
}

/// All tests, as `file::module::name`; the cases of `trybuild` as `ui::folder/fail/name`.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let folder = root().join("tests");
    for entry in fs::read_dir(&folder).expect("the tests are there") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            for file in fs::read_dir(&path).expect("a folder of tests") {
                let file = file.expect("a readable entry").path();
                let module = if file.ends_with("main.rs") {
                    None
                } else {
                    file.file_stem()
                };
                let prefix = [path.file_name(), module].into_iter().flatten();
                let prefix: Vec<_> = prefix.map(|name| name.to_string_lossy()).collect();
                collect(&file, &prefix.join("::"), &mut found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path
                .file_stem()
                .expect("a file has a name")
                .to_string_lossy()
                .into_owned();
            collect(&path, &name, &mut found);
        }
    }
    let cases = root().join("trybuild/cases");
    for folder in fs::read_dir(&cases).expect("the cases are there") {
        for kind in ["pass", "fail"] {
            let folder = folder.as_ref().expect("a readable entry").path();
            for case in fs::read_dir(folder.join(kind)).expect("pass and fail") {
                let case = case.expect("a readable entry").path().with_extension("");
                let case = case
                    .strip_prefix(&cases)
                    .expect("below the cases")
                    .display()
                    .to_string();
                found.insert(format!("ui::{case}"));
            }
        }
    }
    found
}

/// Finds functions below an attribute that ends in `test`.
fn collect(file: &Path, prefix: &str, found: &mut BTreeSet<String>) {
    let text = fs::read_to_string(file).unwrap_or_default();
    let mut attribute = false;
    for line in text.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("#[") {
            let path = rest.split(['(', ']']).next().unwrap_or_default();
            attribute |= path == "test" || path.ends_with("::test");
        } else if let Some((before, name)) = line.split_once("fn ")
            && matches!(before, "" | "async ")
            && std::mem::take(&mut attribute)
        {
            let end = name
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(name.len());
            found.insert(format!("{prefix}::{}", &name[..end]));
        }
    }
}
