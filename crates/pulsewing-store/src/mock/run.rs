//! Runs a future whose flash never keeps it waiting.

use core::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

/// Runs a future that is ready at once, as those of a store on a mock or on a
/// [`Blocking`](crate::Blocking) flash are.
///
/// # Panics
/// If the future is not ready.
pub fn run<T>(future: impl Future<Output = T>) -> T {
    let mut context = Context::from_waker(Waker::noop());
    match pin!(future).poll(&mut context) {
        Poll::Ready(output) => output,
        #[expect(
            clippy::panic,
            reason = "the mock is for tests, and nothing it awaits waits"
        )]
        Poll::Pending => panic!("the future waits for something other than a mock"),
    }
}
