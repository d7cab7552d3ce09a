"""The objects that are judged, by what they are kept under: `/pods`, `apps/deployments`.

Where they were read, `sources` knows. Of Secrets there are names only: nobody here needs more.

Promises
    I1  a Secret's data never gets here
    I2  what could not be read is named, with why
    I3  absence means something only where `whole` is true: a folder of manifests is never all of a cluster
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from kajitori.apimachinery.kind import JsonObject, Kind

__all__ = ["KINDS", "Inventory", "bucket_of", "name_of", "namespace_of", "shown", "without_secrets"]

_RBAC = "rbac.authorization.k8s.io"
_ADMISSION = "admissionregistration.k8s.io"


def _policies(version: str) -> Iterator[Kind]:
    for name in ("MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"):
        plural = "mutatingadmissionpolicies" if name.endswith("Policy") else "mutatingadmissionpolicybindings"
        yield Kind(_ADMISSION, version, name, plural, namespaced=False)


KINDS: tuple[Kind, ...] = (
    Kind("", "v1", "Namespace", "namespaces", namespaced=False),
    Kind("", "v1", "Node", "nodes", namespaced=False),
    Kind("", "v1", "Pod", "pods"),
    Kind("", "v1", "PodTemplate", "podtemplates"),
    Kind("", "v1", "ReplicationController", "replicationcontrollers"),
    Kind("", "v1", "Secret", "secrets"),
    Kind("", "v1", "Service", "services"),
    Kind("", "v1", "ServiceAccount", "serviceaccounts"),
    Kind("apps", "v1", "DaemonSet", "daemonsets"),
    Kind("apps", "v1", "Deployment", "deployments"),
    Kind("apps", "v1", "ReplicaSet", "replicasets"),
    Kind("apps", "v1", "StatefulSet", "statefulsets"),
    Kind("batch", "v1", "CronJob", "cronjobs"),
    Kind("batch", "v1", "Job", "jobs"),
    Kind("discovery.k8s.io", "v1", "EndpointSlice", "endpointslices"),
    Kind(_RBAC, "v1", "Role", "roles"),
    Kind(_RBAC, "v1", "RoleBinding", "rolebindings"),
    Kind(_RBAC, "v1", "ClusterRole", "clusterroles", namespaced=False),
    Kind(_RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings", namespaced=False),
    Kind(_ADMISSION, "v1", "ValidatingWebhookConfiguration", "validatingwebhookconfigurations", False),
    Kind(_ADMISSION, "v1", "MutatingWebhookConfiguration", "mutatingwebhookconfigurations", False),
    Kind(_ADMISSION, "v1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", False),
    Kind(_ADMISSION, "v1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", False),
    Kind("batch", "v1beta1", "CronJob", "cronjobs"),
    Kind("discovery.k8s.io", "v1beta1", "EndpointSlice", "endpointslices"),
    Kind(_ADMISSION, "v1beta1", "ValidatingAdmissionPolicy", "validatingadmissionpolicies", False),
    Kind(
        _ADMISSION, "v1beta1", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings", False
    ),
    *_policies("v1"),
    *_policies("v1beta1"),
    *_policies("v1alpha1"),
)
"""What is read, in the versions to try, the newest first."""


def bucket_of(kind: Kind) -> str:
    """`apps/deployments`, `/pods`."""
    return f"{kind.group}/{kind.plural}"


@dataclass(frozen=True)
class Inventory:
    """Objects by bucket."""

    source: str
    """`cluster https://10.0.0.1:6443`, `backup monday.db`, `folder manifests`."""
    objects: Mapping[str, Sequence[JsonObject]]
    whole: bool = True
    unread: Mapping[str, str] = field(default_factory=dict[str, str])
    """Buckets that could not be read, and why."""
    version: str = ""
    """Of the API server, `v1.36.2`; empty where nobody says it."""
    lookalike: bool = False
    """Whether the API server is not built from Kubernetes' code, as kajitori's is not."""
    only: str = ""
    """The namespace that was read alone; empty: all of them."""
    notes: Sequence[str] = ()
    """What else happened while reading: files that hold something else."""

    def __getitem__(self, bucket: str) -> Sequence[JsonObject]:
        return self.objects.get(bucket, ())

    def missing(self, *buckets: str) -> list[str]:
        """What of these could not be read, a sentence each."""
        return [
            f"{_plural(each)} could not be read: {self.unread[each]}"
            for each in buckets
            if each in self.unread
        ]

    @cached_property
    def namespaces(self) -> Mapping[str, JsonObject]:
        """By name. Where they are not all known, those that objects say they are in count as well, without labels."""
        found = {name_of(each): each for each in self["/namespaces"]}
        if self.only:
            found.setdefault(self.only, {"metadata": {"name": self.only}})
            return {self.only: found[self.only]}
        if not self.whole or "/namespaces" in self.unread:
            for bucket in self.objects:
                for each in self[bucket]:
                    name = namespace_of(each)
                    if name:
                        found.setdefault(name, {"metadata": {"name": name}})
        return dict(sorted(found.items()))

    def within(self, namespace: str) -> "Inventory":
        """The same, of one namespace alone; what is in no namespace stays."""

        def wanted(bucket: str, obj: JsonObject) -> bool:
            return bucket == "/namespaces" or namespace_of(obj) in ("", namespace)

        kept = {
            bucket: [each for each in several if wanted(bucket, each)]
            for bucket, several in self.objects.items()
        }
        return replace(self, objects=kept, only=namespace)


def _plural(bucket: str) -> str:
    group, _, resource = bucket.partition("/")
    return f"{resource}.{group}" if group else resource


def name_of(obj: JsonObject) -> str:
    return str((obj.get("metadata") or {}).get("name") or "")


def namespace_of(obj: JsonObject) -> str:
    return str((obj.get("metadata") or {}).get("namespace") or "")


def shown(obj: JsonObject) -> str:
    """`shop/web`, or the name alone."""
    namespace = namespace_of(obj)
    return f"{namespace}/{name_of(obj)}" if namespace else name_of(obj)


def without_secrets(bucket: str, objects: Iterable[JsonObject]) -> list[JsonObject]:
    """The objects, but of Secrets only what they are called (I1)."""
    if bucket != "/secrets":
        return list(objects)
    return [
        {"metadata": {"name": name_of(each), "namespace": namespace_of(each)}, "type": each.get("type", "")}
        for each in objects
    ]
