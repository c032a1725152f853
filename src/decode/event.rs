//! Events, in one shape whether they came as core/v1, events.k8s.io/v1, a table or the tail of a `describe` text.

use jiff::{SignedDuration, Timestamp};

use super::resource::Ref;
use crate::location::Location;
use crate::time;

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
    /// How long before the collection it was first said, when a text tells no stamp.
    pub first_age: Option<SignedDuration>,
    /// How long before the collection it was last said, when a text tells no stamp.
    pub last_age: Option<SignedDuration>,
    /// The component: `kubelet`, `default-scheduler`.
    pub source: String,
    /// Where it stands.
    pub location: Location,
}

impl Event {
    /// An event about `regarding` of which nothing else is known yet.
    pub fn new(regarding: Ref, location: Location) -> Self {
        Self {
            regarding,
            uid: String::new(),
            field_path: String::new(),
            warning: false,
            reason: String::new(),
            message: String::new(),
            count: 1,
            first: None,
            last: None,
            first_age: None,
            last_age: None,
            source: String::new(),
            location,
        }
    }

    /// Takes ages and count from what kubectl prints for them: `3m (x12 over 30m)`.
    pub(crate) fn set_age(&mut self, text: &str) {
        if let Some((last, count, first)) = time::event_ages(text) {
            self.first_age = self.first_age.or(Some(first));
            self.last_age = Some(last);
            self.count = self.count.max(count);
        }
    }

    /// The container it is about, from the field path `spec.containers{web}`.
    pub fn container(&self) -> Option<&str> {
        self.field_path.split_once('{').and_then(|(_, rest)| rest.strip_suffix('}'))
    }
}
