//! The ends of the wires that a driver holds.

use core::convert::Infallible;

use embedded_hal::{
    delay::DelayNs,
    digital::{self, OutputPin},
    spi::{self, Operation, SpiDevice},
};

use super::{Complaint, Simulator};

/// The panel's SPI device, with chip select; blocking and async.
#[derive(Clone, Debug)]
pub struct SimSpi(pub(super) Simulator);

/// The D/C pin.
#[derive(Clone, Debug)]
pub struct SimDc(pub(super) Simulator);

/// The backlight's pin.
#[derive(Clone, Debug)]
pub struct SimBacklight(pub(super) Simulator);

/// A delay in virtual time; blocking and async, and over at once either way.
#[derive(Clone, Debug)]
pub struct SimDelay(pub(super) Simulator);

impl spi::ErrorType for SimSpi {
    type Error = Infallible;
}

impl SpiDevice for SimSpi {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), Infallible> {
        let mut panel = self.0.lock();
        panel.select();
        for operation in operations {
            match operation {
                Operation::Write(bytes) => panel.write(bytes),
                Operation::Read(bytes) => {
                    panel.controller.complain(Complaint::Read);
                    bytes.fill(0);
                    panel.clock(bytes.len());
                }
                Operation::Transfer(read, bytes) => {
                    panel.controller.complain(Complaint::Read);
                    read.fill(0);
                    panel.write(bytes);
                    panel.clock(read.len().saturating_sub(bytes.len()));
                }
                Operation::TransferInPlace(bytes) => {
                    panel.controller.complain(Complaint::Read);
                    panel.write(bytes);
                    bytes.fill(0);
                }
                Operation::DelayNs(ns) => panel.controller.now_ns += u64::from(*ns),
            }
        }
        Ok(())
    }
}

impl embedded_hal_async::spi::SpiDevice for SimSpi {
    async fn transaction(
        &mut self,
        operations: &mut [Operation<'_, u8>],
    ) -> Result<(), Infallible> {
        SpiDevice::transaction(self, operations)
    }
}

impl digital::ErrorType for SimDc {
    type Error = Infallible;
}

impl OutputPin for SimDc {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.0.lock().is_data = false;
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.0.lock().is_data = true;
        Ok(())
    }
}

impl digital::ErrorType for SimBacklight {
    type Error = Infallible;
}

impl OutputPin for SimBacklight {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.0.lock().controller.backlight = Some(false);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.0.lock().controller.backlight = Some(true);
        Ok(())
    }
}

impl DelayNs for SimDelay {
    fn delay_ns(&mut self, ns: u32) {
        self.0.lock().controller.now_ns += u64::from(ns);
    }
}

impl embedded_hal_async::delay::DelayNs for SimDelay {
    async fn delay_ns(&mut self, ns: u32) {
        DelayNs::delay_ns(self, ns);
    }
}
