//! A browser and its user.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::Command,
    thread::{self, JoinHandle},
};

use crate::harness::{
    hermetic::{Finished, Home, Running},
    loopback_http::{self, Reply},
    secret_watch,
};

/// Opens the consent page, allows everything, and returns the address to which the page redirects.
pub(crate) fn approve(url: &str) -> String {
    let page = loopback_http::get(&format!("{url}&auto=1"));
    assert_eq!(page.status, 302, "{}", page.body);
    page.location().unwrap().to_owned()
}

/// Allows everything on the consent page whose address a sign-in prints, pastes the address that comes of it,
/// and waits for the sign-in's end.
pub(crate) fn paste(mut login: Running) -> Finished {
    login.say(&approve(&login.line()));
    login.finish()
}

/// Opens the consent page, refuses, and returns the address to which the page redirects.
pub(crate) fn deny(url: &str) -> String {
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let page = loopback_http::exchange("POST", url, &form, "decision=deny");
    page.location().unwrap().to_owned()
}

/// Installs an `xdg-open` in a home that hands the address to `visit`, which acts as a browser. The
/// thread ends after the browser was opened and closed.
pub(crate) fn install<T: Send + 'static>(
    home: &Home,
    visit: impl FnOnce(&str) -> T + Send + 'static,
) -> JoinHandle<T> {
    let pipe = home.path("opened");
    let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
    assert!(made.success());
    let script = home.path("bin/xdg-open");
    // Records every argument and the whole environment of the child, which /proc shows to others.
    let text = format!(
        "#!/bin/sh\n{{ printf '%s\\n' \"$@\"; export -p; }} > '{}'\n",
        pipe.display()
    );
    fs::write(&script, text).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    thread::spawn(move || {
        let seen = fs::read_to_string(pipe).unwrap();
        secret_watch::assert_clean("what a child of login is given", &seen);
        let (url, rest) = seen.split_once('\n').unwrap();
        assert!(rest.starts_with("export"), "more than one argument: {seen}");
        visit(url)
    })
}

/// Follows the redirect of the consent page, and returns the page that it leads to.
pub(crate) fn approve_and_return(url: &str) -> Reply {
    loopback_http::get(&approve(url))
}
