//! In a program that is tokio's: `#[tokio::main]`, tokio's sockets and channels, a codec of tokio-util. No
//! `anyio::run` anywhere.
//!
//! ```text
//! cargo run --example in_tokio_main            # serves itself three clients, then ends
//! cargo run --example in_tokio_main -- 7007    # serves port 7007 for a minute: try `nc 127.0.0.1 7007`
//! ```
//!
//! A line server with a limit on idle clients. What to look at: everything works inside a plain tokio runtime;
//! tokio's futures are cancelled by our timeouts without knowing of them; the server and its connections end
//! with the group.

use std::time::Duration;

use anyio::{TaskStatus, fail_after, move_on_after, task_group};
use futures::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::codec::{Framed, LinesCodec};

type Error = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let port: u16 = match std::env::args().nth(1) {
        Some(port) => port.parse()?,
        None => 0,
    };
    task_group!(name = "line server", |tg| -> Result<(), Error> {
        // Goes on once the server listens, with its address.
        let (address, server) = tg.start(|status| serve(port, status)).await?;
        println!("listening on {address}");
        if port == 0 {
            for name in ["ada", "grace", "barbara"] {
                println!("{}", talk(address, name).await?);
            }
        } else {
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
        server.cancel();
        Ok(())
    })?;
    Ok(())
}

/// Accepts connections until cancelled. A client that fails does not end the others.
async fn serve(port: u16, status: TaskStatus<std::net::SocketAddr>) -> Result<(), Error> {
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    status.started(listener.local_addr()?);
    task_group!(name = "connections", |tg| {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    tg.spawn(async move {
                        if let Err(error) = connection(stream).await {
                            eprintln!("{peer}: {error}");
                        }
                    })
                    .named(&peer.to_string());
                }
                Err(error) => eprintln!("accept: {error}"),
            }
        }
    })
}

/// Answers each line; says goodbye to a client that is silent for five seconds.
async fn connection(stream: TcpStream) -> Result<(), Error> {
    let mut lines = Framed::new(stream, LinesCodec::new_with_max_length(1024));
    while let Some(line) = match move_on_after!(5s, { lines.next().await.transpose()? }) {
        Some(line) => line,
        None => {
            lines.send("are you still there?").await?;
            None
        }
    } {
        lines
            .send(format!("{line} has {} letters", line.len()))
            .await?;
    }
    Ok(())
}

/// A client: sends a line and reads the answer.
async fn talk(address: std::net::SocketAddr, line: &str) -> Result<String, Error> {
    let stream = TcpStream::connect(address).await?;
    let mut lines = Framed::new(stream, LinesCodec::new());
    lines.send(line).await?;
    let answer = fail_after!(1s, { lines.next().await })?;
    Ok(answer.ok_or("the server hung up")??)
}
