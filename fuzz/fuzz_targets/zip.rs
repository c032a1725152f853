//! Fuzzes zip archives.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::zip(bytes));
