//! Any pasted text is either read as the end of a sign-in or refused, and never shown.

use pulsewing_core::oauth::Redirect;

/// Reads a pasted text.
pub fn run(input: &[u8]) {
    let pasted = String::from_utf8_lossy(input);
    if let Ok(redirect) = Redirect::parse(&pasted) {
        let shown = format!("{redirect:?}");
        match &redirect.answer {
            Ok(code) => {
                let code = code.expose();
                assert!(!code.is_empty() && code.bytes().all(|byte| byte.is_ascii_graphic()));
                assert!(code.len() < 8 || !shown.contains(code), "a code was shown");
            }
            // The reason is shown to people, so it may contain only a name.
            Err(refused) => assert!(
                refused
                    .to_string()
                    .bytes()
                    .all(|byte| (b' '..=b'~').contains(&byte))
            ),
        }
    }
}
