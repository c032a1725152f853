//! Fuzzes the journal of a node.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::kubelet(bytes));
