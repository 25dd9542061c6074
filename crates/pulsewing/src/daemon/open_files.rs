//! The limit on open files: the lock and the history of each wearer stay open.

/// The number of files that the daemon keeps open for each wearer: the lock, and the three of the
/// history; with room for one connection.
const FOR_EACH: u64 = 5;

/// The number of other open files, connections to the page included.
const OTHERS: u64 = 320;

/// The limit to ask for: enough for two thousand wearers. macOS allows no more.
#[cfg(unix)]
const WANTED: u64 = 10_240;

/// Raises this process's limit, as far as the system lets it. Returns a warning if that is too
/// little for this many wearers.
#[cfg(unix)]
pub(crate) fn prepare(wearers: usize) -> Option<String> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = maximum.map_or(WANTED, |maximum| maximum.min(WANTED));
    let limit = Rlimit {
        current: Some(raised),
        maximum,
    };
    let allowed = match current {
        Some(current) if current < raised && setrlimit(Resource::Nofile, limit).is_ok() => {
            Some(raised)
        }
        unchanged => unchanged,
    };
    warning(allowed?, wearers)
}

/// This system has no such limit.
#[cfg(not(unix))]
pub(crate) fn prepare(_: usize) -> Option<String> {
    None
}

#[cfg_attr(
    not(unix),
    expect(dead_code, reason = "for the systems that have the limit")
)]
fn warning(allowed: u64, wearers: usize) -> Option<String> {
    let needed = u64::try_from(wearers)
        .unwrap_or(u64::MAX)
        .saturating_mul(FOR_EACH)
        .saturating_add(OTHERS);
    (allowed < needed).then(|| {
        format!("this system lets Pulsewing open {allowed} files at a time, and {wearers} wearers may need {needed}, so some updates may fail; raise the hard limit, such as with `ulimit -Hn` or systemd's LimitNOFILE")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_household_is_never_warned_and_a_crowd_with_too_few_files_is() {
        assert_eq!(warning(1_024, 100), None);
        assert!(warning(1_024, 200).unwrap().contains("1320"));
    }
}
