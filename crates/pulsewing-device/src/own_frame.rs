//! Futures that keep their stack to themselves.

use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

pin_project_lite::pin_project! {
    /// A future that is polled by a function of its own.
    ///
    /// The compiler likes to inline what is polled into what polls it, until one function lays the
    /// locals of the whole device on the stack at once. A board has some 100 KB of it.
    pub(crate) struct OwnFrame<F> {
        #[pin]
        future: F,
    }
}

/// Has a future polled by a function of its own.
pub(crate) const fn own_frame<F>(future: F) -> OwnFrame<F> {
    OwnFrame { future }
}

impl<F: Future> Future for OwnFrame<F> {
    type Output = F::Output;

    #[inline(never)]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.project().future.poll(context)
    }
}
