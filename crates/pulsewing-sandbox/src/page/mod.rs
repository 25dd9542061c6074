//! The page at `/`: the sandbox's state and controls, for developers of clients.
//!
//! It is plain HTML with forms. It has no script, shows no token, and loads nothing from elsewhere.

mod change;
mod view;

use std::net::IpAddr;

use hyper::{Method, StatusCode};

use crate::{
    message::{Reply, Request},
    oauth::document,
    state::Shared,
    visitor,
};

/// The path of the page.
pub(crate) const PATH: &str = "/";

/// Answers with the page, or executes one of its forms and redirects back to it.
pub(crate) fn answer(request: &Request, peer: IpAddr, shared: &Shared) -> Reply {
    if let Some(reason) = visitor::refusal(request, peer, &shared.tls_names) {
        let body = format!("<p>The page is not shown: {reason}.</p>");
        return Reply::html(StatusCode::FORBIDDEN, document("Pulsewing sandbox", &body));
    }
    let reply = match request.method {
        Method::GET | Method::HEAD => shown(StatusCode::OK, request, shared, None),
        Method::POST => match change::apply(&request.form(), shared) {
            Ok(()) => {
                let mut reply = Reply::found(PATH.to_owned());
                reply.status = StatusCode::SEE_OTHER;
                reply
            }
            Err(problem) => shown(StatusCode::BAD_REQUEST, request, shared, Some(&problem)),
        },
        _ => Reply::empty(StatusCode::METHOD_NOT_ALLOWED).with_header("Allow", "GET, POST"),
    };
    reply.with_header("Cache-Control", "no-store")
}

fn shown(status: StatusCode, request: &Request, shared: &Shared, problem: Option<&str>) -> Reply {
    let every = request
        .query_params()
        .get("every")
        .and_then(|text| text.parse().ok());
    let every = every.filter(|seconds| (1..=3600).contains(seconds));
    Reply::html(status, view::page(shared, problem, every))
        // A second line of defence for text that clients put into paths.
        .with_header(
            "Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'self'; \
             frame-ancestors 'none'; base-uri 'none'",
        )
        .with_header("X-Content-Type-Options", "nosniff")
        .with_header("Referrer-Policy", "same-origin")
}
