//! A sheet of terminal text: a gutter of eight columns for labels, wrapped prose beside it, colours by need.

use std::fmt::Write as _;
use std::path::PathBuf;

use anstyle::{AnsiColor, Color, Style as Ansi};
use unicode_width::UnicodeWidthStr;

use crate::language::Language;
use crate::report::model::Location;
use crate::report::{Style, escape, words, wrap};
use crate::visible::{visible, visible_line};

/// Columns of the gutter.
pub(super) const GUTTER: usize = 8;

/// What a text is, which decides its colour. The eight base colours and bold only: they are readable on light and dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Plain,
    Strong,
    Bad,
    Warn,
    Good,
    Place,
    Removed,
    Added,
}

impl Ink {
    fn ansi(self) -> Ansi {
        let colored = |color: AnsiColor| Ansi::new().fg_color(Some(Color::Ansi(color)));
        match self {
            Ink::Plain => Ansi::new(),
            Ink::Strong => Ansi::new().bold(),
            Ink::Bad => colored(AnsiColor::Red).bold(),
            Ink::Warn => colored(AnsiColor::Yellow).bold(),
            Ink::Good => colored(AnsiColor::Green).bold(),
            Ink::Place => colored(AnsiColor::Cyan),
            Ink::Removed => colored(AnsiColor::Red),
            Ink::Added => colored(AnsiColor::Green),
        }
    }
}

/// The text written so far.
pub(super) struct Sheet {
    out: String,
    pub(super) width: usize,
    pub(super) language: Language,
    color: bool,
    hyperlinks: bool,
    directory: Option<PathBuf>,
}

impl Sheet {
    pub(super) fn new(style: &Style) -> Self {
        Self {
            out: String::new(),
            width: style.width.clamp(60, 120),
            language: style.language,
            color: style.color,
            hyperlinks: style.hyperlinks,
            directory: style.directory.clone(),
        }
    }

    pub(super) fn finish(self) -> String {
        self.out
    }

    pub(super) fn blank(&mut self) {
        self.out.push('\n');
    }

    /// `text` in `ink`, as a piece to be put into a line.
    pub(super) fn paint(&self, ink: Ink, text: &str) -> String {
        if !self.color || ink == Ink::Plain || text.is_empty() {
            return text.to_owned();
        }
        let ansi = ink.ansi();
        format!("{ansi}{text}{ansi:#}")
    }

    /// `text` as a link to `url`, where the terminal knows links.
    pub(super) fn link(&self, text: &str, url: &str) -> String {
        if !self.hyperlinks || url.is_empty() {
            return text.to_owned();
        }
        format!("\u{1b}]8;;{url}\u{1b}\\{text}\u{1b}]8;;\u{1b}\\")
    }

    /// A place in the bundle as a link to its file, where that is on this machine.
    pub(super) fn place(&self, location: &Location) -> String {
        let shown = self.paint(Ink::Place, &visible_line(&words::place(location)));
        match &self.directory {
            Some(directory) => self.link(&shown, &escape::file_url(&directory.join(&location.path))),
            None => shown,
        }
    }

    /// One line of ready pieces.
    pub(super) fn raw(&mut self, line: &str) {
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }

    /// `left`, and `right` at the right edge, or below where there is no room.
    pub(super) fn edges(&mut self, left: (Ink, &str), right: (Ink, &str)) {
        let (shown_left, shown_right) = (visible_line(left.1), visible_line(right.1));
        let used = shown_left.width() + shown_right.width();
        let (a, b) = (self.paint(left.0, &shown_left), self.paint(right.0, &shown_right));
        if used + 2 <= self.width {
            let line = format!("{a}{:gap$}{b}", "", gap = self.width - used);
            self.raw(&line);
        } else {
            self.raw(&a);
            self.raw(&b);
        }
    }

    /// Prose from the left edge, wrapped.
    pub(super) fn prose(&mut self, ink: Ink, text: &str) {
        for line in self.wrapped(text, 0) {
            let line = self.paint(ink, &line);
            self.raw(&line);
        }
    }

    /// Prose beside a label in the gutter (or beside nothing, when `label` is empty).
    pub(super) fn labelled(&mut self, label: (Ink, &str), text: &str) {
        self.hanging(label, "", text);
    }

    /// As [`Sheet::labelled`], with a `bullet` before the first line and the others aligned behind it.
    pub(super) fn hanging(&mut self, label: (Ink, &str), bullet: &str, text: &str) {
        let indent = GUTTER + bullet.width();
        for (i, line) in self.wrapped(text, indent).iter().enumerate() {
            let head = if i == 0 {
                format!("{}{:pad$}{bullet}", self.paint(label.0, label.1), "", pad = GUTTER.saturating_sub(label.1.width()))
            } else {
                " ".repeat(indent)
            };
            let line = format!("{head}{line}");
            self.raw(&line);
        }
    }

    /// Text that must be pasted as it is: never wrapped, every line of it behind `prefix`.
    pub(super) fn verbatim(&mut self, ink: Ink, prefix: &str, text: &str) {
        for line in visible(text.trim_end()).lines() {
            let line = format!("{:GUTTER$}{prefix}{}", "", self.paint(ink, line));
            self.raw(&line);
        }
    }

    /// Harmless lines of `text` that fit beside an indent.
    pub(super) fn wrapped(&self, text: &str, indent: usize) -> Vec<String> {
        let options = wrap::options(self.width.saturating_sub(indent).max(20));
        textwrap::wrap(&visible_line(text), options).into_iter().map(std::borrow::Cow::into_owned).collect()
    }

    /// Writes formatted text into a line of its own.
    pub(super) fn line(&mut self, args: std::fmt::Arguments<'_>) {
        let mut line = String::new();
        line.write_fmt(args).expect("writing to a string cannot fail");
        self.raw(&line);
    }
}
