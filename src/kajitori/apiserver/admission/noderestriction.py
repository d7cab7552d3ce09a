"""NodeRestriction: a node changes itself, its own Pods, and little else.

Source: https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction and
plugin/pkg/admission/noderestriction of Kubernetes.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.errors import Forbidden, forbidden, not_found
from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.admission.nodeaudiences import check_audience
from kajitori.apiserver.admission.podreferences import referenced
from kajitori.apiserver.authentication.user import NODES
from kajitori.apiserver.authorization import Authorizer
from kajitori.apiserver.registry.call import Attributes
from kajitori.storage import Store

__all__ = ["NodeRestriction"]

_USER = "system:node:"
_MIRROR = "kubernetes.io/config.mirror"
_LEASES = "kube-node-lease"
_KUBELET_SIGNERS = ("kubernetes.io/kubelet-serving", "kubernetes.io/kube-apiserver-client-kubelet")
_RESTRICTED = "node-restriction.kubernetes.io"
_KUBELET_NAMESPACES = ("kubelet.kubernetes.io", "node.kubernetes.io")
_KUBELET_LABELS = frozenset(
    {
        "beta.kubernetes.io/arch",
        "beta.kubernetes.io/instance-type",
        "beta.kubernetes.io/os",
        "failure-domain.beta.kubernetes.io/region",
        "failure-domain.beta.kubernetes.io/zone",
        "kubernetes.io/arch",
        "kubernetes.io/hostname",
        "kubernetes.io/os",
        "node.kubernetes.io/instance-type",
        "topology.kubernetes.io/region",
        "topology.kubernetes.io/zone",
    }
)
"""Labels of Kubernetes' own that a kubelet may give its node."""

_read = msgspec.json.Decoder(JsonObject).decode


class NodeRestriction:
    """The plugin. Like Kubernetes', it speaks before the object itself is judged."""

    name = "NodeRestriction"
    validate = None

    def __init__(self, store: Store, authorizer: Authorizer) -> None:
        self._store = store
        self._authorizer = authorizer
        self._rules: Mapping[str, Callable[[str, Attributes], None]] = {
            "/pods": self._pods,
            "/nodes": self._nodes,
            "/persistentvolumeclaims": self._claims,
            "/serviceaccounts": self._accounts,
            "coordination.k8s.io/leases": self._leases,
            "storage.k8s.io/csinodes": self._csi_nodes,
            "resource.k8s.io/resourceslices": self._slices,
            "certificates.k8s.io/certificatesigningrequests": self._requests,
            "certificates.k8s.io/podcertificaterequests": self._pod_certificates,
        }

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        return operation in ("CREATE", "UPDATE", "DELETE") and bucket in self._rules

    def mutate(self, attributes: Attributes) -> None:
        """Raises: Forbidden, NotFound."""
        user = attributes.user
        if not user.name.startswith(_USER) or NODES not in user.groups:
            return
        node = user.name.removeprefix(_USER)
        if not node:
            raise _refused(attributes, f"could not determine node from user {go_quote(user.name)}")
        self._rules[attributes.resource.bucket](node, attributes)

    # Pods.

    def _pods(self, node: str, attributes: Attributes) -> None:
        match attributes.subresource, attributes.operation:
            case "", "CREATE":
                self._pod_created(node, attributes)
            case "", "DELETE":
                if _node_of(attributes.old) != node:
                    raise _refused(
                        attributes, f"{_named(node)} can only delete pods with spec.nodeName set to itself"
                    )
            case "", operation:
                told = f"unexpected operation {go_quote(operation)}"
                raise _refused(attributes, f"{told}, {_named(node)} can only create and delete mirror pods")
            case "status", "UPDATE":
                self._pod_status(node, attributes)
            case "eviction", "CREATE":
                if _node_of(self._pod(attributes, attributes.name)) != node:
                    raise _refused(
                        attributes, f"node {node} can only evict pods with spec.nodeName set to itself"
                    )
            case (("status" | "eviction"), operation):
                raise _refused(attributes, f"unexpected operation {go_quote(operation)}")
            case subresource, _:
                told = f"unexpected pod subresource {go_quote(subresource)}"
                raise _refused(attributes, f"{told}, only 'status' and 'eviction' are allowed")

    def _pod_created(self, node: str, attributes: Attributes) -> None:
        pod = _obj(attributes)
        metadata: JsonObject = pod["metadata"]
        can_only = f"{_named(node)} can only create"
        if _MIRROR not in (metadata.get("annotations") or {}):
            why = f"pod does not have {go_quote(_MIRROR)} annotation, {can_only} mirror pods"
            raise _refused(attributes, why)
        if _node_of(pod) != node:
            raise _refused(attributes, f"{can_only} pods with spec.nodeName set to itself")
        owners: list[JsonObject] = metadata.get("ownerReferences") or []
        if len(owners) > 1:
            raise _refused(attributes, f"{can_only} pods with a single owner reference set to itself")
        if not owners or [owners[0].get(each) for each in ("apiVersion", "kind", "name")] != [
            "v1",
            "Node",
            node,
        ]:
            raise _refused(attributes, f"{can_only} pods with an owner reference set to itself")
        owner = owners[0]
        if not owner.get("controller"):
            raise _refused(attributes, f"{can_only} pods with a controller owner reference set to itself")
        if owner.get("blockOwnerDeletion"):
            why = f"{_named(node)} must not set blockOwnerDeletion on an owner reference"
            raise _refused(attributes, why)
        uid = self._get("/nodes", node, "node")["metadata"]["uid"]
        if owner.get("uid") != uid:
            why = f"node {node} UID mismatch: expected {owner.get('uid', '')} got {uid}"
            raise _refused(attributes, why)
        try:
            what = referenced(pod["spec"])
        except ValueError as error:
            raise _refused(attributes, f"error checking mirror pod for API references: {error}") from None
        if what:
            raise _refused(attributes, f"{_named(node)} can not create pods that reference {what}")

    def _pod_status(self, node: str, attributes: Attributes) -> None:
        new, old = _obj(attributes), attributes.old
        assert old is not None, attributes
        if _node_of(old) != node:
            why = f"{_named(node)} can only update pod status for pods with spec.nodeName set to itself"
            raise _refused(attributes, why)
        if (new["metadata"].get("labels") or {}) != (old["metadata"].get("labels") or {}):
            raise _refused(attributes, f"{_named(node)} cannot update labels through pod status")
        after, before = (each.get("status") or {} for each in (new, old))
        if (after.get("resourceClaimStatuses") or []) != (before.get("resourceClaimStatuses") or []):
            raise _refused(attributes, f"{_named(node)} cannot update resource claim statues")
        member = "extendedResourceClaimStatus"
        if after.get(member) != before.get(member):
            raise _refused(attributes, f"{_named(node)} cannot update extended resource claim status")

    # The node itself.

    def _nodes(self, node: str, attributes: Attributes) -> None:
        name, not_allowed = attributes.name, f"{_named(node)} is not allowed to"
        if name != node:
            raise _refused(attributes, f"{not_allowed} modify node {go_quote(name)}")
        if attributes.operation == "DELETE":
            return
        new, old = _obj(attributes), attributes.old
        spec: JsonObject = new.get("spec") or {}
        labels: Mapping[str, str] = new["metadata"].get("labels") or {}
        if old is None:
            if spec.get("configSource") is not None:
                raise _refused(attributes, f"{not_allowed} create pods with a non-nil configSource")
            forbidden_labels = _forbidden_labels(labels, {})
            if forbidden_labels:
                raise _refused(attributes, f"{not_allowed} set the following labels: {forbidden_labels}")
            return
        before: JsonObject = old.get("spec") or {}
        source = spec.get("configSource")
        if source is not None and source != before.get("configSource"):
            raise _refused(attributes, f"{not_allowed} update configSource to a new non-nil configSource")
        if (spec.get("taints") or []) != (before.get("taints") or []):
            raise _refused(attributes, f"{not_allowed} modify taints")
        if (new["metadata"].get("ownerReferences") or []) != (old["metadata"].get("ownerReferences") or []):
            raise _refused(attributes, f"{not_allowed} modify ownerReferences")
        forbidden_labels = _forbidden_labels(labels, old["metadata"].get("labels") or {})
        if forbidden_labels:
            raise _refused(attributes, f"is not allowed to modify labels: {forbidden_labels}")

    # What belongs to it.

    def _claims(self, node: str, attributes: Attributes) -> None:
        if attributes.subresource != "status":
            raise _refused(attributes, "may only update PVC status")
        if attributes.operation != "UPDATE":
            raise _refused(attributes, f"unexpected operation {go_quote(attributes.operation)}")
        assert attributes.old is not None, attributes
        new, old = _unchangeable(_obj(attributes)), _unchangeable(attributes.old)
        if new != old:
            changed = ", ".join(sorted(key for key in {**new, **old} if new.get(key) != old.get(key)))
            told = "is not allowed to update fields other than status.quantity and status.conditions"
            raise _refused(attributes, f"{_named(node)} {told}: {changed}")

    def _accounts(self, node: str, attributes: Attributes) -> None:
        if attributes.operation != "CREATE" or attributes.subresource != "token":
            return
        spec: JsonObject = _obj(attributes).get("spec") or {}
        bound: JsonObject = spec.get("boundObjectRef") or {}
        if (bound.get("apiVersion"), bound.get("kind")) != ("v1", "Pod") or not bound.get("name"):
            raise _refused(attributes, "node requested token not bound to a pod")
        uid = bound.get("uid")
        if not uid:
            raise _refused(attributes, "node requested token with a pod binding without a uid")
        pod = self._pod(attributes, bound["name"])
        if pod["metadata"]["uid"] != uid:
            told = f"the UID in the bound object reference ({uid}) does not match the UID in record."
            raise _refused(attributes, f"{told} The object might have been deleted and then recreated")
        if _node_of(pod) != node:
            raise _refused(attributes, "node requested token bound to a pod scheduled on a different node")
        why = check_audience(self._store, self._authorizer, attributes, spec.get("audiences") or [], pod)
        if why:
            raise _refused(attributes, why)

    def _leases(self, node: str, attributes: Attributes) -> None:
        if attributes.namespace != _LEASES:
            raise _refused(attributes, f"can only access leases in the {go_quote(_LEASES)} system namespace")
        if attributes.name != node:
            raise _refused(attributes, "can only access node lease with the same name as the requesting node")

    def _csi_nodes(self, node: str, attributes: Attributes) -> None:
        if attributes.name != node:
            raise _refused(attributes, "can only access CSINode with the same name as the requesting node")

    def _slices(self, node: str, attributes: Attributes) -> None:
        slice_ = attributes.obj if attributes.operation == "CREATE" else attributes.old
        if attributes.operation == "UPDATE" or slice_ is None:
            return
        if (slice_.get("spec") or {}).get("nodeName") != node:
            verb = attributes.operation.lower()
            why = f"can only {verb} ResourceSlice with the same NodeName as the requesting node"
            raise _refused(attributes, why)

    def _requests(self, node: str, attributes: Attributes) -> None:
        if attributes.operation != "CREATE":
            return
        request = _obj(attributes)
        if (request.get("spec") or {}).get("signerName") not in _KUBELET_SIGNERS:
            return
        from kajitori.apiserver.admission.certificates import subject  # with the first

        try:
            common_name, _ = subject(request)
        except ValueError as error:
            raise _refused(attributes, f"unable to parse csr: {error}") from None
        if common_name != f"{_USER}{node}":
            raise _refused(attributes, f"can only create a node CSR with CN={_USER}{node}")

    def _pod_certificates(self, node: str, attributes: Attributes) -> None:
        raise _refused(attributes, "PodCertificateRequest feature gate is disabled")

    # What is there.

    def _pod(self, attributes: Attributes, name: str) -> JsonObject:
        return self._get("/pods", f"{attributes.namespace}/{name}", "pod")

    def _get(self, bucket: str, key: str, what: str) -> JsonObject:
        """Raises: NotFound."""
        item = self._store.get(bucket, key)
        if item is None:
            raise not_found(what, "", key.rpartition("/")[2])
        return _read(item.value)


def _refused(attributes: Attributes, why: str) -> Forbidden:
    kind = attributes.resource.kind
    return forbidden(kind.plural, kind.group, attributes.name or "Unknown", why)


def _named(node: str) -> str:
    return f"node {go_quote(node)}"


def _obj(attributes: Attributes) -> JsonObject:
    assert attributes.obj is not None, attributes
    return attributes.obj


def _node_of(pod: JsonObject | None) -> str:
    name: str = ((pod or {}).get("spec") or {}).get("nodeName") or ""
    return name


def _unchangeable(claim: JsonObject) -> dict[str, Any]:
    """What of a claim a node may not change, by member."""
    metadata = {
        key: value
        for key, value in claim["metadata"].items()
        if key not in ("managedFields", "resourceVersion")
    }
    own = ("allocatedResourceStatuses", "allocatedResources", "capacity", "conditions")
    status = {key: value for key, value in (claim.get("status") or {}).items() if key not in own}
    return {"metadata": metadata, "spec": claim.get("spec"), "status": status}


def _forbidden_labels(new: Mapping[str, str], old: Mapping[str, str]) -> str:
    """The labels among the changed ones that are not for a node to change."""
    changed = {key for key in {**new, **old} if new.get(key) != old.get(key)}
    return ", ".join(sorted(key for key in changed if _is_forbidden(key)))


def _is_forbidden(label: str) -> bool:
    prefix, slash, _ = label.partition("/")
    prefix = prefix if slash else ""

    def is_in(namespace: str) -> bool:
        return prefix == namespace or prefix.endswith(f".{namespace}")

    if is_in(_RESTRICTED):
        return True
    if not (is_in("kubernetes.io") or is_in("k8s.io")):
        return False
    return label not in _KUBELET_LABELS and not any(is_in(each) for each in _KUBELET_NAMESPACES)
