//! Asks several mirrors for the same thing and takes the first answer.
//!
//! ```text
//! cargo run --example race_mirrors
//! cargo run --example race_mirrors -- 127.0.0.1:7001 127.0.0.1:7002
//! ```
//!
//! Each mirror is a TCP server that sends one line to whoever connects. Without addresses the example starts
//! four of its own: one is slow, one refuses, one says nothing, one is quick.
//!
//! What to look at: `tg.finish(answer)` cancels the group *and* says what it gives; the children borrow the
//! list of addresses; if nobody answers, the group's own timeout does.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use anyio::{fail_after, task_group, to_thread};

#[anyio::main]
async fn main() -> io::Result<()> {
    let mut mirrors: Vec<String> = std::env::args().skip(1).collect();
    if mirrors.is_empty() {
        mirrors = vec![
            start_mirror(Some((Duration::from_millis(300), "from the slow mirror"))),
            start_mirror(None),
            "127.0.0.1:1".to_owned(), // nobody listens there
            start_mirror(Some((Duration::from_millis(20), "from the quick mirror"))),
        ];
    }
    match fail_after!(reason = "no mirror answered", 5s, {
        first_answer(&mirrors).await
    })? {
        Some(answer) => println!("{answer}"),
        None => println!("every mirror failed"),
    }
    Ok(())
}

/// The first answer of any mirror; `None` if all fail.
async fn first_answer(mirrors: &[String]) -> Option<String> {
    task_group!(name = "race", |tg| {
        let asked: Vec<_> = mirrors
            .iter()
            .map(|mirror| {
                tg.spawn(async move {
                    match ask(mirror.clone()).await {
                        Ok(answer) => tg.finish(Some(answer)),
                        Err(error) => eprintln!("{mirror}: {error}"),
                    }
                })
            })
            .collect();
        for mirror in asked {
            mirror.await;
        }
        None
    })
}

/// Connects on a thread, which is left to itself if the race is over before.
async fn ask(mirror: String) -> io::Result<String> {
    let answer = to_thread::run_sync(move || {
        let stream = TcpStream::connect(&mirror)?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        let mut line = String::new();
        BufReader::new(stream).read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    });
    answer.abandon_on_cancel(true).await
}

/// A server on a port of its own that answers after a while, or never. Gives its address.
#[allow(clippy::disallowed_methods)] // stands for another program
fn start_mirror(answer: Option<(Duration, &'static str)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            match answer {
                Some((delay, text)) => {
                    std::thread::sleep(delay);
                    // The asker may be gone.
                    let _ = writeln!(stream, "{text}");
                }
                None => std::thread::sleep(Duration::from_secs(3600)),
            }
        }
    });
    address
}
