"""The parameters that a binding gives its policy.

Promises
    P1  a policy without a kind of parameters is run once; one whose binding names none, once with null
    P2  what is not there is passed over, or is an error where the binding says Deny

Source: apiserver's pkg/admission/plugin/policy/generic/policy_dispatcher.go (CollectParams).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.labels import selector_from_object
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.registry.resource import Resource

__all__ = ["ConfigurationError", "params_of", "resource_of"]

_decode = msgspec.json.Decoder(dict[str, Any]).decode


class ConfigurationError(Exception):
    """Policy and binding do not fit together, or not with what there is."""


def resource_of(param_kind: Mapping[str, str] | None, registry: Registry) -> Resource | None:
    """Where the parameters of a policy are kept; None for a policy without. Raises: ConfigurationError."""
    if param_kind is None:
        return None
    api_version, kind = param_kind["apiVersion"], param_kind["kind"]
    found = registry.resource_of_kind(api_version, kind)
    if found is None:
        group, _, version = api_version.rpartition("/")
        shown = f"{group}/{version}, Kind={kind}"
        raise ConfigurationError(f"failed to find resource referenced by paramKind: '{shown}'")
    return found


async def params_of(
    resource: Resource | None, ref: Mapping[str, Any] | None, namespace: str, registry: Registry
) -> Sequence[JsonObject | None]:
    """What the policy is to be run with, one after another. Raises: ConfigurationError."""
    if resource is None or ref is None:
        return [None]
    wanted = ref.get("namespace") or ""
    if resource.kind.namespaced:
        wanted = wanted or namespace
        if not wanted:
            raise ConfigurationError(
                "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
            )
    elif wanted:
        raise ConfigurationError("paramRef.namespace must not be provided for a cluster-scoped `paramKind`")
    store = registry.store
    name = ref.get("name")
    if name:
        item = store.get(resource.bucket, resource.key(wanted, name))
        values = [] if item is None else [item.value]
    else:
        values = [item.value for item in store.range(resource.bucket, f"{wanted}/" if wanted else "")]
    found: list[JsonObject] = [_decode(resource.serve(value)) for value in await resource.brought(values)]
    if not name:
        try:
            selector = selector_from_object(ref.get("selector"))
        except ValueError as error:
            raise ConfigurationError(str(error)) from None
        found = [each for each in found if selector.matches(each["metadata"].get("labels") or {})]
    if not found and ref.get("parameterNotFoundAction") == "Deny":
        raise ConfigurationError("no params found for policy binding with `Deny` parameterNotFoundAction")
    return found
