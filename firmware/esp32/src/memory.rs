//! Memory: the heap, and where the pictures lie.
//!
//! Both chips have 512 KiB. What the program, the radio's library and the futures take of it is fixed
//! (`cargo xtask firmware` prints it); the rest is shared out here between the heap and the stack. The heap
//! is for the radio, which is held to some 40 KiB (`radio.rs`), and for one TLS session: 70 KB at most,
//! measured on the emulated board. The stack is for what the compiler lays on it: 91 KB on the longest way
//! of calls from the app loop, counted in the program's instructions.

use embedded_graphics::geometry::Size;
use pulsewing_screen::Frame;

use crate::{feather::PictureMemory, panel};

/// What the boot loader leaves behind when it is done, in bytes: all that there is.
#[cfg(feature = "feather-s3")]
const RECLAIMED: usize = 72 * 1_024;
/// What the boot loader leaves behind when it is done, in bytes: all that there is.
#[cfg(not(feature = "feather-s3"))]
const RECLAIMED: usize = 64 * 1_024;

/// The heap's other part, in bytes.
const OTHER: usize = 64 * 1_024;

/// Gives the heap its memory. Once, before anything is allocated.
pub(crate) fn start_heap() {
    esp_alloc::heap_allocator!(#[esp_hal::ram(reclaimed)] size: RECLAIMED);
    esp_alloc::heap_allocator!(size: OTHER);
}

const SIZE: Size = panel::SIZE;
const FRAME: usize = Frame::<&[u8]>::bytes_for(SIZE);

/// Memory for the picture, and none for a wallpaper: the chip has no room for two pictures, so the board
/// shows the built-in wallpaper, whatever the user sends.
#[cfg(not(feature = "feather-s3"))]
pub(crate) fn pictures((): PictureMemory) -> (&'static mut [u8], &'static mut [u8]) {
    use static_cell::ConstStaticCell;

    static FRAME_BYTES: ConstStaticCell<[u8; FRAME]> = ConstStaticCell::new([0; FRAME]);
    (FRAME_BYTES.take(), &mut [])
}

/// Memory for the picture and for the user's wallpaper: in external memory (PSRAM), because the chip's own
/// has no room for two pictures. The panel is never fed from there directly: its driver turns a few lines
/// at a time into the panel's colours.
#[cfg(feature = "feather-s3")]
pub(crate) fn pictures(memory: PictureMemory) -> (&'static mut [u8], &'static mut [u8]) {
    use esp_hal::psram::{Psram, PsramConfig, PsramMode};
    use pulsewing_screen::Wallpaper;

    const WALLPAPER: usize = Wallpaper::bytes_for(SIZE);

    // Not `Auto`: that tries eight lines first, and four of those are this board's SPI.
    let config = PsramConfig {
        mode: PsramMode::QuadSpi,
        ..PsramConfig::default()
    };
    let (start, length) = Psram::new(memory, config).raw_parts();
    if length < FRAME + WALLPAPER {
        // Without it the device runs on, and draws nothing.
        return (&mut [], &mut []);
    }
    // SAFETY: the memory is mapped for good and ordinary from here on, `length` bytes long, and nobody
    // else has it: the heap gets none of it, and the peripheral was given away.
    let memory = unsafe { core::slice::from_raw_parts_mut(start, length) };
    let (frame, rest) = memory.split_at_mut(FRAME);
    let (wallpaper, _) = rest.split_at_mut(WALLPAPER);
    (frame, wallpaper)
}
