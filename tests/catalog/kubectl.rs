//! A small checker of commands: does kubectl know what it is told, and is nothing left to fill in?

use coroner::catalog::prose;

/// Programs commands may start with, beside kubectl.
const PROGRAMS: &str = "\
    apt-get dnf oc showmount yum \
    argocd aws az cilium crane crictl ctr curl date df dig docker du etcdctl etcdutl flux free gcloud gh grep helm \
    ip iptables istioctl jq journalctl kind kubeadm ls lsblk minikube modprobe mysql nc nslookup nvidia-smi \
    openssl psql redis-cli restorecon sed sha256sum skopeo ss ssh stat sudo swapoff sysctl systemctl tail tar \
    timedatectl tr velero wc wget xargs chronyc base64 cat head sort uniq awk cut mongosh lsof dmesg conntrack tc \
    findmnt mount umount k3s rke2 nerdctl podman for echo fio ping printf";

/// Flags every verb knows.
const GLOBAL: &str = "\
    -n --namespace -A --all-namespaces --context --kubeconfig -o --output -v --request-timeout --as --as-group -l \
    --selector -f --filename --dry-run --field-selector --no-headers --";

/// Verbs with the flags they know beside [`GLOBAL`]; after `:` the words that may follow them.
const VERBS: &[(&str, &str)] = &[
    (
        "get",
        "-w --watch --sort-by --show-labels -L --label-columns --raw --ignore-not-found --subresource --watch-only --show-kind",
    ),
    ("describe", "--show-events"),
    (
        "logs",
        "-c --container -p --previous --tail --since --since-time --follow --all-containers --prefix --timestamps --max-log-requests --all-pods",
    ),
    ("edit", "--subresource"),
    ("patch", "-p --patch --patch-file --type --subresource"),
    ("apply", "-k --server-side --force-conflicts --prune"),
    ("delete", "--all --force --grace-period --wait --cascade --now --ignore-not-found --timeout"),
    ("rollout", "--to-revision --revision --timeout -w --watch : status history undo restart pause resume"),
    ("scale", "--replicas --current-replicas --timeout"),
    (
        "set",
        "-c --containers --env --from --requests --limits --all --local : image resources env serviceaccount selector subject",
    ),
    ("label", "--overwrite --all"),
    ("annotate", "--overwrite --all"),
    ("taint", "--overwrite --all"),
    ("cordon", ""),
    ("uncordon", ""),
    ("drain", "--ignore-daemonsets --delete-emptydir-data --force --grace-period --timeout --pod-selector --disable-eviction"),
    (
        "create",
        "--from-literal --from-file --from-env-file --docker-server --docker-username --docker-password --docker-email --type --cert --key --image --schedule --class --rule --default-backend --clusterrole --role --serviceaccount --user --group --verb --resource --duration --hard --value --min-available --max-unavailable --tcp --description --global-default --save-config",
    ),
    ("expose", "--port --target-port --name --type --protocol"),
    ("autoscale", "--min --max --cpu-percent"),
    ("auth", "--list --subresource --quiet : can-i whoami reconcile"),
    ("api-resources", "--api-group --namespaced --verbs"),
    ("api-versions", ""),
    ("cluster-info", "--output-directory : dump"),
    ("config", ": view current-context get-contexts use-context"),
    ("cp", "-c --container"),
    ("debug", "-i -t -it --image --target --profile --copy-to --share-processes -c --attach"),
    ("diff", "-k"),
    ("events", "--for --types -w --watch"),
    ("exec", "-i -t -it -c --container"),
    ("explain", "--recursive --api-version"),
    ("port-forward", "--address"),
    ("replace", "--force --raw --subresource"),
    ("run", "-i -t -it --image --rm --restart --env --labels --overrides --command --quiet"),
    ("top", "--containers --sort-by --use-protocol-buffers --sum : pod pods node nodes po no"),
    ("version", "--client --short"),
    ("wait", "--for --timeout --all"),
    ("certificate", "--force : approve deny"),
    ("proxy", "--port"),
    ("kustomize", ""),
];

/// Fields each kind can be selected by, beside `metadata.name` and `metadata.namespace`, which all kinds have and custom
/// resources have nothing else of (pkg/apis/*/conversion.go, AddFieldLabelConversionFunc).
const SELECTABLE: &[(&[&str], &[&str])] = &[
    (
        &["pod", "pods", "po"],
        &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
    ),
    (
        &["event", "events", "ev"],
        &[
            "involvedObject.kind",
            "involvedObject.name",
            "involvedObject.namespace",
            "involvedObject.uid",
            "involvedObject.fieldPath",
            "reason",
            "type",
            "source",
            "reportingComponent",
        ],
    ),
    (&["node", "nodes", "no"], &["spec.unschedulable"]),
    (&["job", "jobs"], &["status.successful"]),
    (&["namespace", "namespaces", "ns"], &["status.phase"]),
    (&["secret", "secrets"], &["type"]),
    (&["service", "services", "svc"], &["spec.clusterIP", "spec.type"]),
    (&["certificatesigningrequest", "certificatesigningrequests", "csr"], &["spec.signerName"]),
];

/// What is wrong with a command template.
pub(crate) fn complaints(template: &str) -> Vec<String> {
    let fixed = prose::plain(template);
    let mut found = Vec::new();
    if let Some(placeholder) = placeholder(&fixed) {
        found.push(format!("`{placeholder}` is left to fill in"));
    }
    let command = filled(template);
    for part in split(&command, |c, next| matches!((c, next), ('|' | ';', _) | ('&', Some('&'))) || c == '\n') {
        let words = words(part.trim_start_matches('&'));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.split_first() {
            None => {}
            Some((&"kubectl", rest)) => found.extend(of_kubectl(rest)),
            Some((program, _)) if has(PROGRAMS, program) || program.starts_with('#') => {}
            Some((program, _)) => found.push(format!("`{program}` is not a program people have")),
        }
    }
    found
}

fn has(words: &str, word: &str) -> bool {
    words.split_whitespace().any(|w| w == word)
}

fn of_kubectl(words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    // Global flags may stand before the verb.
    let mut at = 0;
    while words.get(at).is_some_and(|w| w.starts_with('-')) {
        at += if words[at].contains('=') || matches!(words[at], "-A" | "--all-namespaces") { 1 } else { 2 };
    }
    let Some(verb) = words.get(at) else { return vec!["kubectl is told nothing".to_owned()] };
    let Some((_, known)) = VERBS.iter().find(|(v, _)| v == verb) else { return vec![format!("kubectl has no verb `{verb}`")] };
    let (flags, followers) = known.split_once(':').unwrap_or((known, ""));
    let flags: Vec<&str> = flags.split_whitespace().collect();
    let rest: Vec<&str> = words[at + 1..].iter().copied().take_while(|w| *w != "--").collect();
    for flag in rest.iter().filter(|w| w.starts_with('-') && w.len() > 1) {
        let name = flag.split('=').next().unwrap_or(flag);
        let number = name[1..].parse::<f64>().is_ok();
        if !number && !flags.contains(&name) && !has(GLOBAL, name) && !name.starts_with("-o") {
            found.push(format!("kubectl {verb} has no flag `{name}`"));
        }
    }
    let followers: Vec<&str> = followers.split_whitespace().collect();
    let first = rest.iter().find(|w| !w.starts_with('-'));
    if !followers.is_empty() && first.is_some_and(|f| !followers.contains(f) && *f != "x") && !rest[0].starts_with('-') {
        found.push(format!("kubectl {verb} knows nothing of `{}`", first.unwrap_or(&"")));
    }
    found.extend(field_selectors(verb, &rest));
    found
}

fn field_selectors(verb: &str, rest: &[&str]) -> Vec<String> {
    let kinds = rest.iter().find(|w| !w.starts_with('-')).map_or(verb, |w| w.split('/').next().unwrap_or(w));
    let kind = if verb == "events" { "events" } else { kinds };
    let mut found = Vec::new();
    for (i, word) in rest.iter().enumerate() {
        let selector = match word.strip_prefix("--field-selector") {
            Some("") => rest.get(i + 1).copied().unwrap_or_default(),
            Some(value) => value.trim_start_matches('='),
            None => continue,
        };
        for term in selector.split(',') {
            let field = term.split(['=', '!']).next().unwrap_or(term).trim();
            let of_kind = SELECTABLE.iter().find(|(kinds, _)| kinds.contains(&kind)).map_or(&[][..], |(_, fields)| fields);
            if !matches!(field, "metadata.name" | "metadata.namespace") && !of_kind.contains(&field) {
                found.push(format!("`{kind}` cannot be selected by the field `{field}`"));
            }
        }
    }
    found
}

/// `<name>`, `NAME_HERE`, `...` and the like.
fn placeholder(text: &str) -> Option<&str> {
    let open = text.find('<').filter(|i| text[i + 1..].starts_with(|c: char| c.is_ascii_lowercase()));
    if let Some(start) = open
        && let Some(len) = text[start..].find('>')
    {
        return Some(&text[start..=start + len]);
    }
    ["...", "…", "YOUR", "CHANGEME", "FIXME"].into_iter().find(|p| text.contains(p))
}

/// The command as it could be rendered: expressions become `x`.
fn filled(template: &str) -> String {
    let mut text = prose::sketch(template).replace("<n>", "-n x").replace("<resource>", "deployment/x");
    while let Some(start) = text.find('<')
        && let Some(len) = text[start..].find('>')
        && text[start + 1..start + len].chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    {
        text.replace_range(start..=start + len, "x");
    }
    text
}

/// Parts of `text` between separators outside quotes.
fn split(text: &str, separates: impl Fn(char, Option<char>) -> bool) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quote) = (0, None);
    for (i, c) in text.char_indices() {
        match quote {
            Some(q) if c == q => quote = None,
            Some(_) => {}
            None if c == '\'' || c == '"' => quote = Some(c),
            None if separates(c, text[i + c.len_utf8()..].chars().next()) => {
                parts.push(&text[start..i]);
                start = i + c.len_utf8();
            }
            None => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Words of a shell command, unquoted.
fn words(text: &str) -> Vec<String> {
    let words = split(text, |c, _| c.is_whitespace()).into_iter().filter(|w| !w.is_empty());
    words.map(|w| w.replace(['\'', '"'], "")).collect()
}

#[test]
fn tells_good_commands_from_bad_ones() {
    for good in [
        "kubectl {{ n }} get pods -l app={{ name }} -w",
        "kubectl -n {{ ns }} patch {{ resource }} --type json -p '[{\"op\": \"remove\", \"path\": \"/a|b\"}]'",
        "kubectl get events -A --field-selector reason=Failed,involvedObject.name={{ name }}",
        "kubectl -n {{ ns }} logs deploy/{{ name }} --previous | grep -i error",
        "kubectl exec -it x -- psql -h x",
    ] {
        assert_eq!(complaints(good), Vec::<String>::new(), "{good}");
    }
    for (bad, why) in [
        ("kubectl show pods", "no verb `show`"),
        ("kubectl get pods --previous", "no flag `--previous`"),
        ("kubectl -n <namespace> get pods", "left to fill in"),
        ("kubectl get ephemeralrunners --field-selector status.phase=Failed", "cannot be selected"),
        ("kubectl rollout reset deploy/x", "knows nothing of `reset`"),
        ("make it work", "not a program"),
    ] {
        assert!(complaints(bad).iter().any(|c| c.contains(why)), "{bad}: {:?}", complaints(bad));
    }
}
