//! Links in Markdown files must have a target: a file in the checkout and, if one is named, a heading.
//! Addresses on the network are not followed.

use std::path::{Component, Path, PathBuf};

use super::{Finding, tree::Tree};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, text) in tree.with_extension("md") {
        for (line, link) in links(text) {
            if let Some(what) = dead(&link, file, tree) {
                let remedy = "fix the link, or add its target";
                findings.push(Finding::new(file, line, what, remedy));
            }
        }
    }
    findings
}

/// Returns the reason that a link is dead, or nothing if it has a target.
fn dead(link: &str, file: &Path, tree: &Tree) -> Option<String> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (path, heading) = link.split_once('#').unwrap_or((link, ""));
    let target = if path.is_empty() {
        file.to_owned()
    } else {
        resolve(file, path)
    };
    let is_dir = || tree.files.keys().any(|known| known.starts_with(&target));
    let Some(text) = tree.files.get(&target) else {
        return (!is_dir()).then(|| format!("`{path}` does not exist in the checkout"));
    };
    let known = |text: &str| headings(text).any(|slug| slug == heading);
    match text.as_deref() {
        Some(text) if !heading.is_empty() && !known(text) => {
            Some(format!("`{link}` points to a heading that does not exist"))
        }
        _ => None,
    }
}

fn resolve(file: &Path, link: &str) -> PathBuf {
    let mut path = file.parent().unwrap_or_else(|| Path::new("")).to_owned();
    for part in Path::new(link).components() {
        match part {
            Component::ParentDir => {
                path.pop();
            }
            Component::Normal(name) => path.push(name),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    path
}

/// Returns the targets of inline links, images and reference definitions, with their lines.
fn links(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (line, text) in prose(text) {
        let text = without_inline_code(text);
        let mut rest = text.as_str();
        while let Some((_, after)) = rest.split_once("](") {
            let target = after.split([')', ' ']).next().unwrap_or_default();
            found.push((line, target.trim_matches(['<', '>']).to_owned()));
            rest = after;
        }
        if text.trim_start().starts_with('[')
            && let Some((_, target)) = text.split_once("]: ")
        {
            let target = target.split_whitespace().next().unwrap_or_default();
            found.push((line, target.trim_matches(['<', '>']).to_owned()));
        }
    }
    found
}

/// Returns the lines outside fenced code, counted from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((index + 1, line))
    })
}

fn without_inline_code(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

/// Returns the anchors that hosting sites give to headings: lower case, hyphens for blanks, no
/// punctuation.
fn headings(text: &str) -> impl Iterator<Item = String> {
    prose(text)
        .filter(|(_, line)| line.starts_with('#'))
        .map(|(_, line)| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(readme: &str) -> Vec<(usize, String)> {
        let guide = "# A guide\n## What `x` does, and why\n```\n# no heading\n```\n";
        let tree = Tree {
            files: [
                ("/r/README.md", Some(readme)),
                ("/r/docs/guide.md", Some(guide)),
                ("/r/docs/picture.png", None),
            ]
            .into_iter()
            .map(|(path, text)| (PathBuf::from(path), text.map(str::to_owned)))
            .collect(),
        };
        check(&tree)
            .into_iter()
            .map(|finding| (finding.line, finding.what))
            .collect()
    }

    #[test]
    fn links_to_files_headings_and_directories_of_the_checkout_are_fine() {
        let readme = "# Top\n[a](docs/guide.md#what-x-does-and-why) ![b](docs/picture.png)\n\
            [c](docs/) [d](./docs/../README.md) [e](#top) [f](https://example.com/x)\n\
            [g]: docs/guide.md\n`[not](a-link)`\n```\n[nor](this)\n```\n";
        assert_eq!(findings(readme), []);
    }

    #[test]
    fn dead_links_are_found_with_their_lines() {
        let readme = "# Top\n[a](docs/guide.md) [b](gone.md)\n[c](docs/guide.md#no-heading)\n\
            [d](#nowhere)\n[e]: also-gone.md\n";
        let lines: Vec<usize> = findings(readme).into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, [2, 3, 4, 5]);
    }

    #[test]
    fn a_dead_link_says_what_it_named() {
        assert_eq!(
            findings("[b](gone.md#x)"),
            [(1, "`gone.md` does not exist in the checkout".to_owned())]
        );
    }
}
