//! What happened when, as one lane per object.

use jiff::Timestamp;
use unicode_width::UnicodeWidthStr;

use super::fitted;
use crate::language::Language;
use crate::report::model::{Moment, Report, Symptom};
use crate::report::words;

/// Lanes, the last of which takes all objects that have none of their own.
const LANES: usize = 8;
/// Width of the picture in pixels.
const WIDTH: f64 = 900.0;
/// Right end of the lanes.
const RIGHT: f64 = 880.0;
/// Pixels from lane to lane.
const LANE: f64 = 30.0;
/// Pixels a character of a lane's name takes.
const LETTER: f64 = 6.6;
/// Characters of a lane's name.
const NAME: usize = 34;
/// Marks closer than this, in pixels, are drawn as one bar with their number.
const APART: f64 = 9.0;
/// Pixels a gap without anything takes when it is cut out.
const BREAK: f64 = 72.0;
/// Share of the whole time that a gap must take to be cut out.
const LONG: f64 = 0.6;
/// Pixels a tick and its label need.
const TICK: f64 = 74.0;

/// The picture; all numbers are pixels.
#[derive(Debug, serde::Serialize)]
pub(in crate::report) struct Timeline {
    height: f64,
    left: f64,
    right: f64,
    bottom: f64,
    lanes: Vec<Lane>,
    ticks: Vec<Tick>,
    gap: Option<f64>,
    failure: Option<f64>,
    failure_side: &'static str,
    collected: Option<f64>,
}

#[derive(Debug, serde::Serialize)]
struct Lane {
    name: String,
    y: f64,
    marks: Vec<Mark>,
}

#[derive(Debug, serde::Serialize)]
struct Mark {
    x: f64,
    width: f64,
    count: usize,
    class: &'static str,
    label: String,
}

#[derive(Debug, serde::Serialize)]
struct Tick {
    x: f64,
    time: String,
    date: String,
}

/// The timeline of `report`; `None` when nothing in it has a time.
pub(in crate::report) fn timeline(report: &Report, language: Language) -> Option<Timeline> {
    let mut moments: Vec<(Timestamp, &Moment)> = report.timeline.iter().filter_map(|m| Some((m.at.parse().ok()?, m))).collect();
    moments.sort_by_key(|(at, _)| *at);
    let first = moments.first()?.0;
    let collected: Option<Timestamp> = report.bundle.collected_at.as_deref().and_then(|at| at.parse().ok());
    let last = moments.last()?.0;
    let lanes = lanes(report, &moments, language.text("other-objects"));
    let longest = lanes.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
    let left = (longest as f64 * LETTER + 24.0).round();
    let scale = Scale::new(&moments, first, last.max(collected.unwrap_or(last)), left);

    let ours = |s: &&Symptom| report.root_cause.is_none() || s.explained_by.contains(&0);
    let failure = report.symptoms.iter().filter(ours).filter_map(|s| s.since.as_deref()?.parse::<Timestamp>().ok()).min();
    let failure = failure.filter(|at| *at >= first && *at <= last).map(|at| scale.x(at));
    let bottom = 30.0 + lanes.len() as f64 * LANE;
    Some(Timeline {
        height: bottom + 38.0,
        left,
        right: RIGHT,
        bottom,
        lanes: lanes
            .into_iter()
            .enumerate()
            .map(|(i, (name, members))| Lane { name, y: 38.0 + i as f64 * LANE, marks: marks(&members, &scale, language) })
            .collect(),
        ticks: scale.ticks(),
        gap: scale.gap.map(|(at, _)| round(scale.x(at) + BREAK / 2.0)),
        failure_side: if failure.is_some_and(|x| x > WIDTH * 0.6) { "end" } else { "start" },
        failure,
        collected: collected.filter(|at| *at >= last).map(|at| scale.x(at)),
    })
}

type Members<'a> = Vec<(Timestamp, &'a Moment)>;

/// Lanes in order: the culprit, the objects of the chain, then whatever comes first in time.
fn lanes<'a>(report: &Report, moments: &[(Timestamp, &'a Moment)], rest: &str) -> Vec<(String, Members<'a>)> {
    let mut lanes: Vec<(String, Members<'a>)> = Vec::new();
    if let Some(cause) = &report.root_cause {
        for object in std::iter::once(&cause.resource).chain(cause.chain.iter().map(|link| &link.resource)) {
            let name = words::object(object);
            if lanes.len() < LANES - 1 && !lanes.iter().any(|(lane, _)| *lane == name) {
                lanes.push((name, Vec::new()));
            }
        }
    }
    let mut others = Vec::new();
    for (at, moment) in moments {
        let name = match &moment.resource {
            Some(object) => words::object(object),
            None => moment.source.path.rsplit('/').next().unwrap_or_default().to_owned(),
        };
        match lanes.iter().position(|(lane, _)| *lane == name) {
            Some(lane) => lanes[lane].1.push((*at, *moment)),
            None if lanes.len() < LANES - 1 => lanes.push((name, vec![(*at, *moment)])),
            None => others.push((*at, *moment)),
        }
    }
    lanes.retain(|(_, members)| !members.is_empty());
    if !others.is_empty() {
        lanes.push((rest.to_owned(), others));
    }
    lanes.into_iter().map(|(name, members)| (fitted(&short(&name), NAME), members)).collect()
}

/// A lane's name without its namespace: the table below has it in full.
fn short(name: &str) -> String {
    match name.split_once(' ') {
        Some((kind, rest)) => format!("{kind} {}", rest.rsplit('/').next().unwrap_or(rest)),
        None => name.to_owned(),
    }
}

/// Marks from left to right; those of one class that would overlap become a bar.
fn marks(members: &[(Timestamp, &Moment)], scale: &Scale, language: Language) -> Vec<Mark> {
    let mut marks: Vec<Mark> = Vec::new();
    let mut first = String::new();
    for (at, moment) in members {
        let x = scale.x(*at);
        let class = class(&moment.what);
        match marks.last_mut() {
            Some(last) if last.class == class && x - (last.x + last.width) < APART => {
                last.count += 1;
                last.width = round((x - last.x).max(18.0));
                let facts = [("n", &*last.count.to_string()), ("first", &first)];
                last.label = language.say("moments-first", &facts);
            }
            _ => {
                first = fitted(&format!("{} {}", words::time(&moment.at), moment.what), 120);
                marks.push(Mark { x, width: 0.0, count: 1, class, label: first.clone() });
            }
        }
    }
    marks
}

/// The shape of a mark, from the words used: something made or changed, something that failed, or a statement.
fn class(what: &str) -> &'static str {
    const ERROR: [&str; 20] = [
        "fail",
        "error",
        "refus",
        "denied",
        "invalid",
        "kill",
        "crash",
        "unhealthy",
        "evict",
        "back-off",
        "backoff",
        "not ready",
        "notready",
        "timed out",
        "timeout",
        "deadline",
        "unable",
        "cannot",
        "exceeded",
        "unreachable",
    ];
    const CHANGED: [&str; 9] =
        ["已创建", "created", "changed", "updated", "replaced", "scaled", "deleted", "applied", "restarted"];
    let what = what.to_ascii_lowercase();
    if ERROR.iter().any(|word| what.contains(word)) {
        "error"
    } else if CHANGED.iter().any(|word| what.contains(word)) {
        "changed"
    } else {
        "said"
    }
}

/// Time → pixels, with at most one long gap cut out.
struct Scale {
    first: Timestamp,
    last: Timestamp,
    left: f64,
    /// The empty time between two moments.
    gap: Option<(Timestamp, Timestamp)>,
    /// Pixels per second.
    rate: f64,
}

impl Scale {
    fn new(moments: &[(Timestamp, &Moment)], first: Timestamp, last: Timestamp, left: f64) -> Self {
        let whole = seconds(first, last).max(1.0);
        let ends = moments.iter().map(|(at, _)| *at).skip(1).chain([last]);
        let gap = moments
            .iter()
            .map(|(at, _)| *at)
            .zip(ends)
            .max_by(|a, b| seconds(a.0, a.1).total_cmp(&seconds(b.0, b.1)))
            .filter(|(from, to)| seconds(*from, *to) > LONG * whole && seconds(first, *from) + seconds(*to, last) > 0.0);
        let drawn = whole - gap.map_or(0.0, |(from, to)| seconds(from, to));
        let room = RIGHT - left - 24.0 - if gap.is_some() { BREAK } else { 0.0 };
        Self { first, last, left, gap, rate: room / drawn.max(1.0) }
    }

    fn x(&self, at: Timestamp) -> f64 {
        let mut drawn = seconds(self.first, at);
        let mut extra = 12.0;
        if let Some((from, to)) = self.gap {
            if at >= to {
                drawn -= seconds(from, to);
                extra += BREAK;
            } else if at > from {
                drawn = seconds(self.first, from);
                extra += BREAK / 2.0;
            }
        }
        round(self.left + extra + drawn * self.rate)
    }

    /// Ticks at round times, as many as there is room for; the day is written where it changes.
    fn ticks(&self) -> Vec<Tick> {
        const STEPS: [i64; 20] =
            [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800];
        let step = STEPS.into_iter().find(|step| *step as f64 * self.rate >= TICK).unwrap_or_else(|| {
            let weeks = (TICK / self.rate / 604_800.0).ceil();
            weeks as i64 * 604_800
        });
        let format = if step < 60 { "%H:%M:%S" } else { "%H:%M" };
        let mut ticks: Vec<Tick> = Vec::new();
        let mut day = String::new();
        let start = self.first.as_second().div_euclid(step) * step;
        let mut at = start;
        while at <= self.last.as_second() && ticks.len() < 12 {
            if let Some((_, to)) = self.gap.filter(|(from, to)| at > from.as_second() && at < to.as_second()) {
                at = to.as_second().div_euclid(step) * step + if to.as_second() % step == 0 { 0 } else { step };
                continue;
            }
            let Ok(stamp) = Timestamp::from_second(at) else { break };
            if stamp >= self.first {
                let today = stamp.strftime("%Y-%m-%d").to_string();
                let date = if today == day { String::new() } else { today.clone() };
                day = today;
                ticks.push(Tick { x: self.x(stamp), time: stamp.strftime(format).to_string(), date });
            }
            at += step;
        }
        if ticks.is_empty() {
            let (time, date) = (self.first.strftime("%H:%M:%S").to_string(), self.first.strftime("%Y-%m-%d").to_string());
            ticks.push(Tick { x: self.x(self.first), time, date });
        }
        ticks
    }
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.duration_since(from).as_secs_f64().max(0.0)
}

/// One decimal is finer than a screen shows.
fn round(pixels: f64) -> f64 {
    (pixels * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::model::Location;
    use proptest::prelude::*;

    fn report(seconds: &[i64], collected: Option<i64>) -> Report {
        let stamp = |s: i64| Timestamp::from_second(s).expect("is a time").to_string();
        let mut report: Report =
            serde_json::from_str(include_str!("../../../testdata/report/healthy.json")).expect("the tests read it too");
        report.bundle.collected_at = collected.map(stamp);
        report.timeline = seconds
            .iter()
            .map(|s| Moment {
                at: stamp(*s),
                resource: None,
                what: if s % 2 == 0 { "created" } else { "failed" }.to_owned(),
                source: Location { path: format!("logs/{}.log", s % 11), line: None },
                finding: None,
            })
            .collect();
        report
    }

    #[test]
    fn a_long_gap_is_cut_out_and_the_days_are_told() {
        let day = 86_400;
        let picture = timeline(&report(&[0, 60, 9 * day, 9 * day + 60], None), Language::English).expect("there are times");
        assert!(picture.gap.is_some());
        let dates: Vec<&str> = picture.ticks.iter().map(|tick| tick.date.as_str()).filter(|date| !date.is_empty()).collect();
        assert_eq!(dates, ["1970-01-01", "1970-01-10"]);
    }

    #[test]
    fn marks_that_would_overlap_become_one() {
        let picture = timeline(&report(&[0, 22, 44, 50_000, 100_000], None), Language::English).expect("there are times");
        let counts: Vec<usize> = picture.lanes[0].marks.iter().map(|mark| mark.count).collect();
        assert_eq!(counts, [3], "{:?}", picture.lanes);
    }

    #[test]
    fn without_times_there_is_no_picture() {
        assert!(timeline(&report(&[], Some(0)), Language::English).is_none());
    }

    proptest! {
        #[test]
        fn everything_is_inside_the_picture(
            seconds in prop::collection::vec(prop_oneof![0i64..100, 0i64..1_000_000, -60_000_000_000i64..200_000_000_000], 1..60),
            collected in prop::option::of(0i64..200_000_000_000),
        ) {
            let picture = timeline(&report(&seconds, collected), Language::English).expect("there are times");
            prop_assert!(picture.lanes.len() <= LANES);
            let marks = picture.lanes.iter().flat_map(|lane| &lane.marks);
            let xs = marks.map(|mark| mark.x).chain(picture.ticks.iter().map(|tick| tick.x)).chain(picture.collected).chain(picture.gap);
            for x in xs {
                prop_assert!((picture.left..=RIGHT).contains(&x), "{x}");
            }
            let total: usize = picture.lanes.iter().flat_map(|lane| &lane.marks).map(|mark| mark.count).sum();
            prop_assert_eq!(total, seconds.len());
            prop_assert!((1..=12).contains(&picture.ticks.len()));
            for pair in picture.ticks.windows(2) {
                prop_assert!(pair[1].x - pair[0].x >= 60.0, "{:?}", picture.ticks);
            }
        }
    }
}
