"""Admission of the kinds of this group: what a webhook does elsewhere, as plain functions.

Under `kajitori up` the API server calls them in process.

Promises
    A1  a new object gets the finalizer, and a policy without a server the default one
    A2  a refused object raises, and names every field that is wrong
    A3  an object that is being deleted may lose its finalizers, valid or not
"""

from typing import Any

from kajitori.apimachinery.errors import invalid
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis.policies_v1.names import DEFAULT_POLICY_SERVER, FINALIZER, GROUP, POLICY_SERVER
from kajitori.apis.policies_v1.validation import validate_policy, validate_policy_server

__all__ = ["admit", "default_object"]


def default_object(obj: JsonObject) -> JsonObject:
    """The new object with what it gets when it is created."""
    metadata: JsonObject = obj.get("metadata") or {}
    finalizers = metadata.get("finalizers") or []
    if FINALIZER not in finalizers:
        obj = {**obj, "metadata": {**metadata, "finalizers": [*finalizers, FINALIZER]}}
    if obj.get("kind") != POLICY_SERVER.kind and (obj.get("spec") or {}).get("policyServer") == "":
        obj = {**obj, "spec": {**obj["spec"], "policyServer": DEFAULT_POLICY_SERVER}}
    return obj


def admit(operation: Any, obj: JsonObject, old: JsonObject | None, lookup: Any) -> JsonObject:
    """The object, as it may be stored. Raises: Invalid, with a cause for every field."""
    if operation not in ("CREATE", "UPDATE") or obj["metadata"].get("deletionTimestamp"):
        return obj
    kind = obj["kind"]
    errors = validate_policy_server(obj) if kind == POLICY_SERVER.kind else validate_policy(obj)
    if errors:
        raise invalid(kind, GROUP, obj["metadata"].get("name", ""), errors)
    return obj
