//! OAuth 2.0 as both providers speak it: sign-in with PKCE, refresh, revocation.
//!
//! Requests go out as [`Request`](crate::request::Request) values, replies come in through
//! [`ReplyDecoder`]. Start reading with [`authorize`] for the sign-in, [`token`] for the requests to
//! the token endpoint, and [`ReplyDecoder`] for its answers.

pub mod authorize;
mod error;
mod redirect;
mod reply;
mod scopes;
pub mod token;

pub use error::{ErrorName, NoAnswer, OAuthError};
pub use redirect::{Redirect, RedirectError, Refused};
pub use reply::{Answer, Grant, ReplyDecoder};
pub use scopes::Scopes;
