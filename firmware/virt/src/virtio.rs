//! The devices on the virtio bus: finding them, and the memory that they access themselves.

use core::{
    ptr::NonNull,
    sync::atomic::{AtomicUsize, Ordering},
};

use virtio_drivers::{
    BufferDirection, Hal, PAGE_SIZE, PhysAddr,
    device::{blk::VirtIOBlk, gpu::VirtIOGpu, input::VirtIOInput, net::VirtIONet, rng::VirtIORng},
    transport::{
        DeviceType, Transport as _,
        mmio::{MmioTransport, VirtIOHeader},
    },
};

use crate::registers::Register;

/// How many slots the bus has; their interrupts count from 1.
pub(crate) const SLOTS: u32 = 8;

/// The maximum number of packets that wait to be read.
pub(crate) const PACKETS: usize = 4;

pub(crate) type Transport = MmioTransport<'static>;
pub(crate) type Network = VirtIONet<Identity, Transport, PACKETS>;
pub(crate) type Display = VirtIOGpu<Identity, Transport>;
pub(crate) type Random = VirtIORng<Identity, Transport>;
pub(crate) type Disk = VirtIOBlk<Identity, Transport>;
pub(crate) type Keyboard = VirtIOInput<Identity, Transport>;

/// An Ethernet frame with the header that the device prepends, in whole words.
const PACKET: usize = (1_514 + 12usize).next_multiple_of(8);

const fn slot_address(slot: u32) -> usize {
    0x1000_0000 + 0x1000 * slot as usize
}

/// Returns the register at this offset of a slot.
pub(crate) const fn register(slot: u32, offset: usize) -> Register {
    // SAFETY: the slots are one page each from 0x1000_1000; every offset below a page is the
    // device's.
    unsafe { Register::at(slot_address(slot) + offset % 0x1000) }
}

/// Acknowledges the interrupt of the device in this slot.
pub(crate) fn acknowledge(slot: u32) {
    let pending = register(slot, 0x60).read();
    register(slot, 0x64).write(pending);
}

/// The devices that were found on the bus.
#[derive(Default)]
pub(crate) struct Devices {
    pub(crate) network: Option<(Network, u32)>,
    pub(crate) display: Option<Display>,
    pub(crate) random: Option<Random>,
    pub(crate) disk: Option<Disk>,
    pub(crate) keyboard: Option<Keyboard>,
}

impl Devices {
    /// Probes every slot. A device that does not start counts as missing.
    pub(crate) fn find() -> Self {
        let mut found = Self::default();
        for slot in 1..=SLOTS {
            let Some(header) = NonNull::new(slot_address(slot) as *mut VirtIOHeader) else {
                continue;
            };
            // SAFETY: a slot is a page of registers, there forever, and this is its only driver.
            let Ok(transport) = (unsafe { MmioTransport::new(header, 0x1000) }) else {
                continue;
            };
            match transport.device_type() {
                DeviceType::Network => {
                    found.network = Network::new(transport, PACKET).ok().map(|it| (it, slot));
                }
                DeviceType::GPU => found.display = Display::new(transport).ok(),
                DeviceType::EntropySource => found.random = Random::new(transport).ok(),
                DeviceType::Block => found.disk = Disk::new(transport).ok(),
                DeviceType::Input => found.keyboard = Keyboard::new(transport).ok(),
                _ => {}
            }
        }
        found
    }
}

/// Memory for the devices. It belongs to the emulation and is not part of the heap: a real board's
/// panel has its own. Freed memory is not used again, as devices are never released.
#[repr(align(4096))]
struct Pages(#[expect(dead_code, reason = "only its address is used")] [u8; 192 * PAGE_SIZE]);

static mut PAGES: Pages = Pages([0; 192 * PAGE_SIZE]);
static PAGES_USED: AtomicUsize = AtomicUsize::new(0);

/// Addresses are the same for the program and for the devices.
#[derive(Debug)]
pub(crate) struct Identity;

// SAFETY: pages are handed out once each, zeroed and aligned; addresses are not translated.
unsafe impl Hal for Identity {
    fn dma_alloc(pages: usize, _: BufferDirection) -> (PhysAddr, NonNull<u8>) {
        let first = PAGES_USED.fetch_add(pages, Ordering::Relaxed);
        let start = (&raw mut PAGES).cast::<u8>();
        let room = size_of::<Pages>() / PAGE_SIZE;
        match NonNull::new(start.wrapping_add(first * PAGE_SIZE)) {
            Some(memory) if first + pages <= room => (memory.as_ptr() as PhysAddr, memory),
            // The address 0 tells the driver that there is none.
            _ => (0, NonNull::dangling()),
        }
    }

    unsafe fn dma_dealloc(_: PhysAddr, _: NonNull<u8>, _: usize) -> i32 {
        0
    }

    unsafe fn mmio_phys_to_virt(address: PhysAddr, _: usize) -> NonNull<u8> {
        NonNull::new(address as *mut u8).unwrap_or(NonNull::dangling())
    }

    unsafe fn share(buffer: NonNull<[u8]>, _: BufferDirection) -> PhysAddr {
        buffer.as_ptr().cast::<u8>() as PhysAddr
    }

    unsafe fn unshare(_: PhysAddr, _: NonNull<[u8]>, _: BufferDirection) {}
}
