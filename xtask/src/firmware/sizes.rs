//! Measures the program of the Feather ESP32-C6 from its ELF file, and checks the sizes against limits.

use std::{fs, ops::Range, path::Path};

use elf::{
    ElfBytes,
    abi::{SHF_ALLOC, SHT_NOBITS},
    endian::LittleEndian,
};

/// Maximum size of the flashed program, in bytes.
const FLASH_LIMIT: u64 = 1_300_000;
/// Minimum size of the heap, in bytes: some 40 KiB for the radio, and a TLS session at its largest.
const HEAP_LEAST: u64 = 128 * 1_024;
/// Minimum size of the stack, in bytes: the deepest chain of calls takes 96 KB of it.
const STACK_LEAST: u64 = 112 * 1_024;

/// The ESP32-C6's memory, except for the part that the boot loader uses while it runs.
const RAM: Range<u64> = 0x4080_0000..0x4086_e610;
/// The memory that becomes free when the boot loader is done.
const RECLAIMED: Range<u64> = 0x4086_e610..0x4087_e610;

/// The sizes of a program, in bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sizes {
    /// The flashed part; the image adds some hundred bytes of headers.
    pub(crate) flash: u64,
    /// Code that runs from memory.
    code: u64,
    /// Initialised data.
    data: u64,
    /// Zeroed and uninitialised data, without the heap.
    bss: u64,
    /// The part of the heap that lies in the same memory.
    heap: u64,
    /// The part of the heap in the memory that the boot loader leaves behind.
    reclaimed: u64,
    /// The rest, for the stack.
    stack: u64,
}

impl Sizes {
    /// Reads the sizes from an ELF file.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, or is not a program for this board.
    pub(crate) fn measure(program: &Path) -> Result<Self, String> {
        let unfit = |error: &dyn std::fmt::Display| format!("{}: {error}", program.display());
        let bytes = fs::read(program).map_err(|error| unfit(&error))?;
        let elf = ElfBytes::<LittleEndian>::minimal_parse(&bytes).map_err(|error| unfit(&error))?;
        let (headers, names) = elf
            .section_headers_with_strtab()
            .map_err(|error| unfit(&error))?;
        let (Some(headers), Some(names)) = (headers, names) else {
            return Err(unfit(&"it has no sections"));
        };
        let mut sizes = Self::default();
        for header in headers
            .iter()
            .filter(|it| it.sh_flags & u64::from(SHF_ALLOC) != 0)
        {
            let name = names
                .get(header.sh_name as usize)
                .map_err(|error| unfit(&error))?;
            let is_stored = header.sh_type != SHT_NOBITS;
            sizes.add(name, header.sh_addr, header.sh_size, is_stored);
        }
        let (symbols, names) = elf
            .symbol_table()
            .map_err(|error| unfit(&error))?
            .ok_or_else(|| unfit(&"it has no symbols"))?;
        for symbol in symbols.iter() {
            let name = names.get(symbol.st_name as usize).unwrap_or_default();
            // Both heaps have such a name, from the function that gives them to the allocator.
            if name.contains("start_heap") && name.contains("HEAP") {
                sizes.add_heap(symbol.st_value, symbol.st_size);
            }
        }
        Ok(sizes)
    }

    fn add(&mut self, name: &str, address: u64, size: u64, is_stored: bool) {
        if is_stored {
            self.flash += size;
        }
        if !RAM.contains(&address) {
            return;
        }
        match name {
            ".stack" => self.stack += size,
            _ if !is_stored => self.bss += size,
            _ if name.starts_with(".data") => self.data += size,
            _ => self.code += size,
        }
    }

    fn add_heap(&mut self, address: u64, size: u64) {
        if RECLAIMED.contains(&address) {
            self.reclaimed += size;
        } else {
            self.heap += size;
            self.bss = self.bss.saturating_sub(size);
        }
    }

    /// Returns the table to print.
    pub(crate) fn table(&self, program_room: u32) -> String {
        let Self {
            flash,
            code,
            data,
            bss,
            heap,
            reclaimed,
            stack,
        } = self;
        format!(
            "\
feather-c6, in bytes
  flash             {flash:9}  of {FLASH_LIMIT} allowed; a partition has {program_room}
  memory: code      {code:9}
          data      {data:9}
          bss       {bss:9}  with the picture and the futures
          heap      {heap:9}  and {reclaimed} that the boot loader leaves behind
          stack     {stack:9}  the rest
"
        )
    }

    /// Checks the sizes against the limits.
    ///
    /// # Errors
    ///
    /// If something is too large, or too little is left.
    pub(crate) fn check(&self, program_room: u32) -> Result<(), String> {
        let heap = self.heap + self.reclaimed;
        if self.flash > FLASH_LIMIT.min(program_room.into()) {
            Err(format!("the program takes {} bytes of flash", self.flash))
        } else if heap < HEAP_LEAST {
            Err(format!("the heap has only {heap} bytes"))
        } else if self.stack < STACK_LEAST {
            Err(format!("the stack has only {} bytes", self.stack))
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fit() -> Sizes {
        let mut sizes = Sizes::default();
        sizes.add(".text", 0x4200_0020, 700_000, true);
        sizes.add(".trap", 0x4080_0000, 60_000, true);
        sizes.add(".data", 0x4081_0000, 10_000, true);
        sizes.add(".bss", 0x4082_0000, 200_000, false);
        sizes.add(".stack", 0x4085_0000, 140_000, false);
        sizes.add(".dram2_uninit", 0x4086_e610, 65_536, false);
        sizes.add_heap(0x4083_0000, 100_000);
        sizes.add_heap(0x4086_e610, 65_536);
        sizes
    }

    #[test]
    fn sections_count_where_they_take_room() {
        let expected = Sizes {
            flash: 770_000,
            code: 60_000,
            data: 10_000,
            bss: 100_000,
            heap: 100_000,
            reclaimed: 65_536,
            stack: 140_000,
        };
        assert_eq!(fit(), expected);
        assert_eq!(fit().check(7 << 18), Ok(()));
    }

    #[test]
    fn what_is_too_large_is_refused_and_so_is_too_little_that_is_left() {
        let large = Sizes {
            flash: FLASH_LIMIT + 1,
            ..fit()
        };
        assert!(large.check(7 << 18).unwrap_err().contains("flash"));
        assert!(fit().check(769_999).unwrap_err().contains("flash"));
        let poor = Sizes {
            heap: 40_000,
            ..fit()
        };
        assert!(poor.check(7 << 18).unwrap_err().contains("heap"));
        let flat = Sizes {
            stack: 40_000,
            ..fit()
        };
        assert!(flat.check(7 << 18).unwrap_err().contains("stack"));
    }

    #[test]
    fn a_file_that_is_no_program_is_an_error_with_its_name() {
        let scratch = tempfile::tempdir().unwrap();
        let file = scratch.path().join("not-elf");
        fs::write(&file, "plain text").unwrap();
        assert!(Sizes::measure(&file).unwrap_err().contains("not-elf"));
    }
}
