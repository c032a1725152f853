//! Fuzzes JSON documents and Lists.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::json(bytes));
