//! Every pair of colours that text is drawn in is readable: WCAG 2.2, 4.5 for text and 3 for the edges of controls.

use std::collections::BTreeMap;

const CSS: &str = include_str!("../../templates/report.css");

/// (foreground, background, least ratio). `bg`, `card`, `hit` and the tints are all that text stands on.
const PAIRS: [(&str, &str, f64); 22] = [
    ("fg", "bg", 7.0),
    ("fg", "card", 7.0),
    ("fg", "hit", 4.5),
    ("fg", "warnbg", 4.5),
    ("fg", "critbg", 4.5),
    ("dim", "bg", 4.5),
    ("dim", "card", 4.5),
    ("dim", "hit", 4.5),
    ("link", "bg", 4.5),
    ("link", "card", 4.5),
    ("link", "hit", 4.5),
    ("crit", "critbg", 4.5),
    ("crit", "bg", 4.5),
    ("warn", "warnbg", 4.5),
    ("warn", "bg", 4.5),
    ("warn", "card", 4.5),
    ("ok", "okbg", 4.5),
    ("ok", "bg", 4.5),
    ("ok", "card", 4.5),
    ("bg", "dim", 4.5),
    ("bg", "crit", 3.0),
    ("bg", "link", 3.0),
];

/// The colours of one `:root{…}` block.
fn tokens(block: &str) -> BTreeMap<String, [f64; 3]> {
    let declarations = block.split(';').filter_map(|d| d.trim().strip_prefix("--")?.split_once(':'));
    declarations
        .filter_map(|(name, value)| {
            let hex = value.trim().strip_prefix('#')?;
            let channel = |i: usize| Some(f64::from(u8::from_str_radix(hex.get(i..i + 2)?, 16).ok()?) / 255.0);
            Some((name.to_owned(), [channel(0)?, channel(2)?, channel(4)?]))
        })
        .collect()
}

fn luminance(color: [f64; 3]) -> f64 {
    let linear = color.map(|c| if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) });
    0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
}

fn ratio(a: [f64; 3], b: [f64; 3]) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn colours_are_readable_in_light_and_dark() {
    let mut blocks = CSS.split(":root{").skip(1).map(|rest| tokens(rest.split('}').next().expect("is closed")));
    let light = blocks.next().expect("light colours");
    let mut dark = light.clone();
    dark.extend(blocks.next().expect("dark colours"));
    assert_ne!(light["bg"], dark["bg"]);
    for (theme, colors) in [("light", &light), ("dark", &dark)] {
        for (front, back, least) in PAIRS {
            let ratio = ratio(colors[front], colors[back]);
            assert!(ratio >= least, "{theme}: {front} on {back} is {ratio:.2}, less than {least}");
        }
    }
}

#[test]
fn colours_are_named_in_one_place() {
    let rules = CSS.split_once("*{box-sizing").expect("rules follow the tokens").1;
    assert!(!rules.contains('#'), "a colour outside the tokens escapes the arithmetic above");
}
