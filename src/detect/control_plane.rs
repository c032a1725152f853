//! The control plane: scheduler, controller manager, API server, and the kinds it serves.

use super::Detector;

mod apiserver;
mod component;
mod conversion;
mod etcd;
mod kinds;

pub(super) const DETECTORS: &[Detector] = &[
    Detector { name: "scheduler", run: component::scheduler },
    Detector { name: "controller_manager", run: component::controller_manager },
    Detector { name: "apiserver", run: apiserver::apiserver },
    Detector { name: "api_unreachable", run: apiserver::api_unreachable },
    Detector { name: "api_kinds", run: kinds::api_kinds },
    Detector { name: "etcd", run: etcd::etcd },
    Detector { name: "conversion_webhook", run: conversion::webhooks },
];
