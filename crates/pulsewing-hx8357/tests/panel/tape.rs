//! Wires that lead nowhere but record what is sent over them, and can break.

use std::{cell::RefCell, future::poll_fn, rc::Rc, task::Poll};

use embedded_hal::{
    delay::DelayNs,
    digital::{self, OutputPin},
    spi::{self, Operation, SpiDevice},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A byte while D/C is low.
    Command(u8),
    /// One transaction while D/C is high.
    Data(Vec<u8>),
    WaitMs(u64),
    Light(bool),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken;

#[derive(Clone, Debug, Default)]
pub(crate) struct Tape(Rc<RefCell<Reel>>);

#[derive(Debug, Default)]
struct Reel {
    events: Vec<Event>,
    is_data: bool,
    /// The number of operations of SPI and pins that succeed before one fails.
    good_for: Option<usize>,
}

impl Tape {
    pub(crate) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut self.0.borrow_mut().events)
    }

    /// Makes one operation fail after this many that succeed.
    pub(crate) fn break_after(&self, operations: usize) {
        self.0.borrow_mut().good_for = Some(operations);
    }

    /// Repairs the wires; returns whether the requested break has not happened yet.
    pub(crate) fn mend(&self) -> bool {
        self.0.borrow_mut().good_for.take().is_some()
    }

    pub(crate) fn spi(&self) -> Spi {
        Spi(self.clone())
    }

    pub(crate) fn dc(&self) -> Dc {
        Dc(self.clone())
    }

    pub(crate) fn light(&self) -> Light {
        Light(self.clone())
    }

    pub(crate) fn delay(&self) -> Delay {
        Delay(self.clone())
    }

    fn operation(&self) -> Result<(), Broken> {
        let mut reel = self.0.borrow_mut();
        match &mut reel.good_for {
            Some(0) => {
                reel.good_for = None;
                Err(Broken)
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn record(&self, event: Event) {
        self.0.borrow_mut().events.push(event);
    }
}

#[derive(Debug)]
pub(crate) struct Spi(Tape);
#[derive(Debug)]
pub(crate) struct Dc(Tape);
#[derive(Debug)]
pub(crate) struct Light(Tape);
#[derive(Debug)]
pub(crate) struct Delay(Tape);

impl spi::Error for Broken {
    fn kind(&self) -> spi::ErrorKind {
        spi::ErrorKind::Other
    }
}

impl digital::Error for Broken {
    fn kind(&self) -> digital::ErrorKind {
        digital::ErrorKind::Other
    }
}

impl spi::ErrorType for Spi {
    type Error = Broken;
}

impl SpiDevice for Spi {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), Broken> {
        self.0.operation()?;
        let [Operation::Write(bytes)] = operations else {
            panic!("the driver only writes, once a transaction: {operations:?}");
        };
        let is_data = self.0.0.borrow().is_data;
        self.0.record(match bytes {
            _ if is_data => Event::Data(bytes.to_vec()),
            [opcode] => Event::Command(*opcode),
            _ => panic!("{} command bytes at once", bytes.len()),
        });
        Ok(())
    }
}

impl embedded_hal_async::spi::SpiDevice for Spi {
    /// Completes when it is polled for the second time.
    async fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), Broken> {
        once_more().await;
        SpiDevice::transaction(self, operations)
    }
}

impl digital::ErrorType for Dc {
    type Error = Broken;
}

impl OutputPin for Dc {
    fn set_low(&mut self) -> Result<(), Broken> {
        self.0.operation()?;
        self.0.0.borrow_mut().is_data = false;
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Broken> {
        self.0.operation()?;
        self.0.0.borrow_mut().is_data = true;
        Ok(())
    }
}

impl digital::ErrorType for Light {
    type Error = Broken;
}

impl OutputPin for Light {
    fn set_low(&mut self) -> Result<(), Broken> {
        self.0.operation()?;
        self.0.record(Event::Light(false));
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Broken> {
        self.0.operation()?;
        self.0.record(Event::Light(true));
        Ok(())
    }
}

impl DelayNs for Delay {
    fn delay_ns(&mut self, ns: u32) {
        assert_eq!(ns % 1_000_000, 0, "whole milliseconds");
        self.0.record(Event::WaitMs(u64::from(ns) / 1_000_000));
    }
}

impl embedded_hal_async::delay::DelayNs for Delay {
    async fn delay_ns(&mut self, ns: u32) {
        once_more().await;
        DelayNs::delay_ns(self, ns);
    }
}

/// Is ready when it is polled for the second time.
async fn once_more() {
    let mut was_polled = false;
    poll_fn(|_| {
        if std::mem::replace(&mut was_polled, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}
