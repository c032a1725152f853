//! Peak memory of this process, as Linux counts it; elsewhere it is not measured.

use std::fs::{self, OpenOptions};
use std::io::Write;

/// Forgets the peak so far; gives the memory held now, in bytes.
pub(super) fn reset() -> u64 {
    // proc(5): writing 5 sets the peak to what is held now.
    if let Ok(mut file) = OpenOptions::new().write(true).open("/proc/self/clear_refs") {
        let _ = file.write_all(b"5");
    }
    field("VmRSS:")
}

/// The most memory held since the last [`reset`], in bytes.
pub(super) fn peak() -> u64 {
    field("VmHWM:")
}

fn field(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kibibytes: u64 = line.and_then(|l| l.trim().strip_suffix(" kB")).and_then(|n| n.trim().parse().ok()).unwrap_or(0);
    kibibytes << 10
}
