//! `pulsewing fleet subscribe`: has Google notify this fleet of new data.

use std::path::Path;

use pulsewing_files::regular_file;
use pulsewing_webhook::{
    API_ORIGIN, CloudToken, Request, Secret, ServiceAccount, TokenError,
    answer::{self, Accepted, AnswerError, State, Subscriber},
    subscriber::{
        self, Changes, DataTypes, EndpointUri, ProjectNumber, SubscriberError, SubscriberId,
    },
};
use zeroize::Zeroizing;

use crate::{
    app::Household,
    cli::FleetSubscribe,
    commands::print,
    engine::http::cloud::{Asked, Cloud},
    faces::web::NOTIFICATIONS,
    tell::problem::{Exit, Problem},
};

/// The size limit for reading a key file, in bytes.
const MAX_KEY_FILE: u64 = 64 * 1_024;

/// The size limit for an answer, in bytes.
const MAX_ANSWER: usize = 1 << 20;

/// Prints a new secret for the configuration.
pub(super) fn secret() -> Result<(), Problem> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *bytes).map_err(Problem::no_random_numbers)?;
    let secret = Secret::from_random(&bytes);
    print(&format!("{}\n", secret.expose()))
}

pub(super) async fn run(household: &Household, options: &FleetSubscribe) -> Result<(), Problem> {
    let id = SubscriberId::parse(&options.subscriber).map_err(wrong)?;
    let project = project(household, options.project.as_deref())?;
    let account = account(&options.service_account)?;
    let session = Session::begin(household, &account).await?;
    if options.list {
        for subscriber in session.list(&project).await? {
            print(&line_of(&subscriber))?;
        }
        return Ok(());
    }
    if options.remove {
        let deletion = subscriber::delete(&project, &id, true);
        return match session.change(&deletion).await? {
            Ok(_) => print(&format!("Removed {id}: Google notifies it no more.\n")),
            Err(error) => Err(refused(&error)),
        };
    }
    let address = options.endpoint.as_deref().unwrap_or_default();
    let endpoint = EndpointUri::parse(address).map_err(wrong)?;
    if !address.ends_with(NOTIFICATIONS) {
        household.console.warn(&format!("`pulsewing run` answers at {NOTIFICATIONS}, and this address ends otherwise: a proxy must lead there"));
    }
    let secret = household.config.webhook.secret.as_ref().ok_or_else(|| {
        Problem::failed("there is no secret for notifications")
            .hint("make one with `pulsewing fleet secret`, write it as secret under [webhook] into the configuration of every collector, and restart them")
    })?;
    let types = DataTypes::of_heart();
    let creation = subscriber::create(&project, &id, &endpoint, secret, &types);
    let mut accepted = session.change(&creation).await?;
    if accepted == Err(AnswerError::AlreadyExists) {
        let changes = Changes {
            endpoint_uri: Some(&endpoint),
            secret: Some(secret),
            data_types: Some(&types),
        };
        let patch = subscriber::patch(&project, &id, changes);
        accepted = session.change(&patch).await?;
    }
    match accepted.map_err(|error| refused(&error))? {
        Accepted::Done => print(&format!(
            "Subscribed {id}: Google notifies {address} of new heart rates.\n"
        )),
        Accepted::Pending => print(&format!(
            "Google is still at work on {id}; `pulsewing fleet subscribe --list` shows when it is active.\n"
        )),
    }
}

/// A service account's access.
struct Session {
    cloud: Cloud,
    token: CloudToken,
}

impl Session {
    async fn begin(household: &Household, account: &ServiceAccount) -> Result<Self, Problem> {
        let cloud = Cloud::new(&household.config.endpoints)?;
        let now = household.clock.now().utc;
        let request = account.token_request(now).map_err(|error| {
            Problem::failed("the service account cannot be used").caused_by(&error)
        })?;
        let asked = Asked {
            method: "POST",
            url: request.url(),
            authorization: None,
            body: Some(("application/x-www-form-urlencoded", request.body())),
        };
        let (status, body) = cloud.ask(asked, MAX_ANSWER).await?;
        let token = CloudToken::read(status, &body, now).map_err(|error| {
            let exit = match &error {
                TokenError::Temporary { .. } => Exit::Temporary,
                _ => Exit::Failed,
            };
            let problem = Problem::new(exit, "Google gave the service account no access");
            problem
                .caused_by(&error)
                .hint("check that the account's key was not revoked, and this machine's clock")
        })?;
        Ok(Self { cloud, token })
    }

    async fn ask(&self, request: &Request) -> Result<(u16, Zeroizing<Vec<u8>>), Problem> {
        let url = format!("{API_ORIGIN}{}", request.target());
        let authorization = self.token.authorization();
        let asked = Asked {
            method: request.method().name(),
            url: &url,
            authorization: Some(&authorization),
            body: request.body().map(|body| ("application/json", body)),
        };
        self.cloud.ask(asked, MAX_ANSWER).await
    }

    async fn change(&self, request: &Request) -> Result<Result<Accepted, AnswerError>, Problem> {
        let (status, body) = self.ask(request).await?;
        Ok(answer::read_change(status, &body))
    }

    async fn list(&self, project: &ProjectNumber) -> Result<Vec<Subscriber>, Problem> {
        let mut all = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let (status, body) = self
                .ask(&subscriber::list(project, token.as_deref()))
                .await?;
            let page = answer::read_page(status, &body).map_err(|error| refused(&error))?;
            all.extend(page.subscribers);
            match page.next_page_token {
                // The same again would never end.
                Some(next) if token.as_ref() != Some(&next) => token = Some(next),
                _ => return Ok(all),
            }
        }
    }
}

fn line_of(subscriber: &Subscriber) -> String {
    let state = match subscriber.state {
        State::Active => "active",
        State::Unverified => "not verified yet",
        State::Inactive => "stopped by Google; subscribe again",
        _ => "in a state that this program does not know",
    };
    let types = subscriber.data_types.join(", ");
    let line = format!(
        "{}  {state}  {}  {types}",
        subscriber.id, subscriber.endpoint_uri
    );
    format!("{}\n", line.escape_debug())
}

fn account(file: &Path) -> Result<ServiceAccount, Problem> {
    let text = regular_file::read_text(file, MAX_KEY_FILE).map_err(|error| {
        Problem::failed("the service account's key file could not be read").caused_by_file(&error)
    })?;
    let text = Zeroizing::new(text);
    ServiceAccount::from_json(&text).map_err(|error| {
        Problem::failed(format!("{} cannot be used", file.display())).caused_by(&error)
    })
}

/// Returns the project's number: the given one, or that with which Google's client ids begin.
fn project(household: &Household, given: Option<&str>) -> Result<ProjectNumber, Problem> {
    let client = household.config.google.client_id.as_deref();
    let of_client = client.and_then(|id| id.split_once('-').map(|(number, _)| number));
    let number = given.or(of_client).unwrap_or_default();
    ProjectNumber::parse(number)
        .map_err(|error| wrong(error).hint("name the project's number with --project"))
}

fn wrong(error: SubscriberError) -> Problem {
    Problem::new(Exit::Usage, error.to_string())
}

fn refused(error: &AnswerError) -> Problem {
    let exit = match error {
        AnswerError::Temporary { .. } => Exit::Temporary,
        _ => Exit::Failed,
    };
    let problem = Problem::new(exit, error.to_string());
    match error {
        AnswerError::NotVerified => problem.hint(
            "`pulsewing run` must already answer there, with the same secret under [webhook]; a proxy must pass the header Authorization on",
        ),
        _ => problem,
    }
}
