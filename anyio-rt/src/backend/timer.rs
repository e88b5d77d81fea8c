//! A timer of whichever backend is running.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use pin_project::pin_project;

use super::env::{Env, Tag};
use super::error::NoBackendError;

/// Goes off once, at its deadline. Lives inside the future that waits, so it allocates nothing.
#[pin_project]
#[derive(Debug)]
pub(crate) struct Timer {
    #[pin]
    raw: Raw,
}

#[pin_project(project = RawProj)]
#[derive(Debug)]
enum Raw {
    #[cfg(feature = "tokio")]
    Tokio(#[pin] super::tokio::RawTimer),
    #[cfg(feature = "smol")]
    Smol(#[pin] super::smol::RawTimer, Instant), // which does not say its deadline
    /// No backend is compiled in.
    #[cfg(not(any(feature = "tokio", feature = "smol")))]
    Never(std::convert::Infallible),
}

impl Timer {
    /// A timer on the backend around this call.
    #[inline]
    pub(crate) fn at(deadline: Instant) -> Result<Self, NoBackendError> {
        let raw = match Env::tag()? {
            #[cfg(feature = "tokio")]
            Tag::Tokio => Raw::Tokio(super::tokio::timer(deadline)),
            #[cfg(feature = "smol")]
            Tag::Smol => Raw::Smol(super::smol::timer(deadline), deadline),
            #[cfg(not(any(feature = "tokio", feature = "smol")))]
            Tag::Never(never) => match never {},
        };
        Ok(Self { raw })
    }

    #[inline]
    pub(crate) fn deadline(&self) -> Instant {
        match &self.raw {
            #[cfg(feature = "tokio")]
            Raw::Tokio(timer) => super::tokio::timer_deadline(timer),
            #[cfg(feature = "smol")]
            Raw::Smol(_, deadline) => *deadline,
            #[cfg(not(any(feature = "tokio", feature = "smol")))]
            Raw::Never(never) => match *never {},
        }
    }

    /// Ready once the deadline has passed; until then the task of `cx` is woken at the deadline.
    #[inline]
    pub(crate) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.project().raw.project() {
            #[cfg(feature = "tokio")]
            RawProj::Tokio(timer) => super::tokio::poll_timer(timer, cx),
            #[cfg(feature = "smol")]
            RawProj::Smol(timer, _) => super::smol::poll_timer(timer, cx),
            #[cfg(not(any(feature = "tokio", feature = "smol")))]
            RawProj::Never(never) => match *never {},
        }
    }

    /// Moves the deadline; poll the timer again afterwards.
    pub(crate) fn reset(self: Pin<&mut Self>, deadline: Instant) {
        match self.project().raw.project() {
            #[cfg(feature = "tokio")]
            RawProj::Tokio(timer) => super::tokio::reset_timer(timer, deadline),
            #[cfg(feature = "smol")]
            RawProj::Smol(timer, at) => {
                *at = deadline;
                super::smol::reset_timer(timer, deadline);
            }
            #[cfg(not(any(feature = "tokio", feature = "smol")))]
            RawProj::Never(never) => match *never {},
        }
    }

    /// Whether the timer has gone off, without polling it.
    #[inline]
    pub(crate) fn fired(&self) -> bool {
        match &self.raw {
            #[cfg(feature = "tokio")]
            Raw::Tokio(timer) => super::tokio::timer_fired(timer),
            #[cfg(feature = "smol")]
            Raw::Smol(_, deadline) => super::smol::timer_fired(*deadline),
            #[cfg(not(any(feature = "tokio", feature = "smol")))]
            Raw::Never(never) => match *never {},
        }
    }
}
