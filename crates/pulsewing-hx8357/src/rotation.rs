//! The four ways to hold the panel.

use embedded_graphics_core::geometry::Size;

/// The orientation of the panel in which the picture is upright.
///
/// Each is the previous one turned by a quarter.
///
/// The controller rotates pixels as they are written. A picture that is already in its memory does
/// not change with the rotation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Rotation {
    /// 320x480 (Adafruit's rotation 0).
    Portrait,
    /// 480x320 (Adafruit's rotation 1, and what CircuitPython shows).
    #[default]
    Landscape,
    /// 320x480, the other way up (Adafruit's rotation 2).
    PortraitFlipped,
    /// 480x320, the other way up (Adafruit's rotation 3).
    LandscapeFlipped,
}

impl Rotation {
    /// All four rotations.
    pub const ALL: [Self; 4] = [
        Self::Portrait,
        Self::Landscape,
        Self::PortraitFlipped,
        Self::LandscapeFlipped,
    ];

    /// Returns the picture's size in pixels.
    #[must_use]
    pub const fn size(self) -> Size {
        match self {
            Self::Portrait | Self::PortraitFlipped => Size::new(320, 480),
            Self::Landscape | Self::LandscapeFlipped => Size::new(480, 320),
        }
    }

    /// Returns the parameter of MADCTL (36h): bit 7 mirrors rows, bit 6 mirrors columns, bit 5
    /// exchanges them. Bit 3, the order of the colours, stays 0: SETPANEL sets that.
    #[must_use]
    pub const fn madctl(self) -> u8 {
        match self {
            Self::Portrait => 0xc0,
            Self::Landscape => 0xa0,
            Self::PortraitFlipped => 0x00,
            Self::LandscapeFlipped => 0x60,
        }
    }
}
