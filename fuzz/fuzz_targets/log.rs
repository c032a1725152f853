//! Fuzzes logs of containers.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::log(bytes));
