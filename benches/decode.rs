//! Decoding, in bytes a second on one core.
//!
//! `cargo bench --bench decode`. A dump of one's own: `CORONER_BENCH_DUMP=pods.yaml cargo bench --bench decode`.

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;

use coroner::bundle::Entry;
use coroner::decode::{Decoder, Patterns};
use divan::Bencher;
use divan::counter::BytesCount;

fn main() {
    divan::main();
}

/// A pod as `kubectl get -o yaml` prints it, with the fields of who manages what, which make up half of it.
fn pod(n: usize) -> String {
    let mut pod = r#"- apiVersion: v1
  kind: Pod
  metadata:
    annotations:
      prometheus.io/scrape: "true"
    creationTimestamp: "2026-01-02T03:04:05Z"
    generateName: web-7d9f8b6c54-
    labels:
      app.kubernetes.io/name: web
      pod-template-hash: 7d9f8b6c54
    managedFields:
"#
    .to_owned();
    for (manager, time) in [("kube-controller-manager", "2026-01-02T03:04:05Z"), ("kubelet", "2026-01-02T03:04:35Z")] {
        pod += "    - apiVersion: v1\n      fieldsType: FieldsV1\n      fieldsV1:\n        f:metadata:\n";
        for field in ["f:annotations", "f:generateName", "f:labels", "f:ownerReferences", "f:spec", "f:status"] {
            let _ = write!(
                pod,
                "          {field}:\n            .: {{}}\n            k:{{\"type\":\"Ready\"}}:\n              .: {{}}\n              f:lastTransitionTime: {{}}\n"
            );
        }
        let _ = write!(pod, "      manager: {manager}\n      operation: Update\n      time: \"{time}\"\n");
    }
    let _ = write!(
        pod,
        r#"    name: web-7d9f8b6c54-{n:05}
    namespace: shop
    ownerReferences:
    - apiVersion: apps/v1
      blockOwnerDeletion: true
      controller: true
      kind: ReplicaSet
      name: web-7d9f8b6c54
      uid: 5d3f2a10-7f1c-4a52-9a51-1f0a4a7e0001
    resourceVersion: "{n}"
    uid: 5d3f2a10-7f1c-4a52-9a51-{n:012}
  spec:
    containers:
    - args:
      - --listen=:8080
      - --log-level=info
      command:
      - /bin/sh
      - -c
      - |
        set -e
        exec /srv/web "$@"
      env:
      - name: DATABASE_URL
        valueFrom:
          secretKeyRef:
            key: url
            name: database
      image: registry.example.com/shop/web:1.4.2
      imagePullPolicy: IfNotPresent
      name: web
      ports:
      - containerPort: 8080
        name: http
        protocol: TCP
      readinessProbe:
        failureThreshold: 3
        httpGet:
          path: /healthz
          port: http
          scheme: HTTP
        periodSeconds: 10
      resources:
        limits:
          memory: 256Mi
        requests:
          cpu: 100m
      terminationMessagePath: /dev/termination-log
      volumeMounts:
      - mountPath: /var/run/secrets/kubernetes.io/serviceaccount
        name: kube-api-access-x7k2p
        readOnly: true
    dnsPolicy: ClusterFirst
    nodeName: worker-{node}
    restartPolicy: Always
    securityContext: {{}}
    serviceAccountName: default
    tolerations:
    - effect: NoExecute
      key: node.kubernetes.io/not-ready
      operator: Exists
      tolerationSeconds: 300
  status:
    conditions:
    - lastProbeTime: null
      lastTransitionTime: "2026-01-02T03:04:05Z"
      message: 'containers with unready status: [web]'
      reason: ContainersNotReady
      status: "False"
      type: Ready
    containerStatuses:
    - containerID: containerd://2d5c3c1d9d6f4a9f8f0e6b7a5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8b7c6d
      image: registry.example.com/shop/web:1.4.2
      lastState: {{}}
      name: web
      ready: false
      restartCount: 7
      state:
        waiting:
          message: back-off 5m0s restarting failed container=web pod=web-7d9f8b6c54-{n:05}_shop(5d3f2a10-7f1c-4a52-9a51-{n:012})
          reason: CrashLoopBackOff
    hostIP: 10.0.0.{node}
    phase: Running
    podIP: 10.244.{node}.7
"#,
        node = n % 50
    );
    pod
}

const PODS: usize = 2000;

fn yaml() -> Vec<u8> {
    if let Ok(path) = std::env::var("CORONER_BENCH_DUMP") {
        return std::fs::read(path).expect("the dump can be read");
    }
    let items: String = (0..PODS).map(pod).collect();
    format!("apiVersion: v1\nitems:\n{items}kind: List\nmetadata:\n  resourceVersion: \"\"\n").into_bytes()
}

/// The same objects as `-o json` prints them.
fn json() -> Vec<u8> {
    let decoder = decoder();
    let decoded = decoder.decode(&Entry::whole("pods.yaml", yaml()));
    let items: Vec<_> = decoded
        .documents
        .iter()
        .filter_map(|d| if let coroner::decode::Document::Resource(r) = d { Some(r.root().to_json()) } else { None })
        .collect();
    let list = serde_json::json!({"apiVersion": "v1", "items": items, "kind": "List"});
    serde_json::to_vec_pretty(&list).expect("a tree of values is JSON")
}

fn decoder() -> Decoder {
    Decoder { patterns: Arc::new(Patterns::new(Vec::new()).expect("no pattern is wrong")) }
}

fn decode(bencher: Bencher<'_, '_>, bytes: Vec<u8>) {
    let decoder = decoder();
    let size = BytesCount::new(bytes.len());
    let entry = Entry::whole("dump", bytes);
    bencher.counter(size).bench_local(|| black_box(decoder.decode(&entry)));
}

#[divan::bench]
fn yaml_list(bencher: Bencher<'_, '_>) {
    decode(bencher, yaml());
}

/// What the fast reader leaves to the full parser: an anchor in every item.
#[divan::bench]
fn yaml_list_by_the_full_parser(bencher: Bencher<'_, '_>) {
    let text = String::from_utf8(yaml()).expect("the dump is text");
    decode(bencher, text.replace("  kind: Pod\n", "  kind: &kind Pod\n").into_bytes());
}

#[divan::bench]
fn json_list(bencher: Bencher<'_, '_>) {
    decode(bencher, json());
}
