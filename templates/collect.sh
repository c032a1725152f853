lines=20000 # of each container's log, from its end

# Collects what is needed to name the root cause of an incident in a Kubernetes cluster: all objects but the contents of
# Secrets, custom resources included, events, and the current and previous logs of every container.
#
# Needs kubectl, with the cluster as its current context, and tar. Only reads from the cluster. What may not be read is
# noted in collection-errors.txt inside the bundle, and the rest is collected.
#
# Objects and logs can hold secrets that people put there. To share the bundle:
#     coroner redact BUNDLE -o COPY

set -u
umask 077

name=bundle-$(date -u +%Y%m%d-%H%M%S)
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
bundle=$work/$name
errors=$bundle/collection-errors.txt
mkdir "$bundle"

command -v kubectl >/dev/null || {
    echo "kubectl is not installed, or not on the PATH" >&2
    exit 1
}

# ask ARGUMENT...: kubectl, without waiting forever.
ask() {
    kubectl "$@" --request-timeout=60s </dev/null
}

# save FILE ARGUMENT...: what kubectl answers, into FILE of the bundle; what it complains of, to the errors.
save() {
    file=$bundle/$1
    shift
    mkdir -p "${file%/*}"
    if ! ask "$@" >"$file" 2>"$work/complaint" && ! grep -q 'previous terminated container' "$work/complaint"; then
        {
            echo "\$ kubectl $*"
            cat "$work/complaint"
        } >>"$errors"
    fi
    # An empty file would read as "there are none".
    [ -s "$file" ] || rm -f "$file"
}

# resources NAMESPACED: the names of all kinds that can be listed. Secrets come as a table, without their contents; events
# are served under two names; metrics are no objects.
resources() {
    ask api-resources --verbs=list --namespaced="$1" -o name 2>>"$errors" |
        grep -v -e '^secrets$' -e '^events\.events\.k8s\.io$' -e '\.metrics\.k8s\.io$' -e '^componentstatuses$'
}

# collect NAMESPACE RESOURCE...: the objects of one namespace, or of all when it is empty.
collect() {
    if [ -n "$1" ]; then
        directory=resources/$1
        where=--namespace=$1
    else
        directory=resources
        where=--all-namespaces
    fi
    shift
    for resource in "$@"; do
        save "$directory/$resource.yaml" get "$resource" "$where" -o yaml
    done
    save "$directory/secrets.txt" get secrets "$where"
    save "$directory/top-pods.txt" top pods "$where" --containers
}

# logs NAMESPACE [ARGUMENT...]: the logs of the pods of one namespace, or of all when it is empty.
logs() {
    where=--all-namespaces
    [ -z "$1" ] || where=--namespace=$1
    shift
    each='{.name}{" "}{end}'
    containers="{range .spec.initContainers[*]}$each{range .spec.containers[*]}$each{range .spec.ephemeralContainers[*]}$each"
    ask get pods "$where" "$@" -o "jsonpath={range .items[*]}{.metadata.namespace} {.metadata.name} $containers{\"\\n\"}{end}" \
        2>>"$errors" >"$work/pods"
    while read -r namespace pod containers; do
        for container in $containers; do
            file=logs/$namespace/$pod/$container
            save "$file.log" logs --namespace="$namespace" "$pod" --container="$container" --timestamps --tail="$lines"
            save "$file-previous.log" logs --namespace="$namespace" "$pod" --container="$container" --timestamps \
                --tail="$lines" --previous
        done
    done <"$work/pods"
}

echo "collecting into $name.tar.gz" >&2

# Not everybody may look into all namespaces.
if [ -z "$namespaces" ] && ! ask get pods --all-namespaces -o name >/dev/null 2>"$work/complaint"; then
    namespaces=$(ask config view --minify -o 'jsonpath={..namespace}' 2>/dev/null)
    namespaces=${namespaces:-default}
    {
        echo "\$ kubectl get pods --all-namespaces"
        cat "$work/complaint"
    } >>"$errors"
    echo "not all namespaces may be read: only $namespaces is" >&2
fi

namespaced=$(resources true)
if [ -z "$namespaced" ]; then
    namespaced="pods events services endpoints configmaps persistentvolumeclaims serviceaccounts resourcequotas limitranges
        replicationcontrollers deployments.apps replicasets.apps statefulsets.apps daemonsets.apps jobs.batch cronjobs.batch
        horizontalpodautoscalers.autoscaling poddisruptionbudgets.policy ingresses.networking.k8s.io
        networkpolicies.networking.k8s.io endpointslices.discovery.k8s.io roles.rbac.authorization.k8s.io
        rolebindings.rbac.authorization.k8s.io"
fi
cluster=$(resources false)
if [ -z "$cluster" ]; then
    cluster="nodes namespaces persistentvolumes storageclasses.storage.k8s.io priorityclasses.scheduling.k8s.io
        validatingwebhookconfigurations.admissionregistration.k8s.io
        mutatingwebhookconfigurations.admissionregistration.k8s.io customresourcedefinitions.apiextensions.k8s.io
        apiservices.apiregistration.k8s.io clusterroles.rbac.authorization.k8s.io
        clusterrolebindings.rbac.authorization.k8s.io"
fi

save version.yaml version -o yaml
for resource in $cluster; do
    save "resources/$resource.yaml" get "$resource" -o yaml
done
save resources/top-nodes.txt top nodes

# arc_pods ACTION: runs `ACTION SELECTOR` for the controllers and listeners of Actions Runner Controller.
arc_pods() {
    for selector in app.kubernetes.io/part-of=gha-rs-controller app.kubernetes.io/component=runner-scale-set-listener \
        app.kubernetes.io/name=actions-runner-controller; do
        "$1" "$selector"
    done
}
arc_namespaces() {
    ask get pods --all-namespaces --selector="$1" -o 'jsonpath={range .items[*]}{.metadata.namespace}{"\n"}{end}' 2>>"$errors"
}
arc_logs() {
    logs "" --selector="$1"
}
if [ "$arc" = yes ] && [ -n "$namespaces" ]; then
    namespaces=$(printf '%s\n' "$namespaces" "$(arc_pods arc_namespaces)" | tr -s ' \n' '\n' | sort -u)
fi

# The names are words without blanks, one an argument.
# shellcheck disable=SC2086
if [ -n "$namespaces" ]; then
    for one in $namespaces; do
        collect "$one" $namespaced
        logs "$one"
    done
else
    collect "" $namespaced
    logs ""
fi

# Why no runner came, the controller and the listeners say, however long ago.
if [ "$arc" = yes ]; then
    lines=-1
    arc_pods arc_logs
fi

if ! find "$bundle" -type f ! -name collection-errors.txt | grep -q .; then
    echo "nothing could be read from the cluster:" >&2
    cat "$errors" >&2
    exit 1
fi
tar -czf "$name.tar.gz" -C "$work" "$name" || exit 1
[ ! -s "$errors" ] || echo "$(grep -c '^\$ kubectl' "$errors") requests failed; see collection-errors.txt in the bundle" >&2
echo "$name.tar.gz"
