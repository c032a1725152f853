//! Writes the catalogue in a form that is read several times as fast as it is written by people: the program starts for
//! every bundle anew.

#![expect(clippy::disallowed_methods, reason = "it writes what is compiled in")]

use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=rules.toml");
    println!("cargo::rerun-if-changed=build.rs");
    let rules: serde_json::Value = toml::from_str(&fs::read_to_string("rules.toml")?)?;
    let out = env::var("OUT_DIR")?;
    fs::write(Path::new(&out).join("rules.json"), serde_json::to_vec(&rules)?)?;
    Ok(())
}
