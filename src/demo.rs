//! The bundle built into the binary: the first incident, as a tarball made from readable files.

const FILES: &[(&str, &str)] = &[
    ("demo/autoscalingrunnersets.yaml", include_str!("../testdata/demo/autoscalingrunnersets.yaml")),
    ("demo/ephemeralrunnersets.yaml", include_str!("../testdata/demo/ephemeralrunnersets.yaml")),
    ("demo/ephemeralrunners.yaml", include_str!("../testdata/demo/ephemeralrunners.yaml")),
    ("demo/pods.yaml", include_str!("../testdata/demo/pods.yaml")),
    ("demo/version.txt", include_str!("../testdata/demo/version.txt")),
    (
        "demo/logs/arc-gha-rs-controller-6c9f8d7b5c-q8wzn.log",
        include_str!("../testdata/demo/logs/arc-gha-rs-controller-6c9f8d7b5c-q8wzn.log"),
    ),
    ("demo/logs/build-set-6cd58d58-listener.log", include_str!("../testdata/demo/logs/build-set-6cd58d58-listener.log")),
];

/// The bundle as a tar archive.
pub(crate) fn bundle() -> std::io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, text) in FILES {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, path, text.as_bytes())?;
    }
    archive.into_inner()
}
