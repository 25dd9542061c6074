//! The map of our crates: allowed dependencies, and which crates do without std.
//!
//! `tidy` refuses a crate that is missing here, so that the place of a new one is a deliberate decision.

/// One of our crates and its place in the map.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    /// Built for boards: neither std nor alloc, and no clock of its own.
    pub(crate) no_std: bool,
    /// Our crates that it may depend on.
    pub(crate) may_use: &'static [&'static str],
    /// Our crates that its tests, examples and benches may depend on in addition.
    pub(crate) tests_may_use: &'static [&'static str],
}

/// Every crate that the project has or reserves a place for.
pub(crate) const MEMBERS: &[Member] = &[
    Member {
        name: "pulsewing-core",
        no_std: true,
        may_use: &[],
        tests_may_use: &["pulsewing-testkit"],
    },
    Member {
        name: "pulsewing-store",
        no_std: true,
        may_use: &["pulsewing-core"],
        tests_may_use: &["pulsewing-testkit"],
    },
    Member {
        name: "pulsewing-screen",
        no_std: true,
        may_use: &["pulsewing-core"],
        tests_may_use: &["pulsewing-testkit"],
    },
    Member {
        name: "pulsewing-hx8357",
        no_std: true,
        may_use: &["pulsewing-core"],
        tests_may_use: &["pulsewing-screen", "pulsewing-testkit"],
    },
    Member {
        name: "pulsewing-device",
        no_std: true,
        may_use: &[
            "pulsewing-core",
            "pulsewing-store",
            "pulsewing-screen",
            "pulsewing-hx8357",
        ],
        tests_may_use: &["pulsewing-sandbox", "pulsewing-testkit"],
    },
    // Shares nothing with the core: a misreading of the protocol must not be mirrored by its stand-in.
    Member {
        name: "pulsewing-sandbox",
        no_std: false,
        may_use: &[],
        tests_may_use: &[],
    },
    Member {
        name: "pulsewing-files",
        no_std: false,
        may_use: &[],
        tests_may_use: &[],
    },
    Member {
        name: "pulsewing-history",
        no_std: false,
        may_use: &["pulsewing-core", "pulsewing-files"],
        tests_may_use: &["pulsewing-testkit"],
    },
    // Knows bytes and rows: what a chain or a state means is its caller's, and what a day means the history's.
    Member {
        name: "pulsewing-fleet",
        no_std: false,
        may_use: &["pulsewing-history"],
        tests_may_use: &["pulsewing-core"],
    },
    Member {
        name: "pulsewing-panels",
        no_std: false,
        may_use: &[
            "pulsewing-core",
            "pulsewing-files",
            "pulsewing-hx8357",
            "pulsewing-screen",
        ],
        tests_may_use: &["pulsewing-testkit"],
    },
    // Knows no core: the numbers that it publishes are plain ones.
    Member {
        name: "pulsewing-mqtt",
        no_std: false,
        may_use: &[],
        tests_may_use: &["pulsewing-testkit"],
    },
    Member {
        name: "pulsewing-webhook",
        no_std: false,
        may_use: &[],
        tests_may_use: &["pulsewing-sandbox"],
    },
    Member {
        name: "pulsewing-notify",
        no_std: false,
        may_use: &["pulsewing-core", "pulsewing-files"],
        tests_may_use: &[],
    },
    Member {
        name: "pulsewing-boardline",
        no_std: false,
        may_use: &["pulsewing-core"],
        tests_may_use: &["pulsewing-testkit"],
    },
    Member {
        name: "pulsewing-intake",
        no_std: false,
        may_use: &["pulsewing-core"],
        tests_may_use: &["pulsewing-testkit"],
    },
    // For tests alone: no other member may use it outside of them.
    Member {
        name: "pulsewing-testkit",
        no_std: false,
        may_use: &["pulsewing-core", "pulsewing-screen"],
        tests_may_use: &[],
    },
    Member {
        name: "pulsewing",
        no_std: false,
        may_use: &[
            "pulsewing-boardline",
            "pulsewing-core",
            "pulsewing-files",
            "pulsewing-fleet",
            "pulsewing-history",
            "pulsewing-intake",
            "pulsewing-mqtt",
            "pulsewing-notify",
            "pulsewing-panels",
            "pulsewing-sandbox",
            "pulsewing-screen",
            "pulsewing-webhook",
        ],
        tests_may_use: &["pulsewing-hx8357", "pulsewing-testkit"],
    },
    Member {
        name: "pulsewing-emulated",
        no_std: false,
        may_use: &["pulsewing-boardline", "pulsewing-core", "pulsewing-screen"],
        tests_may_use: &[],
    },
    Member {
        name: "xtask",
        no_std: false,
        may_use: &[],
        tests_may_use: &["pulsewing-store"],
    },
];

impl Member {
    /// Returns whether only tests use it.
    pub(crate) fn is_for_tests_alone(&self) -> bool {
        let others = || MEMBERS.iter();
        others().any(|other| other.tests_may_use.contains(&self.name))
            && !others().any(|other| other.may_use.contains(&self.name))
    }
}

/// Finds one of our crates by its name.
pub(crate) fn find(name: &str) -> Option<&'static Member> {
    MEMBERS.iter().find(|member| member.name == name)
}
