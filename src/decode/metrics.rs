//! Time series in CSV files, and `kubectl top` tables.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Document, Metric};
use crate::location::Location;
use crate::time;

/// Headers of a column of stamps.
const TIME: &[&str] = &["time", "timestamp", "date", "datetime", "ts", "@timestamp", "_time"];
/// Headers of a column that names what a row is about.
const SUBJECT: &[&str] = &["pod", "service", "node", "container", "workload", "deployment", "instance", "name", "host"];
/// Samples kept of a series: more are thinned out evenly.
const SAMPLES: usize = 2_000;
/// Columns that are read.
const COLUMNS: usize = 20_000;

/// The series in `text`, when it is a table of metrics.
pub(super) fn read(path: &Arc<str>, first_line: u32, text: &str) -> Vec<Document> {
    let text = text.trim_start_matches('\u{feff}');
    let mut lines = (first_line..).zip(text.lines()).filter(|(_, l)| !l.trim().is_empty());
    let Some((number, header)) = lines.next() else { return Vec::new() };
    if header.contains("CPU(cores)") || header.contains("MEMORY(bytes)") {
        return of_top(path, header, lines);
    }
    let columns = fields(header);
    let stamped = columns.first().is_some_and(|c| TIME.contains(&c.to_ascii_lowercase().as_str()));
    if !stamped || columns.len() < 2 || columns.len() > COLUMNS {
        return Vec::new();
    }
    let rows: Vec<Vec<String>> = lines.map(|(_, line)| fields(line)).filter(|row| row.len() == columns.len()).collect();
    let at = Location::line(path, number);
    let subject = columns.iter().position(|c| SUBJECT.contains(&c.to_ascii_lowercase().as_str()));
    let series = match subject {
        Some(subject) => by_rows(&columns, subject, &rows, &at),
        None => by_columns(&columns, &rows, &at),
    };
    series.into_iter().filter(|m| !m.samples.is_empty()).map(Document::Metric).collect()
}

/// The fields of a line of CSV; quotes may enclose commas.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for c in line.trim_end().chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            _ => fields.last_mut().expect("there is always a field").push(c),
        }
    }
    fields
}

fn stamp(row: &[String]) -> Option<Timestamp> {
    let text = row[0].trim();
    time::parse(text).or_else(|| text.parse::<f64>().ok().and_then(|s| Timestamp::from_millisecond((s * 1e3) as i64).ok()))
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|v| v.is_finite())
}

/// One series a column: `web-cpu`, `web/cpu`, `cpu{pod="web"}`.
fn by_columns(columns: &[String], rows: &[Vec<String>], at: &Location) -> Vec<Metric> {
    let step = rows.len().div_ceil(SAMPLES).max(1);
    let stamps: Vec<Option<Timestamp>> = rows.iter().step_by(step).map(|row| stamp(row)).collect();
    let series = |(i, header): (usize, &String)| {
        let (subject, name) = subject_and_name(header.trim());
        let values = rows.iter().step_by(step).map(|row| number(&row[i]));
        let samples = stamps.iter().zip(values).filter_map(|(stamp, value)| Some((*stamp, value?))).collect();
        Metric { subject: subject.to_owned(), name: name.to_owned(), samples, location: at.clone() }
    };
    columns.iter().enumerate().skip(1).map(series).collect()
}

fn subject_and_name(header: &str) -> (&str, &str) {
    if let Some((name, labels)) = header.split_once('{') {
        let labels = labels.trim_end_matches('}').split(',').filter_map(|l| l.split_once('='));
        let subject = labels.filter(|(k, _)| SUBJECT.contains(&k.trim())).map(|(_, v)| v.trim_matches('"')).next();
        return (subject.unwrap_or(""), name);
    }
    let halves = ['/', '|', ':', '-', '.'].iter().find_map(|c| header.rsplit_once(*c));
    halves.unwrap_or(("", header))
}

/// One series a subject and column: `time,pod,cpu,memory`.
fn by_rows(columns: &[String], subject: usize, rows: &[Vec<String>], at: &Location) -> Vec<Metric> {
    let mut series: indexmap::IndexMap<(String, usize), Metric> = indexmap::IndexMap::new();
    for row in rows {
        for (i, header) in columns.iter().enumerate().skip(1).filter(|(i, _)| *i != subject) {
            let Some(value) = number(&row[i]) else { continue };
            let name = || Metric {
                subject: row[subject].trim().to_owned(),
                name: header.trim().to_owned(),
                samples: Vec::new(),
                location: at.clone(),
            };
            let metric = series.entry((row[subject].clone(), i)).or_insert_with(name);
            if metric.samples.len() < SAMPLES {
                metric.samples.push((stamp(row), value));
            }
        }
    }
    series.into_values().collect()
}

/// `kubectl top`: CPU in cores, memory in bytes, shares in percent.
fn of_top<'t>(path: &Arc<str>, header: &str, lines: impl Iterator<Item = (u32, &'t str)>) -> Vec<Document> {
    let columns: Vec<&str> = header.split_whitespace().collect();
    let subject = columns.iter().position(|c| matches!(*c, "POD" | "NAME")).unwrap_or(0);
    let mut found = Vec::new();
    for (line, text) in lines {
        let cells: Vec<&str> = text.split_whitespace().collect();
        if cells.len() != columns.len() {
            continue;
        }
        for (header, cell) in columns.iter().zip(&cells) {
            let (name, value) = match *header {
                "CPU(cores)" => ("cpu", amount(cell)),
                "MEMORY(bytes)" => ("memory", amount(cell)),
                "CPU%" | "CPU(%)" => ("cpu_percent", number(cell.trim_end_matches('%'))),
                "MEMORY%" | "MEMORY(%)" => ("memory_percent", number(cell.trim_end_matches('%'))),
                _ => continue,
            };
            let Some(value) = value else { continue };
            found.push(Document::Metric(Metric {
                subject: cells[subject].to_owned(),
                name: name.to_owned(),
                samples: vec![(None, value)],
                location: Location::line(path, line),
            }));
        }
    }
    found
}

/// `250m`, `2`, `12345n`, `64Mi`, `1Gi`, as metrics-server prints them.
fn amount(text: &str) -> Option<f64> {
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let unit = match &text[end..] {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "Ki" => 1024.0,
        "Mi" => 1024.0 * 1024.0,
        "Gi" => 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    number(&text[..end]).map(|n| n * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(text: &str) -> Vec<String> {
        let show = |d| {
            let Document::Metric(m) = d else { return None };
            Some(format!("{} {} {:?}", m.subject, m.name, m.samples.iter().map(|s| s.1).collect::<Vec<_>>()))
        };
        read(&Arc::from("metrics.csv"), 1, text).into_iter().filter_map(show).collect()
    }

    #[test]
    fn reads_columns() {
        let text = "\u{feff}time,web-api-cpu,\"n1/mem\",up{pod=\"db-0\"},load\n2024-01-02 15:04:05,0.5,10,1,3\n2024-01-02 15:04:06,,20,0,4\n";
        assert_eq!(series(text), ["web-api cpu [0.5]", "n1 mem [10.0, 20.0]", "db-0 up [1.0, 0.0]", " load [3.0, 4.0]"]);
        let document = &read(&Arc::from("m.csv"), 1, text)[0];
        assert!(matches!(document, Document::Metric(m) if m.samples[0].0 == "2024-01-02T15:04:05Z".parse().ok()));
    }

    #[test]
    fn reads_rows() {
        let text = "timestamp,pod,cpu,phase\n1704207845,a,1,Running\n1704207845,b,2,Running\n1704207846,a,3,Running\n";
        assert_eq!(series(text), ["a cpu [1.0, 3.0]", "b cpu [2.0]"]);
    }

    #[test]
    fn reads_kubectl_top() {
        let nodes = "NAME   CPU(cores)   CPU%   MEMORY(bytes)   MEMORY%\nn1     250m         12%    64Mi            90%\nn2     <unknown>    x\n";
        assert_eq!(
            series(nodes),
            ["n1 cpu [0.25]", "n1 cpu_percent [12.0]", "n1 memory [67108864.0]", "n1 memory_percent [90.0]"]
        );
        assert_eq!(
            series("POD NAME CPU(cores) MEMORY(bytes)\nweb-0 app 1m 1Ki\n"),
            ["web-0 cpu [0.001]", "web-0 memory [1024.0]"]
        );
    }

    #[test]
    fn other_texts_hold_none() {
        for text in ["", "NAME,AGE\nweb,3d\n", "time to go\n", "a,b\n1,2\n"] {
            assert!(series(text).is_empty(), "{text}");
        }
    }
}
