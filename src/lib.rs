//! coroner names what killed a Kubernetes workload from the evidence left behind.
//!
//! ```text
//! bytes ──► bundle ──► decode ──► cluster ──► detect ──► diagnose ──► report
//!           Entry      Document   Cluster     Finding    Diagnosis    bytes
//! ```
//!
//! Imports run along that line only; [`catalog`] and the leaves ([`location`], [`time`]) stand at the ground.

pub mod bundle;
pub mod catalog;
pub mod cluster;
pub mod decode;
pub mod detect;
pub mod diagnose;
pub mod literal;
pub mod location;
pub mod report;
pub mod time;
pub mod visible;
