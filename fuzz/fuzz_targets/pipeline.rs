//! Fuzzes the way from bytes to every report.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::pipeline(bytes));
