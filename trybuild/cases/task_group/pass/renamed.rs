//! The crate under another name.

extern crate anyio as structured;

mod anyio {}

async fn renamed() -> Option<u32> {
    structured::task_group!(crate = structured, |tg| {
        tg.spawn(async {});
    });
    structured::shield!(crate = structured, {});
    structured::with!(crate = structured, r = Closed, { assert_eq!(r.0, 1) });
    structured::move_on_after!(crate = structured, 1s, { 5 })
}

struct Closed0;
#[allow(non_upper_case_globals)]
const Closed: Resource = Resource(1, Closed0);
struct Resource(u32, #[allow(dead_code)] Closed0);

impl structured::AsyncResource for Resource {
    #[structured::shielded(crate = structured)]
    async fn aclose(&mut self) {}
}

#[structured::main(crate = structured)]
async fn main() {
    assert_eq!(renamed().await, Some(5));
}
