//! The examples, run as programs.
#![cfg(unix)]

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// The path of an example's program, built if need be.
fn example(name: &str) -> PathBuf {
    static BUILT: OnceLock<()> = OnceLock::new();
    // Next to the folder `deps` that this program is in.
    let deps = std::env::current_exe().expect("this program has a path");
    let folder = deps
        .parent()
        .and_then(Path::parent)
        .expect("target/profile/deps")
        .join("examples");
    BUILT.get_or_init(|| {
        let mut build = Command::new(env!("CARGO"));
        build
            .args(["build", "--quiet", "--examples"])
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        if !cfg!(feature = "tokio") || !cfg!(feature = "smol") {
            build.arg("--no-default-features").arg("--features");
            build.arg(if cfg!(feature = "tokio") {
                "tokio"
            } else {
                "smol"
            });
        }
        if folder
            .parent()
            .is_some_and(|profile| profile.ends_with("release"))
        {
            build.arg("--release");
        }
        assert!(build.status().expect("cargo runs").success());
    });
    folder.join(name)
}

/// A folder that goes when it is dropped.
struct Tree(PathBuf);

impl Tree {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("anyio-{name}-{}", std::process::id()));
        // Left behind by a run that was killed.
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).expect("a folder in the temporary folder");
        Self(path)
    }

    fn file(&self, name: impl AsRef<OsStr>, content: &[u8]) {
        let path = self.0.join(name.as_ref());
        fs::create_dir_all(path.parent().expect("inside the tree")).expect("a folder");
        fs::write(path, content).expect("a file");
    }

    fn link(&self, name: &str, to: &str) {
        symlink(to, self.0.join(name)).expect("a link");
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn lines(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut lines: Vec<_> = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(<[u8]>::to_vec)
        .collect();
    lines.sort();
    lines
}

fn tree_hash(tree: &Tree, arguments: &[&str]) -> Output {
    Command::new(example("tree_hash"))
        .arg(&tree.0)
        .args(arguments)
        .output()
        .expect("the example runs")
}

#[test]
fn tree_hash_agrees_with_sha256sum() {
    let tree = Tree::new("tree");
    tree.file("empty", b"");
    tree.file("plain", b"some text\n");
    tree.file("a b/c d", b"spaces");
    tree.file("back\\slash", b"escaped");
    tree.file("line\nfeed", b"escaped too");
    tree.file(OsStr::from_bytes(b"not \xff utf-8"), b"bytes");
    tree.file("deep/er/and/deeper", &vec![b'x'; 3_000_000]);
    for n in 0..300 {
        tree.file(format!("many/{n:03}"), format!("file {n}").as_bytes());
    }
    tree.link("to a file", "plain");
    tree.link("deep/up", "..");
    tree.link("broken", "nowhere");
    tree.link("itself", "itself");
    tree.link("unreadable", "/proc/self/mem");
    let made = Command::new("mkfifo")
        .arg(tree.0.join("pipe"))
        .status()
        .expect("mkfifo runs");
    assert!(made.success());

    let theirs = Command::new("find")
        .args(["-L".as_ref(), tree.0.as_os_str()])
        .args(["-type", "f", "-exec", "sha256sum", "{}", "+"])
        .stderr(Stdio::null())
        .output()
        .expect("find runs");
    for backend in anyio::available_backends() {
        let ours = tree_hash(&tree, &["--backend", backend]);
        assert_eq!(lines(&ours.stdout), lines(&theirs.stdout), "on {backend}");
        assert_eq!(ours.status.code(), Some(1), "there were problems");
        let problems = String::from_utf8_lossy(&ours.stderr);
        assert!(problems.contains("308 files"), "{problems}");
        assert!(problems.contains("4 problems"), "{problems}");
        assert!(problems.contains("deep/up: a loop of links"), "{problems}");
        assert!(problems.contains("broken: No such file"), "{problems}");
        assert!(
            problems.contains("itself: Too many levels of symbolic links"),
            "{problems}"
        );
        assert!(problems.contains("unreadable: "), "{problems}");
    }
}

#[test]
fn tree_hash_gives_up_on_files_that_take_too_long() {
    let tree = Tree::new("slow");
    tree.file("one", b"1");
    tree.file("two", b"2");
    let output = tree_hash(&tree, &["--timeout", "0", "--jobs", "1"]);
    assert_eq!(output.stdout, b"");
    assert_eq!(output.status.code(), Some(1));
    let problems = String::from_utf8_lossy(&output.stderr);
    assert!(problems.contains("one: took longer than 0ns"), "{problems}");
    assert!(problems.contains("two: took longer than 0ns"), "{problems}");
}

#[test]
fn tree_hash_prints_what_is_done_when_it_is_interrupted() {
    let tree = Tree::new("interrupted");
    tree.file("a small file", b"small");
    let endless = fs::File::create(tree.0.join("an endless file")).expect("a file");
    endless.set_len(1 << 40).expect("a file of holes");
    for backend in anyio::available_backends() {
        let mut child = Command::new(example("tree_hash"))
            .arg(&tree.0)
            .args(["--backend", backend])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the example runs");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("the small file is done");
        assert!(line.ends_with("a small file\n"), "{line}");

        let pid = child.id().to_string();
        let sent = Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .expect("kill runs");
        assert!(sent.success());
        let mut rest = String::new();
        stdout.read_to_string(&mut rest).expect("the end");
        assert_eq!(rest, "");
        let mut problems = String::new();
        child
            .stderr
            .take()
            .expect("piped")
            .read_to_string(&mut problems)
            .expect("the end");
        assert_eq!(
            child.wait().expect("it ended").code(),
            Some(130),
            "on {backend}: {problems}"
        );
        assert!(problems.contains("1 files"), "{problems}");
    }
}

#[test]
fn tree_hash_says_what_is_wrong_with_its_arguments() {
    for (arguments, problem) in [
        (
            &["--backend", "trio"][..],
            "unknown backend `trio`; there are: tokio, smol",
        ),
        (&["--jobs", "0"], "never get anything done"),
        (&["--timeout", "-1"], "--timeout -1"),
        (&["--colour"], "--colour"),
    ] {
        let output = Command::new(example("tree_hash"))
            .arg(".")
            .args(arguments)
            .output()
            .expect("the example runs");
        assert_eq!(output.status.code(), Some(2));
        let problems = String::from_utf8_lossy(&output.stderr);
        assert!(problems.contains(problem), "{problems}");
        assert!(problems.contains("usage: tree_hash"), "{problems}");
    }
}

#[test]
fn race_mirrors_prints_the_first_answer() {
    let output = Command::new(example("race_mirrors"))
        .output()
        .expect("the example runs");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "from the quick mirror\n"
    );
    assert!(output.status.success());
}

#[test]
fn supervisor_leaves_nothing_half_done() {
    let output = Command::new(example("supervisor"))
        .output()
        .expect("the example runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains(" jobs done, 0 left half done"), "{text}");
    assert!(text.contains("bert failed"), "{text}");
    for name in ["anna", "bert", "clara"] {
        assert!(text.contains(&format!("{name} went home")), "{text}");
    }
}

#[cfg(feature = "tokio")]
#[test]
fn in_tokio_main_serves_its_clients() {
    let output = Command::new(example("in_tokio_main"))
        .output()
        .expect("the example runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("grace has 5 letters"), "{text}");
    assert!(output.status.success());
}

#[test]
fn both_backends_agree() {
    let output = Command::new(example("both_backends"))
        .output()
        .expect("the example runs");
    let text = String::from_utf8_lossy(&output.stdout);
    for backend in anyio::available_backends() {
        assert!(text.contains(&format!("{backend}: [")), "{text}");
    }
    assert!(text.contains("1 error in a task group"), "{text}");
    assert!(output.status.success());
}
