//! Futures that keep their locals in a stack frame of their own.

use core::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

pin_project_lite::pin_project! {
    /// A future that is polled by a function of its own.
    ///
    /// The compiler tends to inline a future into the function that polls it, until one function
    /// puts the locals of the whole device on the stack at once. A board has about 100 KB of stack.
    pub(crate) struct OwnFrame<F> {
        #[pin]
        future: F,
    }
}

/// Wraps a future so that a function of its own polls it.
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
