//! The machine's registers: their addresses, and access to them.
//!
//! The addresses are those of QEMU's `virt` machine (hw/riscv/virt.c, `virt_memmap`).

/// A 32-bit register.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Register(usize);

impl Register {
    /// Returns the register at this address.
    ///
    /// # Safety
    /// There must be a device's register, and accessing it must not affect the program's memory.
    pub(crate) const unsafe fn at(address: usize) -> Self {
        Self(address)
    }

    pub(crate) fn read(self) -> u32 {
        // SAFETY: the creator of the register guaranteed its address.
        unsafe { (self.0 as *const u32).read_volatile() }
    }

    pub(crate) fn write(self, value: u32) {
        // SAFETY: the creator of the register guaranteed its address.
        unsafe { (self.0 as *mut u32).write_volatile(value) }
    }
}

/// An 8-bit register.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ByteRegister(usize);

impl ByteRegister {
    /// Returns the register at this address.
    ///
    /// # Safety
    /// As for [`Register::at`].
    pub(crate) const unsafe fn at(address: usize) -> Self {
        Self(address)
    }

    pub(crate) fn read(self) -> u8 {
        // SAFETY: the creator of the register guaranteed its address.
        unsafe { (self.0 as *const u8).read_volatile() }
    }

    pub(crate) fn write(self, value: u8) {
        // SAFETY: the creator of the register guaranteed its address.
        unsafe { (self.0 as *mut u8).write_volatile(value) }
    }
}
