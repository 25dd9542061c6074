//! Sends a request until it is taken, refused for good, or has failed often enough.

use std::time::Duration;

use tokio::time::sleep;

use crate::{
    carrier::Carrier,
    form::Request,
    verdict::{Failure, Lost, Reply, Trouble},
};

/// The pauses before a request is sent again.
pub(crate) const PAUSES: [Duration; 3] = [
    Duration::from_secs(2),
    Duration::from_secs(10),
    Duration::from_secs(60),
];

/// The longest pause that a server may ask for. After it a message is hardly news.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// What became of it.
#[derive(Debug)]
pub(crate) struct Ended<T> {
    pub(crate) how: How<T>,
    /// Whether it was taken, or may have been.
    pub(crate) may_have_arrived: bool,
}

#[derive(Debug)]
pub(crate) enum How<T> {
    Taken(T),
    Failed(Failure),
    /// There was no request any more.
    Withdrawn,
}

/// Sends a request until it is taken, again and again the same one. `request` makes it for each try, or
/// withdraws it.
pub(crate) async fn persist<T>(
    carrier: &impl Carrier,
    mut request: impl FnMut() -> Option<Request>,
    judge: impl Fn(Result<Reply, Lost>) -> Result<T, Trouble>,
) -> Ended<T> {
    let mut pauses = PAUSES.into_iter();
    let mut may_have_arrived = false;
    loop {
        let Some(request) = request() else {
            let how = How::Withdrawn;
            return Ended {
                how,
                may_have_arrived,
            };
        };
        let trouble = match judge(carrier.carry(request).await) {
            Ok(taken) => {
                return Ended {
                    how: How::Taken(taken),
                    may_have_arrived: true,
                };
            }
            Err(trouble) => trouble,
        };
        may_have_arrived |= trouble.may_have_arrived;
        let Some(pause) = pauses.next().filter(|_| trouble.again) else {
            return Ended {
                how: How::Failed(trouble.failure),
                may_have_arrived,
            };
        };
        let asked = trouble.after.unwrap_or_default().min(LONGEST);
        sleep(pause.max(asked)).await;
    }
}
