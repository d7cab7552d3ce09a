"""TokenRequest: from what was asked to the completed `spec` and the `status`.

Source: authentication.k8s.io/v1 TokenRequest; pkg/registry/core/serviceaccount/storage/token.go.
"""

from collections.abc import Callable, Mapping
from typing import Any

from kajitori.apimachinery.errors import BadRequest, Conflict, FieldError, invalid, not_found
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.time import format_time
from kajitori.apiserver.authentication.serviceaccount import Lookup, ServiceAccountTokens

__all__ = ["token_request"]

_GROUP = "authentication.k8s.io"
_SECONDS_MIN = 10 * 60
_SECONDS_MAX = 1 << 32
_SECONDS_DEFAULT = 3600
_BINDABLE = {("v1", "Pod"): "pods", ("v1", "Secret"): "secrets", ("v1", "Node"): "nodes"}


def token_request(
    tokens: ServiceAccountTokens,
    account: Mapping[str, Any],
    *,
    spec: Mapping[str, Any],
    lookup: Lookup,
    now: float,
    warn: Callable[[str], None],
) -> tuple[JsonObject, JsonObject]:
    """The completed spec and the status of a TokenRequest for the ServiceAccount object `account`.

    `now` in seconds since the epoch; `warn` tells the client.

    Raises: Invalid, BadRequest, NotFound or Conflict when it asks for what cannot be had.
    """
    seconds = spec.get("expirationSeconds")
    seconds = _SECONDS_DEFAULT if seconds is None else seconds
    _check_seconds(seconds)
    metadata = account["metadata"]
    namespace, name = metadata["namespace"], metadata["name"]
    audiences = list(spec.get("audiences") or tokens.audiences)
    reference = spec.get("boundObjectRef")
    bound = {} if reference is None else _bound(account, reference, lookup)
    longest = tokens.rules.seconds_max
    if 0 < longest < seconds:
        warn(f"requested expiration of {seconds} seconds shortened to {longest} seconds")
        seconds = longest
    token = tokens.issue(
        namespace, name, uid=metadata["uid"], audiences=audiences, seconds=seconds, bound=bound
    )
    completed = {"audiences": audiences, "expirationSeconds": seconds, "boundObjectRef": reference}
    return completed, {"token": token, "expirationTimestamp": format_time(now + seconds)}


def _check_seconds(seconds: int) -> None:
    why = ""
    if seconds < _SECONDS_MIN:
        why = "may not specify a duration less than 10 minutes"
    elif seconds > _SECONDS_MAX:
        why = "may not specify a duration larger than 2^32 seconds"
    if why:
        raise invalid(
            "TokenRequest", _GROUP, "", [FieldError.invalid("spec.expirationSeconds", seconds, why)]
        )


def _bound(
    account: Mapping[str, Any], reference: Mapping[str, Any], lookup: Lookup
) -> dict[str, dict[str, str]]:
    """What the token says of the object that it is to live as long as."""
    metadata = account["metadata"]
    kind, name = reference.get("kind", ""), reference.get("name", "")
    resource = _BINDABLE.get((reference.get("apiVersion", ""), kind))
    if resource is None:
        group, _, version = reference.get("apiVersion", "").rpartition("/")
        shown = f"{group}/{version}, Kind={kind}"
        raise BadRequest(f"cannot bind token to object of type {shown}")
    found = lookup(resource, "" if resource == "nodes" else metadata["namespace"], name)
    if found is None:
        raise not_found(resource, "", name)
    pod: Mapping[str, Any] = (found.get("spec") or {}) if resource == "pods" else {}
    if resource == "pods" and pod.get("serviceAccountName", "") != metadata["name"]:
        raise BadRequest(
            f'cannot bind token for serviceaccount "{metadata["name"]}" to pod running with different '
            "serviceaccount name."
        )
    uid = found["metadata"]["uid"]
    if reference.get("uid") and reference["uid"] != uid:
        raise Conflict(
            f'Operation cannot be fulfilled on {kind} "{name}": the UID in the bound object reference '
            f"({reference['uid']}) does not match the UID in record. The object might have been deleted and then "
            "recreated",
            details={"name": name, "kind": kind},
        )
    bound = {kind.lower(): {"name": name, "uid": uid}}
    if resource == "pods":
        node = lookup("nodes", "", pod["nodeName"]) if pod.get("nodeName") else None
        if node is not None:
            bound["node"] = {"name": pod["nodeName"], "uid": node["metadata"]["uid"]}
    return bound
