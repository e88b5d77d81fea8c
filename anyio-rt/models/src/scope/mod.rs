//! The shared part of a region.

#[path = "../../../src/scope/node.rs"]
pub(crate) mod node;

pub(crate) mod reason {
    //! In the place of the real one, which the models do not look into.

    #[derive(Clone, Debug)]
    pub(crate) struct Reason;
}
