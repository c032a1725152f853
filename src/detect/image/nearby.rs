//! The image that was probably meant.

use super::reference::Reference;
use crate::cluster::{Cluster, Container};
use crate::detect::near::nearest;
use crate::detect::template::Template;

/// An image that differs little from one that cannot be pulled.
#[derive(Debug)]
pub(super) struct Nearby {
    /// The whole reference.
    pub(super) image: String,
    /// Why it is believed to be meant.
    pub(super) why: String,
}

impl Nearby {
    /// Looks at what the workload used before, at images from the same place, and at the workload's own name.
    pub(super) fn of(cluster: &Cluster, template: &Template<'_>, container: &Container<'_>) -> Option<Self> {
        let image = container.image();
        Self::used_before(cluster, template, container)
            .or_else(|| Self::tagged_like_its_neighbours(cluster, image))
            .or_else(|| Self::named_like_its_workload(image, &[&template.carrier.name, container.name]))
    }

    /// Another revision of the workload had the same image under another tag or a name few letters away.
    fn used_before(cluster: &Cluster, template: &Template<'_>, container: &Container<'_>) -> Option<Self> {
        let image = container.image();
        let wanted = Reference::of(image);
        let revisions = cluster.children(&template.carrier).filter_map(|r| Some((r, r.pod_spec()?.1)));
        let mut former: Vec<_> = revisions
            .filter_map(|(revision, spec)| {
                let other =
                    spec.get(container.list).items().find(|c| c.get("name").text() == container.name)?.get("image").text();
                let ready = revision.at("status.readyReplicas").as_i64().unwrap_or(0);
                let created = revision.at("metadata.creationTimestamp").text();
                let reference = Reference::of(other);
                let alike = reference.base() == wanted.base() || nearest(wanted.base(), [reference.base()]).is_some();
                (other != image && !other.is_empty() && alike).then_some((ready, created, other, revision.name()))
            })
            .collect();
        former.sort_unstable();
        let (_, _, image, revision) = former.pop()?;
        Some(Self { image: image.to_owned(), why: format!("{revision}, another revision of the same workload, uses it") })
    }

    /// The tag is a slip of the tag that images of the same folder have, or of the same repository elsewhere.
    fn tagged_like_its_neighbours(cluster: &Cluster, image: &str) -> Option<Self> {
        let wanted = Reference::of(image);
        let mut tags: Vec<&str> = cluster
            .kind("Pod")
            .flat_map(|p| cluster.containers(p))
            .filter(|c| c.is_running())
            .map(|c| Reference::of(c.image()))
            .filter(|r| r.registry == wanted.registry && r.folder() == wanted.folder())
            .map(|r| r.tag)
            .collect();
        tags.sort_unstable();
        tags.dedup();
        // `v1` and `v2` are neighbours, not slips.
        let tag = nearest(wanted.tag, tags.into_iter().filter(|t| t.len() >= 4))?;
        let image = format!("{}:{tag}", image.strip_suffix(wanted.tag)?.strip_suffix(':')?);
        Some(Self { image, why: format!("images from the same place have the tag {tag}") })
    }

    /// The repository is a slip of the workload's or the container's name.
    fn named_like_its_workload(image: &str, names: &[&str]) -> Option<Self> {
        let wanted = Reference::of(image);
        let base = wanted.base();
        if names.contains(&base) || base.len() < 5 {
            return None;
        }
        let name = nearest(base, names.iter().copied().filter(|n| n.len().abs_diff(base.len()) <= 2))?;
        let (before, after) = image.rsplit_once(base)?;
        Some(Self { image: format!("{before}{name}{after}"), why: format!("the workload is called {name}") })
    }
}
