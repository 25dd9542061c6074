//! The few functions of a C library that Mbed TLS calls.

use alloc::alloc::{alloc_zeroed, dealloc};
use core::{
    alloc::Layout,
    ffi::{CStr, c_char, c_int, c_void},
    ptr,
};

/// The size of an allocation precedes it; the memory after that is aligned for any C type.
const HEADER: usize = 8;

#[unsafe(no_mangle)]
extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    let layout = count
        .checked_mul(size)
        .and_then(|bytes| bytes.checked_add(HEADER))
        .and_then(|bytes| Layout::from_size_align(bytes, HEADER).ok());
    let Some(layout) = layout else {
        return ptr::null_mut();
    };
    // SAFETY: the layout holds at least the header.
    let start = unsafe { alloc_zeroed(layout) };
    if start.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: the allocation begins with room for the header, aligned for a number.
    unsafe {
        start.cast::<usize>().write(layout.size());
        start.add(HEADER).cast()
    }
}

/// # Safety
/// The pointer is null or from [`calloc`], and was not freed.
#[unsafe(no_mangle)]
unsafe extern "C" fn free(pointer: *mut c_void) {
    if pointer.is_null() {
        return;
    }
    // SAFETY: memory from `calloc` follows its header, which contains its size.
    unsafe {
        let start = pointer.cast::<u8>().sub(HEADER);
        let size = start.cast::<usize>().read();
        dealloc(start, Layout::from_size_align_unchecked(size, HEADER));
    }
}

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

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn strchr(text: *const c_char, byte: c_int) -> *const c_char {
    // SAFETY: the caller's promise: a text that ends with NUL, which may itself be searched for.
    let bytes = unsafe { CStr::from_ptr(text) }.to_bytes_with_nul();
    let found = bytes.iter().position(|it| *it == byte as u8);
    found.map_or(ptr::null(), |at| text.wrapping_add(at))
}

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn strcmp(one: *const c_char, other: *const c_char) -> c_int {
    // SAFETY: the caller's promise: texts that end with NUL.
    let (one, other) = unsafe { (CStr::from_ptr(one), CStr::from_ptr(other)) };
    one.to_bytes().cmp(other.to_bytes()) as c_int
}

/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn strstr(text: *const c_char, part: *const c_char) -> *const c_char {
    // SAFETY: the caller's promise: texts that end with NUL.
    let (all, part) = unsafe {
        (
            CStr::from_ptr(text).to_bytes(),
            CStr::from_ptr(part).to_bytes(),
        )
    };
    let found =
        (0..=all.len()).find(|at| all.get(*at..).is_some_and(|rest| rest.starts_with(part)));
    found.map_or(ptr::null(), |at| text.wrapping_add(at))
}

/// This output is discarded: only debugging and text dumps use it.
#[unsafe(no_mangle)]
extern "C" fn printf(_: *const c_char) -> c_int {
    0
}

/// As [`printf`].
#[unsafe(no_mangle)]
extern "C" fn puts(_: *const c_char) -> c_int {
    0
}

/// As [`printf`]: the text is empty.
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn snprintf(buffer: *mut c_char, length: usize, _: *const c_char) -> c_int {
    if length > 0 {
        // SAFETY: the caller's promise: `length` bytes can be written.
        unsafe { buffer.write(0) };
    }
    0
}

/// As [`snprintf`].
///
/// # Safety
/// As the C library's.
#[unsafe(no_mangle)]
unsafe extern "C" fn vsnprintf(
    buffer: *mut c_char,
    length: usize,
    format: *const c_char,
    _: *const c_void,
) -> c_int {
    // SAFETY: the caller's promise is passed on.
    unsafe { snprintf(buffer, length, format) }
}
