//! Messages to people, on stderr. Stdout is for data.

use std::io::{self, IsTerminal, Write};

use crate::tell::{log, problem::Problem};

/// The output for messages to people.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Console {
    is_verbose: bool,
    has_colour: bool,
    /// Whether messages go to the log.
    is_logged: bool,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Console {
    /// Builds a console that shows details if `is_verbose` is set.
    pub(crate) fn new(is_verbose: bool, colour: Colour) -> Self {
        let has_colour = match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => {
                io::stderr().is_terminal()
                    && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            }
        };
        Self {
            is_verbose,
            has_colour,
            is_logged: false,
        }
    }

    /// Returns the console for a program that runs unattended: messages become lines of a
    /// [log](mod@crate::tell::log), which this starts.
    pub(crate) fn logged(self) -> Self {
        log::begin(self.is_verbose, self.has_colour);
        Self {
            is_logged: true,
            ..self
        }
    }

    /// Returns the console for a program that uses the whole terminal: only the newest message is
    /// kept.
    pub(crate) fn kept(self) -> (Self, log::Newest) {
        let newest = log::keep_newest();
        let kept = Self {
            is_logged: true,
            ..self
        };
        (kept, newest)
    }

    /// Returns whether to use colours.
    pub(crate) const fn has_colour(&self) -> bool {
        self.has_colour
    }

    /// Prints a message.
    pub(crate) fn say(&self, text: &str) {
        if self.is_logged {
            return tracing::info!("{text}");
        }
        self.line("", "", text);
    }

    /// Prints a warning that a user should look at.
    pub(crate) fn warn(&self, text: &str) {
        if self.is_logged {
            return tracing::warn!("{text}");
        }
        self.line("33", "warning:", text);
    }

    /// Prints a detail, if details are enabled.
    pub(crate) fn detail(&self, text: impl FnOnce() -> String) {
        if self.is_logged {
            return tracing::debug!("{}", text());
        }
        if self.is_verbose {
            self.line("2", "", &text());
        }
    }

    /// Prints a problem, which may or may not end the program.
    pub(crate) fn problem(&self, problem: &Problem) {
        if self.is_logged {
            let hint = problem.hints().join("; ");
            let details = problem.in_detail();
            return tracing::error!(details, hint, "{}", problem.message());
        }
        for line in problem.to_string().lines() {
            match line.split_once(": ") {
                Some(("error", rest)) => self.line("31;1", "error:", rest),
                Some(("hint", rest)) => self.line("36", "hint:", rest),
                _ => self.line("", "", line),
            }
        }
    }

    fn line(&self, colour: &str, label: &str, text: &str) {
        let mut stderr = io::stderr().lock();
        // If stderr is closed, nobody can read this.
        let _ = match (self.has_colour && !colour.is_empty(), label) {
            (false, "") => writeln!(stderr, "{text}"),
            (false, label) => writeln!(stderr, "{label} {text}"),
            (true, "") => writeln!(stderr, "\x1b[{colour}m{text}\x1b[0m"),
            (true, label) => writeln!(stderr, "\x1b[{colour}m{label}\x1b[0m {text}"),
        };
    }
}

/// Writes data to stdout. A reader that has gone away, such as `head`, is not an error.
///
/// # Errors
/// Any other error that the system reports.
pub(crate) fn print(data: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(data.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}
