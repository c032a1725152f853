//! Speed of the log scan: `cargo bench --bench log`. Lines are made up here; with `CORONER_BENCH_LOGS=FILE` that file is
//! scanned instead.

use std::fmt::Write;
use std::sync::Arc;

use coroner::catalog::Catalog;
use coroner::decode::log::scan;
use coroner::decode::{LogSource, Pattern, Patterns};
use divan::Bencher;
use divan::counter::BytesCount;

fn main() {
    divan::main();
}

/// Bytes of a made-up log.
const SIZE: usize = 16 << 20;

/// The catalogue's patterns, and made-up ones up to `n`.
fn patterns(n: usize) -> Patterns {
    let catalog = Catalog::built_in().expect("the catalogue is checked by its own tests");
    let mut patterns: Vec<Pattern> = catalog.patterns().into_iter().map(|(name, regex)| Pattern { name, regex }).collect();
    patterns.truncate(n);
    for i in patterns.len()..n {
        patterns.push(Pattern { name: format!("p{i}"), regex: format!(r"component-{i} (?:failed|refused) to \w+: (?<why>.*)") });
    }
    Patterns::new(patterns).expect("all have literals")
}

/// What services write, of which about one line in fifty is an error.
fn text() -> Vec<u8> {
    if let Some(path) = std::env::var_os("CORONER_BENCH_LOGS") {
        return std::fs::read(path).expect("CORONER_BENCH_LOGS names a file");
    }
    let mut text = String::with_capacity(SIZE + 512);
    let mut seed = 1_u64;
    while text.len() < SIZE {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (n, ms) = (seed >> 40, seed >> 54);
        let line = match (seed >> 33) % 100 {
            0 => format!(
                "E0102 15:04:05.{n:06}       1 reconciler.go:214] \"Reconcile failed\" err=\"dial tcp 10.2.{ms}.7:5432: connect: connection refused\" pod=\"shop/cart-{n}\""
            ),
            1 => format!(
                "{{\"level\":\"error\",\"ts\":\"2024-01-02T15:04:05.{ms:03}Z\",\"logger\":\"http\",\"msg\":\"request failed\",\"path\":\"/api/orders/{n}\",\"error\":\"context deadline exceeded\"}}"
            ),
            2..=40 => format!(
                "I0102 15:04:05.{n:06}       1 controller.go:{ms}] \"Syncing\" key=\"shop/cart-{n}\" queue=\"endpoints\" attempt={ms} resourceVersion=\"{n}\" generation={ms}"
            ),
            41..=70 => format!(
                "{{\"level\":\"info\",\"ts\":\"2024-01-02T15:04:05.{ms:03}Z\",\"logger\":\"http\",\"msg\":\"request completed\",\"method\":\"GET\",\"path\":\"/api/orders/{n}\",\"status\":200,\"duration_ms\":{ms},\"request_id\":\"{n:016x}\"}}"
            ),
            _ => format!(
                "10.2.{ms}.{ms} - - [02/Jan/2024:15:04:05 +0000] \"GET /products/{n}?page={ms} HTTP/1.1\" 200 {n} \"-\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\""
            ),
        };
        writeln!(text, "2024-01-02T15:04:05.{n:09}Z {line}").expect("writing to a string does not fail");
    }
    text.into_bytes()
}

#[divan::bench(args = [50, 500, 2000], sample_count = 10)]
fn scanning(bencher: Bencher, n_patterns: usize) {
    let (patterns, text, path) = (patterns(n_patterns), text(), Arc::from("bench.log"));
    bencher.counter(BytesCount::of_slice(&text)).bench(|| scan(&path, LogSource::default(), 1, &text, &patterns));
}

#[divan::bench(args = [50, 500, 2000], sample_count = 10)]
fn compiling(n_patterns: usize) -> Patterns {
    patterns(n_patterns)
}
