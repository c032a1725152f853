//! Decompressors behind one face. The readers of their crates drop what was decoded in the very call that fails, up to a
//! whole buffer; here every byte before the damage comes through.

use std::io::{self, BufRead, Read};

use flate2::FlushDecompress;
use liblzma::stream::Action;
use zstd::stream::raw::{InBuffer, Operation, OutBuffer};

use super::sniff::Compression;

/// Memory an xz stream may ask for; `xz -9` takes 65 MiB, a hostile header up to 4 GiB.
const XZ_MEMORY: u64 = 128 << 20;

/// Window of a zstd frame as a power of two: 128 MiB, what `zstd --long` uses.
const ZSTD_WINDOW: u32 = 27;

/// Window of deflate as a power of two: the largest there is.
const DEFLATE_WINDOW: u8 = 15;

/// One step of decoding.
struct Step {
    taken: usize,
    given: usize,
    state: State,
}

enum State {
    More,
    /// The member, frame or stream ended; another may follow.
    End,
    Broken(String),
}

impl State {
    fn new<E: ToString>(ended: Result<bool, E>) -> Self {
        match ended {
            Ok(false) => Self::More,
            Ok(true) => Self::End,
            Err(error) => Self::Broken(error.to_string()),
        }
    }
}

enum Codec {
    Stored,
    Flate(flate2::Decompress),
    Zstd(zstd::stream::raw::Decoder<'static>),
    Xz(liblzma::stream::Stream),
    Bzip2(bzip2::Decompress),
}

impl Codec {
    fn new(compression: Compression) -> io::Result<Self> {
        Ok(match compression {
            Compression::Stored => Self::Stored,
            Compression::Deflate => Self::Flate(flate2::Decompress::new(false)),
            Compression::Gzip => Self::Flate(flate2::Decompress::new_gzip(DEFLATE_WINDOW)),
            Compression::Zstd => {
                let mut decoder = zstd::stream::raw::Decoder::new()?;
                decoder.set_parameter(zstd::stream::raw::DParameter::WindowLogMax(ZSTD_WINDOW))?;
                Self::Zstd(decoder)
            }
            Compression::Xz => Self::Xz(liblzma::stream::Stream::new_stream_decoder(XZ_MEMORY, 0)?),
            Compression::Bzip2 => Self::Bzip2(bzip2::Decompress::new(false)),
        })
    }

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step {
        match self {
            Self::Stored => {
                let length = input.len().min(output.len());
                output[..length].copy_from_slice(&input[..length]);
                Step { taken: length, given: length, state: State::More }
            }
            Self::Flate(decoder) => {
                let (taken, given) = (decoder.total_in(), decoder.total_out());
                let status = decoder.decompress(input, output, FlushDecompress::None);
                let state = State::new(status.map(|status| status == flate2::Status::StreamEnd));
                Step { taken: (decoder.total_in() - taken) as usize, given: (decoder.total_out() - given) as usize, state }
            }
            Self::Xz(decoder) => {
                let (taken, given) = (decoder.total_in(), decoder.total_out());
                let status = decoder.process(input, output, Action::Run);
                let state = State::new(status.map(|status| status == liblzma::stream::Status::StreamEnd));
                Step { taken: (decoder.total_in() - taken) as usize, given: (decoder.total_out() - given) as usize, state }
            }
            Self::Bzip2(decoder) => {
                let (taken, given) = (decoder.total_in(), decoder.total_out());
                let status = decoder.decompress(input, output);
                let state = State::new(status.map(|status| status == bzip2::Status::StreamEnd));
                Step { taken: (decoder.total_in() - taken) as usize, given: (decoder.total_out() - given) as usize, state }
            }
            Self::Zstd(decoder) => {
                let (mut from, mut into) = (InBuffer::around(input), OutBuffer::around(output));
                let hint = decoder.run(&mut from, &mut into);
                Step { taken: from.pos(), given: into.pos(), state: State::new(hint.map(|hint| hint == 0)) }
            }
        }
    }
}

/// The members of a compressed stream one after the other: pigz and bgzip write many, and files are joined by `cat`. Bytes
/// behind a member that begin none, such as a tape's padding, end the stream and are no error.
pub(super) struct Members<R> {
    bytes: R,
    compression: Compression,
    codec: Option<Codec>,
    broken: Option<String>,
}

impl<R: BufRead> Members<R> {
    pub(super) fn new(bytes: R, compression: Compression) -> io::Result<Self> {
        Ok(Self { bytes, compression, codec: Some(Codec::new(compression)?), broken: None })
    }

    /// Whether what follows begins another member.
    fn next(&mut self) -> io::Result<()> {
        let first = self.bytes.fill_buf()?.first().copied();
        let begins = match self.compression {
            Compression::Gzip => first == Some(0x1f),
            Compression::Zstd => first == Some(0x28) || first.is_some_and(|byte| byte & 0xf0 == 0x50),
            Compression::Xz => first == Some(0xfd),
            Compression::Bzip2 => first == Some(b'B'),
            Compression::Deflate | Compression::Stored => false,
        };
        self.codec = if begins { Some(Codec::new(self.compression)?) } else { None };
        Ok(())
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if let Some(what) = self.broken.take() {
            return Err(io::Error::other(what));
        }
        while let Some(codec) = self.codec.as_mut().filter(|_| !buf.is_empty()) {
            let input = self.bytes.fill_buf()?;
            let is_at_end = input.is_empty();
            let step = codec.step(input, buf);
            self.bytes.consume(step.taken);
            match step.state {
                State::End => self.next()?,
                State::Broken(what) if step.given == 0 => return Err(io::Error::other(what)),
                State::Broken(what) => self.broken = Some(what),
                State::More if step.given > 0 || step.taken > 0 => {}
                State::More if self.compression == Compression::Stored => return Ok(0),
                State::More if is_at_end => return Err(io::ErrorKind::UnexpectedEof.into()),
                State::More => return Err(io::Error::other("it stands still")),
            }
            if step.given > 0 {
                return Ok(step.given);
            }
        }
        Ok(0)
    }
}
