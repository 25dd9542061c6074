//! The serial line: a 16550 that interrupts when bytes have arrived.

use core::{convert::Infallible, fmt};

use embassy_sync::{blocking_mutex::raw::CriticalSectionRawMutex, pipe::Pipe};
use embedded_io_async::{ErrorType, Read, Write};

use crate::registers::ByteRegister;

// SAFETY: the UART is at 0x1000_0000; these are its registers (16550, byte wide).
const DATA: ByteRegister = unsafe { ByteRegister::at(0x1000_0000) };
// SAFETY: as above.
const INTERRUPT_ENABLE: ByteRegister = unsafe { ByteRegister::at(0x1000_0001) };
// SAFETY: as above.
const FIFO_CONTROL: ByteRegister = unsafe { ByteRegister::at(0x1000_0002) };
// SAFETY: as above.
const LINE_STATUS: ByteRegister = unsafe { ByteRegister::at(0x1000_0005) };

const RECEIVED: u8 = 1;
const DATA_READY: u8 = 1;
const CAN_SEND: u8 = 0x20;

/// Bytes that have arrived and were not read yet. A full pipe loses nothing: the other side waits.
static ARRIVED: Pipe<CriticalSectionRawMutex, 1_024> = Pipe::new();

/// Enables the line's interrupt.
pub(crate) fn start() {
    // FIFOs on and cleared.
    FIFO_CONTROL.write(7);
    INTERRUPT_ENABLE.write(RECEIVED);
}

/// Reads the bytes that have arrived. Without room the interrupt stays off until some have been
/// read.
pub(crate) fn interrupted() {
    while LINE_STATUS.read() & DATA_READY != 0 {
        if ARRIVED.is_full() {
            INTERRUPT_ENABLE.write(0);
            return;
        }
        // There is room, and there is no other writer.
        let _ = ARRIVED.try_write(&[DATA.read()]);
    }
}

/// The serial input.
#[derive(Debug)]
pub(crate) struct Input;

impl ErrorType for Input {
    type Error = Infallible;
}

impl Read for Input {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        let length = ARRIVED.read(buffer).await;
        INTERRUPT_ENABLE.write(RECEIVED);
        Ok(length)
    }
}

/// The serial output. It never waits: QEMU takes bytes as they come.
#[derive(Debug)]
pub(crate) struct Output;

impl ErrorType for Output {
    type Error = Infallible;
}

impl Write for Output {
    async fn write(&mut self, buffer: &[u8]) -> Result<usize, Infallible> {
        send(buffer);
        Ok(buffer.len())
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}

impl fmt::Write for Output {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        send(text.as_bytes());
        Ok(())
    }
}

fn send(bytes: &[u8]) {
    for byte in bytes {
        while LINE_STATUS.read() & CAN_SEND == 0 {}
        DATA.write(*byte);
    }
}
