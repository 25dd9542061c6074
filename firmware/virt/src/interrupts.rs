//! Interrupts of devices (PLIC), and the tasks that they wake.

use embassy_sync::waitqueue::AtomicWaker;

use crate::{registers::Register, uart, virtio};

/// The interrupt of the serial line; those of the virtio slots are 1 to 8.
const UART: u32 = 10;

/// Wakes the task that waits for the network.
pub(crate) static NETWORK: AtomicWaker = AtomicWaker::new();
/// Wakes the task that waits for the keyboard.
pub(crate) static KEYBOARD: AtomicWaker = AtomicWaker::new();

// SAFETY: the PLIC is at 0xc00_0000; these are the enable bits, threshold and claim of hart 0's machine mode.
const ENABLE: Register = unsafe { Register::at(0xc00_2000) };
// SAFETY: as above.
const THRESHOLD: Register = unsafe { Register::at(0xc20_0000) };
// SAFETY: as above.
const CLAIM: Register = unsafe { Register::at(0xc20_0004) };

const fn priority(interrupt: u32) -> Register {
    // SAFETY: the PLIC's priorities, one word for each of its 96 interrupts.
    unsafe { Register::at(0xc00_0000 + 4 * interrupt as usize) }
}

/// Enables the interrupts of devices.
pub(crate) fn start() {
    let slots = 1..=virtio::SLOTS;
    let mut enabled = 1 << UART;
    priority(UART).write(1);
    for slot in slots {
        priority(slot).write(1);
        enabled |= 1 << slot;
    }
    ENABLE.write(enabled);
    THRESHOLD.write(0);
    // SAFETY: the handlers are in place.
    unsafe {
        riscv::register::mie::set_mext();
        riscv::interrupt::enable();
    }
}

#[riscv_rt::core_interrupt(riscv::interrupt::Interrupt::MachineExternal)]
fn machine_external() {
    loop {
        match CLAIM.read() {
            0 => return,
            UART => {
                uart::interrupted();
                CLAIM.write(UART);
            }
            slot => {
                virtio::acknowledge(slot);
                NETWORK.wake();
                KEYBOARD.wake();
                CLAIM.write(slot);
            }
        }
    }
}
