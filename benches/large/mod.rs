//! Large bundles, made up: a cluster of any size with its events and logs, as kubectl prints it. The same size gives the
//! same bytes.

use std::fmt::Write as _;

/// How large a bundle is to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// Objects of all kinds, about.
    pub objects: usize,
    /// Events.
    pub events: usize,
    /// Bytes of logs, about.
    pub logs: usize,
}

/// Pods of a Deployment.
const REPLICAS: usize = 10;
/// Objects that come with a Deployment: itself, its ReplicaSet, its pods, Service, EndpointSlice and ConfigMap.
const OBJECTS_OF_AN_APP: usize = REPLICAS + 5;
/// Pods that fit a node.
const PODS_OF_A_NODE: usize = 100;
/// Every so many apps are in a namespace of their own; the others share one.
const APPS_OF_A_NAMESPACE: usize = 20;
/// Bytes of one log file, at most.
const LOG: usize = 16 << 20;

/// How the pods of an app do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Ready,
    Crashing,
    WithoutImage,
    WithoutNode,
    Unready,
}

/// A Deployment and all that belongs to it.
#[derive(Debug, Clone, Copy)]
struct App {
    number: usize,
    nodes: usize,
}

/// The items that an app adds to a List.
type Items = fn(App) -> String;

impl Size {
    /// A bundle of about that many bytes: three tenths objects, the rest logs.
    #[allow(dead_code, reason = "each bench asks for its own sizes")]
    pub(crate) fn of_bytes(bytes: usize) -> Self {
        let objects = bytes * 3 / 10 / 1_900;
        Self { objects, events: objects / 4, logs: bytes * 7 / 10 }
    }

    fn apps(self) -> impl Iterator<Item = App> {
        let n = (self.objects / OBJECTS_OF_AN_APP).max(1);
        (0..n).map(move |number| App { number, nodes: (n * REPLICAS).div_ceil(PODS_OF_A_NODE) })
    }

    /// The files of the bundle, each with its path.
    pub(crate) fn files(self) -> impl Iterator<Item = (String, String)> {
        let lists: [(&str, Items); 6] = [
            ("deployments", App::deployment),
            ("replicasets", App::replica_set),
            ("pods", App::pods),
            ("services", App::service),
            ("endpointslices", App::endpoint_slice),
            ("configmaps", App::config_map),
        ];
        let path = |name: &str| format!("bundle/cluster/{name}.yaml");
        let objects = lists.into_iter().map(move |(name, items)| (path(name), list(self.apps().map(items))));
        let nodes = self.apps().next().map_or(0, |app| app.nodes);
        objects
            .chain([(path("nodes"), list((0..nodes).map(node))), (path("events"), list(self.events()))])
            .chain(self.log_files())
    }

    fn events(self) -> impl Iterator<Item = String> {
        let apps: Vec<App> = self.apps().collect();
        (0..self.events).map(move |i| apps[i % apps.len()].event(i))
    }

    fn log_files(self) -> impl Iterator<Item = (String, String)> {
        let apps: Vec<App> = self.apps().collect();
        // One large file, and small ones.
        let size = |i: usize| if i.is_multiple_of(8) { LOG } else { LOG / 64 };
        let mut left = self.logs;
        (0..).map_while(move |i| {
            let bytes = size(i).min(left);
            left -= bytes;
            let app = apps[i % apps.len()];
            let path = format!("bundle/logs/{}/{}/app-{i}.log", app.namespace(), app.pod_name(i / apps.len() % REPLICAS));
            (bytes > 0).then(|| (path, log(i, bytes)))
        })
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    let mut text = "apiVersion: v1\nitems:\n".to_owned();
    text.extend(items);
    text + "kind: List\nmetadata:\n  resourceVersion: \"\"\n"
}

/// A number that looks random, and a name's suffix made of it.
fn scattered(n: usize) -> u64 {
    (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9)
}

fn suffix(n: usize) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut rest = scattered(n);
    let mut letter = || {
        rest /= 7;
        char::from(LETTERS[(rest % LETTERS.len() as u64) as usize])
    };
    (0..5).map(|_| letter()).collect()
}

impl App {
    fn state(self) -> State {
        match self.number % 10 {
            0 | 1 => State::Crashing,
            2 => State::WithoutImage,
            3 | 4 => State::WithoutNode,
            5 => State::Unready,
            _ => State::Ready,
        }
    }

    fn name(self) -> String {
        format!("app-{}", self.number)
    }

    fn namespace(self) -> String {
        let n = self.number / APPS_OF_A_NAMESPACE;
        if n.is_multiple_of(2) { "shop".to_owned() } else { format!("team-{n}") }
    }

    fn replica_set_name(self) -> String {
        format!("{}-{:09x}", self.name(), scattered(self.number) >> 28)
    }

    fn pod_name(self, replica: usize) -> String {
        format!("{}-{}", self.replica_set_name(), suffix(self.number * REPLICAS + replica))
    }

    fn uid(self, kind: usize) -> String {
        format!("{:08x}-0000-4000-8000-{:012x}", kind, self.number)
    }

    fn metadata(self, name: &str, uid: &str, owner: Option<(&str, &str, &str)>) -> String {
        let mut text = format!(
            "  metadata:\n    creationTimestamp: \"2026-01-02T03:04:05Z\"\n    labels:\n      app: {}\n    name: {name}\n    namespace: {}\n",
            self.name(),
            self.namespace()
        );
        if let Some((kind, owner, owner_uid)) = owner {
            let _ = write!(
                text,
                "    ownerReferences:\n    - apiVersion: apps/v1\n      controller: true\n      kind: {kind}\n      name: {owner}\n      uid: {owner_uid}\n"
            );
        }
        text + "    resourceVersion: \"1\"\n    uid: " + uid + "\n"
    }

    /// The pod spec, indented by `margin`.
    fn spec(self, margin: &str) -> String {
        let name = self.name();
        let called = format!("app-{}", self.number - self.number % APPS_OF_A_NAMESPACE / 2);
        let mut spec = format!(
            r#"containers:
- args:
  - --listen=:8080
  env:
  - name: UPSTREAM
    value: http://{called}:80
  - name: LEVEL
    valueFrom:
      configMapKeyRef:
        key: level
        name: {name}
  image: registry.example.com/shop/{name}:1.4.2
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
      cpu: 10m
      memory: 64Mi
  terminationMessagePath: /dev/termination-log
dnsPolicy: ClusterFirst
restartPolicy: Always
securityContext: {{}}
serviceAccountName: default
tolerations:
- effect: NoExecute
  key: node.kubernetes.io/not-ready
  operator: Exists
  tolerationSeconds: 300
"#
        );
        if self.state() == State::WithoutNode {
            let _ = write!(spec, "nodeSelector:\n  disktype: kind-{}\n", self.number);
        }
        let indented: Vec<String> = spec.lines().map(|line| format!("{margin}{line}\n")).collect();
        indented.concat()
    }

    fn selector(self) -> String {
        format!(
            "    selector:\n      matchLabels:\n        app: {0}\n    template:\n      metadata:\n        labels:\n          app: {0}\n      spec:\n{1}",
            self.name(),
            self.spec("        ")
        )
    }

    fn status(self) -> String {
        let ready = if self.state() == State::Ready { REPLICAS } else { 0 };
        format!("  status:\n    observedGeneration: 1\n    readyReplicas: {ready}\n    replicas: {REPLICAS}\n")
    }

    fn deployment(self) -> String {
        let metadata = self.metadata(&self.name(), &self.uid(1), None);
        format!(
            "- apiVersion: apps/v1\n  kind: Deployment\n{metadata}  spec:\n    replicas: {REPLICAS}\n{}{}",
            self.selector(),
            self.status()
        )
    }

    fn replica_set(self) -> String {
        let metadata = self.metadata(&self.replica_set_name(), &self.uid(2), Some(("Deployment", &self.name(), &self.uid(1))));
        format!(
            "- apiVersion: apps/v1\n  kind: ReplicaSet\n{metadata}  spec:\n    replicas: {REPLICAS}\n{}{}",
            self.selector(),
            self.status()
        )
    }

    fn pods(self) -> String {
        (0..REPLICAS).map(|replica| self.pod(replica)).collect()
    }

    fn pod(self, replica: usize) -> String {
        let (name, number) = (self.pod_name(replica), self.number * REPLICAS + replica);
        let owner = self.replica_set_name();
        let metadata = self.metadata(
            &name,
            &format!("{number:08x}-0000-4000-9000-000000000000"),
            Some(("ReplicaSet", &owner, &self.uid(2))),
        );
        let mut pod = format!("- apiVersion: v1\n  kind: Pod\n{metadata}");
        pod.push_str(MANAGED_FIELDS);
        pod.push_str("  spec:\n");
        pod.push_str(&self.spec("    "));
        if self.state() == State::WithoutNode {
            pod.push_str(&format!(
                "  status:\n    conditions:\n    - lastTransitionTime: \"2026-01-02T03:04:05Z\"\n      message: '0/{0} nodes are available: {0} node(s) didn''t match Pod''s node affinity/selector.'\n      reason: Unschedulable\n      status: \"False\"\n      type: PodScheduled\n    phase: Pending\n",
                self.nodes
            ));
            return pod;
        }
        let (state, restarts) = match self.state() {
            State::Crashing => (
                "        waiting:\n          message: back-off 5m0s restarting failed container\n          reason: CrashLoopBackOff\n",
                7,
            ),
            State::WithoutImage => {
                ("        waiting:\n          message: Back-off pulling image\n          reason: ImagePullBackOff\n", 0)
            }
            _ => ("        running:\n          startedAt: \"2026-01-02T03:04:35Z\"\n", 0),
        };
        let ready = self.state() == State::Ready;
        let status = if ready { "True" } else { "False" };
        let _ = write!(
            pod,
            "    nodeName: worker-{node}\n  status:\n    conditions:\n    - lastProbeTime: null\n      lastTransitionTime: \"2026-01-02T03:04:05Z\"\n      status: \"{status}\"\n      type: Ready\n    containerStatuses:\n    - containerID: containerd://{id:016x}\n      image: registry.example.com/shop/{app}:1.4.2\n      lastState: {{}}\n      name: web\n      ready: {ready}\n      restartCount: {restarts}\n      state:\n{state}    hostIP: 10.0.0.1\n    phase: Running\n    podIP: {ip}\n    startTime: \"2026-01-02T03:04:05Z\"\n",
            node = number % self.nodes,
            id = scattered(number),
            app = self.name(),
            ip = address(244, number),
        );
        pod
    }

    fn service(self) -> String {
        let metadata = self.metadata(&self.name(), &self.uid(3), None);
        format!(
            "- apiVersion: v1\n  kind: Service\n{metadata}  spec:\n    clusterIP: {}\n    ports:\n    - port: 80\n      protocol: TCP\n      targetPort: http\n    selector:\n      app: {}\n    type: ClusterIP\n",
            address(96, self.number),
            self.name()
        )
    }

    fn endpoint_slice(self) -> String {
        let name = format!("{}-{}", self.name(), suffix(self.number));
        let metadata = self
            .metadata(&name, &self.uid(4), None)
            .replace("    labels:\n", &format!("    labels:\n      kubernetes.io/service-name: {}\n", self.name()));
        let ready = self.state() == State::Ready;
        let endpoint = |replica| {
            let ip = address(244, self.number * REPLICAS + replica);
            format!("  - addresses:\n    - {ip}\n    conditions:\n      ready: {ready}\n")
        };
        let endpoints: String = (0..REPLICAS).map(endpoint).collect();
        format!(
            "- addressType: IPv4\n  apiVersion: discovery.k8s.io/v1\n  endpoints:\n{endpoints}  kind: EndpointSlice\n{metadata}  ports:\n  - name: \"\"\n    port: 8080\n    protocol: TCP\n"
        )
    }

    fn config_map(self) -> String {
        let metadata = self.metadata(&self.name(), &self.uid(5), None);
        format!(
            "- apiVersion: v1\n  data:\n    level: info\n    settings.yaml: |\n      cache: 10\n      peers: []\n  kind: ConfigMap\n{metadata}"
        )
    }

    fn event(self, number: usize) -> String {
        let pod = self.pod_name(number % REPLICAS);
        let (reason, message) = match self.state() {
            State::Crashing => ("BackOff", "Back-off restarting failed container web in pod".to_owned()),
            State::WithoutImage => {
                ("Failed", format!("Failed to pull image \"registry.example.com/shop/{}:1.4.2\": not found", self.name()))
            }
            State::WithoutNode => (
                "FailedScheduling",
                format!("0/{0} nodes are available: {0} node(s) didn't match Pod's node affinity/selector.", self.nodes),
            ),
            State::Unready => ("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503".to_owned()),
            State::Ready => ("Pulled", format!("Container image already present on machine in {number} ms")),
        };
        let kind = if self.state() == State::Ready { "Normal" } else { "Warning" };
        format!(
            "- apiVersion: v1\n  count: {count}\n  eventTime: null\n  firstTimestamp: \"2026-01-02T03:04:05Z\"\n  involvedObject:\n    apiVersion: v1\n    kind: Pod\n    name: {pod}\n    namespace: {namespace}\n  kind: Event\n  lastTimestamp: \"2026-01-02T03:{minute:02}:00Z\"\n  message: {message:?}\n  metadata:\n    name: {pod}.{id:016x}\n    namespace: {namespace}\n  reason: {reason}\n  source:\n    component: kubelet\n  type: {kind}\n",
            count = number % 50 + 1,
            namespace = self.namespace(),
            minute = 5 + number % 50,
            id = scattered(number),
        )
    }
}

/// Who set which field: half of what kubectl prints of a pod with `--show-managed-fields`.
const MANAGED_FIELDS: &str = r#"    managedFields:
    - apiVersion: v1
      fieldsType: FieldsV1
      fieldsV1:
        f:metadata:
          f:generateName: {}
          f:labels:
            .: {}
            f:app: {}
          f:ownerReferences:
            .: {}
            k:{"uid":"5d3f2a10-7f1c-4a52-9a51-1f0a4a7e0001"}: {}
        f:spec:
          f:containers:
            k:{"name":"web"}:
              .: {}
              f:args: {}
              f:image: {}
              f:imagePullPolicy: {}
              f:name: {}
              f:resources: {}
          f:dnsPolicy: {}
          f:restartPolicy: {}
      manager: kube-controller-manager
      operation: Update
      time: "2026-01-02T03:04:05Z"
"#;

fn address(first: usize, number: usize) -> String {
    format!("10.{first}.{}.{}", number / 250 % 250, number % 250 + 1)
}

fn node(number: usize) -> String {
    format!(
        r#"- apiVersion: v1
  kind: Node
  metadata:
    creationTimestamp: "2026-01-01T00:00:00Z"
    labels:
      kubernetes.io/hostname: worker-{number}
      topology.kubernetes.io/zone: zone-{zone}
    name: worker-{number}
    uid: {number:08x}-0000-4000-a000-000000000000
  spec: {{}}
  status:
    allocatable:
      cpu: "8"
      memory: 32Gi
      pods: "250"
    conditions:
    - lastHeartbeatTime: "2026-01-02T03:50:00Z"
      lastTransitionTime: "2026-01-01T00:00:00Z"
      reason: KubeletReady
      status: "True"
      type: Ready
    nodeInfo:
      kubeletVersion: v1.33.1
"#,
        zone = number % 3
    )
}

/// What services write; about one line in fifty is an error.
fn log(file: usize, bytes: usize) -> String {
    let mut text = String::with_capacity(bytes + 512);
    let mut n = file << 20;
    while text.len() < bytes {
        n += 1;
        let seed = scattered(n);
        let (id, ms) = (seed >> 40, seed >> 54);
        let _ = write!(text, "2026-01-02T03:{:02}:05.{:09}Z ", n % 50, id);
        let _ = match (seed >> 33) % 100 {
            0 => writeln!(
                text,
                "E0102 03:04:05.{id:06}       1 reconciler.go:214] \"Reconcile failed\" err=\"dial tcp 10.96.{ms}.7:5432: connect: connection refused\" pod=\"shop/cart-{id}\""
            ),
            1 => writeln!(
                text,
                "{{\"level\":\"error\",\"ts\":\"2026-01-02T03:04:05.{ms:03}Z\",\"logger\":\"http\",\"msg\":\"request failed\",\"path\":\"/api/orders/{id}\",\"error\":\"context deadline exceeded\"}}"
            ),
            2..=40 => writeln!(
                text,
                "I0102 03:04:05.{id:06}       1 controller.go:{ms}] \"Syncing\" key=\"shop/cart-{id}\" queue=\"endpoints\" attempt={ms} resourceVersion=\"{id}\" generation={ms}"
            ),
            41..=70 => writeln!(
                text,
                "{{\"level\":\"info\",\"ts\":\"2026-01-02T03:04:05.{ms:03}Z\",\"logger\":\"http\",\"msg\":\"request completed\",\"method\":\"GET\",\"path\":\"/api/orders/{id}\",\"status\":200,\"duration_ms\":{ms},\"request_id\":\"{seed:016x}\"}}"
            ),
            _ => writeln!(
                text,
                "10.2.{ms}.{ms} - - [02/Jan/2026:03:04:05 +0000] \"GET /products/{id}?page={ms} HTTP/1.1\" 200 {id} \"-\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\""
            ),
        };
    }
    text
}
