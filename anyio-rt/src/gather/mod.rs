//! Running several things at once without opening a group by hand.

mod as_completed;
mod join;
mod map;

pub use as_completed::{AsCompleted, as_completed};
pub use join::{Gather, TryGather, gather, try_gather};
pub use map::{amap, amap_limited, try_amap, try_amap_limited};
