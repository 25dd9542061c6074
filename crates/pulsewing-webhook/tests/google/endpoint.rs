//! An endpoint as a daemon would serve it, on a thread.

use std::{
    collections::VecDeque,
    io::Write,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        mpsc::{self, Receiver, Sender},
    },
    time::Duration,
};

use pulsewing_sandbox::Clock;
use pulsewing_webhook::{Headers, Keys, Outcome, SIGNATURE_HEADER, Secret, receive};

use crate::http::{self, Message};

pub(crate) const KEYSET: &str = "/googlehealthapi/webhooks/webhooks_public_keyset.json";

/// A request to the endpoint, and what became of it.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) message: Message,
    pub(crate) outcome: Outcome,
    pub(crate) status: u16,
}

/// A running endpoint. Its thread ends with the program.
pub(crate) struct Endpoint {
    pub(crate) address: SocketAddr,
    received: Receiver<Received>,
    inside: Arc<Mutex<Inside>>,
}

struct Inside {
    secret: Secret,
    keys: Keys,
    google: SocketAddr,
    clock: Clock,
    /// Answered instead of the right status.
    instead: VecDeque<u16>,
    fetches: u32,
}

impl Endpoint {
    pub(crate) fn start(google: SocketAddr, clock: Clock, secret: Secret) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let inside = Arc::new(Mutex::new(Inside {
            secret,
            keys: Keys::new(),
            google,
            clock,
            instead: VecDeque::new(),
            fetches: 0,
        }));
        let (sender, received) = mpsc::channel();
        let served = Arc::clone(&inside);
        std::thread::spawn(move || serve(&listener, &served, &sender));
        Self {
            address,
            received,
            inside,
        }
    }

    /// Waits for the next request.
    pub(crate) fn next(&self) -> Received {
        self.received.recv_timeout(Duration::from_secs(20)).unwrap()
    }

    /// Waits for the next request, which must be a notification in good order; returns the ids in it.
    pub(crate) fn next_ids(&self) -> Vec<String> {
        let received = self.next();
        let Outcome::Accepted(notifications) = received.outcome else {
            panic!("{received:?}");
        };
        assert_eq!((received.status, notifications.unreadable), (204, 0));
        let all = notifications.all.into_iter();
        all.map(|notification| notification.health_user_id)
            .collect()
    }

    /// Checks that nothing has come, as far as has been answered.
    pub(crate) fn assert_silent(&self) {
        assert!(self.received.try_recv().is_err());
    }

    /// Has the next requests answered with other statuses.
    pub(crate) fn answer_instead(&self, statuses: &[u16]) {
        self.inside.lock().unwrap().instead.extend(statuses);
    }

    pub(crate) fn set_secret(&self, secret: Secret) {
        self.inside.lock().unwrap().secret = secret;
    }

    /// Returns how often the keys were fetched, successfully or not.
    pub(crate) fn fetches(&self) -> u32 {
        self.inside.lock().unwrap().fetches
    }
}

fn serve(listener: &TcpListener, inside: &Mutex<Inside>, received: &Sender<Received>) {
    for stream in listener.incoming().map_while(Result::ok) {
        let Some(message) = Message::read(&stream) else {
            continue;
        };
        let (outcome, status) = inside.lock().unwrap().judge(&message);
        answer(stream, status);
        let report = Received {
            message,
            outcome,
            status,
        };
        if received.send(report).is_err() {
            return;
        }
    }
}

fn answer(mut stream: TcpStream, status: u16) {
    let length = if status == 204 {
        ""
    } else {
        "Content-Length: 0\r\n"
    };
    let head = format!("HTTP/1.1 {status} It\r\nConnection: close\r\n{length}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
}

impl Inside {
    fn judge(&mut self, message: &Message) -> (Outcome, u16) {
        let now = self.clock.now();
        let signature = message.header(&SIGNATURE_HEADER.to_ascii_lowercase());
        let headers = Headers {
            authorization: message.header("authorization").map(str::as_bytes),
            signature: signature.map(str::as_bytes),
        };
        let judge = |keys: &mut Keys| receive(&self.secret, headers, &message.body, now, keys);
        let mut outcome = judge(&mut self.keys);
        if self.keys.poll_fetch(now) {
            self.fetches += 1;
            let answer = http::send(self.google, "GET", KEYSET, &[], b"");
            let is_new =
                answer.status() == 200 && self.keys.handle_keyset(&answer.body, now).is_ok();
            if is_new && outcome == Outcome::KeysNeeded {
                outcome = judge(&mut self.keys);
            }
        }
        let status = self.instead.pop_front().unwrap_or_else(|| outcome.status());
        (outcome, status)
    }
}
