//! What processes say of the programs they depend on, with the other end looked up: a caller's error explains nothing about
//! the caller when the callee is sick.

use super::{Detector, Finding};
use crate::cluster::Cluster;

mod credentials;
mod database;
mod peer;
mod server;
mod unreachable;

pub(super) use peer::{Peer, named};

pub(super) const DETECTORS: &[Detector] = &[Detector { name: "dependency", run: dependency }];

fn dependency(cluster: &Cluster, out: &mut Vec<Finding>) {
    credentials::rejected(cluster, out);
    database::refusals(cluster, out);
    unreachable::unreachable(cluster, out);
}

#[cfg(test)]
mod tests;
