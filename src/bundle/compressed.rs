//! Compressed streams. A stream that breaks gives all its bytes before the break, then an error that says where and how,
//! and the same error at every further read.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;
use std::sync::Arc;

use flate2::bufread::GzDecoder;
use liblzma::stream::Stream;

use super::limits::{Budget, size};
use super::sniff::Compression;

/// Buffer on each side of a decompressor. Smaller ones cost 10 to 25 % of its speed.
pub(super) const BUFFER: usize = 128 << 10;

/// Memory an xz stream may ask for; `xz -9` takes 65 MiB, a hostile header up to 4 GiB.
const XZ_MEMORY: u64 = 128 << 20;

/// `CONCATENATED` of liblzma: further streams after the first are read on.
const XZ_CONCATENATED: u32 = 0x08;

/// Window of a zstd frame as a power of two: 128 MiB, what `zstd --long` uses.
const ZSTD_WINDOW: u32 = 27;

/// What is inside the compressed stream `packed`, which stands at `path`.
pub(super) fn open<'a>(
    compression: Compression,
    path: &Arc<str>,
    packed: &'a mut dyn BufRead,
    budget: &'a Budget<'a>,
) -> io::Result<BufReader<Inflating<'a>>> {
    let taken = Rc::new(Cell::new(0));
    let counted = Counted { inner: packed, taken: Rc::clone(&taken) };
    let decoder: Box<dyn Read + 'a> = match compression {
        Compression::Gzip => Box::new(GzipMembers { member: Some(GzDecoder::new(counted)) }),
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(counted)?;
            decoder.window_log_max(ZSTD_WINDOW)?;
            Box::new(decoder)
        }
        Compression::Xz => {
            let stream = Stream::new_stream_decoder(XZ_MEMORY, XZ_CONCATENATED)?;
            Box::new(liblzma::bufread::XzDecoder::new_stream(counted, stream))
        }
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(counted)),
    };
    let inflating = Inflating { decoder, compression, path: Arc::clone(path), taken, given: 0, broken: None, budget };
    Ok(BufReader::with_capacity(BUFFER, inflating))
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
    decoder: Box<dyn Read + 'a>,
    compression: Compression,
    path: Arc<str>,
    taken: Rc<Cell<u64>>,
    given: u64,
    broken: Option<Broken>,
    budget: &'a Budget<'a>,
}

impl Inflating<'_> {
    /// An error of a stream further out is passed on as it is.
    fn breaks(&self, error: &io::Error) -> Broken {
        if let Some(outer) = error.get_ref().and_then(|e| e.downcast_ref::<Broken>()) {
            return outer.clone();
        }
        let (name, given) = (self.compression.name(), size(self.given));
        let what = match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                format!("the {name} stream is cut off; the {given} before the cut were read")
            }
            _ => format!("the {name} stream is damaged ({error}); the {given} before the damage were read"),
        };
        Broken { path: Arc::clone(&self.path), what }
    }
}

impl Read for Inflating<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if let Some(broken) = &self.broken {
            return Err(io::Error::other(broken.clone()));
        }
        let broken = match self.decoder.read(buf) {
            Ok(n) => {
                self.given += n as u64;
                let Some(what) = self.budget.inflate(n as u64, self.given, self.taken.get()) else { return Ok(n) };
                Broken { path: Arc::clone(&self.path), what }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => self.breaks(&error),
        };
        self.broken = Some(broken.clone());
        Err(io::Error::other(broken))
    }
}

/// Counts the packed bytes that were taken.
struct Counted<'a> {
    inner: &'a mut dyn BufRead,
    taken: Rc<Cell<u64>>,
}

impl Read for Counted<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.taken.set(self.taken.get() + n as u64);
        Ok(n)
    }
}

impl BufRead for Counted<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.taken.set(self.taken.get() + n as u64);
        self.inner.consume(n);
    }
}

/// The members of a gzip file one after the other (pigz and bgzip write many). Bytes after the last member that are not a
/// member, such as a tape's padding, end the stream and are no error.
struct GzipMembers<'a> {
    member: Option<GzDecoder<Counted<'a>>>,
}

impl Read for GzipMembers<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            let n = member.read(buf)?;
            if n > 0 || buf.is_empty() {
                return Ok(n);
            }
            let Some(mut rest) = self.member.take().map(GzDecoder::into_inner) else { break };
            if rest.fill_buf()?.first() == Some(&0x1f) {
                self.member = Some(GzDecoder::new(rest));
            }
        }
        Ok(0)
    }
}
