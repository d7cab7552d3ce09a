"""Nodes may see what they run, and nothing else: the mode `Node`.

A user `system:node:NAME` in the group system:nodes is a node. What it may do with most resources is what the role
system:node says; of objects that other nodes have too it may read its own alone. What it may write of those,
NodeRestriction looks at, which sees the objects.

Promises
    N1  nobody but a node is told anything
    N2  a node reads Secrets, ConfigMaps, claims, volumes, ResourceClaims and Pods only where they belong to it, and
        lists or watches Pods and ResourceSlices only of itself
    N3  leases and CSINodes are a node's own by their name; tokens are made for service accounts of its Pods
    N4  refusals have Kubernetes' reasons

Source: https://kubernetes.io/docs/reference/access-authn-authz/node/ and plugin/pkg/auth/authorizer/node.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from kajitori.apimachinery.decode import go_quote
from kajitori.apiserver.authentication.user import NODES, User
from kajitori.apiserver.authorization.attributes import NO_OPINION, Attributes, Decision
from kajitori.apiserver.authorization.node_graph import NodeGraph
from kajitori.apiserver.authorization.rules import Held, Rule, parse_rules

if TYPE_CHECKING:
    from kajitori.storage import Store

__all__ = ["NodeAuthorizer", "node_of"]

_PREFIX = "system:node:"
_LEASES = "kube-node-lease"
_ALLOWED = Decision(True)
_OWN_VERBS = frozenset(("get", "create", "update", "patch", "delete"))


def node_of(user: User) -> str | None:
    """The node that a user is, empty when it does not say which; None for everybody else."""
    if not user.name.startswith(_PREFIX) or NODES not in user.groups:
        return None
    return user.name[len(_PREFIX) :]


def _no(reason: str) -> Decision:
    return Decision(False, reason)


class NodeAuthorizer:
    """Decides for nodes."""

    def __init__(self, store: "Store") -> None:
        self._graph = NodeGraph(store)
        self._rules: tuple[Rule, ...] | None = None
        self._deciders: dict[tuple[str, str], Callable[[str, Attributes], Decision]] = {
            ("", "secrets"): self._read,
            ("", "configmaps"): self._read,
            ("", "persistentvolumeclaims"): self._claim,
            ("", "persistentvolumes"): self._get,
            ("resource.k8s.io", "resourceclaims"): self._get,
            ("storage.k8s.io", "volumeattachments"): self._get,
            ("", "serviceaccounts"): self._account,
            ("coordination.k8s.io", "leases"): _lease,
            ("storage.k8s.io", "csinodes"): _csi_node,
            ("resource.k8s.io", "resourceslices"): self._slice,
            ("", "nodes"): _node,
            ("", "pods"): self._pod,
            # The feature PodCertificateRequest is off in Kubernetes 1.36.
            ("certificates.k8s.io", "podcertificaterequests"): lambda node, attributes: NO_OPINION,
        }

    def authorize(self, attributes: Attributes) -> Decision:
        """Allowed or no opinion."""
        user = attributes.user
        if not user.name.startswith(_PREFIX):
            return NO_OPINION
        node = node_of(user)
        if node is None:
            return NO_OPINION
        if not node:
            return _no(f"unknown node for user {go_quote(user.name)}")
        if attributes.resource:
            decide = self._deciders.get((attributes.group, attributes.resource))
            if decide is not None:
                return decide(node, attributes)
        return _ALLOWED if any(each.allows(attributes) for each in self._static()) else NO_OPINION

    def held(self, user: User, namespace: str) -> Held:
        """What a node may do cannot be listed."""
        if node_of(user) is None:
            return Held()
        return Held(errors=("node authorizer does not support user rule resolution",), incomplete=True)

    def _static(self) -> tuple[Rule, ...]:
        """What every node may do: the rules of system:node as this version has them."""
        if self._rules is None:
            from kajitori.apiserver.authorization.bootstrap import bootstrap_objects

            roles = bootstrap_objects()["clusterroles"]
            [role] = [each for each in roles if each["metadata"]["name"] == "system:node"]
            self._rules = parse_rules(role["rules"])
        return self._rules

    # What depends on the object.

    def _belonging(self, node: str, attributes: Attributes) -> Decision:
        if not attributes.name:
            return _no("No Object name found")
        namespace = attributes.namespace
        if self._graph.belongs(node, attributes.resource, namespace, attributes.name):
            return _ALLOWED
        return _unrelated(node)

    def _read(self, node: str, attributes: Attributes) -> Decision:
        if attributes.verb not in ("get", "list", "watch"):
            return _no("can only read resources of this type")
        if attributes.subresource:
            return _no("cannot read subresource")
        if not attributes.namespace:
            return _no("can only read namespaced object of this type")
        return self._belonging(node, attributes)

    def _get(self, node: str, attributes: Attributes) -> Decision:
        if attributes.verb != "get":
            return _no("can only get individual resources of this type")
        if attributes.subresource:
            return _no("cannot get subresource")
        return self._belonging(node, attributes)

    def _claim(self, node: str, attributes: Attributes) -> Decision:
        if attributes.subresource != "status":
            return self._get(node, attributes)
        if attributes.verb not in ("update", "patch"):
            return _no("can only get/update/patch this type")
        return self._belonging(node, attributes)

    def _account(self, node: str, attributes: Attributes) -> Decision:
        if attributes.verb == "get" and not attributes.subresource:
            return self._read(node, attributes)
        if attributes.verb != "create" or not attributes.name:
            return _no("can only create tokens for individual service accounts")
        if attributes.subresource != "token":
            return _no("can only create token subresource of serviceaccount")
        return self._belonging(node, attributes)

    def _slice(self, node: str, attributes: Attributes) -> Decision:
        if attributes.subresource:
            return _no("cannot authorize ResourceSlice subresources")
        match attributes.verb:
            case "create":
                return _ALLOWED  # NodeRestriction sees whose it is
            case "get" | "update" | "patch" | "delete":
                return self._belonging(node, attributes)
            case "watch" | "list" | "deletecollection":
                if _selects(attributes, "spec.nodeName", node):
                    return _ALLOWED
                return _no("can only list/watch/deletecollection resourceslices with nodeName field selector")
            case _:
                return _no(
                    "only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, "
                    "patch, delete, deletecollection"
                )

    def _pod(self, node: str, attributes: Attributes) -> Decision:
        # NodeRestriction sees to it that a node writes its own Pods alone.
        match attributes.subresource, attributes.verb:
            case "", "get":
                return self._get(node, attributes)
            case "", "list" | "watch":
                if _selects(attributes, "spec.nodeName", node):
                    return _ALLOWED
                if attributes.name:
                    return self._belonging(node, attributes)
                return _no("can only list/watch pods with spec.nodeName field selector")
            case ("", "create" | "delete") | ("status", "update" | "patch") | ("eviction", "create"):
                return _ALLOWED
            case _:
                return NO_OPINION


def _unrelated(node: str) -> Decision:
    return _no(f"no relationship found between node '{node}' and this object")


def _selects(attributes: Attributes, field: str, node: str) -> bool:
    """Whether only what is of a node is asked for."""
    return any(
        each.field == field and each.equals and each.value == node for each in attributes.field_requirements
    )


def _lease(node: str, attributes: Attributes) -> Decision:
    if attributes.verb not in _OWN_VERBS:
        return _no("can only get, create, update, patch, or delete a node lease")
    if attributes.namespace != _LEASES:
        return _no(f'can only access leases in the "{_LEASES}" system namespace')
    # The name is not known yet when one is made; NodeRestriction sees it.
    if attributes.verb != "create" and attributes.name != node:
        return _no("can only access node lease with the same name as the requesting node")
    return _ALLOWED


def _csi_node(node: str, attributes: Attributes) -> Decision:
    if attributes.verb not in _OWN_VERBS:
        return _no("can only get, create, update, patch, or delete a CSINode")
    if attributes.subresource:
        return _no("cannot authorize CSINode subresources")
    if attributes.verb != "create" and attributes.name != node:
        return _no("can only access CSINode with the same name as the requesting node")
    return _ALLOWED


def _node(node: str, attributes: Attributes) -> Decision:
    match attributes.subresource, attributes.verb:
        case ("", "create" | "update" | "patch") | ("status", "update" | "patch"):
            return _ALLOWED
        case "", "get" | "list" | "watch":
            if attributes.name == node:
                return _ALLOWED
            if not attributes.name:
                return _no(f"node '{node}' cannot read all nodes, only its own Node object")
            return _no(f"node '{node}' cannot read '{attributes.name}', only its own Node object")
        case _:
            return NO_OPINION
