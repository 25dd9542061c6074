//! A network's password: from a file, a prompt, or stdin; never from the command line, where every
//! program on the machine can read it.

use std::{
    io::{self, IsTerminal, Read},
    path::Path,
};

use pulsewing_files::regular_file;
use zeroize::Zeroizing;

use crate::{
    commands::byte_order_mark,
    tell::problem::{Exit, Problem},
};

/// The limit on the input, in bytes.
const MAX_INPUT: u64 = 4 * 1_024;

/// Reads a password. An empty one means an open network.
pub(super) fn read(ssid: &str, file: Option<&Path>) -> Result<Zeroizing<String>, Problem> {
    let text = match file {
        Some(path) => regular_file::open(path).and_then(all_of).map_err(|error| {
            Problem::failed(format!(
                "the password file {} could not be read",
                path.display()
            ))
            .caused_by(&error)
            .hint("without --wifi-password-file, the password is read from stdin")
        })?,
        None if io::stdin().is_terminal() => {
            let prompt =
                format!("Password for \"{ssid}\" (not shown; leave empty for an open network): ");
            rpassword::prompt_password(prompt)
                .map(Zeroizing::new)
                .map_err(|error| {
                    Problem::failed("the password could not be read").caused_by(&error)
                })?
        }
        None => all_of(io::stdin().lock()).map_err(Problem::stdin)?,
    };
    if text.is_empty() && file.is_none() && !io::stdin().is_terminal() {
        return Err(Problem::new(
            Exit::Usage,
            "expected the network's password on stdin, but got nothing",
        )
        .hint("pass a file with --wifi-password-file; for an open network, send an empty line"));
    }
    let text = byte_order_mark::without_in(&text);
    let password = Zeroizing::new(
        text.strip_suffix('\n')
            .map_or(text, |line| line.strip_suffix('\r').unwrap_or(line))
            .to_owned(),
    );
    check(&password)?;
    Ok(password)
}

fn all_of(input: impl Read) -> io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::with_capacity(MAX_INPUT as usize));
    input.take(MAX_INPUT).read_to_string(&mut text)?;
    Ok(text)
}

/// Checks WPA's limits on a password (IEEE 802.11i, annex H.4).
fn check(password: &str) -> Result<(), Problem> {
    let is_printable = password.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if password.is_empty() || ((8..=63).contains(&password.len()) && is_printable) {
        return Ok(());
    }
    Err(Problem::failed(
        "this is not a Wi-Fi password: it must be 8 to 63 ASCII characters on one line",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_has_8_to_63_characters_or_none() {
        for good in ["", "12345678", "with a blank", &"x".repeat(63)] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in ["1234567", "pässword1", "two\nlines here", &"x".repeat(64)] {
            let message = check(bad).unwrap_err().to_string();
            assert!(!message.contains(bad), "{message}");
        }
    }
}
