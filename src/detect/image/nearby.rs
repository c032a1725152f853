//! The image that was probably meant.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

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

/// Tags of the images that run, by registry and folder; looked up when first asked for.
pub(super) struct RunningTags<'a> {
    cluster: &'a Cluster,
    by_place: OnceCell<FxHashMap<(&'a str, &'a str), BTreeSet<&'a str>>>,
}

impl<'a> RunningTags<'a> {
    pub(super) fn new(cluster: &'a Cluster) -> Self {
        Self { cluster, by_place: OnceCell::new() }
    }

    /// The tags of images from the same place.
    fn beside<'r>(&'r self, image: &Reference<'r>) -> impl Iterator<Item = &'r str> + use<'r, 'a> {
        let by_place = self.by_place.get_or_init(|| {
            let mut by_place: FxHashMap<_, BTreeSet<&str>> = FxHashMap::default();
            let containers = self.cluster.kind("Pod").flat_map(|p| self.cluster.containers(p));
            for image in containers.filter(Container::is_running).map(|c| Reference::of(c.image())) {
                by_place.entry((image.registry, image.folder())).or_default().insert(image.tag);
            }
            by_place
        });
        by_place.get(&(image.registry, image.folder())).into_iter().flatten().copied()
    }
}

impl Nearby {
    /// Looks at what the workload used before, at images from the same place, and at the workload's own name.
    pub(super) fn of(
        cluster: &Cluster,
        running: &RunningTags<'_>,
        template: &Template<'_>,
        container: &Container<'_>,
    ) -> Option<Self> {
        let image = container.image();
        Self::used_before(cluster, template, container)
            .or_else(|| Self::tagged_like_its_neighbours(running, image))
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
    fn tagged_like_its_neighbours(running: &RunningTags<'_>, image: &str) -> Option<Self> {
        let wanted = Reference::of(image);
        // `v1` and `v2` are neighbours, not slips.
        let tag = nearest(wanted.tag, running.beside(&wanted).filter(|t| t.len() >= 4))?;
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
