"""TokenRequest: a token of a service account, for some audiences and a while.

Source: authentication.k8s.io/v1 TokenRequest; https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/
"""

from typing import Any

from kajitori.apimachinery.decode import DecodeError
from kajitori.apimachinery.errors import BadRequest, Conflict, FieldError, invalid, not_found
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.time import format_time
from kajitori.apis.typed import decode
from kajitori.apiserver.authentication import Authenticator
from kajitori.apiserver.endpoints.answers import value_answer
from kajitori.apiserver.endpoints.bodies import read_value
from kajitori.apiserver.endpoints.resources import Answer, ResourceEndpoints
from kajitori.apiserver.registry.listing import get_item
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.scope import Scope

__all__ = ["Tokens"]

DEFAULT_SECONDS = 3600
SECONDS_MIN = 600
SECONDS_MAX = 1 << 32
_DEFINITION = "io.k8s.api.authentication.v1.TokenRequest"
_BOUND = {("v1", "Pod"): "/pods", ("v1", "Secret"): "/secrets", ("v1", "Node"): "/nodes"}


class Tokens:
    """Issues tokens."""

    def __init__(
        self, registry: Registry, resources: ResourceEndpoints, authenticator: Authenticator
    ) -> None:
        self._registry = registry
        self._resources = resources
        self._authenticator = authenticator

    def create(self, scope: Scope) -> Answer:
        """Raises: NotFound for a missing account, Invalid for a wish that cannot be granted."""
        call = self._resources.call(scope, "CreateOptions")
        item = get_item(self._registry.store, scope.resource, scope.info.namespace, scope.info.name)
        account = scope.resource.parse(item.value)["metadata"]
        raw, _ = read_value(scope.request)
        try:
            request, _ = decode(_DEFINITION, raw)
        except DecodeError as error:
            raise BadRequest(
                f'TokenRequest in version "v1" cannot be handled as a TokenRequest: {error}'
            ) from None
        spec = request["spec"]
        spec["audiences"] = spec.get("audiences") or list(self._authenticator.audiences)
        seconds = spec.get("expirationSeconds")
        spec["expirationSeconds"] = seconds = DEFAULT_SECONDS if seconds is None else seconds
        self._check(seconds)
        bound = spec.get("boundObjectRef")
        extra = self._bound(scope, bound) if bound else {}
        now = self._registry.clock.now().timestamp()
        token = self._authenticator.issue_token(
            namespace=account["namespace"],
            name=account["name"],
            uid=account["uid"],
            audiences=spec["audiences"],
            seconds=seconds,
            bound=extra,
        )
        answer = {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {
                "name": account["name"],
                "namespace": account["namespace"],
                "uid": account["uid"],
                "creationTimestamp": format_time(now),
            },
            "spec": {
                "audiences": spec["audiences"],
                "expirationSeconds": seconds,
                "boundObjectRef": bound,
            },
            "status": {"token": token, "expirationTimestamp": format_time(now + seconds)},
        }
        return value_answer(201, answer, self._resources.form(scope), call.warnings)

    def _check(self, seconds: int) -> None:
        path = "spec.expirationSeconds"
        errors: list[FieldError] = []
        if seconds < SECONDS_MIN:
            errors.append(
                FieldError.invalid(path, seconds, "may not specify a duration less than 10 minutes")
            )
        if seconds > SECONDS_MAX:
            errors.append(
                FieldError.invalid(path, seconds, "may not specify a duration larger than 2^32 seconds")
            )
        if errors:
            raise invalid("TokenRequest", "authentication.k8s.io", "", errors)

    def _bound(self, scope: Scope, bound: JsonObject) -> dict[str, Any]:
        """What the token says of the object that it dies with."""
        kind, name = bound.get("kind", ""), bound.get("name", "")
        bucket = _BOUND.get((bound.get("apiVersion") or "v1", kind))
        if bucket is None:
            raise BadRequest(f"cannot bind token for serviceaccount to object of type {kind}")
        key = name if kind == "Node" else f"{scope.info.namespace}/{name}"
        item = self._registry.store.get(bucket, key)
        if item is None:
            raise not_found(bucket.lstrip("/"), "", name)
        metadata = scope.resource.parse(item.value)["metadata"]
        if bound.get("uid") and bound["uid"] != metadata["uid"]:
            raise Conflict(
                f'Operation cannot be fulfilled on {kind} "{name}": the UID in the bound object reference '
                f"({bound['uid']}) does not match the UID in record. The object might have been deleted and then "
                "recreated",
                details={"name": name, "kind": kind},
            )
        return {kind.lower(): {"name": name, "uid": metadata["uid"]}}
