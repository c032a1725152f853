//! The HTML page as a file: one piece, no network, within its size.

use coroner::report::Format;
use sha2::{Digest, Sha256};

use super::{SAMPLES, sample, sample_of, text};

/// What stands between `from` and `to`.
fn between<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    page.split_once(from).and_then(|(_, rest)| rest.split_once(to)).unwrap_or_else(|| panic!("{from} is there")).0
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    let digit = |sextet: &[u8]| {
        let sextet = format!("{:0<6}", std::str::from_utf8(sextet).expect("is ASCII"));
        char::from(DIGITS[usize::from_str_radix(&sextet, 2).expect("is binary")])
    };
    let digits: String = bits.as_bytes().chunks(6).map(digit).collect();
    let padding = "=".repeat((4 - digits.len() % 4) % 4);
    digits + &padding
}

#[test]
fn the_policy_names_the_very_style_and_script() {
    let page = text(&sample("root-cause"), Format::Html);
    let policy = between(&page, "http-equiv=\"Content-Security-Policy\" content=\"", "\">");
    for source in [between(&page, "<style>", "</style>"), between(&page, "<script>", "</script>")] {
        let hash = format!("'sha256-{}'", base64(&Sha256::digest(source)));
        assert!(policy.contains(&hash), "{policy} lacks {hash}");
    }
    assert!(policy.starts_with("default-src 'none';"), "{policy}");
}

#[test]
fn nothing_is_fetched() {
    for name in SAMPLES {
        let page = text(&sample(name), Format::Html);
        let (style, script) = (between(&page, "<style>", "</style>"), between(&page, "<script>", "</script>"));
        for fetch in ["url(", "@import", "http:", "https:", "fetch(", "XMLHttpRequest", "import("] {
            assert!(!style.contains(fetch) && !script.contains(fetch), "{fetch}");
        }
        let body = between(&page, "<body>", "<script type=");
        for tag in body.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(tag, _)| tag) {
            assert!(!tag.contains(" src=") && !tag.contains(" style="), "{name}: {tag}");
            assert!(!tag.contains("href=") || tag.contains("href=\"#") || tag.contains("href=\"https://"), "{name}: {tag}");
        }
    }
}

#[test]
fn the_data_is_the_report() {
    for name in SAMPLES {
        let report = sample(name);
        let page = text(&report, Format::Html);
        let data = between(&page, "id=\"coroner-report\">", "</script>");
        let read: serde_json::Value = serde_json::from_str(data).expect("is JSON");
        assert_eq!(read, serde_json::to_value(&report).expect("is JSON"), "{name}");
    }
}

#[test]
fn an_empty_page_is_small() {
    let mut report = sample("healthy");
    report.timeline.clear();
    report.inventory.clear();
    report.bundle.blind_spots.clear();
    let page = text(&report, Format::Html);
    assert!(page.len() <= 20_000, "{} bytes", page.len());
    assert!(between(&page, "<script>", "</script>").len() <= 3_500);
}

#[test]
fn many_rows_are_cut_and_it_is_said() {
    let page = text(&sample_of(5_000), Format::Html);
    assert!(page.len() <= 2_000_000, "{} bytes", page.len());
    assert_eq!(between(&page, "id=\"affected\"", "</table>").matches("<tr>").count(), 2_001);
    assert!(page.contains("2,000 of 5,010 resources are shown"), "the cut is said");
    let data = between(&page, "id=\"coroner-report\">", "</script>");
    let read: serde_json::Value = serde_json::from_str(data).expect("is JSON");
    assert_eq!(read["truncated"], true);
}

#[test]
fn no_text_is_long_enough_to_break_the_size() {
    let mut report = sample_of(1_000);
    report.findings[0].summary = "words\n".repeat(200_000);
    report.findings[0].fix.patches[0].diff = format!("@@ -1 +1 @@\n{}", "+x: <&>\n".repeat(100_000));
    report.findings[0].fix.steps = vec!["<step>".repeat(100); 5_000];
    for symptom in &mut report.symptoms {
        symptom.what = "&".repeat(3_000);
    }
    report.root_cause = report.findings.first().cloned();
    let page = text(&report, Format::Html);
    assert!(page.len() <= 2_000_000, "{} bytes", page.len());
    assert!(page.contains("This page was kept under 2.0 MB"), "the cut is said");
}

#[test]
fn templates_escape_everything_but_their_own_parts() {
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/templates")).expect("is there") {
        let path = file.expect("is readable").path();
        let source = std::fs::read_to_string(&path).expect("is text");
        for (at, _) in source.match_indices("safe") {
            let before = &source[..at];
            let own = ["css|", "js|", "csp|"].iter().any(|part| before.ends_with(part));
            assert!(own, "{}: safe is for css, js and csp only", path.display());
        }
        assert!(!source.contains("autoescape"), "{}", path.display());
    }
}
