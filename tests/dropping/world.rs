//! What programs make, and what counts it.

use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicUsize, Ordering};
use std::sync::{Arc, Once};

/// Counts what the tasks of one run have made.
#[derive(Clone, Debug)]
pub(crate) struct World {
    counts: Arc<Counts>,
    /// For parallel children, which may outlive the program.
    parallel: bool,
}

#[derive(Debug, Default)]
struct Counts {
    here: AtomicIsize,
    parallel: AtomicIsize,
    /// How many tokens were dropped after what they borrow.
    too_late: AtomicUsize,
}

impl World {
    pub(crate) fn new() -> Self {
        watch_for_panics();
        Self {
            counts: Arc::default(),
            parallel: false,
        }
    }

    /// The world as a parallel child sees it.
    pub(crate) fn for_parallel(&self) -> Self {
        Self {
            counts: Arc::clone(&self.counts),
            parallel: true,
        }
    }

    /// Something that borrows nothing: an error, a payload.
    pub(crate) fn token(&self) -> Token {
        self.count().fetch_add(1, Ordering::SeqCst);
        Token {
            world: self.clone(),
            borrowed: None,
        }
    }

    /// Something to borrow from.
    pub(crate) fn local(&self) -> Local {
        Local {
            own: self.token(),
            alive: Arc::new(AtomicBool::new(true)),
        }
    }

    fn count(&self) -> &AtomicIsize {
        if self.parallel {
            &self.counts.parallel
        } else {
            &self.counts.here
        }
    }

    /// After the program has been dropped.
    #[track_caller]
    pub(crate) fn assert_empty(&self, what: &str) {
        assert_eq!(self.counts.here.load(Ordering::SeqCst), 0, "{what}: left");
        let too_late = self.counts.too_late.load(Ordering::SeqCst);
        assert_eq!(too_late, 0, "{what}: outlived what it borrows");
        let panics = UNEXPECTED_PANICS.load(Ordering::SeqCst);
        assert_eq!(panics, 0, "{what}: there was a panic of its own");
    }

    /// Waits until parallel children have gone, too.
    pub(crate) async fn wait_for_parallel(&self) {
        while self.counts.parallel.load(Ordering::SeqCst) != 0 {
            anyio::checkpoint().await;
        }
        self.assert_empty("after the last parallel child");
    }
}

/// Panics that are not those of a program, which go around the hook.
static UNEXPECTED_PANICS: AtomicUsize = AtomicUsize::new(0);

fn watch_for_panics() {
    static WATCH: Once = Once::new();
    WATCH.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            UNEXPECTED_PANICS.fetch_add(1, Ordering::SeqCst);
            before(panic);
        }));
    });
}

/// Something that exists, as long as it is not dropped.
#[derive(Debug)]
pub(crate) struct Token {
    world: World,
    borrowed: Option<Arc<AtomicBool>>,
}

impl Drop for Token {
    fn drop(&mut self) {
        if let Some(alive) = &self.borrowed
            && !alive.load(Ordering::SeqCst)
        {
            self.world.counts.too_late.fetch_add(1, Ordering::SeqCst);
        }
        self.world.count().fetch_sub(1, Ordering::SeqCst);
    }
}

/// A local variable in front of a group, which members of the group borrow.
#[derive(Debug)]
pub(crate) struct Local {
    own: Token,
    alive: Arc<AtomicBool>,
}

impl Local {
    /// Something that must be gone before this is.
    pub(crate) fn token(&self) -> Token {
        let mut token = self.own.world.token();
        token.borrowed = Some(Arc::clone(&self.alive));
        token
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        self.alive.store(false, Ordering::SeqCst);
    }
}
