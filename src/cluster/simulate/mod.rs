//! What Kubernetes would decide, computed from the objects alone: the counterfactual behind a proof.

pub mod policy;
pub mod quota;
pub mod resources;
pub mod scheduling;
pub mod storage;
