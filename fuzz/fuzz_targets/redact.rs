//! Fuzzes redaction.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::redact(bytes));
