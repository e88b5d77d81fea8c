//! Body and clean-up borrow the same things; control flow passes through.

#![deny(warnings)]

use anyio::{AsyncContextManager, AsyncResource, Outcome, checkpoint, finally, with};

struct File<'a>(&'a mut Vec<String>);

impl AsyncResource for File<'_> {
    async fn aclose(&mut self) {
        checkpoint().await;
        self.0.push("closed".into());
    }
}

struct Span<'a>(&'a mut Vec<String>, u32);

impl<'a> AsyncContextManager for Span<'a> {
    type Resource = (Self, u32);

    async fn enter(self) -> (Self, u32) {
        self.0.push("enter".into());
        let n = self.1;
        (self, n)
    }

    async fn exit((span, _): (Self, u32), outcome: Outcome) {
        span.0.push(format!("{outcome:?}"));
    }
}

async fn work(log: &mut Vec<String>, text: &str) -> Result<u32, std::num::ParseIntError> {
    for _ in 0..2 {
        finally!({
            log.push(text.parse::<u32>()?.to_string());
            if log.len() > 1 {
                break;
            }
        }, {
            checkpoint().await;
            log.push("clean".into());
        });
    }
    let n = with!(file = File(log), {
        file.0.push("written".into());
        text.parse::<u32>()?
    });
    with!(span = Span(log, n), {
        let n = span.1;
        if n > 1 {
            return Ok(n);
        }
    });
    Ok(0)
}

fn main() {
    let mut log = Vec::new();
    anyio::run(anyio::Backend::default(), async {
        assert_eq!(work(&mut log, "2").await, Ok(2));
    })
    .unwrap();
    let said = ["2", "clean", "2", "clean", "written", "closed", "enter", "Completed"];
    assert_eq!(log, said);
    log.clear();
    anyio::run(anyio::Backend::default(), async { work(&mut log, "x").await.unwrap_err() }).unwrap();
    assert_eq!(log, ["clean"]);
}
