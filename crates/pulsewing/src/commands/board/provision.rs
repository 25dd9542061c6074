//! `board provision`: sets up a board.

use std::{
    net::Ipv4Addr,
    path::Path,
    time::{Duration, Instant},
};

use embedded_graphics::geometry::Size;
use pulsewing_files::regular_file;
use pulsewing_panels::wallpaper;
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use zeroize::Zeroizing;

use super::{
    open, password,
    progress::Progress,
    settings::{self, Setting},
};
use crate::{
    app::App,
    board::{
        self, Command, Session,
        handover::{self, Handover},
        session::PATIENCE,
        upload::What,
    },
    cli::Provision,
    engine::http::MAX_PEM,
    tell::problem::{Exit, Problem},
};

/// The size of every supported board's screen.
const SCREEN: Size = Size::new(480, 320);

/// The limit on a board's certificates, in bytes.
const MAX_ROOTS: usize = 8 * 1_024;

/// The time for a board to join a network before we report a problem.
const JOIN_WITHIN: Duration = Duration::from_secs(45);

/// The interval between questions to the board.
const LOOK_EVERY: Duration = Duration::from_secs(1);

pub(super) async fn run(
    app: &App,
    port: Option<&Path>,
    options: &Provision,
) -> Result<(), Problem> {
    // Check everything that can fail on this machine before we touch the board.
    let plan = Plan::new(app, options)?;
    let mut board = open(app, port).await?;
    let is_settled = board.is_settled;
    let session = &mut board.session;
    app.console.say(&format!(
        "Setting up {} {} at {}.",
        board.status.board(),
        board.status.serial(),
        session.path().display()
    ));
    set(app, session, &plan.settings)?;
    if let Some((ssid, password)) = &plan.network {
        add_network(app, session, ssid, password)?;
    }
    if let Some(bytes) = &plan.picture {
        upload(app, session, What::Wallpaper, "wallpaper", bytes)?;
    }
    if let Some(bytes) = &plan.roots {
        upload(app, session, What::Roots, "certificates", bytes)?;
        // The board applies them at a restart.
        board::explained(session.resync(PATIENCE), session)?;
    }
    if let Some(how) = plan.handover {
        if !is_settled {
            return Err(Problem::failed(
                "this machine's sign-in is already being moved to a board",
            ));
        }
        let (files, now) = (app.chain_file(), app.now());
        handover::hand_over(files, session, how, options.replace, now, app.console).await?;
    }
    if let Some((ssid, _)) = &plan.network {
        wait_for_network(app, session, ssid)?;
    }
    app.console
        .say("`pulsewing board status` shows how the board is doing.");
    Ok(())
}

/// What a board is to get.
struct Plan<'o> {
    settings: Vec<Setting>,
    roots: Option<Vec<u8>>,
    picture: Option<Vec<u8>>,
    network: Option<(&'o str, Zeroizing<String>)>,
    handover: Option<Handover>,
}

impl<'o> Plan<'o> {
    fn new(app: &App, options: &'o Provision) -> Result<Self, Problem> {
        let settings = settings::plan(app, options)?;
        let roots = app.config.endpoints.ca_file.as_deref();
        let roots = roots.map(certificates).transpose()?;
        let picture = options.wallpaper.as_deref();
        let picture = picture
            .or(app.config.screen.wallpaper.as_deref())
            .map(wallpaper_bytes)
            .transpose()?;
        let network = match &options.wifi {
            Some(ssid) => {
                check_ssid(ssid)?;
                let password = password::read(ssid, options.wifi_password_file.as_deref())?;
                Some((ssid.as_str(), password))
            }
            None => None,
        };
        let handover = match (options.move_chain, options.copy_chain) {
            (true, _) => Some(Handover::Move),
            (_, true) => Some(Handover::Copy),
            (false, false) => None,
        };
        Ok(Self {
            settings,
            roots,
            picture,
            network,
            handover,
        })
    }
}

/// Adds a network, and reads it back from the board.
fn add_network(
    app: &App,
    session: &mut Session,
    ssid: &str,
    password: &str,
) -> Result<(), Problem> {
    let command = Command::new("wifi add").word(ssid).secret(password);
    let added = session
        .ask(&command)
        .and_then(|_| session.ask(&Command::new("wifi")));
    let known = board::explained(added, session)?;
    if !known.iter().any(|line| settings::unquoted(line) == ssid) {
        app.console
            .warn("the board does not list the network that was just added");
    }
    app.console.say(&format!("network: {ssid}"));
    Ok(())
}

/// Makes settings, and reads them back from the board.
fn set(app: &App, session: &mut Session, settings: &[Setting]) -> Result<(), Problem> {
    let rates = settings
        .iter()
        .filter(|setting| settings::RATES.contains(&setting.name.as_str()));
    if rates.clone().count() > 1 {
        // A board checks each limit against the others: those from before must not stand in the way.
        for Setting { name, .. } in rates {
            let command = Command::new("unset").word(name);
            board::explained(session.ask(&command), session)?;
        }
    }
    for Setting { name, value } in settings {
        let command = if value.is_empty() {
            Command::new("unset").word(name)
        } else {
            Command::new("set").word(name).word(value)
        };
        board::explained(session.ask(&command), session).map_err(|problem| {
            problem.hint(format!(
                "this was the setting {name} with the value \"{value}\""
            ))
        })?;
    }
    let lines = board::explained(session.ask(&Command::new("set")), session)?;
    let listed = settings::listed(&lines);
    for Setting { name, value } in settings {
        let found = listed.iter().find(|setting| setting.name == *name);
        let held = found.map_or("", |setting| setting.value.as_str());
        if value.is_empty() {
            app.console.say(&format!(
                "{name}: back to {}",
                if held.is_empty() { "none" } else { held }
            ));
        } else if held == value || held == "(set)" {
            app.console.say(&format!("{name}: {held}"));
        } else {
            app.console.warn(&format!(
                "{name} was set to \"{value}\", but the board reports \"{held}\""
            ));
        }
    }
    Ok(())
}

fn upload(
    app: &App,
    session: &mut Session,
    what: What,
    title: &'static str,
    bytes: &[u8],
) -> Result<(), Problem> {
    let progress = Progress::new(title, bytes.len(), app.console);
    let sent = session.upload(what, bytes, |done| progress.show(done), |_| false);
    board::explained(sent, session)
        .map(drop)
        .map_err(|problem| problem.hint(format!("the {title} did not reach the board")))
}

/// Waits until the board has an address, and reports its status if that takes long.
fn wait_for_network(app: &App, session: &mut Session, ssid: &str) -> Result<(), Problem> {
    app.console
        .say("Waiting for the board to join the network …");
    let until = Instant::now() + JOIN_WITHIN;
    loop {
        let status = board::explained(session.status(), session)?;
        let address = status.get("address").unwrap_or_default();
        let address = address.split(['/', ' ']).next().unwrap_or_default();
        if address
            .parse::<Ipv4Addr>()
            .is_ok_and(|address| !address.is_unspecified())
        {
            app.console
                .say(&format!("The board is on the network at {address}."));
            return Ok(());
        }
        if Instant::now() >= until {
            app.console.warn(&format!(
                "the board has not joined \"{ssid}\" yet; it keeps trying. It reports: network {}{}",
                status.get("network").unwrap_or("unknown"),
                status
                    .get("failure")
                    .map_or_else(String::new, |failure| format!(", {failure}"))
            ));
            return Ok(());
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "a board tells nobody: it is asked"
        )]
        std::thread::sleep(LOOK_EVERY);
    }
}

fn check_ssid(ssid: &str) -> Result<(), Problem> {
    if (1..=32).contains(&ssid.len()) && !ssid.chars().any(char::is_control) {
        return Ok(());
    }
    Err(Problem::new(
        Exit::Usage,
        "a network name must have 1 to 32 bytes and no control characters",
    ))
}

/// Returns only the certificates of a PEM file, without other contents.
fn certificates(path: &Path) -> Result<Vec<u8>, Problem> {
    let refuse =
        |why: String| Problem::failed(format!("[endpoints] ca_file {} {why}", path.display()));
    let text = regular_file::read_text(path, MAX_PEM)
        .map_err(|error| refuse("could not be read".into()).caused_by(&error))?;
    let pem = only_certificates(&text);
    if pem.is_empty() {
        return Err(refuse("contains no certificate (PEM)".into()));
    }
    if pem.len() > MAX_ROOTS {
        return Err(refuse(format!(
            "contains {} bytes of certificates, and a board has room for {MAX_ROOTS}",
            pem.len()
        ))
        .hint("keep only the certificates that the servers in [endpoints] need"));
    }
    let mut readable = RootCertStore::empty();
    for (index, certificate) in CertificateDer::pem_slice_iter(pem.as_bytes()).enumerate() {
        // A board would ignore it, and report that only in its own log.
        let unreadable = || {
            refuse(format!(
                "has no valid certificate at position {}",
                index + 1
            ))
        };
        let certificate = certificate.map_err(|error| unreadable().caused_by(&error))?;
        let added = readable.add(certificate);
        added.map_err(|error| unreadable().caused_by(&error))?;
    }
    Ok(pem.into_bytes())
}

fn only_certificates(text: &str) -> String {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    text.split(BEGIN)
        .skip(1)
        .filter_map(|rest| rest.split_once(END))
        .map(|(body, _)| format!("{BEGIN}{body}{END}\n"))
        .collect()
}

fn wallpaper_bytes(path: &Path) -> Result<Vec<u8>, Problem> {
    wallpaper::convert(path, SCREEN).map_err(|error| {
        Problem::failed(format!(
            "{} cannot be used as the wallpaper",
            path.display()
        ))
        .caused_by(&error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_pem_file_only_the_certificates_leave_this_machine() {
        let text = "our CA\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----\n-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----";
        assert_eq!(
            only_certificates(text),
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nBBBB\n-----END CERTIFICATE-----\n"
        );
        assert_eq!(only_certificates("hush"), "");
    }

    #[test]
    fn a_network_has_a_name() {
        assert!(check_ssid("Blue Bird").is_ok());
        for bad in ["", "a\nb", &"x".repeat(33)] {
            assert!(check_ssid(bad).is_err(), "{bad}");
        }
    }
}
