//! Writes a large bundle for measurements: `cargo run --release --example large_bundle -- 100M bundle.tar.gz`. Instead of a
//! size in bytes a number of objects may be given: `50000o`, twice as many events, hardly any logs.

use std::fs::File;

use anyhow::Context;
use flate2::Compression;
use flate2::write::GzEncoder;

#[path = "../benches/large/mod.rs"]
mod large;

use large::Size;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [size, path] = &arguments[..] else { anyhow::bail!("expected a size and a file: 100M bundle.tar.gz") };
    let out = File::create(path).with_context(|| format!("cannot write {path}"))?;
    let mut archive = tar::Builder::new(GzEncoder::new(out, Compression::default()));
    for (path, text) in parse(size)?.files() {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, path, text.as_bytes())?;
    }
    archive.into_inner()?.finish()?;
    Ok(())
}

fn parse(size: &str) -> anyhow::Result<Size> {
    let unit = size.trim_start_matches(|c: char| c.is_ascii_digit());
    let number: usize = size[..size.len() - unit.len()].parse().context("expected a number")?;
    Ok(match unit {
        "o" => Size { objects: number, events: number * 2, logs: number * 20 },
        "K" => Size::of_bytes(number * 1_000),
        "M" => Size::of_bytes(number * 1_000_000),
        "G" => Size::of_bytes(number * 1_000_000_000),
        _ => anyhow::bail!("expected K, M, G, or o for objects"),
    })
}
