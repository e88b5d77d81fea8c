//! With an expression as the number of threads.

const THREADS: usize = 2;

#[anyio::main(backend = tokio(flavor = multi_thread, worker_threads = THREADS))]
async fn main() {
    anyio::task_group!(|tg| {
        tg.spawn_parallel(async {});
    });
}
