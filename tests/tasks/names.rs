//! Names, places, parents, counts: what can be seen of a task.

use std::collections::HashSet;

use anyio::{
    TaskInfo, TaskState, TaskStatus, checkpoint, current_task, shield, sleep_forever, task_group,
};

use super::support::{Log, settle};

async fn own_name() -> String {
    checkpoint().await;
    current_task().unwrap().name().to_owned()
}

#[anyio::test]
async fn a_task_is_named_after_the_function_that_made_it() {
    task_group!(|tg| {
        let handle = tg.spawn(own_name());
        let name = handle.name();
        assert!(name.ends_with("names::own_name"), "{name}");
        assert_eq!(handle.await, name);

        let parallel = tg.spawn_parallel(own_name());
        assert_eq!(parallel.name(), name);
        assert_eq!(parallel.await, name);

        async fn service(status: TaskStatus) -> String {
            let before = own_name().await;
            status.started(());
            assert_eq!(own_name().await, before);
            before
        }
        let (_, started) = tg.start(service).await.unwrap();
        let name = started.name();
        assert!(name.ends_with("::service"), "{name}");
        assert_eq!(started.await, name);
    });
}

#[anyio::test]
async fn an_async_block_has_the_name_of_the_function_it_is_in() {
    task_group!(|tg| {
        let handle = tg.spawn(async { current_task().unwrap().name().to_owned() });
        let name = handle.name();
        assert!(name.contains("an_async_block_has_the_name"), "{name}");
        assert!(!name.contains("closure"), "{name}");
        assert_eq!(handle.await, name);
    });
}

#[anyio::test]
async fn a_given_name_is_seen_everywhere() {
    task_group!(|tg| {
        let handle = tg.spawn(own_name()).named("custom name");
        assert_eq!(handle.name(), "custom name");
        assert_eq!(handle.await, "custom name");

        let (_, started) = tg
            .start(|status: TaskStatus| async {
                assert_eq!(own_name().await, "service");
                status.started(());
                own_name().await
            })
            .named("service")
            .await
            .unwrap();
        assert_eq!(started.name(), "service");
        assert_eq!(started.await, "service");
    });
}

#[anyio::test]
async fn an_empty_name_is_kept() {
    task_group!(|tg| {
        let handle = tg.spawn(own_name()).named("");
        assert_eq!(handle.name(), "");
        assert_eq!(handle.await, "");
    });
}

#[anyio::test]
async fn a_handle_says_where_the_task_was_started() {
    task_group!(|tg| {
        let spawned = tg.spawn(checkpoint());
        let line = line!() - 1;
        assert!(spawned.location().file().ends_with("names.rs"));
        assert_eq!(spawned.location().line(), line);

        let parallel = tg.spawn_parallel(checkpoint());
        let line = line!() - 1;
        assert_eq!(parallel.location().line(), line);

        let start = tg.start(async |status: TaskStatus| status.started(()));
        let line = line!() - 1;
        let (_, started) = start.await.unwrap();
        assert!(started.location().file().ends_with("names.rs"));
        assert_eq!(started.location().line(), line);
    });
}

#[anyio::test]
async fn a_helper_that_tracks_its_caller_passes_the_place_on() {
    #[track_caller]
    fn helper<'scope>(tasks: anyio::Spawner<'scope>) -> anyio::TaskHandle<'scope, ()> {
        tasks.spawn(checkpoint())
    }

    task_group!(|tg| {
        let handle = helper(tg.spawner());
        let line = line!() - 1;
        assert_eq!(handle.location().line(), line);
    });
}

#[anyio::test]
async fn each_task_has_a_number_of_its_own() {
    task_group!(|tg| {
        let mut ids = HashSet::from([current_task().unwrap().id()]);
        for _ in 0..50 {
            let handle = tg.spawn(async { current_task().unwrap() });
            let id = handle.id();
            assert!(ids.insert(id));
            assert_eq!(handle.await.id(), id);
        }
    });
}

#[anyio::test]
async fn infos_of_one_task_are_equal_and_of_two_are_not() {
    task_group!(|tg| {
        let host = current_task().unwrap();
        assert_eq!(host, current_task().unwrap());
        let child = tg.spawn(async {
            let before = current_task().unwrap();
            checkpoint().await;
            let after = current_task().unwrap();
            assert_eq!(before, after);
            after
        });
        let child: TaskInfo = child.named("reader").await;
        assert_ne!(child, host);
        assert_eq!(HashSet::from([host.clone(), child.clone(), host]).len(), 2);
        assert_eq!(child.to_string(), format!("task {} `reader`", child.id()));
    });
}

#[anyio::test]
async fn the_body_is_part_of_the_task_that_opened_the_group() {
    let outside = current_task().unwrap();
    let inside = task_group!(|_tg| {
        checkpoint().await;
        current_task().unwrap()
    });
    assert_eq!(inside, outside);
}

#[anyio::test]
async fn the_parent_of_a_child_is_the_host_also_if_another_task_spawned_it() {
    let host = current_task().unwrap().id();
    let log = Log::default();
    task_group!(|tg| {
        tg.spawn(async {
            assert_ne!(current_task().unwrap().id(), host);
            tg.spawn(async {
                assert_eq!(current_task().unwrap().parent_id(), Some(host));
                log.note("checked");
            });
        });
    });
    assert_eq!(log.entries(), ["checked"]);
}

#[anyio::test]
async fn the_parent_of_a_grandchild_is_the_child() {
    let host = current_task().unwrap();
    task_group!(|outer| {
        outer
            .spawn(async {
                let child = current_task().unwrap();
                assert_eq!(child.parent_id(), Some(host.id()));
                task_group!(|inner| {
                    let grandchild = inner.spawn(async { current_task().unwrap() }).await;
                    assert_eq!(grandchild.parent_id(), Some(child.id()));
                    let parallel = inner
                        .spawn_parallel(async { current_task().unwrap() })
                        .await;
                    assert_eq!(parallel.parent_id(), Some(child.id()));
                });
            })
            .await;
    });
}

#[test]
fn there_is_no_current_task_outside() {
    assert!(current_task().is_err());
    futures::executor::block_on(async {
        assert!(current_task().is_err());
        // A child is a task wherever its group is; nobody is its parent.
        let child = task_group!(|tg| tg.spawn(async { current_task() }).await);
        assert_eq!(child.unwrap().parent_id(), None);
    });
}

#[anyio::test]
async fn a_group_can_have_a_name() {
    task_group!(name = "crawler", |tg| {
        assert_eq!(tg.name().as_deref(), Some("crawler"));
        assert_eq!(tg.spawner().name().as_deref(), Some("crawler"));
    });
    task_group!(name = "", |tg| assert_eq!(tg.name().as_deref(), Some("")));
    task_group!(|tg| assert_eq!(tg.name(), None));
    let result = task_group!(name = "crawler", |_tg| -> Result<(), &'static str> {
        Err("no pages")
    });
    let errors = result.unwrap_err();
    assert_eq!(errors.name(), Some("crawler"));
    assert!(
        errors
            .to_string()
            .starts_with("1 error in task group `crawler`")
    );
}

#[anyio::test]
async fn the_number_of_children_is_known() {
    task_group!(|tg| {
        assert_eq!(tg.statistics().tasks, 0);
        let handles: Vec<_> = (0..5).map(|_| tg.spawn(sleep_forever())).collect();
        assert_eq!(tg.statistics().tasks, 5);
        let parallel = tg.spawn_parallel(async {});
        parallel.wait().await;
        for (n, handle) in handles.into_iter().enumerate() {
            assert_eq!(tg.spawner().statistics().tasks, 5 - n);
            handle.cancel();
            shield!({ handle.wait().await });
        }
        assert_eq!(tg.statistics().tasks, 0);
    });
}

#[anyio::test]
async fn debug_output_tells_name_and_place() {
    task_group!(name = "crawler", |tg| {
        let text = format!("{tg:?}");
        assert!(text.contains("TaskGroup"), "{text}");
        assert!(
            text.contains("crawler") && text.contains("names.rs:"),
            "{text}"
        );
        let text = format!("{:?}", tg.spawner());
        assert!(
            text.contains("Spawner") && text.contains("crawler"),
            "{text}"
        );

        let handle = tg.spawn(settle()).named("page");
        let text = format!("{handle:?}");
        assert!(text.contains("page") && text.contains("Pending"), "{text}");
        assert!(text.contains("names.rs:"), "{text}");
        assert!(format!("{:?}", handle.wait()).contains("Wait"));
        handle.cancel();
        assert_eq!(handle.status(), TaskState::Cancelling);
        assert!(format!("{handle:?}").contains("Cancelling"));
        handle.wait().await;
        assert!(format!("{handle:?}").contains("Cancelled"));
        assert!(format!("{:?}", handle.join()).contains("Join"));

        let start = tg.start(async |status: TaskStatus<u32>| {
            assert!(format!("{status:?}").contains("ignored: false"));
            status.started(1);
        });
        assert!(format!("{start:?}").contains("waiting: true"));
        start.await.unwrap();
        assert!(format!("{:?}", TaskStatus::<()>::ignored()).contains("ignored: true"));
    });
}
