//! What a bundle may cost, and what it has cost so far.

use std::cell::Cell;

/// What a bundle may cost. What goes beyond is listed as a problem, and the rest of the bundle is still read where that
/// is possible.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes unpacked in all; 16 GiB by default. Reading ends there.
    pub unpacked: u64,
    /// Bytes of one file; 1 GiB by default. The rest of that file is left out.
    pub file: u64,
    /// Files in all; 1,000,000 by default. Reading ends there.
    pub files: u64,
    /// Archives inside archives, counting the outermost; 4 by default. Deeper ones are not opened.
    pub depth: u32,
    /// How many bytes one byte of a compressed stream may unpack to, once it gave 64 MiB; 250 by default. Logs reach 10 to
    /// 30. The rest of such a stream is left out.
    pub ratio: u64,
    /// Bytes of a file beyond which it arrives as several entries; 64 MiB by default. Documents do not: see `document`.
    pub chunk: usize,
    /// Bytes of a file that makes sense as a whole only (YAML, JSON, a table, a `describe` text); 512 MiB by default. The rest
    /// of it is left out.
    pub document: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { unpacked: 16 << 30, file: 1 << 30, files: 1_000_000, depth: 4, ratio: 250, chunk: 64 << 20, document: 512 << 20 }
    }
}

/// The limits with the counters that are held against them. Shared by all readers of one bundle, hence the cells.
#[derive(Debug)]
pub(super) struct Budget<'a> {
    pub(super) limits: &'a Limits,
    /// Bytes of files.
    pub(super) unpacked: Cell<u64>,
    /// Bytes that came out of decompression, whether they became a file's or not.
    inflated: Cell<u64>,
    /// Files and links seen.
    pub(super) files: Cell<u64>,
}

impl<'a> Budget<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Self { limits, unpacked: Cell::new(0), inflated: Cell::new(0), files: Cell::new(0) }
    }

    /// Bytes of files that may still come.
    pub(super) fn room(&self) -> u64 {
        self.limits.unpacked.saturating_sub(self.unpacked.get())
    }

    /// What makes the reading end here, if anything does.
    pub(super) fn exhausted(&self) -> Option<String> {
        if self.room() == 0 || self.inflated.get() > self.limits.unpacked {
            Some(format!("the bundle unpacks to more than {}; the rest was not read", size(self.limits.unpacked)))
        } else if self.files.get() > self.limits.files {
            Some(format!("the bundle holds more than {} files; the rest was not read", self.limits.files))
        } else {
            None
        }
    }

    /// Counts bytes that came out of a compressed stream.
    pub(super) fn inflate(&self, bytes: u64) {
        self.inflated.set(self.inflated.get().saturating_add(bytes));
    }
}

/// `16 GiB`, `1.5 MiB`, `12 bytes`.
pub(super) fn size(bytes: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match UNITS.iter().find(|(unit, _)| bytes >= *unit) {
        Some((unit, name)) if bytes.is_multiple_of(*unit) => format!("{} {name}", bytes / unit),
        Some((unit, name)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_well() {
        assert_eq!(size(16 << 30), "16 GiB");
        assert_eq!(size((3 << 20) / 2), "1.5 MiB");
        assert_eq!(size(12), "12 bytes");
    }
}
