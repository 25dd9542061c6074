//! Errors, as they are reported to a person.
//!
//! Each library error becomes a [`Problem`] in exactly one place. That place also chooses the
//! words: what happened, what it means, what to do next.

use std::{error::Error, fmt, io};

use pulsewing_core::{
    Provider,
    cycle::{Consent, Failure, FailureKind, Reason, StoreTrouble},
    oauth::{NoAnswer, OAuthError},
};
use pulsewing_files::regular_file::Unfit;

use super::failure_words;

/// The ways in which the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Something is wrong with the program, the machine or the configuration.
    Failed,
    /// The command line is wrong.
    Usage,
    /// A user has to sign in.
    ConsentNeeded,
    /// The service has been switched off.
    Gone,
    /// It may work later.
    Temporary,
    /// It was interrupted by a request to stop.
    Interrupted,
}

impl Exit {
    /// Returns the exit code.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::ConsentNeeded => 3,
            Self::Gone => 4,
            Self::Temporary => 5,
            // The value that a shell reports for a program ended by Ctrl-C.
            Self::Interrupted => 130,
        }
    }
}

/// A failure with its causes, and the suggested next steps. Prints as `error:`, `caused by:`,
/// `details:` and `hint:` lines.
#[derive(Debug)]
#[must_use]
pub(crate) struct Problem {
    exit: Exit,
    message: String,
    causes: Vec<String>,
    details: Option<String>,
    hints: Vec<String>,
}

impl Problem {
    /// Builds a problem that ends the program with this exit code.
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            causes: Vec::new(),
            details: None,
            hints: Vec::new(),
        }
    }

    /// Builds a problem with the program, the machine or the configuration.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    /// Builds the problem of a machine that gives no random numbers.
    pub(crate) fn no_random_numbers(error: getrandom::Error) -> Self {
        Self::failed("the machine cannot provide random numbers")
            .caused_by(&io::Error::other(error.to_string()))
    }

    /// Builds the problem of an input that cannot be read.
    pub(crate) fn stdin(error: io::Error) -> Self {
        Self::failed("stdin could not be read").caused_by(&error)
    }

    /// Marks the problem as temporary.
    pub(crate) fn may_pass(mut self) -> Self {
        self.exit = Exit::Temporary;
        self
    }

    /// Adds an error and its causes.
    pub(crate) fn caused_by(mut self, error: &(dyn Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let text = error.to_string();
            // Many errors repeat their source in their own message.
            if self.causes.last().is_none_or(|last| !last.contains(&text)) {
                self.causes.push(text);
            }
            next = error.source();
        }
        self
    }

    /// Adds the file system's error for one of our files. If something else is in the file's place,
    /// moving it away becomes the only hint.
    pub(crate) fn caused_by_file(self, error: &io::Error) -> Self {
        let unfit = error.get_ref().and_then(|inner| inner.downcast_ref());
        let problem = self.caused_by(error);
        match unfit {
            Some(Unfit::NoFile { path, what }) => Self {
                hints: vec![format!(
                    "move {} out of the way: it is {what}, but pulsewing keeps a file there",
                    path.display()
                )],
                ..problem
            },
            _ => problem,
        }
    }

    /// Adds the same in technical terms, for a person who looks for the reason.
    pub(crate) fn details(mut self, details: impl Into<String>) -> Self {
        self.details = Some(details.into());
        self
    }

    /// Adds a cause in words.
    pub(crate) fn because(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Adds a hint for the next step.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Returns how the program ends.
    pub(crate) const fn exit(&self) -> Exit {
        self.exit
    }

    /// Returns the message, one sentence.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Returns the same in technical terms, if they differ.
    pub(crate) fn technical(&self) -> Option<&str> {
        self.details.as_deref()
    }

    /// Returns the technical terms with the causes, for a place that has one line for both.
    pub(crate) fn in_detail(&self) -> Option<String> {
        let parts = self.details.iter().chain(&self.causes);
        let line = parts.map(String::as_str).collect::<Vec<_>>().join(": ");
        (!line.is_empty()).then_some(line)
    }

    /// Returns the causes, the nearest one first.
    pub(crate) fn causes(&self) -> &[String] {
        &self.causes
    }

    /// Names the wearer in the commands of the hints, for one of several wearers.
    pub(crate) fn for_wearer(mut self, id: &str) -> Self {
        for hint in &mut self.hints {
            *hint = command_for(hint, id);
        }
        self
    }

    /// Returns the hints.
    pub(crate) fn hints(&self) -> &[String] {
        &self.hints
    }

    /// Builds the problem for the failure of a cycle.
    pub(crate) fn from_failure(failure: Failure, provider: Provider) -> Self {
        let exit = match failure.kind() {
            FailureKind::Failed => Exit::Failed,
            FailureKind::ConsentNeeded => Exit::ConsentNeeded,
            FailureKind::Gone => Exit::Gone,
            FailureKind::Temporary => Exit::Temporary,
        };
        let (what, details) = (failure_words::what(failure, provider), failure.to_string());
        let mut problem = Self::new(exit, what);
        if problem.message != details {
            problem = problem.details(details);
        }
        let problem = match hint_for(failure, provider) {
            Some(hint) => problem.hint(hint),
            None => problem,
        };
        match failure {
            Failure::OAuth(error) if error.is_final() => problem.hint(
                "until then Pulsewing does not try again on its own; an update that you start, such as `pulsewing once`, tries right away",
            ),
            _ => problem,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.message)?;
        for cause in &self.causes {
            writeln!(f, "caused by: {cause}")?;
        }
        if let Some(details) = &self.details {
            writeln!(f, "details: {details}")?;
        }
        if !self.hints.is_empty() {
            writeln!(f)?;
        }
        for hint in &self.hints {
            writeln!(f, "hint: {hint}")?;
        }
        Ok(())
    }
}

impl Error for Problem {}

/// Names a wearer in the commands of a text that are about one wearer, unless it is named already.
pub(crate) fn command_for(text: &str, id: &str) -> String {
    const COMMANDS: [&str; 8] = [
        "pulsewing adopt",
        "pulsewing board",
        "pulsewing export",
        "pulsewing import",
        "pulsewing login",
        "pulsewing logout",
        "pulsewing once",
        "pulsewing status",
    ];
    if text.contains("--wearer") {
        return text.to_owned();
    }
    COMMANDS.iter().fold(text.to_owned(), |text, command| {
        text.replace(command, &format!("{command} --wearer {id}"))
    })
}

fn hint_for(failure: Failure, provider: Provider) -> Option<String> {
    let login = format!("pulsewing login --provider {}", provider.name());
    Some(match failure {
        Failure::NoChain => format!("sign in with `{login}`; `pulsewing demo` needs no account"),
        Failure::ForeignChain => format!(
            "sign in with `{login}`, or set the provider, address and client of the stored sign-in in the configuration (`pulsewing status` shows them)"
        ),
        Failure::ChainMoved => format!(
            "the board refreshes it from now on; to use this machine too, sign in again with `{login}`"
        ),
        Failure::Store(trouble) => hint_on_store(trouble, &login),
        Failure::IntentNotStored => {
            "free up disk space, or make the state directory writable, then try again; the sign-in is safe".into()
        }
        Failure::TokensNotStored => {
            "free up disk space and run pulsewing again right away: for two minutes after a refresh, the provider repeats the same tokens".into()
        }
        Failure::ConsentNeeded(consent) => hint_on_consent(consent, &login),
        Failure::OAuth(error) => advice_on(error, provider),
        Failure::Gone => {
            "Fitbit's Web API was switched off on 2 November 2026; the same data is in Google Health: `pulsewing login --provider google` (docs/accounts.md shows how)".into()
        }
        Failure::Unauthorized => format!(
            "Pulsewing tries again later; if this keeps happening, sign in again with `{login}`"
        ),
        Failure::Rejected { reason, .. } => hint_on_rejection(reason, &login),
        Failure::NoAnswer { cause, .. } => hint_on_no_answer(cause, &login),
        Failure::OutOfTime => ONCE_IT_ANSWERS.into(),
        Failure::RateLimited { .. } => return None,
    })
}

const ONCE_IT_ANSWERS: &str = "nothing is lost; it works again once the service answers";

fn hint_on_store(trouble: StoreTrouble, login: &str) -> String {
    match trouble {
        StoreTrouble::Busy => {
            "wait until the other process has finished, then try again".into()
        }
        StoreTrouble::Newer(_) => {
            "use the newer pulsewing; nothing was changed".into()
        }
        StoreTrouble::Damaged => format!("sign in again with `{login}`"),
        StoreTrouble::Io => {
            "check who can read and write the state directory and its files; `pulsewing doctor` shows where it is".into()
        }
    }
}

fn hint_on_consent(consent: Consent, login: &str) -> String {
    match consent {
        Consent::AccountNotLinked => format!(
            "set up Google Health (or the Fitbit app) with this account at https://fitbit.google.com/auth/signup, or sign in with the account that wears the tracker: `{login}`"
        ),
        Consent::ResourcePermissionDenied => format!(
            "remove the app at https://myaccount.google.com/connections, then sign in again with `{login}`"
        ),
        Consent::HeartRateScopeMissing => {
            format!("sign in again with `{login}` and keep the heart rate box ticked")
        }
        Consent::Refused => format!("sign in again with `{login}`"),
    }
}

fn hint_on_rejection(reason: Reason, login: &str) -> String {
    match reason {
        Reason::ServiceDisabled => "enable the Google Health API in the Google Cloud project of your OAuth client: https://console.cloud.google.com/apis/library/health.googleapis.com".into(),
        Reason::ProjectGone => "check at https://console.cloud.google.com/cloud-resource-manager whether the project can be restored; if not, create a new one with an OAuth client (docs/accounts.md) and sign in with it: `pulsewing login --client-json FILE`".into(),
        Reason::IntradayNotAllowed => "set the app's type to Personal at https://dev.fitbit.com/apps: only Personal apps may read minutes".into(),
        Reason::PermissionDenied => format!(
            "sign in with the Google account that wears the tracker (`{login}`); an old Fitbit account must first be moved to Google in the Fitbit app"
        ),
        Reason::Other => {
            "nothing is lost; check [endpoints] in the configuration. `pulsewing -v once` shows each request; if they look right, please report this".into()
        }
    }
}

fn hint_on_no_answer(cause: NoAnswer, login: &str) -> String {
    match cause {
        NoAnswer::UnfitToken => format!(
            "Pulsewing accepts refresh tokens of up to 512 bytes: if this keeps happening, report it, and sign in again (`{login}`) once it is fixed"
        ),
        NoAnswer::NoRefreshToken => "in this dialect every refresh must return a refresh token: if a gateway answers, make it return one, even if it is the old one; the sign-in is kept, and the same token is sent again".into(),
        _ if cause.is_login_page() => {
            "open a web page in a browser on this network: if a login page appears instead, sign in there, and updates resume on their own; nothing is lost. If the address comes from [endpoints] in the configuration, check that it is the provider's or a gateway's".into()
        }
        NoAnswer::Foreign(_) => "check whether this network has a login page of its own, or whether a proxy or firewall blocks the service; nothing is lost, and Pulsewing keeps trying".into(),
        NoAnswer::Redirected(_) => "if the address comes from [endpoints] in the configuration, use the one it redirects to; if not, check whether this network has a login page of its own".into(),
        NoAnswer::Named { .. } => format!(
            "nothing is lost, and Pulsewing tries again less and less often; if this keeps happening, sign in again with `{login}`"
        ),
        _ => ONCE_IT_ANSWERS.into(),
    }
}

/// Returns the advice on an error of the token endpoint.
pub(crate) fn advice_on(error: OAuthError, provider: Provider) -> String {
    let login = format!("pulsewing login --provider {}", provider.name());
    match error {
        OAuthError::InvalidClient | OAuthError::UnauthorizedClient => format!(
            "the client id or secret is wrong: check [{}] in the configuration, or sign in again with `{login}`",
            provider.name()
        ),
        OAuthError::DeletedClient => format!(
            "the OAuth client was deleted: restore it within 30 days at https://console.cloud.google.com/auth/clients, or create a new one (docs/accounts.md); then sign in again with `{login}`"
        ),
        OAuthError::DisabledClient => format!(
            "the OAuth client was disabled: see why at https://console.cloud.google.com/auth/clients, or create a new one (docs/accounts.md); then sign in again with `{login}`"
        ),
        OAuthError::PolicyEnforced => format!(
            "this account's protection (such as Google's Advanced Protection) does not allow the app: sign in with another account, `{login}`"
        ),
        OAuthError::AdminPolicyEnforced => format!(
            "the administrator of this account does not allow the app: ask them to allow it, or sign in with a private account, `{login}`"
        ),
        OAuthError::OrgInternal => format!(
            "the OAuth client only accepts accounts of one organisation: sign in with one of those, or set the audience to External at https://console.cloud.google.com/auth/audience; then `{login}`"
        ),
        OAuthError::AccessDenied => format!(
            "sign in again with `{login}` and allow access to heart rate; while the OAuth client is in \"Testing\", this account must be on its list of test users"
        ),
        OAuthError::InvalidGrant
        | OAuthError::InvalidRequest
        | OAuthError::RedirectUriMismatch
        | OAuthError::UnsupportedGrantType
        | OAuthError::InvalidScope => format!("sign in again with `{login}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_what_why_and_what_next() {
        let cause = io::Error::other("no space left on device");
        let problem = Problem::failed("the chain could not be written")
            .caused_by(&cause)
            .details("ENOSPC")
            .hint("free up disk space");
        assert_eq!(
            problem.to_string(),
            "error: the chain could not be written\ncaused by: no space left on device\ndetails: ENOSPC\n\nhint: free up disk space\n"
        );
    }

    #[test]
    fn the_technical_word_has_a_line_of_its_own() {
        let refused =
            Problem::from_failure(Failure::ConsentNeeded(Consent::Refused), Provider::Google);
        let said = refused.to_string();
        assert!(
            said.starts_with("error: Google Health no longer accepts this sign-in\ndetails: "),
            "{said}"
        );
        assert!(said.contains("(invalid_grant)\n"), "{said}");
    }

    #[test]
    fn a_410_shows_the_way_to_google() {
        let problem = Problem::from_failure(Failure::Gone, Provider::Fitbit);
        assert_eq!(problem.exit().code(), 4);
        assert!(
            problem
                .to_string()
                .contains("pulsewing login --provider google")
        );
    }
}
