//! The walk through a bundle: every stream is told by its content, containers are opened, files go to the sink.

use std::collections::BTreeSet;
use std::io::{self, BufRead, Read};
use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::compressed::{self, Broken, Meter, Packed};
use super::limits::{Budget, size};
use super::name;
use super::sniff::{Compression, Format, HEAD, begins_document, sniff};
use super::{Cut, Entry, layout, tar, zip};
use crate::location::{Location, Problem};

/// A line longer than this is cut when its file arrives in several entries.
const LONGEST_LINE: usize = 64 << 20;

/// A file that may be cut arrives in parts of about so many bytes: they stay in the cache from unpacking to decoding.
const PART: usize = 1 << 20;

/// Memory that is set aside because a header states so much.
const MOST_BELIEVED: usize = 1 << 20;

/// Problems listed one by one; a hostile bundle could fill the memory with them.
const MOST_PROBLEMS: usize = 1000;

/// Links that lead nowhere listed one by one: a copied `/var/log` has one for every container.
const MOST_LINKS: usize = 20;

/// Where a stream stands in the bundle.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// Its path as a file.
    pub(super) path: Arc<str>,
    /// What the paths of files inside it start with: empty, or ending in `/`.
    pub(super) inside: String,
    /// Archives around it.
    archives: u32,
    /// Compressed streams around it since the innermost archive.
    layers: u32,
}

impl Place {
    /// The outermost stream, called `path`; what is inside it gets paths that start with `inside`.
    pub(super) fn outermost(path: &str, inside: &str) -> Self {
        Self { path: Arc::from(path), inside: inside.to_owned(), archives: 0, layers: 0 }
    }

    /// A file of the archive that stands here.
    fn member(&self, path: String) -> Self {
        Self { inside: format!("{path}/"), path: Arc::from(path), archives: self.archives + 1, layers: 0 }
    }

    /// A file of the directory that stands here.
    pub(super) fn beside(&self, name: &str) -> Self {
        let path = format!("{}{name}", self.inside);
        Self::outermost(&path, &format!("{path}/"))
    }

    fn unpacked(&self) -> Self {
        Self { layers: self.layers + 1, ..self.clone() }
    }
}

/// A link of an archive or a directory.
struct Link {
    path: String,
    target: String,
    strayed: bool,
}

/// What is done with what a walk comes by.
pub(super) trait Visit {
    /// A file, or a part of one.
    fn entry(&mut self, entry: Entry);

    /// Where a file that starts with `head` may be cut.
    fn cut(&mut self, _path: &Arc<str>, _head: &[u8]) -> Cut {
        Cut::Whole
    }

    /// A container begins: what comes until the matching [`Visit::leave`] is inside it.
    fn enter(&mut self, _place: &Place, _format: Format) {}

    /// The innermost container ends.
    fn leave(&mut self) {}

    /// A file that is passed over, and what it is.
    fn pass(&mut self, _path: &Arc<str>, _what: &str) {}
}

impl<F: FnMut(Entry) + ?Sized> Visit for F {
    fn entry(&mut self, entry: Entry) {
        self(entry);
    }
}

/// The state of reading one bundle.
pub(super) struct Walk<'a> {
    pub(super) budget: &'a Budget<'a>,
    visit: &'a mut dyn Visit,
    /// Only asked and, in the end, sorted.
    paths: FxHashSet<Arc<str>>,
    links: Vec<Link>,
    /// What files are in themselves.
    layouts: BTreeSet<&'static str>,
    problems: BTreeSet<Problem>,
    /// Problems beyond [`MOST_PROBLEMS`].
    unlisted: u64,
    /// Bytes of archives held in memory at this moment.
    pub(super) held: u64,
}

/// What a walk found beside the entries.
pub(super) struct Found {
    pub(super) paths: Vec<Arc<str>>,
    pub(super) layouts: BTreeSet<&'static str>,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(budget: &'a Budget<'a>, visit: &'a mut dyn Visit) -> Self {
        let (paths, links, layouts, problems) = (FxHashSet::default(), Vec::new(), BTreeSet::new(), BTreeSet::new());
        Self { budget, visit, paths, links, layouts, problems, unlisted: 0, held: 0 }
    }

    /// Reads one stream, whatever it is, and tells what it was.
    pub(super) fn stream(&mut self, place: &Place, reader: &mut dyn BufRead, stated: Option<u64>) -> Format {
        let mut head = Vec::with_capacity(HEAD);
        if let Err(error) = reader.take(HEAD as u64).read_to_end(&mut head) {
            self.broken(&place.path, &error);
        }
        let format = sniff(&head);
        let mut reader = head.as_slice().chain(reader);
        match format {
            Format::Plain => self.file(&place.path, &mut reader, stated),
            Format::Foreign(what) => {
                self.visit.pass(&place.path, what);
                self.admit(&place.path);
            }
            Format::Compressed(_) if place.layers >= self.budget.limits.depth => {
                self.refuse(&place.path, "compressed more often than the depth limit allows; not opened");
            }
            Format::Compressed(compression) => self.inside(place, format, |walk| walk.unpack(place, compression, &mut reader)),
            Format::Tar | Format::Zip if place.archives >= self.budget.limits.depth => {
                self.refuse(&place.path, "inside more archives than the depth limit allows; not opened");
            }
            Format::Tar => self.inside(place, format, |walk| tar::read(walk, place, &mut reader)),
            Format::Zip => self.inside(place, format, |walk| zip::read_stream(walk, place, &mut reader)),
        }
        format
    }

    /// Reads a container.
    pub(super) fn inside(&mut self, place: &Place, format: Format, read: impl FnOnce(&mut Self)) {
        self.visit.enter(place, format);
        read(self);
        self.visit.leave();
    }

    fn unpack(&mut self, place: &Place, compression: Compression, bytes: &mut dyn BufRead) {
        let packed = Packed { compression, path: Arc::clone(&place.path), crc: None, meter: Meter::default(), bytes };
        match compressed::open(packed, self.budget) {
            Ok(mut unpacked) => {
                self.stream(&place.unpacked(), &mut unpacked, None);
            }
            Err(error) => self.broken(&place.path, &error),
        }
    }

    /// The place of the member `name` of the archive at `place`; `None` when it has no name to be called by.
    pub(super) fn locate(&mut self, place: &Place, name: &str) -> Option<Place> {
        let name = self.name(place, name)?;
        Some(place.member(format!("{}{}", place.inside, name.path)))
    }

    /// Notes a link of the archive at `place`; `base` is the directory its target is seen from.
    pub(super) fn link(&mut self, place: &Place, name: &str, base: &str, target: &str) {
        let Some(name) = self.name(place, name) else { return };
        self.budget.files.set(self.budget.files.get() + 1);
        let Some(resolved) = name::resolve(base, target) else { return };
        let path = format!("{}{}", place.inside, name.path);
        let target = format!("{}{}", place.inside, resolved.path);
        self.links.push(Link { path, target, strayed: resolved.strayed });
    }

    /// Lists a device or a pipe of the archive at `place`.
    pub(super) fn special(&mut self, place: &Place, name: &str) {
        self.budget.files.set(self.budget.files.get() + 1);
        self.member_problem(place, name, "a device or a named pipe; not read");
    }

    /// Lists a problem with the member `name` of the archive at `place`.
    pub(super) fn member_problem(&mut self, place: &Place, name: &str, what: impl Into<String>) {
        let name = name::resolve("", name).map(|n| n.path).unwrap_or_default();
        self.problem(&format!("{}{name}", place.inside), None, what);
    }

    /// The normalised name of a member of the archive at `place`; `None` when it has none.
    fn name(&mut self, place: &Place, name: &str) -> Option<name::Name> {
        let Some(resolved) = name::resolve("", name) else {
            self.problem(&place.path, None, format!("a name of {} is too long; not read", size(name.len() as u64)));
            return None;
        };
        if resolved.strayed && !resolved.path.is_empty() {
            let path = format!("{}{}", place.inside, resolved.path);
            self.problem(&path, None, format!("its name in the archive, {name}, leads out of the bundle; read as {path}"));
        }
        (!resolved.path.is_empty()).then_some(resolved)
    }

    /// Gives a file to the sink, in several entries when it is large. `stated` is the size its container gives.
    pub(super) fn file(&mut self, path: &Arc<str>, reader: &mut dyn BufRead, stated: Option<u64>) {
        let Some(replaces) = self.admit(path) else { return };
        let limits = self.budget.limits;
        let chunk = limits.chunk.max(1);
        let allowed = limits.file.min(self.budget.room());
        let mut parts = Parts { path, chunk: 0, first_line: 1, cut: Cut::Whole, replaces };
        let mut bytes = Vec::with_capacity(stated.unwrap_or(0).min(allowed).min(chunk.min(MOST_BELIEVED) as u64) as usize);
        let mut content = reader.take(allowed);
        let mut full = chunk.min(PART);
        let mut step = full;
        let mut is_begin = true;
        while self.fill(path, &mut content, &mut bytes, full) {
            if std::mem::take(&mut is_begin) {
                if full == PART {
                    parts.cut = self.visit.cut(path, &bytes);
                }
                step = match parts.cut {
                    Cut::Whole if begins_document(&bytes) => limits.document.max(chunk),
                    Cut::Whole => chunk,
                    _ => PART,
                };
            }
            let is_document = step > chunk;
            if is_document && full >= step {
                self.problem(path, None, format!("a document larger than {}; the rest was not read", size(full as u64)));
                bytes.truncate(line_end(&bytes, full).unwrap_or(bytes.len()));
                break;
            }
            let at_a_line = || (full >= chunk && !is_document).then(|| line_end(&bytes, full)).flatten();
            let Some(end) = parts.cut.find(&bytes).or_else(at_a_line) else {
                full = if full < step { step } else { full + step };
                continue;
            };
            let mut rest = Vec::with_capacity(step.max(bytes.len() - end));
            rest.extend_from_slice(&bytes[end..]);
            bytes.truncate(end);
            self.emit(parts.next(std::mem::replace(&mut bytes, rest), false));
            full = step;
        }
        self.emit(parts.next(bytes, true));
        let is_cut = content.limit() == 0 && content.into_inner().fill_buf().is_ok_and(|rest| !rest.is_empty());
        if is_cut && !self.is_over() {
            self.problem(path, None, format!("larger than {}; the rest was not read", size(limits.file)));
        }
    }

    /// Reads until `bytes` holds `full` bytes; tells whether more follow. An error is listed and ends the file.
    fn fill(&mut self, path: &str, content: &mut dyn BufRead, bytes: &mut Vec<u8>, full: usize) -> bool {
        let missing = full.saturating_sub(bytes.len()) as u64;
        let got = (&mut *content).take(missing).read_to_end(bytes);
        match got.and_then(|_| content.fill_buf()) {
            Ok(rest) => !rest.is_empty(),
            Err(error) => {
                self.broken(path, &error);
                false
            }
        }
    }

    fn emit(&mut self, entry: Entry) {
        self.budget.unpacked.set(self.budget.unpacked.get() + entry.bytes.len() as u64);
        if entry.chunk == 0 {
            self.layouts.extend(layout::of_file(&entry.path, &entry.bytes));
        }
        self.visit.entry(entry);
    }

    fn refuse(&mut self, path: &Arc<str>, why: &str) {
        self.visit.pass(path, why);
        self.admit(path);
        self.problem(path, None, why);
    }

    /// Counts a file; tells whether another of the same path came before, or `None` when there are too many files.
    fn admit(&mut self, path: &Arc<str>) -> Option<bool> {
        self.budget.files.set(self.budget.files.get() + 1);
        if self.is_over() {
            return None;
        }
        Some(!self.paths.insert(Arc::clone(path)))
    }

    /// Whether a limit of the whole bundle was reached; it is listed then.
    pub(super) fn is_over(&mut self) -> bool {
        let Some(what) = self.budget.exhausted() else { return false };
        self.problems.insert(Problem::new(Location::file(&Arc::from("")), what));
        true
    }

    /// Lists a reading error, at the stream that broke when it is one further out.
    pub(super) fn broken(&mut self, path: &str, error: &io::Error) {
        match error.get_ref().and_then(|e| e.downcast_ref::<Broken>()) {
            Some(broken) => self.problem(&broken.path, None, broken.what.clone()),
            None => self.problem(path, None, format!("cannot be read: {error}")),
        }
    }

    /// Lists a problem.
    pub(super) fn problem(&mut self, path: &str, line: Option<u32>, what: impl Into<String>) {
        let problem = Problem::new(Location { path: Arc::from(path), line }, what);
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.insert(problem);
        } else if !self.problems.contains(&problem) {
            self.unlisted += 1;
        }
    }

    /// The first problem listed, in order of paths.
    pub(super) fn first_problem(&self) -> Option<&Problem> {
        self.problems.first()
    }

    /// Ends the walk: links are looked up among the files, paths and problems are sorted.
    pub(super) fn finish(mut self) -> Found {
        let mut paths: Vec<Arc<str>> = std::mem::take(&mut self.paths).into_iter().collect();
        paths.sort_unstable();
        self.check_links(&paths);
        if self.unlisted > 0 {
            let what = format!("{} more problems are not listed", self.unlisted);
            self.problems.insert(Problem::new(Location::file(&Arc::from("")), what));
        }
        Found { paths, layouts: self.layouts, problems: self.problems.into_iter().collect() }
    }

    /// A link to a file or directory of the bundle is an alias of something that is read anyway. Others are listed.
    fn check_links(&mut self, paths: &[Arc<str>]) {
        let links = std::mem::take(&mut self.links);
        let aliases: FxHashSet<&str> = links.iter().map(|l| l.path.as_str()).collect();
        let leads_inside =
            |link: &&Link| !link.strayed && (is_there(paths, &link.target) || aliases.contains(link.target.as_str()));
        let mut astray: Vec<&Link> = links.iter().filter(|link| !leads_inside(link)).collect();
        astray.sort_by_key(|link| &link.path);
        for link in astray.iter().take(MOST_LINKS) {
            self.problem(&link.path, None, format!("a link to {}, which is not in the bundle; not followed", link.target));
        }
        if astray.len() > MOST_LINKS {
            let more = astray.len() - MOST_LINKS;
            self.problem("", None, format!("{more} more links lead to files that are not in the bundle; not followed"));
        }
    }
}

/// Whether the sorted `paths` hold `target`, or something below it.
fn is_there(paths: &[Arc<str>], target: &str) -> bool {
    if target.is_empty() {
        return true;
    }
    let at = paths.partition_point(|p| &**p < target);
    if paths.get(at).is_some_and(|p| &**p == target) {
        return true;
    }
    let below = format!("{target}/");
    let at = paths.partition_point(|p| **p < *below);
    paths.get(at).is_some_and(|p| p.starts_with(&below))
}

/// Where to cut `bytes`, which are full: after their last line end, or anywhere when a line exceeds all bounds.
fn line_end(bytes: &[u8], full: usize) -> Option<usize> {
    match memchr::memrchr(b'\n', bytes) {
        Some(at) => Some(at + 1),
        None => (full >= LONGEST_LINE).then_some(bytes.len()),
    }
}

/// The entries one file arrives in.
struct Parts<'a> {
    path: &'a Arc<str>,
    chunk: u32,
    first_line: u32,
    cut: Cut,
    replaces: bool,
}

impl Parts<'_> {
    fn next(&mut self, bytes: Vec<u8>, is_last: bool) -> Entry {
        let (chunk, first_line) = (self.chunk, self.first_line);
        if !is_last {
            let lines = memchr::memchr_iter(b'\n', &bytes).count();
            self.chunk += 1;
            self.first_line = first_line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        }
        Entry {
            path: Arc::clone(self.path),
            bytes,
            chunk,
            first_line,
            is_last,
            cut: self.cut.clone(),
            replaces: self.replaces && chunk == 0,
        }
    }
}
