//! A helper cannot make a group take errors that live too short.

use anyio::{Fallible, Spawner, task_group};

fn spawn_failing<'scope, 'short>(tasks: Spawner<'scope, Fallible<&'short str>>, error: &'short str)
where
    'short: 'scope,
{
    tasks.spawn(async move { Err::<(), _>(error) });
}

async fn fail() -> Result<(), anyio::ErrorGroup<&'static str>> {
    let text = String::from("does not live for ever");
    task_group!(|tg| -> Result<(), &'static str> {
        spawn_failing(tg.spawner(), &text);
        Ok(())
    })
}

fn main() {}
