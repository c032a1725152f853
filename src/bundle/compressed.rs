//! Compressed streams. A stream that breaks gives all its bytes before the break, then an error that says where and how,
//! and the same error at every further read.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;
use std::sync::Arc;

use flate2::Crc;

use super::codec::Members;
use super::limits::{Budget, Limits, size};
use super::sniff::Compression;

/// Buffer on each side of a decompressor. Smaller ones cost 10 to 25 % of its speed.
pub(super) const BUFFER: usize = 128 << 10;

/// A compressed stream may unpack to this much before its ratio is judged.
const RATIO_FLOOR: u64 = 64 << 20;

/// A compressed stream to be opened.
pub(super) struct Packed<'a> {
    /// How it is compressed.
    pub(super) compression: Compression,
    /// Where it stands.
    pub(super) path: Arc<str>,
    /// CRC-32 of what is in it, where that stands outside the stream.
    pub(super) crc: Option<u32>,
    /// What it is measured with.
    pub(super) meter: Meter,
    /// Its bytes.
    pub(super) bytes: &'a mut dyn BufRead,
}

/// Bytes into and out of a compressed stream, or of all streams of one zip archive together: a bomb can be made of small
/// entries that share their bytes.
#[derive(Debug, Clone, Default)]
pub(super) struct Meter {
    packed: Rc<Cell<u64>>,
    unpacked: Rc<Cell<u64>>,
}

impl Meter {
    /// Whether more came out than is believable.
    pub(super) fn is_over(&self, limits: &Limits) -> bool {
        let unpacked = self.unpacked.get();
        unpacked > RATIO_FLOOR && unpacked / limits.ratio.max(1) > self.packed.get()
    }
}

/// What is inside a compressed stream.
pub(super) fn open<'a>(packed: Packed<'a>, budget: &'a Budget<'a>) -> io::Result<BufReader<Inflating<'a>>> {
    let Packed { compression, path, crc, meter, bytes } = packed;
    let counted = Counted { inner: bytes, packed: Rc::clone(&meter.packed) };
    let decoder = Members::new(counted, compression)?;
    let crc = crc.map(|stated| (stated, Crc::new()));
    Ok(BufReader::with_capacity(BUFFER, Inflating { decoder, compression, path, crc, given: 0, meter, broken: None, budget }))
}

/// Why a stream ended before its end; carried through whatever reads it as an [`io::Error`].
#[derive(Debug, Clone)]
pub(super) struct Broken {
    /// The compressed file.
    pub(super) path: Arc<str>,
    /// A sentence for [`crate::location::Problem`].
    pub(super) what: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Broken {}

/// A decompressor held against the budget.
pub(super) struct Inflating<'a> {
    decoder: Members<Counted<'a>>,
    compression: Compression,
    path: Arc<str>,
    crc: Option<(u32, Crc)>,
    given: u64,
    meter: Meter,
    broken: Option<Broken>,
    budget: &'a Budget<'a>,
}

impl Inflating<'_> {
    /// The next bytes, or what is wrong with the stream.
    fn inflate(&mut self, buf: &mut [u8]) -> Result<usize, Broken> {
        let n = self.decoder.read(buf).map_err(|error| self.describe(&error))?;
        if let Some((stated, crc)) = &mut self.crc {
            crc.update(&buf[..n]);
            if n == 0 && !buf.is_empty() && crc.sum() != *stated {
                return Err(self.breaks("its checksum is wrong; it was read as it is"));
            }
        }
        self.given += n as u64;
        self.meter.unpacked.set(self.meter.unpacked.get() + n as u64);
        self.budget.inflate(n as u64);
        if self.meter.is_over(self.budget.limits) {
            let ratio = self.budget.limits.ratio;
            return Err(self.breaks(format!("unpacks to more than {ratio} times its size; the rest was not read")));
        }
        match self.budget.exhausted() {
            Some(what) => Err(Broken { path: Arc::from(""), what }),
            None => Ok(n),
        }
    }

    /// An error of a stream further out is passed on as it is.
    fn describe(&self, error: &io::Error) -> Broken {
        if let Some(outer) = error.get_ref().and_then(|e| e.downcast_ref::<Broken>()) {
            return outer.clone();
        }
        let (name, given) = (self.compression.name(), size(self.given));
        self.breaks(match error.kind() {
            io::ErrorKind::UnexpectedEof => format!("the {name} stream is cut off; the {given} before the cut were read"),
            _ => format!("the {name} stream is damaged ({error}); the {given} before the damage were read"),
        })
    }

    fn breaks(&self, what: impl Into<String>) -> Broken {
        Broken { path: Arc::clone(&self.path), what: what.into() }
    }
}

impl Read for Inflating<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let broken = match self.broken.take() {
            Some(broken) => broken,
            None => match self.inflate(buf) {
                Ok(n) => return Ok(n),
                Err(broken) => broken,
            },
        };
        self.broken = Some(broken.clone());
        Err(io::Error::other(broken))
    }
}

/// Counts the packed bytes that were taken.
struct Counted<'a> {
    inner: &'a mut dyn BufRead,
    packed: Rc<Cell<u64>>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.packed.set(self.packed.get() + n as u64);
        Ok(n)
    }
}

impl BufRead for Counted<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.packed.set(self.packed.get() + n as u64);
        self.inner.consume(n);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn honest_ratios_pass() {
        let meter = Meter::default();
        meter.unpacked.set(1 << 30);
        meter.packed.set(50 << 20);
        assert!(!meter.is_over(&Limits::default()));
        meter.packed.set(1 << 20);
        assert!(meter.is_over(&Limits::default()));
    }
}
