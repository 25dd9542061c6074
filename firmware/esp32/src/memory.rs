//! Memory: the heap, and the place of the pictures.
//!
//! Both chips have 512 KiB. The share of the program, the radio's library and the futures is fixed
//! (`cargo xtask firmware` prints it); the rest is divided here between the heap and the stack. The
//! heap is for the radio, which is limited to some 40 KiB (`radio.rs`), and for one TLS session: at
//! most 70 KB, measured on the emulated board. The stack has to hold 91 KB on the deepest call path
//! from the app loop, counted in the program's instructions.

use embedded_graphics::geometry::Size;
use pulsewing_screen::Frame;

use crate::{feather::PictureMemory, panel};

/// The memory that the boot loader frees when it is done, in bytes: all of it.
#[cfg(feature = "feather-s3")]
const RECLAIMED: usize = 72 * 1_024;
/// The memory that the boot loader frees when it is done, in bytes: all of it.
#[cfg(not(feature = "feather-s3"))]
const RECLAIMED: usize = 64 * 1_024;

/// The other part of the heap, in bytes.
const OTHER: usize = 64 * 1_024;

/// Gives the heap its memory. To be called once, before anything is allocated.
pub(crate) fn start_heap() {
    esp_alloc::heap_allocator!(#[esp_hal::ram(reclaimed)] size: RECLAIMED);
    esp_alloc::heap_allocator!(size: OTHER);
}

const SIZE: Size = panel::SIZE;
const FRAME: usize = Frame::<&[u8]>::bytes_for(SIZE);

/// Returns memory for the picture, and none for a wallpaper: the chip has no room for two pictures,
/// so the board shows the built-in wallpaper, whatever the user uploads.
#[cfg(not(feature = "feather-s3"))]
pub(crate) fn pictures((): PictureMemory) -> (&'static mut [u8], &'static mut [u8]) {
    use static_cell::ConstStaticCell;

    static FRAME_BYTES: ConstStaticCell<[u8; FRAME]> = ConstStaticCell::new([0; FRAME]);
    (FRAME_BYTES.take(), &mut [])
}

/// Returns memory for the picture and for the user's wallpaper: in external memory (PSRAM), because
/// the chip's own has no room for two pictures. The panel never reads directly from there: its
/// driver converts a few lines at a time into the panel's colours.
#[cfg(feature = "feather-s3")]
pub(crate) fn pictures(memory: PictureMemory) -> (&'static mut [u8], &'static mut [u8]) {
    use esp_hal::psram::{Psram, PsramConfig, PsramMode};
    use pulsewing_screen::Wallpaper;

    const WALLPAPER: usize = Wallpaper::bytes_for(SIZE);

    // Not `Auto`: that tries eight data lines first, and four of those are this board's SPI lines.
    let config = PsramConfig {
        mode: PsramMode::QuadSpi,
        ..PsramConfig::default()
    };
    let (start, length) = Psram::new(memory, config).raw_parts();
    if length < FRAME + WALLPAPER {
        // Without it the device still runs, but draws nothing.
        return (&mut [], &mut []);
    }
    // SAFETY: from here on the memory is permanently mapped and ordinary, `length` bytes long, and
    // not used elsewhere: the heap gets none of it, and the peripheral was given away.
    let memory = unsafe { core::slice::from_raw_parts_mut(start, length) };
    let (frame, rest) = memory.split_at_mut(FRAME);
    let (wallpaper, _) = rest.split_at_mut(WALLPAPER);
    (frame, wallpaper)
}
