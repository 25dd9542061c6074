//! The description of the API, as an OpenAPI 3.1 document.
//!
//! `assets/openapi.json` is written by hand. It cannot drift: a test here fails if a route is missing in it,
//! or if it has one that does not exist; and `cargo xtask numbers` compares it with the replies of a
//! running daemon, where a field too many fails as well as one too few.

use axum::{
    http::header,
    response::{IntoResponse, Response},
};

/// The path of the document.
pub(super) const PATH: &str = "/api/v1/openapi.json";

const DOCUMENT: &str = include_str!("assets/openapi.json");

/// Serves the document.
pub(super) async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use axum::Router;
    use serde_json::Value;

    use super::{
        super::{Shared, router},
        *,
    };
    use crate::{daemon::Members, engine::clock::Clock};

    fn site() -> Shared {
        super::super::empty_site(Clock::system(), Members::default())
    }

    /// Returns the methods and paths of the API's routes. axum does not list them, except in its debug output:
    /// there each route has a number, which first comes with its methods and later with its path.
    fn routes(router: &Router) -> BTreeSet<(String, String)> {
        let text = format!("{router:?}");
        let mut routes = BTreeSet::new();
        let numbered = || text.split("RouteId(").skip(1);
        for part in numbered() {
            let Some((number, path)) = part.split_once("): \"") else {
                continue;
            };
            let path = path.split('"').next().unwrap();
            if !path.starts_with("/api/") {
                continue;
            }
            let methods = numbered()
                .find_map(|part| part.strip_prefix(&format!("{number}): MethodRouter(")))
                .unwrap();
            for method in ["get", "post", "put", "patch", "delete"] {
                let none = format!("{method}: None");
                assert!(methods.contains(&format!("{method}: ")), "{methods}");
                if !methods.contains(&none) {
                    routes.insert((method.to_owned(), path.to_owned()));
                }
            }
        }
        assert!(
            routes.len() > 5,
            "axum prints its routes in another way: {text}"
        );
        routes
    }

    fn documented() -> BTreeSet<(String, String)> {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        let paths = document["paths"].as_object().unwrap().iter();
        paths
            .flat_map(|(path, item)| {
                let methods = item.as_object().unwrap().keys();
                let methods = methods.filter(|key| *key != "parameters");
                methods.map(|method| (method.clone(), path.clone()))
            })
            .collect()
    }

    #[test]
    fn every_route_is_in_the_document_and_nothing_else() {
        assert_eq!(documented(), routes(&router(site())));
    }

    /// A fleet's page has no calls about an only wearer.
    #[cfg(feature = "fleet")]
    #[test]
    fn every_route_of_a_fleet_is_in_the_document() {
        let routes = routes(&super::super::fleet::router(site()));
        let missing: Vec<_> = routes.difference(&documented()).cloned().collect();
        assert_eq!(missing, []);
    }
}
