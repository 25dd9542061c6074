//! The machine's registers: where they are, and how they are read and written.
//!
//! The addresses are those of QEMU's `virt` machine (hw/riscv/virt.c, `virt_memmap`).

/// A 32-bit register.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Register(usize);

impl Register {
    /// The register at this address.
    ///
    /// # Safety
    /// A device's register is there, reading and writing it touches no memory of the program's.
    pub(crate) const unsafe fn at(address: usize) -> Self {
        Self(address)
    }

    pub(crate) fn read(self) -> u32 {
        // SAFETY: whoever made the register vouched for its address.
        unsafe { (self.0 as *const u32).read_volatile() }
    }

    pub(crate) fn write(self, value: u32) {
        // SAFETY: whoever made the register vouched for its address.
        unsafe { (self.0 as *mut u32).write_volatile(value) }
    }
}

/// An 8-bit register.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ByteRegister(usize);

impl ByteRegister {
    /// The register at this address.
    ///
    /// # Safety
    /// As for [`Register::at`].
    pub(crate) const unsafe fn at(address: usize) -> Self {
        Self(address)
    }

    pub(crate) fn read(self) -> u8 {
        // SAFETY: whoever made the register vouched for its address.
        unsafe { (self.0 as *const u8).read_volatile() }
    }

    pub(crate) fn write(self, value: u8) {
        // SAFETY: whoever made the register vouched for its address.
        unsafe { (self.0 as *mut u8).write_volatile(value) }
    }
}
