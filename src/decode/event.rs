//! Events, in one shape whether they came as core/v1, events.k8s.io/v1, a table or the tail of a `describe` text.

use jiff::Timestamp;

use super::resource::Ref;
use crate::location::Location;

/// Something a component said about an object.
#[derive(Debug, Clone)]
pub struct Event {
    /// The object it is about.
    pub regarding: Ref,
    /// The uid of that object, or empty. An event of an object that no longer exists is history, not state.
    pub uid: String,
    /// `spec.containers{web}` when it is about one container, or empty.
    pub field_path: String,
    /// Not `Normal`.
    pub warning: bool,
    /// `FailedScheduling`.
    pub reason: String,
    /// The text, as it was said.
    pub message: String,
    /// How often it was said, at least 1.
    pub count: u32,
    /// When it was first said.
    pub first: Option<Timestamp>,
    /// When it was last said.
    pub last: Option<Timestamp>,
    /// The component: `kubelet`, `default-scheduler`.
    pub source: String,
    /// Where it stands.
    pub location: Location,
}

impl Event {
    /// The container it is about, from the field path `spec.containers{web}`.
    pub fn container(&self) -> Option<&str> {
        self.field_path.split_once('{').and_then(|(_, rest)| rest.strip_suffix('}'))
    }
}
