"""Defaults of the flow control group.

Source: pkg/apis/flowcontrol/v1/defaults.go.
"""

from kajitori.apimachinery.kind import JsonObject

__all__ = ["DEFAULTS"]

_PACKAGE = "io.k8s.api.flowcontrol.v1."


def _flow_schema_spec(obj: JsonObject) -> None:
    if not obj.get("matchingPrecedence"):
        obj["matchingPrecedence"] = 1000


def _exempt(obj: JsonObject) -> None:
    if obj.get("nominalConcurrencyShares") is None:
        obj["nominalConcurrencyShares"] = 0
    obj.setdefault("lendablePercent", 0)


def _limited(obj: JsonObject) -> None:
    if obj.get("nominalConcurrencyShares") is None:
        obj["nominalConcurrencyShares"] = 30
    obj.setdefault("lendablePercent", 0)


def _queuing(obj: JsonObject) -> None:
    for name, usual in (("handSize", 8), ("queues", 64), ("queueLengthLimit", 50)):
        if not obj.get(name):
            obj[name] = usual


DEFAULTS = {
    f"{_PACKAGE}ExemptPriorityLevelConfiguration": _exempt,
    f"{_PACKAGE}FlowSchemaSpec": _flow_schema_spec,
    f"{_PACKAGE}LimitedPriorityLevelConfiguration": _limited,
    f"{_PACKAGE}QueuingConfiguration": _queuing,
}
