//! Fuzzes `kubectl describe` texts.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::describe(bytes));
