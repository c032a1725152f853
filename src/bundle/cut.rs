//! Where a large file may be cut, so that it can be read while it is unpacked.

/// Where a file may be cut. Whoever reads its format knows, see [`super::read_cut`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cut {
    /// Nowhere, as long as it stays below [`super::Limits::chunk`].
    Whole,
    /// Behind any line end.
    Lines,
    /// Before any line that starts so.
    Before(String),
}

impl Cut {
    /// Where to cut `bytes` of a file: as late as possible, never at the start.
    pub(super) fn find(&self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Whole => None,
            Self::Lines => memchr::memrchr(b'\n', bytes).map(|at| at + 1),
            Self::Before(start) => memchr::memmem::rfind(bytes, format!("\n{start}").as_bytes()).map(|at| at + 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_as_late_as_possible() {
        let text = b"- a\n- b\n  - c\n- d";
        assert_eq!(Cut::Whole.find(text), None);
        assert_eq!(Cut::Lines.find(text), Some(14));
        assert_eq!(Cut::Before("- ".to_owned()).find(text), Some(14));
        assert_eq!(Cut::Before("  - ".to_owned()).find(text), Some(8));
        assert_eq!(Cut::Before("- a".to_owned()).find(text), None);
    }
}
