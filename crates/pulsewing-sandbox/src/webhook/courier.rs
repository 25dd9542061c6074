//! The task that finds out what has arrived and sends it, in the sandbox's time.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;
use tokio::{sync::watch, task::JoinSet};

use super::{arrivals::Look, notice::Notice, post::post, queue::Sending, signing::SigningKey};
use crate::{faults::Mishap, state::Shared};

/// Notifies subscribers until stopped.
pub(crate) async fn run(shared: Arc<Shared>, mut stopped: watch::Receiver<bool>) {
    let mut moved = shared.clock.subscribe();
    let mut sending = JoinSet::new();
    loop {
        let next = work(&shared, &mut sending);
        let wait = next.and_then(|next| shared.clock.real_time_until(next));
        let due = async {
            match wait {
                Some(wait) => tokio::time::sleep(wait).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            // An error means that the sandbox is gone.
            _ = stopped.wait_for(|stop| *stop) => break,
            _ = moved.changed() => {}
            () = shared.webhooks_changed.notified() => {}
            Some(_) = sending.join_next() => {}
            () = due => {}
        }
    }
}

/// Does what is due, and returns when the next thing will be.
fn work(shared: &Arc<Shared>, sending: &mut JoinSet<()>) -> Option<Timestamp> {
    let now = shared.clock.now();
    if let Some(look) = Look::begin(shared, now) {
        let notices = look.finish(shared);
        enqueue(shared, &notices, now);
    }
    let mut state = shared.state();
    let state = &mut *state;
    let webhooks = &mut state.webhooks;
    let subscribers = &webhooks.subscribers;
    let is_active = |id: &str| {
        subscribers
            .find(id)
            .is_some_and(|subscriber| subscriber.state == super::State::Active)
    };
    webhooks.queue.forget(|id| subscribers.find(id).is_some());
    for due in webhooks.queue.poll(is_active, &mut state.faults, now) {
        let Some(subscriber) = subscribers.find(&due.subscriber) else {
            continue;
        };
        let parcel = webhooks
            .keys
            .current(now)
            .and_then(|key| Parcel::pack(&due, &subscriber.secret, key, now));
        let uri = subscriber.endpoint_uri.clone();
        sending.spawn(deliver(Arc::clone(shared), due.number, uri, parcel));
    }
    let look = webhooks.arrivals.next_look(now);
    let due = webhooks.queue.next_due(is_active);
    look.into_iter().chain(due).min()
}

fn enqueue(shared: &Shared, notices: &[Notice], now: Timestamp) {
    let mut state = shared.state();
    let webhooks = &mut state.webhooks;
    for subscriber in webhooks.subscribers.all() {
        let wanted: Vec<Notice> = notices
            .iter()
            .filter(|notice| subscriber.wants(notice.data_type))
            .cloned()
            .collect();
        webhooks.queue.add(&subscriber.id, &wanted, now);
    }
}

async fn deliver(shared: Arc<Shared>, number: u64, uri: String, parcel: Option<Parcel>) {
    let mut status = None;
    if let Some(parcel) = parcel {
        for _ in 0..parcel.times {
            let body = parcel.body.clone();
            let headers = (Some(&parcel.secret), Some(&parcel.signature));
            status = post(&uri, headers.0, headers.1, body).await;
        }
    }
    let now = shared.clock.now();
    let mut state = shared.state();
    state.webhooks.queue.handle_answer(number, status, now);
}

/// A request to an endpoint.
struct Parcel {
    body: Bytes,
    secret: String,
    signature: String,
    /// How often it is sent; not at all if it is lost.
    times: u32,
}

impl Parcel {
    fn pack(sending: &Sending, secret: &str, key: &SigningKey, now: Timestamp) -> Option<Self> {
        let mishap = sending.mishap;
        let user_id = |notice: &Notice| match mishap {
            Some(Mishap::UnknownUser) => NOBODY.to_owned(),
            _ => notice.wearer.google_id(),
        };
        let bodies = sending.notices.iter();
        let mut bodies: Vec<Value> = bodies.map(|notice| notice.body(&user_id(notice))).collect();
        // One alone is an object, several are an array.
        let body = match bodies.as_mut_slice() {
            [one] => one.take(),
            _ => Value::from(bodies),
        };
        let body = body.to_string();
        let signature = match mishap {
            Some(Mishap::WrongKey) => SigningKey::generate(now)?.sign(body.as_bytes()),
            Some(Mishap::WrongSignature) => key.sign(b"another body"),
            _ => key.sign(body.as_bytes()),
        }?;
        let secret = match mishap {
            Some(Mishap::WrongSecret) => "Bearer somebody-else's",
            _ => secret,
        };
        let body = match mishap {
            Some(Mishap::Tampered) => body.replace("UPSERT", "DELETE"),
            _ => body,
        };
        Some(Self {
            body: body.into(),
            secret: secret.to_owned(),
            signature,
            times: match mishap {
                Some(Mishap::Lost) => 0,
                Some(Mishap::Duplicate) => 2,
                _ => 1,
            },
        })
    }
}

/// The id of a user who is no wearer.
const NOBODY: &str = "999900000000000001";
