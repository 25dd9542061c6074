//! The modules ("areas") of the host program must use each other in one direction, as in the table in
//! its root.

use std::path::{Component, Path};

use super::{Finding, tree::Tree};

/// The directory of the areas.
const HOST: &str = "crates/pulsewing/src";

/// The areas from the top to the bottom. An area uses those below it.
const AREAS: [&str; 14] = [
    "commands", "cli", "fleet", "app", "doctor", "service", "faces", "daemon", "sign_in", "board",
    "engine", "custody", "alarms", "config",
];

/// The ground: every area uses it, and it uses no other.
const LOWEST: &str = "tell";

/// Tests may look into any area.
const TESTS: &str = "virtual_time";

pub(super) fn check(root: &Path, tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in &tree.files {
        let inside = path.strip_prefix(root).unwrap_or(path);
        let Some((area, text)) = area_of(inside).zip(text.as_deref()) else {
            continue;
        };
        findings.extend(upward(inside, &area, text));
    }
    findings
}

/// Returns the area of a file; `None` for the root, which knows all of them, and for files elsewhere.
fn area_of(path: &Path) -> Option<String> {
    let inside = path.strip_prefix(HOST).ok()?;
    let first = inside.components().next()?;
    let Component::Normal(name) = first else {
        return None;
    };
    let area = name.to_str()?.trim_end_matches(".rs");
    (!["lib", "main", TESTS].contains(&area)).then(|| area.to_owned())
}

fn upward(path: &Path, area: &str, text: &str) -> Vec<Finding> {
    let Some(depth) = depth(area) else {
        return vec![Finding::new(
            path,
            1,
            format!("`{area}` is not an area of the host program"),
            "move the file into an area, or add the new area in xtask/src/tidy/areas.rs",
        )];
    };
    used(&code(text), levels(path))
        .filter(|(_, used)| self::depth(used).is_some_and(|used| used < depth))
        .map(|(line, used)| {
            Finding::new(
                path,
                line,
                format!("`{area}` must not use `{used}`, which is above it"),
                "move what both need to a lower area, or pass it in as a value",
            )
        })
        .collect()
}

/// Returns the code of a file, line by line: without comments, and without the tests at its end.
fn code(text: &str) -> String {
    let tests = "\n#[cfg(test)]\nmod tests";
    let before_tests = text.split(tests).next().unwrap_or_default();
    let lines = before_tests.lines();
    lines
        .map(|line| without_comment(line).to_owned() + "\n")
        .collect()
}

/// Returns a line up to its comment. Two slashes in a string, as in an address, begin none.
fn without_comment(line: &str) -> &str {
    let begins = line.match_indices("//").map(|(at, _)| at);
    let is_outside = |at: &usize| {
        let before = line.get(..*at).unwrap_or_default();
        (before.matches('"').count() - before.matches("\\\"").count()).is_multiple_of(2)
    };
    let end = begins.into_iter().find(is_outside);
    end.and_then(|end| line.get(..end)).unwrap_or(line)
}

fn depth(area: &str) -> Option<usize> {
    match area {
        LOWEST => Some(AREAS.len()),
        _ => AREAS.iter().position(|known| *known == area),
    }
}

/// Returns how many `super::` lead from a file to the root of the crate.
fn levels(path: &Path) -> usize {
    let inside = path.strip_prefix(HOST).unwrap_or(path);
    let parts = inside.components().count();
    match inside.file_name().is_some_and(|name| name == "mod.rs") {
        true => parts - 1,
        false => parts,
    }
}

/// Returns the places behind `crate::`, and behind as many `super::` as lead to the root.
fn behind_root(code: &str, levels: usize) -> Vec<usize> {
    let way_out = "super::".repeat(levels);
    let by_super = code.match_indices(&way_out).filter(|(at, it)| {
        let (before, behind) = (&code[..*at], &code[at + it.len()..]);
        !before.ends_with("super::") && !behind.starts_with("super::")
    });
    let by_crate = code.match_indices("crate::");
    by_crate
        .chain(by_super)
        .map(|(at, it)| at + it.len())
        .collect()
}

/// Returns the modules of the crate that the code names, each with its line: `crate::a::b` and
/// `crate::{a::b, c}`.
fn used(code: &str, levels: usize) -> impl Iterator<Item = (usize, &str)> {
    behind_root(code, levels)
        .into_iter()
        .flat_map(move |start| {
            let rest = code.get(start..).unwrap_or_default();
            let mut names = Vec::new();
            match rest.strip_prefix('{') {
                None => names.push(rest),
                Some(group) => {
                    let mut depth = 0_u32;
                    let mut is_start = true;
                    for (at, character) in group.char_indices() {
                        match character {
                            '{' => depth += 1,
                            '}' if depth == 0 => break,
                            '}' => depth -= 1,
                            ',' if depth == 0 => is_start = true,
                            _ if is_start && !character.is_whitespace() => {
                                is_start = false;
                                names.push(&group[at..]);
                            }
                            _ => {}
                        }
                    }
                }
            }
            names.into_iter().map(move |name| {
                let end = name.find(|c: char| !c.is_alphanumeric() && c != '_');
                let name = &name[..end.unwrap_or(name.len())];
                // The position of the name itself.
                let at = name.as_ptr() as usize - code.as_ptr() as usize;
                (code[..at].matches('\n').count() + 1, name)
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(file: &str, text: &str) -> Vec<(usize, String)> {
        let path = Path::new(HOST).join(file);
        let area = area_of(&path).unwrap();
        let findings = upward(&path, &area, text).into_iter();
        findings
            .map(|finding| (finding.line, finding.what))
            .collect()
    }

    #[test]
    fn what_lies_below_may_be_used_and_what_lies_above_may_not() {
        let text = "use crate::{\n    sign_in::SignIn,\n    tell::{console::Console, cli},\n    web,\n};\n";
        assert!(findings("daemon/hub.rs", text).is_empty());
        assert_eq!(
            findings("engine/clock.rs", text),
            [(
                2,
                "`engine` must not use `sign_in`, which is above it".to_owned()
            )]
        );
        assert_eq!(
            findings("tell/log.rs", "fn f() { crate::engine::now() }").len(),
            1
        );
    }

    #[test]
    fn an_address_in_a_string_begins_no_comment() {
        let text = "fn f() { at(\"https://a.example\", crate::cli::now()) } // crate::cli";
        assert_eq!(findings("tell/log.rs", text).len(), 1);
        assert_eq!(without_comment("a(\"\\\"//\") // b"), "a(\"\\\"//\") ");
    }

    #[test]
    fn a_way_out_by_super_is_followed() {
        let upward = "use super::{faces, web};\n";
        assert_eq!(findings("daemon/mod.rs", upward).len(), 1);
        assert!(findings("daemon/hub.rs", upward).is_empty());
        assert_eq!(
            findings("daemon/hub.rs", "use super::super::cli;\n").len(),
            1
        );
    }

    #[test]
    fn tests_and_comments_may_name_any_area() {
        let text = "/// [`crate::cli::Cli`]\nfn f() {}\n#[cfg(test)]\nmod tests {\n    use crate::cli;\n}\n";
        assert!(findings("tell/log.rs", text).is_empty());
    }

    #[test]
    fn a_file_without_an_area_is_found() {
        assert_eq!(findings("helpers.rs", "").len(), 1);
        assert_eq!(area_of(Path::new("crates/pulsewing/src/lib.rs")), None);
        assert_eq!(area_of(Path::new("crates/pulsewing-core/src/day.rs")), None);
    }
}
