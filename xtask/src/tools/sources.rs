//! Descriptions of package sources, in either of apt's formats (sources.list(5)).

/// A source of packages for this machine that is not disabled.
#[derive(Debug)]
pub(super) struct Source<'a> {
    suites: Vec<&'a str>,
    components: Vec<&'a str>,
    /// The keys of its archive, if it names any.
    pub(super) signed_by: Option<&'a str>,
}

impl<'a> Source<'a> {
    /// Returns whether it offers a component.
    pub(super) fn offers(&self, component: &str) -> bool {
        self.components.contains(&component)
    }

    fn from_line(line: &'a str) -> Option<Self> {
        let rest = line.trim_start().strip_prefix("deb ")?.trim_start();
        let (options, rest) = match rest.strip_prefix('[') {
            Some(rest) => rest.split_once(']')?,
            None => ("", rest),
        };
        let mut options = options.split_whitespace();
        // The address comes first.
        let mut words = rest.split_whitespace().skip(1);
        Some(Self {
            suites: vec![words.next()?],
            components: words.collect(),
            signed_by: options.find_map(|option| option.strip_prefix("signed-by=")),
        })
    }

    fn from_stanza(stanza: &'a str) -> Option<Self> {
        const NO: [&str; 5] = ["no", "false", "without", "off", "disable"];
        let is_disabled = values(stanza, "Enabled").any(|value| NO.contains(&value));
        let is_binary = values(stanza, "Types").any(|value| value == "deb");
        (is_binary && !is_disabled).then(|| Self {
            suites: values(stanza, "Suites").collect(),
            components: values(stanza, "Components").collect(),
            signed_by: values(stanza, "Signed-By").next(),
        })
    }
}

/// Returns the sources that have a suite.
pub(super) fn with_suite<'a>(
    descriptions: &'a str,
    suite: &str,
) -> impl Iterator<Item = Source<'a>> {
    descriptions
        .split("\n\n")
        .flat_map(|paragraph| match Source::from_stanza(paragraph) {
            Some(source) => vec![source],
            None => paragraph.lines().filter_map(Source::from_line).collect(),
        })
        .filter(move |source| source.suites.contains(&suite))
}

/// Returns the values of a field, which may go on in further lines.
fn values<'a>(stanza: &'a str, field: &str) -> impl Iterator<Item = &'a str> {
    let mut lines = stanza.lines().filter(|line| !line.starts_with('#'));
    let first = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case(field).then_some(value)
    });
    let more = lines.take_while(|line| line.starts_with([' ', '\t']));
    first
        .into_iter()
        .chain(more)
        .flat_map(str::split_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUITE: &str = "bookworm-backports";

    #[test]
    fn both_formats_name_suites_components_and_keys() {
        let line =
            "deb [arch=amd64 signed-by=/k.gpg] http://a/debian bookworm-backports main contrib\n";
        let stanza = "# Backports\nTypes: deb deb-src\nURIs: http://a/debian\n\
            Suites: bookworm\n bookworm-backports\nComponents: main contrib\nSigned-By: /k.gpg\n";
        for text in [line, stanza, &format!("\n{line}\n{stanza}")] {
            let sources: Vec<_> = with_suite(text, SUITE).collect();
            assert!(!sources.is_empty(), "{text}");
            for source in sources {
                assert!(source.offers("main") && source.offers("contrib"), "{text}");
                assert_eq!(source.signed_by, Some("/k.gpg"), "{text}");
            }
        }
    }

    #[test]
    fn a_source_that_gives_no_packages_of_the_suite_is_left_out() {
        for text in [
            "",
            "# deb http://a bookworm-backports main\n",
            "deb http://a bookworm-backports-sloppy main\n",
            "deb-src http://a bookworm-backports main\n",
            "Types: deb-src\nSuites: bookworm-backports\nComponents: main\n",
            "Enabled: no\nTypes: deb\nSuites: bookworm-backports\nComponents: main\n",
        ] {
            assert_eq!(with_suite(text, SUITE).count(), 0, "{text}");
        }
    }
}
