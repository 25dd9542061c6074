//! Nothing that is secret is logged or shown.

use std::{
    fmt::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use pulsewing_core::alarm::Event;
use tracing::{
    Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::{
    high, outbox,
    recorder::{Fate, Recorder, pass_until, still},
};

/// Keeps every line of every level.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        writeln!(self.0.lock().unwrap(), "{field}={value:?}").unwrap();
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        attributes.record(&mut self.clone());
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[tokio::test(start_paused = true)]
async fn neither_logs_nor_reports_nor_files_tell_a_secret_or_a_number() {
    let _still = still();
    let log = Log::default();
    let _logging = tracing::subscriber::set_default(log.clone());
    let echo =
        "{\"error\":\"no tk_hush\",\"errorDescription\":\"no tk_hush\",\"errors\":[\"no u_hush\"]}";
    let recorder = Recorder::start([Fate::Answers("403 Forbidden", echo); 4]).await;
    let url = recorder.url();
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(
        dir.path(),
        &[
            format!(
                "to = \"ntfy\"\nurl = \"{url}\"\ntopic = \"hush-topic\"\ntoken_file = \"token\"\n\
                 snooze_token_file = \"snooze\""
            ),
            format!("to = \"gotify\"\nurl = \"{url}\"\ntoken_file = \"token\""),
            format!(
                "to = \"pushover\"\nurl = \"{url}\"\ntoken_file = \"token\"\nuser_file = \"user\""
            ),
            format!("to = \"webhook\"\nurl = \"{url}/hush?hush=hush\"\nsecret_file = \"signing\""),
        ],
    );
    let sum = |of: fn(&pulsewing_notify::Counts) -> u64| {
        let reports = outbox.reports();
        reports.iter().map(|report| of(&report.counts)).sum::<u64>()
    };
    outbox.tell([high(Event::Raised)]);
    pass_until(|| sum(|counts| counts.failed) == 4).await;
    let reports = format!("{outbox:?} {:?}", outbox.reports());
    outbox.tell([high(Event::Repeated)]);
    pass_until(|| sum(|counts| counts.sent) == 4).await;
    outbox.close(Duration::from_secs(5)).await;
    let told = std::fs::read_to_string(dir.path().join("told.json")).unwrap();
    assert!(told.contains("\"pushover\""), "{told}");
    let logged = log.0.lock().unwrap().clone();
    assert!(
        logged.contains("alarms by ntfy: the server refuses the token"),
        "{logged}"
    );
    for (place, text) in [("log", &logged), ("reports", &reports), ("file", &told)] {
        let text = text.to_lowercase();
        for secret in ["hush", "132", "léa", "bearer"] {
            assert!(!text.contains(secret), "{secret} in the {place}: {text}");
        }
    }
}
