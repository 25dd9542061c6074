//! Who measured a point (Google Health API, discovery document, `DataSource`).

/// The source of a measurement: a tracker, or an app that writes to Health Connect.
///
/// Two are equal when platform, device and application are, as far as 32 bits tell them apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// What all parts come to, in whatever order they stood.
    identity: u32,
    is_tracker: bool,
}

/// A part of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Platform,
    FormFactor,
    Manufacturer,
    Application,
    Device,
}

impl Source {
    /// Whether it is a Fitbit tracker or a Pixel Watch.
    #[must_use]
    pub const fn is_tracker(self) -> bool {
        self.is_tracker
    }

    /// The source that has these members, those of its device and its application among them, each with its
    /// text.
    #[must_use]
    pub fn from_members<'t>(members: impl IntoIterator<Item = (&'t str, &'t str)>) -> Self {
        let mut source = Self::default();
        for (member, text) in members {
            if let Some(part) = Part::named(member.as_bytes()) {
                source.take(part, text.as_bytes());
            }
        }
        source
    }

    pub(super) fn take(&mut self, part: Part, text: &[u8]) {
        self.identity = self.identity.wrapping_add(fingerprint(part, text));
        self.is_tracker |= part == Part::Platform && text == b"FITBIT";
    }
}

impl Part {
    /// The part that a member of `DataSource`, its device or its application is; how something was
    /// recorded is none, for one tracker records in several ways.
    pub(super) fn named(member: &[u8]) -> Option<Self> {
        Some(match member {
            b"platform" => Self::Platform,
            b"formFactor" => Self::FormFactor,
            b"manufacturer" => Self::Manufacturer,
            b"packageName" | b"webClientId" | b"googleWebClientId" => Self::Application,
            b"displayName" => Self::Device,
            _ => return None,
        })
    }
}

/// A part's share of the identity: FNV-1a, 32 bits.
fn fingerprint(part: Part, text: &[u8]) -> u32 {
    let step = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    let start = step(0x811c_9dc5, &(part as u8));
    text.iter().fold(start, step)
}
