//! Names as archives state them → paths inside the bundle.

/// Longest path that is read; the kernel's own limit (`PATH_MAX`).
const LONGEST: usize = 4096;

/// A stated name, made safe.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// Parts joined by `/`, never absolute, without `.` and `..`. Empty for the root itself.
    pub(super) path: String,
    /// The name climbed above the root; it was held there.
    pub(super) strayed: bool,
}

/// The path `name` stands for, seen from the directory `base` (a normalised path, or empty).
/// An absolute name counts from the root, as tar does when it unpacks. `None` when it is too long to be honest.
pub(super) fn resolve(base: &str, name: &str) -> Option<Name> {
    if base.len() + name.len() > LONGEST {
        return None;
    }
    let base = if name.starts_with('/') { "" } else { base };
    let mut parts: Vec<&str> = base.split('/').filter(|p| !p.is_empty()).collect();
    let mut strayed = false;
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => strayed |= parts.pop().is_none(),
            part => parts.push(part),
        }
    }
    Some(Name { path: parts.join("/"), strayed })
}

/// The directory a path stands in.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(base: &str, name: &str) -> (String, bool) {
        let name = resolve(base, name).unwrap();
        (name.path, name.strayed)
    }

    #[test]
    fn names_stay_inside() {
        assert_eq!(resolved("", "./a//b/../c"), ("a/c".into(), false));
        assert_eq!(resolved("", "/etc/passwd"), ("etc/passwd".into(), false));
        assert_eq!(resolved("", "../../etc/passwd"), ("etc/passwd".into(), true));
        assert_eq!(resolved("", "./"), (String::new(), false));
    }

    #[test]
    fn links_are_seen_from_their_directory() {
        assert_eq!(resolved("logs/web", "../../pods/web.log"), ("pods/web.log".into(), false));
        assert_eq!(resolved("logs/web", "../../../x"), ("x".into(), true));
        assert_eq!(resolved("logs/web", "/x"), ("x".into(), false));
    }

    #[test]
    fn endless_names_are_refused() {
        assert_eq!(resolve("", &"a/".repeat(LONGEST)), None);
    }
}
