"""What a Service uses: itself, its node ports, a load balancer.

Source: pkg/quota/v1/evaluator/core/services.go.
"""

from collections.abc import Iterable, Sequence

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.quantity import Quantity
from kajitori.apis.quota.evaluator import Evaluator, Surroundings
from kajitori.apis.quota.quantities import ONE, ZERO, Amounts

__all__ = ["ServiceEvaluator"]

_RESOURCES = frozenset({"count/services", "services", "services.loadbalancers", "services.nodeports"})


class ServiceEvaluator(Evaluator):
    """Measures Services, by what they ask for: nothing is handed out yet."""

    def handles(self, operation: str, subresource: str, obj: JsonObject, old: JsonObject | None) -> bool:
        return not subresource

    def resources(self, names: Iterable[str], around: Surroundings) -> set[str]:
        return {each for each in names if each in _RESOURCES}

    def usage(self, obj: JsonObject, around: Surroundings) -> Amounts:
        spec: JsonObject = obj.get("spec") or {}
        ports: Sequence[JsonObject] = spec.get("ports") or ()
        type_ = spec.get("type", "")
        count = 0
        if type_ == "LoadBalancer" and spec.get("allocateLoadBalancerNodePorts") is False:
            count = sum(1 for each in ports if each.get("nodePort"))
        elif type_ in ("LoadBalancer", "NodePort"):
            count = len(ports)
        return {
            "count/services": ONE,
            "services": ONE,
            "services.loadbalancers": ONE if type_ == "LoadBalancer" else ZERO,
            "services.nodeports": Quantity(count),
        }
