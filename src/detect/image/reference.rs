//! Image references, as the kubelet reads them (`github.com/distribution/reference`).

/// `registry/repository:tag`, taken apart. A reference that names no registry means Docker Hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference<'a> {
    /// `docker.io`, `ghcr.io`, `registry.local:5000`.
    pub(super) registry: &'a str,
    /// `library/nginx` is written `nginx` by users; it is kept as written.
    pub(super) repository: &'a str,
    /// `latest` when none is named; the digest when one is.
    pub(super) tag: &'a str,
}

impl<'a> Reference<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let (registry, rest) = match text.split_once('/') {
            Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (first, rest),
            _ => ("docker.io", text),
        };
        let (repository, tag) = match rest.split_once('@') {
            Some((repository, digest)) => (repository.split_once(':').map_or(repository, |(r, _)| r), digest),
            None => rest.rsplit_once(':').unwrap_or((rest, "latest")),
        };
        Self { registry, repository, tag }
    }

    /// The last part of the repository: `nginx`.
    pub(super) fn base(&self) -> &'a str {
        self.repository.rsplit('/').next().unwrap_or(self.repository)
    }

    /// What stands before the last part of the repository: `library` or nothing.
    pub(super) fn folder(&self) -> &'a str {
        self.repository.rsplit_once('/').map_or("", |(folder, _)| folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_references_apart() {
        let table = [
            ("nginx", ("docker.io", "nginx", "latest")),
            ("team/web:1.2", ("docker.io", "team/web", "1.2")),
            ("ghcr.io/team/web:v1", ("ghcr.io", "team/web", "v1")),
            ("registry.local:5000/web", ("registry.local:5000", "web", "latest")),
            ("localhost/web:x", ("localhost", "web", "x")),
            ("quay.io/a/b:1@sha256:ab", ("quay.io", "a/b", "sha256:ab")),
        ];
        for (text, (registry, repository, tag)) in table {
            assert_eq!(Reference::of(text), Reference { registry, repository, tag }, "{text}");
        }
        let reference = Reference::of("ghcr.io/a/b/c:1");
        assert_eq!((reference.folder(), reference.base()), ("a/b", "c"));
    }
}
