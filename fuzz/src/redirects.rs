//! Any text that somebody pastes is read as the end of a sign-in or refused, and never shown.

use pulsewing_core::oauth::Redirect;

/// Reads a pasted text.
pub fn run(input: &[u8]) {
    let pasted = String::from_utf8_lossy(input);
    if let Ok(redirect) = Redirect::parse(&pasted) {
        let code = redirect.code.expose();
        assert!(!code.is_empty() && code.bytes().all(|byte| byte.is_ascii_graphic()));
        let shown = format!("{redirect:?} {redirect}");
        assert!(code.len() < 8 || !shown.contains(code), "a code was shown");
    }
}
