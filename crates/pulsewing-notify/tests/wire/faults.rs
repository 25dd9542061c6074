//! Servers that fail.

use std::time::Duration;

use pulsewing_core::alarm::Event;

use crate::{
    counts, high, outbox,
    recorder::{Fate, Recorder, TAKES, pass_until, still, until},
};

fn ntfy(url: &str, name: &str) -> String {
    format!("to = \"ntfy\"\nname = \"{name}\"\ntopic = \"pulse\"\nurl = \"{url}\"")
}

#[tokio::test(start_paused = true)]
async fn what_was_not_taken_is_sent_again_and_the_same() {
    let _still = still();
    for (fate, pause) in [
        (Fate::Stalls, 12),
        (Fate::Breaks(""), 2),
        (Fate::Breaks("HTTP/1.1 200 OK\r\nconte"), 2),
        (Fate::Answers("500 Internal Server Error", ""), 2),
        (Fate::Answers("429 Too Many Requests", ""), 2),
        (
            Fate::Answers("429 Too Many Requests\r\nretry-after: 45", ""),
            45,
        ),
        (
            Fate::Answers("503 Busy\r\nretry-after: Sun, 29 Nov 2026 13:19:40 GMT", ""),
            60,
        ),
        (
            Fate::Answers("200 OK", "<html>Welcome to our hotel</html>"),
            2,
        ),
    ] {
        let recorder = Recorder::start([fate]).await;
        let dir = tempfile::tempdir().unwrap();
        let outbox = outbox(dir.path(), &[ntfy(&recorder.url(), "phone")]);
        outbox.tell([high(Event::Raised)]);
        pass_until(|| counts(&outbox, 0) == [1, 0, 0, 0]).await;
        let [first, second] = recorder.requests().try_into().unwrap();
        assert_eq!(first.body, second.body, "{fate:?}");
        let between = second.at - first.at;
        let pause = Duration::from_secs(pause);
        let late = pause + Duration::from_secs(2);
        assert!((pause..late).contains(&between), "{fate:?}: {between:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_was_not_there_is_found_when_it_is() {
    let _still = still();
    let port = Recorder::start([]).await.port;
    let dir = tempfile::tempdir().unwrap();
    let url = format!("http://127.0.0.1:{port}");
    let outbox = outbox(dir.path(), &[ntfy(&url, "phone")]);
    outbox.tell([high(Event::Raised)]);
    pass_until(|| outbox.reports()[0].counts.failed == 1).await;
    let error = outbox.reports()[0].last_error.clone().unwrap().to_string();
    assert!(
        error.starts_with("the server cannot be reached: Connection refused"),
        "{error}"
    );
    let recorder = Recorder::start_at(port, []).await;
    outbox.tell([high(Event::Repeated)]);
    until(|| outbox.reports()[0].counts.sent == 1).await;
    assert_eq!(recorder.requests().len(), 1);
    assert_eq!(outbox.reports()[0].last_error, None);
}

#[tokio::test(start_paused = true)]
async fn half_an_answer_that_says_yes_is_not_asked_for_again() {
    let _still = still();
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"id\":\"xE73";
    let recorder = Recorder::start([Fate::Breaks(half)]).await;
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(dir.path(), &[ntfy(&recorder.url(), "phone")]);
    outbox.tell([high(Event::Raised)]);
    until(|| counts(&outbox, 0) == [1, 0, 0, 0]).await;
    outbox.tell([high(Event::Cleared)]);
    until(|| counts(&outbox, 0) == [2, 0, 0, 0]).await;
    assert_eq!(recorder.requests().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn no_redirect_is_followed() {
    let _still = still();
    let other = Recorder::start([]).await;
    let head = format!("307 Temporary Redirect\r\nlocation: {}/hush", other.url());
    let head: &'static str = Box::leak(head.into_boxed_str());
    let recorder = Recorder::start([Fate::Answers(head, "")]).await;
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(dir.path(), &[ntfy(&recorder.url(), "phone")]);
    outbox.tell([high(Event::Raised)]);
    until(|| counts(&outbox, 0) == [0, 1, 0, 0]).await;
    assert!(other.requests().is_empty());
    let error = outbox.reports()[0].last_error.clone().unwrap().to_string();
    let told = format!(
        "the server redirects to {}; redirects are not followed",
        other.url()
    );
    assert_eq!(error, told);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_holds_up_no_other() {
    let _still = still();
    let stuck = Recorder::start([Fate::Stalls; 8]).await;
    let well = Recorder::start([]).await;
    let dir = tempfile::tempdir().unwrap();
    let tables = [ntfy(&stuck.url(), "stuck"), ntfy(&well.url(), "well")];
    let outbox = outbox(dir.path(), &tables);
    for number in 1..=5 {
        outbox.tell([high(Event::Repeated)]);
        // No time passes meanwhile.
        until(|| counts(&outbox, 1) == [number, 0, 0, 0]).await;
    }
    assert_eq!(counts(&outbox, 0), [0; 4]);
    assert_eq!(outbox.reports()[0].waiting, 4);
}

#[tokio::test(start_paused = true)]
async fn a_test_says_what_happened() {
    let _still = still();
    let recorder = Recorder::start([
        TAKES,
        Fate::Answers(
            "401 Unauthorized",
            "{\"code\":40101,\"error\":\"unauthorized\"}",
        ),
        Fate::Answers("404 Not Found", ""),
    ])
    .await;
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(dir.path(), &[ntfy(&recorder.url(), "phone")]);
    outbox.test("phone").await.unwrap();
    let said = recorder.requests()[0].json();
    assert_eq!(
        said["message"],
        "A test of the channel phone. Nothing is wrong."
    );
    assert_eq!(said["priority"], 4);
    for sentence in [
        "phone: the server refuses the token (status 401: unauthorized)",
        "phone: the server has nothing at that address (status 404)",
    ] {
        assert_eq!(
            outbox.test("phone").await.unwrap_err().to_string(),
            sentence
        );
    }
    let unknown = outbox.test("pager").await.unwrap_err();
    assert_eq!(
        unknown.to_string(),
        "there is no channel \"pager\"; there is phone"
    );
    assert_eq!(counts(&outbox, 0), [0; 4]);
}

#[tokio::test(start_paused = true)]
async fn what_waits_is_sent_before_the_end() {
    let _still = still();
    let recorder = Recorder::start([]).await;
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(dir.path(), &[ntfy(&recorder.url(), "phone")]);
    for _ in 0..3 {
        outbox.tell([high(Event::Repeated)]);
    }
    outbox.close(Duration::from_secs(5)).await;
    assert_eq!(recorder.requests().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_end_waits_for_nobody_forever() {
    let recorder = Recorder::start([Fate::Stalls; 4]).await;
    let dir = tempfile::tempdir().unwrap();
    let outbox = outbox(dir.path(), &[ntfy(&recorder.url(), "phone")]);
    outbox.tell([high(Event::Raised)]);
    let began = tokio::time::Instant::now();
    outbox.close(Duration::from_secs(5)).await;
    assert_eq!(began.elapsed().as_secs(), 5);
}
