//! Dependencies between our crates must follow the map, in one direction.

use super::Finding;
use crate::{
    members::{self, Member},
    workspace::{Package, Workspace},
};

pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    workspace
        .packages
        .iter()
        .flat_map(|package| match members::find(&package.name) {
            Some(member) => forbidden(package, member),
            None => vec![Finding::new(
                &package.manifest,
                1,
                format!("`{}` is missing from the map of crates", package.name),
                "add it to xtask/src/members.rs with what it may depend on",
            )],
        })
        .collect()
}

fn forbidden(package: &Package, member: &Member) -> Vec<Finding> {
    let allowed = |name: &str, dev: bool| {
        name == member.name
            || member.may_use.contains(&name)
            || (dev && member.tests_may_use.contains(&name))
    };
    package
        .dependencies
        .iter()
        .filter(|dependency| is_ours(&dependency.name))
        .filter(|dependency| !allowed(&dependency.name, dependency.dev))
        .map(|dependency| {
            Finding::new(
                &package.manifest,
                1,
                format!(
                    "`{}` must not depend on `{}`",
                    package.name, dependency.name
                ),
                "move what both need to a lower layer, or pass it in as a value",
            )
        })
        .collect()
}

fn is_ours(name: &str) -> bool {
    name == "pulsewing" || name.starts_with("pulsewing-") || name == "xtask"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn findings(name: &str, dependencies: &[(&str, bool)]) -> Vec<String> {
        let package = Package {
            name: name.to_owned(),
            manifest: "Cargo.toml".into(),
            dependencies: dependencies
                .iter()
                .map(|&(name, dev)| Dependency {
                    name: name.to_owned(),
                    dev,
                })
                .collect(),
            targets: Vec::new(),
        };
        let workspace = Workspace {
            root: ".".into(),
            target_dir: "target".into(),
            packages: vec![package],
        };
        check(&workspace)
            .into_iter()
            .map(|finding| finding.what)
            .collect()
    }

    #[test]
    fn edges_along_the_layers_are_allowed() {
        assert!(findings("pulsewing-screen", &[("pulsewing-core", false)]).is_empty());
        let host = [
            ("pulsewing-core", false),
            ("pulsewing-sandbox", false),
            ("axum", false),
        ];
        assert!(findings("pulsewing", &host).is_empty());
    }

    #[test]
    fn edges_against_the_layers_are_found() {
        for (from, to) in [
            ("pulsewing-core", "pulsewing-screen"),
            ("pulsewing-screen", "pulsewing"),
            ("pulsewing-sandbox", "pulsewing-core"),
            ("pulsewing-device", "pulsewing-sandbox"),
            ("xtask", "pulsewing"),
        ] {
            let expected = format!("`{from}` must not depend on `{to}`");
            assert_eq!(findings(from, &[(to, false)]), [expected]);
        }
    }

    #[test]
    fn tests_may_reach_further_only_where_the_map_says_so() {
        assert!(findings("pulsewing-device", &[("pulsewing-sandbox", true)]).is_empty());
        assert!(findings("pulsewing-core", &[("pulsewing-testkit", true)]).is_empty());
        assert_eq!(
            findings("pulsewing", &[("pulsewing-testkit", false)]).len(),
            1
        );
        assert_eq!(
            findings("pulsewing-sandbox", &[("pulsewing-core", true)]).len(),
            1
        );
    }

    #[test]
    fn a_crate_without_a_place_in_the_map_is_found() {
        assert_eq!(findings("pulsewing-extras", &[]).len(), 1);
    }

    #[test]
    fn the_map_has_no_cycle_and_only_names_itself() {
        // Each crate may use only crates that stand above it in the map.
        for (index, member) in members::MEMBERS.iter().enumerate() {
            for used in member.may_use {
                let above = members::MEMBERS[..index]
                    .iter()
                    .any(|other| other.name == *used);
                assert!(above, "{} -> {used}", member.name);
            }
            for used in member.tests_may_use {
                assert!(members::find(used).is_some(), "{} -> {used}", member.name);
            }
        }
    }
}
