"""The cells of what a cluster is run with: nodes, namespaces, events, access, quotas, admission.

Source: kubernetes/pkg/printers/internalversion, and kube-aggregator for APIServices.
"""

from typing import Any

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.time import age, human_duration

from .texts import age_of, condition, member, name_of, quantity_text

__all__ = [
    "admission_binding_cells",
    "api_service_cells",
    "binding_cells",
    "certificate_signing_request_cells",
    "component_status_cells",
    "config_map_cells",
    "event_cells",
    "flow_schema_cells",
    "lease_cells",
    "mutating_policy_cells",
    "name_and_age_cells",
    "named_cells",
    "namespace_cells",
    "new_event_cells",
    "node_cells",
    "priority_class_cells",
    "priority_level_cells",
    "quota_cells",
    "runtime_class_cells",
    "secret_cells",
    "validating_policy_cells",
    "webhook_cells",
]

_ROLE_PREFIX = "node-role.kubernetes.io/"


def named_cells(value: JsonObject, now: float) -> list[Any]:
    """Name and time of creation, for kinds that Kubernetes prints in no way of their own."""
    created = (value.get("metadata") or {}).get("creationTimestamp")
    return [name_of(value), created or "0001-01-01T00:00:00Z"]


def name_and_age_cells(value: JsonObject, now: float) -> list[Any]:
    return [name_of(value), age_of(value, now)]


def namespace_cells(namespace: JsonObject, now: float) -> list[Any]:
    phase = member(namespace, "status", "phase") or ""
    return [name_of(namespace), phase, age_of(namespace, now)]


def config_map_cells(config_map: JsonObject, now: float) -> list[Any]:
    count = len(config_map.get("data") or ()) + len(config_map.get("binaryData") or ())
    return [name_of(config_map), count, age_of(config_map, now)]


def secret_cells(secret: JsonObject, now: float) -> list[Any]:
    count = len(secret.get("data") or ())
    return [name_of(secret), secret.get("type") or "", count, age_of(secret, now)]


def node_cells(node: JsonObject, now: float) -> list[Any]:
    info = member(node, "status", "nodeInfo") or {}
    kernel = info.get("kernelVersion") or "<unknown>"
    if architecture := info.get("architecture"):
        kernel += f" ({architecture})"
    return [
        name_of(node),
        _node_status(node),
        ",".join(_node_roles(node)) or "<none>",
        age_of(node, now),
        info.get("kubeletVersion") or "",
        _node_address(node, "InternalIP"),
        _node_address(node, "ExternalIP"),
        info.get("osImage") or "<unknown>",
        kernel,
        info.get("containerRuntimeVersion") or "<unknown>",
    ]


def _node_status(node: JsonObject) -> str:
    status = "Unknown"
    for each in member(node, "status", "conditions") or ():
        if each.get("type") == "Ready":  # Of several, the last counts.
            status = "Ready" if each.get("status") == "True" else "NotReady"
    return f"{status},SchedulingDisabled" if member(node, "spec", "unschedulable") else status


def _node_roles(node: JsonObject) -> list[str]:
    roles: set[str] = set()
    for key, value in ((node.get("metadata") or {}).get("labels") or {}).items():
        if key.startswith(_ROLE_PREFIX):
            roles.add(key.removeprefix(_ROLE_PREFIX))
        elif key == "kubernetes.io/role":
            roles.add(value)
    return sorted(roles - {""})


def _node_address(node: JsonObject, kind: str) -> str:
    for each in member(node, "status", "addresses") or ():
        if each.get("type") == kind:
            return each.get("address") or ""
    return "<none>"


def component_status_cells(component: JsonObject, now: float) -> list[Any]:
    for each in component.get("conditions") or ():
        if each.get("type") == "Healthy":
            status = "Healthy" if each.get("status") == "True" else "Unhealthy"
            told = [status, each.get("message") or "", each.get("error") or ""]
            return [name_of(component), *told]
    return [name_of(component), "Unknown", "", ""]


def event_cells(event: JsonObject, now: float) -> list[Any]:
    """An event of the core group."""
    times = (event.get("firstTimestamp"), event.get("lastTimestamp"))
    controller = event.get("reportingComponent")
    return _event_cells(
        event,
        now,
        times,
        event.get("involvedObject"),
        event.get("source"),
        controller,
        event.get("message"),
        "count",
    )


def new_event_cells(event: JsonObject, now: float) -> list[Any]:
    """An event of `events.k8s.io`, which calls things differently."""
    times = (event.get("deprecatedFirstTimestamp"), event.get("deprecatedLastTimestamp"))
    source = event.get("deprecatedSource")
    controller = event.get("reportingController")
    return _event_cells(
        event, now, times, event.get("regarding"), source, controller, event.get("note"), "deprecatedCount"
    )


def _event_cells(
    event: JsonObject,
    now: float,
    times: tuple[str | None, str | None],
    about: JsonObject | None,
    source: JsonObject | None,
    controller: str | None,
    message: str | None,
    count_name: str,
) -> list[Any]:
    first, last = times
    first_seen = age(first or event.get("eventTime"), now)
    last_seen = age(last, now) if last else first_seen
    series = event.get("series")
    count = event.get(count_name) or 0
    if series is not None:
        last_seen = age(series.get("lastObservedTime"), now)
        count = series.get("count") or 0
    elif not count:
        count = 1  # What happened once has no count.
    about, source = about or {}, source or {}
    target = (about.get("kind") or "").lower()
    if about.get("name"):
        target += f"/{about['name']}"
    component = source.get("component") or controller or ""
    instance = source.get("host") or event.get("reportingInstance") or ""
    return [
        last_seen,
        event.get("type") or "",
        event.get("reason") or "",
        target,
        about.get("fieldPath") or "",
        f"{component}, {instance}" if instance else component,
        (message or "").strip(),
        first_seen,
        count,
        name_of(event),
    ]


def quota_cells(quota: JsonObject, now: float) -> list[Any]:
    hard, used = member(quota, "status", "hard") or {}, member(quota, "status", "used") or {}
    requests: list[str] = []
    limits: list[str] = []
    for resource in sorted(hard):
        text = f"{resource}: {quantity_text(used.get(resource))}/{quantity_text(hard[resource])}"
        (limits if resource.startswith("limits.") else requests).append(text)
    return [name_of(quota), ", ".join(requests), ", ".join(limits), age_of(quota, now)]


def binding_cells(binding: JsonObject, now: float) -> list[Any]:
    """A RoleBinding or ClusterRoleBinding."""
    role = binding.get("roleRef") or {}
    subjects = binding.get("subjects") or ()
    accounts = [
        f"{each.get('namespace') or ''}/{each.get('name') or ''}"
        for each in subjects
        if each.get("kind") == "ServiceAccount"
    ]
    return [
        name_of(binding),
        f"{role.get('kind') or ''}/{role.get('name') or ''}",
        age_of(binding, now),
        ", ".join(each.get("name") or "" for each in subjects if each.get("kind") == "User"),
        ", ".join(each.get("name") or "" for each in subjects if each.get("kind") == "Group"),
        ", ".join(accounts),
    ]


def certificate_signing_request_cells(request: JsonObject, now: float) -> list[Any]:
    spec = request.get("spec") or {}
    seconds = spec.get("expirationSeconds")
    kinds = {each.get("type") for each in member(request, "status", "conditions") or ()}
    status = "Denied" if "Denied" in kinds else "Approved" if "Approved" in kinds else "Pending"
    if "Failed" in kinds:
        status += ",Failed"
    if member(request, "status", "certificate"):
        status += ",Issued"
    return [
        name_of(request),
        age_of(request, now),
        spec.get("signerName") or "<none>",
        spec.get("username") or "",
        "<none>" if seconds is None else human_duration(seconds),
        status,
    ]


def lease_cells(lease: JsonObject, now: float) -> list[Any]:
    holder = member(lease, "spec", "holderIdentity") or ""
    return [name_of(lease), holder, age_of(lease, now)]


def webhook_cells(configuration: JsonObject, now: float) -> list[Any]:
    """A webhook configuration of either kind."""
    count = len(configuration.get("webhooks") or ())
    return [name_of(configuration), count, age_of(configuration, now)]


def validating_policy_cells(policy: JsonObject, now: float) -> list[Any]:
    return _policy_cells(policy, "validations", now)


def mutating_policy_cells(policy: JsonObject, now: float) -> list[Any]:
    return _policy_cells(policy, "mutations", now)


def _policy_cells(policy: JsonObject, rules: str, now: float) -> list[Any]:
    parameters = member(policy, "spec", "paramKind")
    shown = "<unset>"
    if parameters is not None:
        shown = f"{parameters.get('apiVersion') or ''}/{parameters.get('kind') or ''}"
    count = len(member(policy, "spec", rules) or ())
    return [name_of(policy), count, shown, age_of(policy, now)]


def admission_binding_cells(binding: JsonObject, now: float) -> list[Any]:
    """The binding of an admission policy of either kind."""
    reference = member(binding, "spec", "paramRef")
    shown = "<unset>"
    if reference is not None:
        if reference.get("name"):
            # Whether the parameter has a namespace cannot be seen from here.
            shown = f"{reference.get('namespace') or '*'}/{reference['name']}"
        elif reference.get("selector") is not None:
            shown = _go_selector(reference["selector"])
    policy = member(binding, "spec", "policyName") or ""
    return [name_of(binding), policy, shown, age_of(binding, now)]


def _go_selector(selector: JsonObject) -> str:
    """A LabelSelector as Go's generated String has it."""
    labels = selector.get("matchLabels") or {}
    pairs = "".join(f"{key}: {labels[key]}," for key in sorted(labels))
    expressions = "".join(
        f"LabelSelectorRequirement{{Key:{each.get('key') or ''},Operator:{each.get('operator') or ''},"
        f"Values:[{' '.join(each.get('values') or ())}],}},"
        for each in selector.get("matchExpressions") or ()
    )
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{pairs}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )


def priority_class_cells(priority_class: JsonObject, now: float) -> list[Any]:
    return [
        name_of(priority_class),
        priority_class.get("value") or 0,
        bool(priority_class.get("globalDefault")),
        age_of(priority_class, now),
        priority_class.get("preemptionPolicy") or "",
    ]


def runtime_class_cells(runtime_class: JsonObject, now: float) -> list[Any]:
    handler = runtime_class.get("handler") or ""
    return [name_of(runtime_class), handler, age_of(runtime_class, now)]


def flow_schema_cells(schema: JsonObject, now: float) -> list[Any]:
    method = member(schema, "spec", "distinguisherMethod")
    dangling = condition(schema, "Dangling")
    return [
        name_of(schema),
        member(schema, "spec", "priorityLevelConfiguration", "name") or "",
        member(schema, "spec", "matchingPrecedence") or 0,
        "<none>" if method is None else method.get("type") or "",
        age_of(schema, now),
        "?" if dangling is None else dangling.get("status") or "",
    ]


def priority_level_cells(level: JsonObject, now: float) -> list[Any]:
    shares: Any = "<none>"
    queuing: list[Any] = ["<none>"] * 3
    limited = member(level, "spec", "limited")
    if limited is not None:
        shares = limited.get("nominalConcurrencyShares") or 0
        queues = member(limited, "limitResponse", "queuing")
        if queues is not None:
            queuing = [queues.get(each) or 0 for each in ("queues", "handSize", "queueLengthLimit")]
    kind = member(level, "spec", "type") or ""
    return [name_of(level), kind, shares, *queuing, age_of(level, now)]


def api_service_cells(service: JsonObject, now: float) -> list[Any]:
    reference = member(service, "spec", "service")
    backend = "Local"
    if reference is not None:
        backend = f"{reference.get('namespace') or ''}/{reference.get('name') or ''}"
    available = condition(service, "Available")
    status = "Unknown"
    if available is not None:
        status = available.get("status") or ""
        if status != "True" and available.get("reason"):
            status = f"{status} ({available['reason']})"
    return [name_of(service), backend, status, age_of(service, now)]
