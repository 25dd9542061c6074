//! The one function of a C library that Mbed TLS calls and that neither the chip's ROM nor
//! esp-alloc has.

use core::{
    ffi::{c_int, c_void},
    ptr,
};

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn memchr(text: *const c_void, byte: c_int, length: usize) -> *const c_void {
    // SAFETY: the caller's promise: `length` bytes can be read.
    let bytes = unsafe { core::slice::from_raw_parts(text.cast::<u8>(), length) };
    // C compares with the number's lowest byte.
    let found = bytes.iter().position(|it| *it == byte as u8);
    found.map_or(ptr::null(), |at| text.wrapping_byte_add(at))
}
