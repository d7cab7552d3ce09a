"""Rights from which more can be made than they say: who has them, where, and by which binding.

Promises
    E1  a power is held where one subject's rules, of all its bindings together, allow all it takes
    E2  what is limited to names (`resourceNames`) is told with them, and counts as one step less severe
    E3  who may do everything is told so once, and not for each power

Source: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec

from kajitori.apiserver.authentication.user import User
from kajitori.apiserver.authorization import Attributes, Rule
from kajitori.apiserver.authorization.escalation import covers
from kajitori.apiserver.authorization.rules import EVERYTHING
from kajitori.posture.findings import SEVERITIES
from kajitori.posture.rbac.grants import Grant

__all__ = ["POWERS", "Held", "Power", "Question", "held_by", "may_everything"]

_RBAC = "rbac.authorization.k8s.io"
_ADMISSION = "admissionregistration.k8s.io"
_CERTIFICATES = "certificates.k8s.io"
_NOBODY = User("")
_WRITE = ("create", "update", "patch")


class Question(msgspec.Struct, frozen=True):
    """Any of these verbs on any of these resources, written `group/resource` or `group/resource/subresource`."""

    verbs: tuple[str, ...]
    resources: tuple[str, ...]


class Power(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is worth more than it says."""

    name: str
    told: str
    """What can be made of it."""
    all_of: tuple[Question, ...]
    severity: str
    """Where it is held in the whole cluster, or in kube-system."""
    in_namespace: str = ""
    """Where it is held in another namespace; empty when it is nothing there."""
    where_privileged: bool = False
    """It is only a power where namespaces let privileged Pods in."""


def _power(
    name: str, told: str, severity: str, in_namespace: str, *all_of: tuple[Sequence[str], Sequence[str]]
) -> Power:
    questions = tuple(Question(tuple(verbs), tuple(resources)) for verbs, resources in all_of)
    return Power(name=name, told=told, all_of=questions, severity=severity, in_namespace=in_namespace)


_PODS = (
    "/pods",
    "/replicationcontrollers",
    "apps/deployments",
    "apps/daemonsets",
    "apps/replicasets",
    "apps/statefulsets",
    "batch/jobs",
    "batch/cronjobs",
)
_HOOKS = ("validatingwebhookconfigurations", "mutatingwebhookconfigurations")
_GUARDS = ("validatingadmissionpolicies", "validatingadmissionpolicybindings")
_MUTATORS = ("mutatingadmissionpolicies", "mutatingadmissionpolicybindings")

POWERS: tuple[Power, ...] = (
    _power(
        "escalate",
        "may write roles with rights it does not have",
        "high",
        "medium",
        (["escalate"], [f"{_RBAC}/clusterroles", f"{_RBAC}/roles"]),
        (_WRITE, [f"{_RBAC}/clusterroles", f"{_RBAC}/roles"]),
    ),
    _power(
        "bind",
        "may bind roles with rights it does not have",
        "high",
        "medium",
        (["bind"], [f"{_RBAC}/clusterroles", f"{_RBAC}/roles"]),
        (_WRITE, [f"{_RBAC}/clusterrolebindings", f"{_RBAC}/rolebindings"]),
    ),
    _power(
        "impersonate",
        "may act as others",
        "high",
        "medium",
        (["impersonate"], ["/users", "/groups", "/serviceaccounts"]),
    ),
    _power(
        "create-pods",
        "may make Pods, which act as any ServiceAccount of the namespace and mount any of its Secrets",
        "high",
        "low",
        (["create"], _PODS),
    ),
    msgspec.structs.replace(
        _power(
            "privileged-pods",
            "may make privileged Pods, which own their node and all that runs there",
            "high",
            "medium",
            (["create"], _PODS),
        ),
        where_privileged=True,
    ),
    _power(
        "exec",
        "may run commands in Pods, as whoever they are",
        "high",
        "low",
        (["create", "get"], ["/pods/exec", "/pods/attach"]),
    ),
    _power(
        "ephemeral-containers",
        "may put containers into running Pods",
        "high",
        "low",
        (["update", "patch"], ["/pods/ephemeralcontainers"]),
    ),
    _power(
        "read-secrets",
        "may read Secrets, tokens of ServiceAccounts among them",
        "high",
        "low",
        (["get", "list", "watch", "patch"], ["/secrets"]),
    ),
    _power(
        "service-account-tokens",
        "may have tokens made for ServiceAccounts",
        "high",
        "medium",
        (["create"], ["/serviceaccounts/token"]),
    ),
    _power(
        "nodes-proxy",
        "may ask kubelets for anything, commands in every Pod of a node included, past admission and the audit log",
        "high",
        "",
        (["get", "create"], ["/nodes/proxy"]),
    ),
    _power(
        "persistent-volumes",
        "may make PersistentVolumes of any path of a node",
        "high",
        "",
        (["create"], ["/persistentvolumes"]),
    ),
    _power(
        "approve-certificates",
        "may approve client certificates for any name",
        "high",
        "",
        (["update", "patch"], [f"{_CERTIFICATES}/certificatesigningrequests/approval"]),
        (["approve"], [f"{_CERTIFICATES}/signers"]),
    ),
    _power(
        "sign-certificates",
        "may sign client certificates for any name",
        "high",
        "",
        (["update", "patch"], [f"{_CERTIFICATES}/certificatesigningrequests/status"]),
        (["sign"], [f"{_CERTIFICATES}/signers"]),
    ),
    _power(
        "admission-webhooks",
        "may have every object sent to it, Secrets included, and change it",
        "high",
        "",
        (_WRITE, [f"{_ADMISSION}/{each}" for each in (*_HOOKS, *_MUTATORS)]),
    ),
    _power(
        "aggregated-apis",
        "may have the requests for whole API groups sent to it",
        "high",
        "",
        (_WRITE, ["apiregistration.k8s.io/apiservices"]),
    ),
    _power(
        "admission-policies",
        "may switch off what guards the cluster",
        "medium",
        "",
        (["update", "patch", "delete"], [f"{_ADMISSION}/{each}" for each in (*_GUARDS, *_HOOKS)]),
    ),
    _power(
        "label-namespaces",
        "may take Pod Security, and what policies ask for, off a namespace",
        "medium",
        "",
        (["update", "patch"], ["/namespaces"]),
    ),
    _power(
        "nodes",
        "may relabel and untaint nodes, and so draw Pods of others to them",
        "medium",
        "",
        (["update", "patch"], ["/nodes", "/nodes/status"]),
    ),
)


class Held(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A power that a subject has."""

    power: str
    told: str
    severity: str
    namespaces: tuple[str, ...]
    """Where; empty: everywhere."""
    names: tuple[str, ...]
    """Of which objects alone; empty: of all."""
    via: tuple[str, ...]
    """`ClusterRoleBinding ops to ClusterRole deployer`."""

    def __str__(self) -> str:
        where = f" in {', '.join(self.namespaces)}" if self.namespaces else " everywhere"
        names = f" (only {', '.join(self.names)})" if self.names else ""
        return f"{self.power}: {self.told}{where}{names}, by {'; '.join(self.via)}"


def may_everything(grants: Iterable[Grant]) -> list[Grant]:
    """Those of a subject's grants that allow everything everywhere, each by itself."""
    return [each for each in grants if not each.binding.namespace and covers(each.rules, EVERYTHING)]


def held_by(grants: Sequence[Grant], privileged: Collection[str] = ()) -> Iterator[Held]:
    """The powers of one subject, which has these grants (E1); `privileged` are the namespaces that let any Pod in."""
    everywhere = [each for each in grants if not each.binding.namespace]
    inside: dict[str, list[Grant]] = {}
    for each in grants:
        if each.binding.namespace:
            inside.setdefault(each.binding.namespace, []).append(each)
    for power in POWERS:
        if power.where_privileged and not privileged:
            continue
        found = _having(power, everywhere)
        if found is not None:
            yield _held(power, (), *found)
            if not found[0]:
                continue  # what is held in some namespace besides adds nothing
        if not power.in_namespace:
            continue
        places: dict[tuple[str, tuple[str, ...]], tuple[list[str], list[Grant]]] = {}
        for namespace, own in sorted(inside.items()):
            if power.where_privileged and namespace not in privileged:
                continue
            having = _having(power, [*everywhere, *own])
            if having is None or (found is not None and having[0] == found[0]):
                continue
            names, via = having
            severity = power.severity if namespace == "kube-system" else power.in_namespace
            where, all_via = places.setdefault((severity, names), ([], []))
            where.append(namespace)
            all_via += via
        for (severity, names), (where, all_via) in places.items():
            yield _held(power, tuple(where), names, all_via, severity)


def _held(
    power: Power,
    namespaces: tuple[str, ...],
    names: tuple[str, ...],
    via: Iterable[Grant],
    severity: str = "",
) -> Held:
    severity = severity or power.severity
    if names:
        severity = SEVERITIES[min(SEVERITIES.index(severity) + 1, SEVERITIES.index("low"))]
    return Held(
        power=power.name,
        told=power.told,
        severity=severity,
        namespaces=namespaces,
        names=names,
        via=tuple(dict.fromkeys(map(str, via))),
    )


def _having(power: Power, grants: Sequence[Grant]) -> tuple[tuple[str, ...], list[Grant]] | None:
    """To which names it is limited, and by which grants it is held; None when it is not."""
    names: tuple[str, ...] = ()
    via: list[Grant] = []
    for question in power.all_of:
        answer = _answer(question, grants)
        if answer is None:
            return None
        limited, grant = answer
        names = tuple(dict.fromkeys((*names, *limited)))
        via.append(grant)
    return names, via


def _answer(question: Question, grants: Sequence[Grant]) -> tuple[tuple[str, ...], Grant] | None:
    limited: tuple[tuple[str, ...], Grant] | None = None
    for grant in grants:
        for rule in grant.rules:
            if _concerned(rule, question):
                if not rule.resource_names:
                    return (), grant
                limited = limited or (rule.resource_names, grant)
    return limited


def _concerned(rule: Rule, question: Question) -> bool:
    for resource in question.resources:
        group, _, rest = resource.partition("/")
        name, _, subresource = rest.partition("/")
        for verb in question.verbs:
            if verb == "create" and rule.resource_names and not subresource:
                continue  # nothing has a name yet when it is created
            if rule.concerns(
                Attributes(user=_NOBODY, verb=verb, group=group, resource=name, subresource=subresource)
            ):
                return True
    return False
