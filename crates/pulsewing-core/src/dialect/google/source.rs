//! The source of a point (Google Health API, discovery document, `DataSource`).

/// The source of a measurement: a tracker, or an app that writes to Health Connect.
///
/// Two sources are equal if platform, device and application are, as far as 32 bits can distinguish
/// them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The combined fingerprint of all parts, in any order.
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
    /// Returns whether it is a Fitbit tracker or a Pixel Watch.
    #[must_use]
    pub const fn is_tracker(self) -> bool {
        self.is_tracker
    }

    /// Returns the source with these members and their texts, including those of its device and its
    /// application.
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
    /// Returns the part for a member of `DataSource`, its device or its application. The recording
    /// method is not a part, because one tracker records in several ways.
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

/// Returns a part's share of the identity: FNV-1a, 32 bits.
fn fingerprint(part: Part, text: &[u8]) -> u32 {
    let step = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    let start = step(0x811c_9dc5, &(part as u8));
    text.iter().fold(start, step)
}
