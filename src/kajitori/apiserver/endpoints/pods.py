"""What can be asked of Pods besides their object: binding and eviction; and what needs their node.

Source: core/v1 Binding, policy/v1 Eviction; https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/
"""

from collections.abc import Callable

from kajitori.apimachinery.errors import (
    ApiError,
    BadRequest,
    Cause,
    Conflict,
    FieldError,
    InternalError,
    TooManyRequests,
    forbidden,
    invalid,
    not_found,
)
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.labels import selector_from_object
from kajitori.apiserver.catalog import Catalog
from kajitori.apiserver.endpoints.answers import value_answer
from kajitori.apiserver.endpoints.bodies import read_as
from kajitori.apiserver.endpoints.resources import Answer, ResourceEndpoints
from kajitori.apiserver.http import Response
from kajitori.apiserver.operating.asked import trail_of
from kajitori.apiserver.options import DeleteOptions, WriteOptions, delete_options
from kajitori.apiserver.registry.call import Call
from kajitori.apiserver.registry.deleting import delete
from kajitori.apiserver.registry.listing import get_item
from kajitori.apiserver.registry.meta import conflict
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.registry.resource import Resource
from kajitori.apiserver.registry.updating import MODIFIED, other_uid, rewrite
from kajitori.apiserver.scope import Scope

__all__ = ["Pods"]

DISRUPTED_PODS_MAX = 2000
"""Evictions of one budget that may wait for their Pods to go: Kubernetes' own limit."""

_CREATED = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
_ALLOWED = "DisruptionAllowed"
_VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget."


class Pods:
    """Binding, eviction, and the paths below a Pod that lead to its node."""

    def __init__(self, registry: Registry, resources: ResourceEndpoints, catalog: Catalog) -> None:
        self._registry = registry
        self._resources = resources
        self._catalog = catalog

    # Binding.

    async def bind(self, scope: Scope) -> Answer:
        """Puts a Pod on a node: the only way in which nodeName is ever set after creation."""
        form = self._resources.form(scope)
        call = self._resources.call(scope, "CreateOptions")
        binding = self._body(scope, "binding", call)
        pods = self._catalog.find("", "v1", "pods")
        assert pods is not None
        name = binding["metadata"].get("name") or ""
        binding = await self._resources.admitted(scope, call, binding, into=(pods, "binding"), name=name)
        metadata = binding["metadata"]
        if scope.info.name and name != scope.info.name:
            raise BadRequest("name in URL does not match name in Binding object")
        target = binding["target"]
        errors: list[FieldError] = []
        if target.get("kind", "") not in ("", "Node"):
            errors.append(FieldError.not_supported("target.kind", target["kind"], ["Node", "<empty>"]))
        if not target.get("name"):
            errors.append(FieldError.required("target.name"))
        if errors:
            raise invalid("Binding", "", name, errors)
        dry_run = call.options.dry_run

        def bound(pod: JsonObject) -> None:
            self._check_bound(pods, pod, metadata, dry_run=dry_run)
            self._bound(pod, target["name"], metadata)

        await rewrite(self._registry, pods, scope.info.namespace, name, bound, dry_run=dry_run)
        return value_answer(201, _CREATED, form, call.warnings)

    def _body(self, scope: Scope, subresource: str, call: Call) -> JsonObject:
        """What was sent to a subresource, or to the resource that does the same."""
        if scope.info.subresource:
            of = scope.resource.subresources[subresource]
            also = "policy/v1beta1" if subresource == "eviction" else ""
            return read_as(scope.request, of.kind, of.definition, call, also=also)
        return read_as(scope.request, scope.resource.kind, scope.resource.info.definition, call)

    def _check_bound(self, pods: Resource, pod: JsonObject, binding: JsonObject, *, dry_run: bool) -> None:
        """Raises: Conflict when the binding is for another Pod of this name, or for one that has changed since."""
        found = pod["metadata"]
        if binding.get("uid") and binding["uid"] != found["uid"]:
            namespace, name = found["namespace"], found["name"]
            raise other_uid(pods, namespace, name, binding["uid"], found["uid"], dry_run=dry_run)
        if binding.get("resourceVersion") and binding["resourceVersion"] != found["resourceVersion"]:
            raise conflict(pods, found["name"], MODIFIED)

    def _bound(self, pod: JsonObject, node: str, binding: JsonObject) -> None:
        name = pod["metadata"]["name"]
        spec, status = pod["spec"], pod.setdefault("status", {})
        if "deletionTimestamp" in pod["metadata"]:
            raise _unbindable(name, f"pod {name} is being deleted, cannot be assigned to a host")
        if spec.get("nodeName"):
            raise _unbindable(name, f'pod {name} is already assigned to node "{spec["nodeName"]}"')
        if spec.get("schedulingGates"):
            raise _unbindable(name, f"pod {name} has non-empty .spec.schedulingGates")
        spec["nodeName"] = node
        status.pop("nominatedNodeName", None)
        for member in ("annotations", "labels"):
            values = binding.get(member)
            if values:
                pod["metadata"][member] = {**(pod["metadata"].get(member) or {}), **values}
        _set_condition(
            status,
            {
                "type": "PodScheduled",
                "status": "True",
                "lastProbeTime": None,
                "lastTransitionTime": self._registry.now(),
            },
        )

    # Eviction.

    async def evict(self, scope: Scope) -> Answer:
        """Deletes a Pod if its disruption budget allows it."""
        form = self._resources.form(scope)
        call = self._resources.call(scope, "CreateOptions")
        eviction = self._body(scope, "eviction", call)
        name, namespace = scope.info.name, scope.info.namespace
        if eviction["metadata"].get("name", "") != name:
            raise BadRequest("name in URL does not match name in Eviction object")
        eviction = await self._resources.admitted(scope, call, eviction)
        options = delete_options({}, eviction.get("deleteOptions") or {})
        options.dry_run = options.dry_run or call.options.dry_run
        pods = self._catalog.find("", "v1", "pods")
        assert pods is not None
        pod = pods.parse(get_item(self._registry.store, pods, namespace, name).value)
        if not _needs_no_budget(pod):
            await self._spend(namespace, pod, options)
        if not options.dry_run and "deletionTimestamp" not in pod["metadata"]:
            await rewrite(self._registry, pods, namespace, name, self._disrupted(options))
            # Noting why has changed the Pod; nothing else has since it was compared.
            options.resource_version = None
        await delete(self._registry, pods, namespace, name, options, call)
        return value_answer(201, _CREATED, form, call.warnings)

    def _disrupted(self, options: DeleteOptions) -> Callable[[JsonObject], None]:
        condition = {
            "type": "DisruptionTarget",
            "status": "True",
            "lastProbeTime": None,
            "lastTransitionTime": self._registry.now(),
            "reason": "EvictionByEvictionAPI",
            "message": "Eviction API: evicting",
        }

        def change(pod: JsonObject) -> None:
            _check_preconditions(pod["metadata"], options)
            _set_condition(pod.setdefault("status", {}), condition)

        return change

    async def _spend(self, namespace: str, pod: JsonObject, options: DeleteOptions) -> None:
        """Takes one disruption from the Pod's budget. Raises: TooManyRequests when none is left."""
        budgets = self._catalog.find("policy", "v1", "poddisruptionbudgets")
        assert budgets is not None
        labels = pod["metadata"].get("labels") or {}
        found: list[JsonObject] = []
        for item in self._registry.store.range(budgets.bucket, f"{namespace}/"):
            budget = budgets.parse(item.value)
            if selector_from_object(budget["spec"].get("selector")).matches(labels):
                found.append(budget)
        if len(found) > 1:
            raise InternalError(
                "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
            )
        if not found or _ignores_budget(pod, found[0]):
            return
        now = self._registry.now()

        def spent(budget: JsonObject) -> None:
            _check_budget(budget)
            status = budget["status"]
            status["disruptionsAllowed"] -= 1
            if not status["disruptionsAllowed"]:
                _tell_disallowed(status, now)
            status.setdefault("disruptedPods", {})[pod["metadata"]["name"]] = now

        if options.dry_run:
            _check_budget(found[0])
            return
        name = found[0]["metadata"]["name"]
        await rewrite(self._registry, budgets, namespace, name, spent)

    # What needs the node.

    def log(self, scope: Scope) -> Answer:
        """The logs of a container. A Pod that has no node has none."""
        pod = self._pod(scope)
        if not pod["spec"].get("nodeName"):
            return Response(204)
        raise self._unreachable(pod)

    async def connect(self, scope: Scope) -> Answer:
        """exec, attach, port-forward and proxy."""
        from kajitori.apiserver.endpoints.connecting import connect_options  # with the first

        call = Call(scope.user, WriteOptions(), warnings=scope.warnings, trail=trail_of(scope.request))
        part = scope.resource.part(scope.info.subresource)
        assert part is not None, scope.info
        options = connect_options(part, scope.query, scope.info.parts)
        await self._resources.admitted(scope, call, options, operation="CONNECT")
        pod = self._pod(scope)
        if not pod["spec"].get("nodeName"):
            raise BadRequest(f"pod {pod['metadata']['name']} does not have a host assigned")
        raise self._unreachable(pod)

    def _pod(self, scope: Scope) -> JsonObject:
        item = get_item(self._registry.store, scope.resource, scope.info.namespace, scope.info.name)
        return scope.resource.parse(item.value)

    def _unreachable(self, pod: JsonObject) -> ApiError:
        """Kubernetes answers 500 when it cannot reach the kubelet, or does not know the node."""
        node = pod["spec"]["nodeName"]
        if self._registry.store.get("/nodes", node) is None:
            return not_found("nodes", "", node)
        return InternalError(f"no kubelet answers for node {node}: this server runs no Pods on it")


def _unbindable(name: str, why: str) -> Conflict:
    return Conflict(
        f'Operation cannot be fulfilled on pods/binding "{name}": {why}',
        details={"name": name, "kind": "pods/binding"},
    )


def _set_condition(status: JsonObject, condition: JsonObject) -> None:
    conditions: list[JsonObject] = status.setdefault("conditions", [])
    for position, each in enumerate(conditions):
        if each["type"] == condition["type"]:
            conditions[position] = condition
            return
    conditions.append(condition)


def _check_preconditions(found: JsonObject, options: DeleteOptions) -> None:
    """Raises: Conflict when the Pod is not the one that was to be evicted."""
    for what, wanted, said, since in (
        ("UID", options.uid, found["uid"], "deleted and then recreated"),
        ("ResourceVersion", options.resource_version, found["resourceVersion"], "modified"),
    ):
        if wanted and wanted != said:
            raise Conflict(
                f'Operation cannot be fulfilled on Pod "{found["name"]}": the {what} in the precondition ({wanted}) '
                f"does not match the {what} in record ({said}). The object might have been {since}",
                details={"name": found["name"], "kind": "Pod"},
            )


def _tell_disallowed(status: JsonObject, now: str) -> None:
    """Makes the budget's condition say that nothing more may be disrupted."""
    conditions: list[JsonObject] = status.setdefault("conditions", [])
    before = next((each for each in conditions if each["type"] == _ALLOWED), None)
    since = before["lastTransitionTime"] if before is not None and before["status"] == "False" else now
    condition = {
        "type": _ALLOWED,
        "status": "False",
        "observedGeneration": status.get("observedGeneration", 0),
        "lastTransitionTime": since,
        "reason": "InsufficientPods",
        "message": "",
    }
    if before is None:
        conditions.append(condition)
    else:
        conditions[conditions.index(before)] = condition


def _needs_no_budget(pod: JsonObject) -> bool:
    """Nothing is disrupted when a Pod goes that does not run."""
    phase = (pod.get("status") or {}).get("phase", "")
    return phase in ("Succeeded", "Failed", "Pending") or "deletionTimestamp" in pod["metadata"]


def _ignores_budget(pod: JsonObject, budget: JsonObject) -> bool:
    """A Pod that is not ready may go when the budget's policy says so, or when enough others are healthy."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    if any(each["type"] == "Ready" and each["status"] == "True" for each in conditions):
        return False
    if budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    status = budget.get("status") or {}
    return bool(status.get("currentHealthy", 0) >= status.get("desiredHealthy", 0) > 0)


def _check_budget(budget: JsonObject) -> None:
    """Raises: TooManyRequests, Forbidden."""
    metadata, status = budget["metadata"], budget.get("status") or {}
    name = metadata["name"]
    if status.get("observedGeneration", 0) < metadata.get("generation", 0):
        cause = Cause(
            "DisruptionBudget", f"The disruption budget {name} is still being processed by the server."
        )
        raise TooManyRequests(_VIOLATES, details={"retryAfterSeconds": 10}, causes=[cause])
    allowed = status.get("disruptionsAllowed", 0)
    if allowed < 0:
        raise forbidden("poddisruptionbudget", "policy", name, "pdb disruptions allowed is negative")
    if len(status.get("disruptedPods") or ()) > DISRUPTED_PODS_MAX:
        why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise forbidden("poddisruptionbudget", "policy", name, why)
    if allowed == 0:
        raise TooManyRequests(_VIOLATES, causes=[Cause("DisruptionBudget", _why_not(name, status))])


def _why_not(name: str, status: JsonObject) -> str:
    """Why a budget allows no disruption."""
    desired, current = status.get("desiredHealthy", 0), status.get("currentHealthy", 0)
    no = f"The disruption budget {name} does not allow evicting pods currently"
    conditions: list[JsonObject] = status.get("conditions") or []
    condition = next((each for each in conditions if each["type"] == _ALLOWED), {})
    message = condition.get("message") if condition.get("status") == "False" else ""
    if message and condition.get("reason") == "SyncFailed":
        return f"{no} because it failed sync: {message}"
    if current <= desired:
        return f"The disruption budget {name} needs {desired} healthy pods and has {current} currently"
    return f"{no} ({condition.get('reason', '')}): {message}" if message else no
