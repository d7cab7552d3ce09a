"""What admission policies and match conditions see: their variables, and the types of `request` and `namespaceObject`.

Sits beside the environments of Kubernetes, which this extends.

Promises
    A1  variables are those that Kubernetes declares for the combination of parameters, authorizer and patches
    A2  of a policy's own variables the plain types are known, and lists and maps of them; fields of objects in them
        are looked up at run time

Source: apiserver's pkg/admission/plugin/cel/compile.go and composition.go.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from kajitori.apimachinery.cel.environment import Environment
from kajitori.apimachinery.cel.kubernetes import environments
from kajitori.apimachinery.cel.types import (
    ANY,
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    NULL,
    STRING,
    TIMESTAMP,
    UINT,
    Kind,
    Type,
    list_of,
    map_of,
    object_type,
)

__all__ = ["NAMESPACE", "REQUEST", "AdmissionVariables", "admission_environment", "with_variables"]

_STRINGS = list_of(STRING)
_TEXTS = map_of(STRING, STRING)
_KIND = object_type("kubernetes.GroupVersionKind", {"group": STRING, "version": STRING, "kind": STRING})
_RESOURCE = object_type(
    "kubernetes.GroupVersionResource", {"group": STRING, "version": STRING, "resource": STRING}
)
_USER = object_type(
    "kubernetes.UserInfo",
    {"username": STRING, "uid": STRING, "groups": _STRINGS, "extra": map_of(STRING, _STRINGS)},
)

REQUEST = object_type(
    "kubernetes.AdmissionRequest",
    {
        "kind": _KIND,
        "resource": _RESOURCE,
        "subResource": STRING,
        "requestKind": _KIND,
        "requestResource": _RESOURCE,
        "requestSubResource": STRING,
        "name": STRING,
        "namespace": STRING,
        "operation": STRING,
        "userInfo": _USER,
        "dryRun": BOOL,
        "options": DYN,
    },
)
"""`request`: the AdmissionRequest without its uid and its objects, which are variables of their own."""

_CONDITION = object_type(
    "kubernetes.NamespaceCondition",
    {"status": STRING, "type": STRING, "lastTransitionTime": TIMESTAMP, "message": STRING, "reason": STRING},
)
NAMESPACE = object_type(
    "kubernetes.Namespace",
    {
        "metadata": object_type(
            "kubernetes.NamespaceMetadata",
            {
                "name": STRING,
                "generateName": STRING,
                "namespace": STRING,
                "labels": _TEXTS,
                "annotations": _TEXTS,
                "UID": STRING,
                "creationTimestamp": TIMESTAMP,
                "deletionGracePeriodSeconds": INT,
                "deletionTimestamp": TIMESTAMP,
                "generation": INT,
                "resourceVersion": STRING,
                "finalizers": _STRINGS,
            },
        ),
        "spec": object_type("kubernetes.NamespaceSpec", {"finalizers": _STRINGS}),
        "status": object_type(
            "kubernetes.NamespaceStatus", {"conditions": list_of(_CONDITION), "phase": STRING}
        ),
    },
)
"""`namespaceObject`: the Namespace of the object, as far as Kubernetes shows it."""


@dataclass(frozen=True, slots=True)
class AdmissionVariables:
    """Which variables there are beside `object`, `oldObject`, `request` and `namespaceObject`."""

    params: bool = False
    authorizer: bool = False
    patches: bool = False
    """Whether the expression is a mutation, which may make objects and patches."""

    def extend(self, base: Environment) -> Environment:
        """The environment of such expressions. `base` is one of Kubernetes'."""
        # The libraries are loaded by need: few who read an object evaluate anything.
        from kajitori.apimachinery.cel.libraries.authorizer import AUTHORIZER, RESOURCE_CHECK
        from kajitori.apimachinery.cel.libraries.jsonpatch import jsonpatch
        from kajitori.apimachinery.cel.libraries.mutation import mutation_types

        variables = {"object": DYN, "oldObject": DYN, "namespaceObject": NAMESPACE, "request": REQUEST}
        if self.params:
            variables["params"] = DYN
        if self.authorizer:
            variables["authorizer"] = AUTHORIZER
            variables["authorizer.requestResource"] = RESOURCE_CHECK
        extended = base.extend(variables=variables, types=(NAMESPACE, REQUEST))
        if not self.patches:
            return extended
        return extended.extend(libraries=[jsonpatch], resolver=mutation_types)


@lru_cache(maxsize=16)
def admission_environment(variables: AdmissionVariables, *, stored: bool) -> Environment:
    """The environment for expressions that are stored, or for those that somebody writes now; made once."""
    found = environments()
    return variables.extend(found.stored if stored else found.new)


def with_variables(environment: Environment, types: Mapping[str, Type]) -> Environment:
    """The environment with `variables`: what a policy has declared so far, by name."""
    variables = object_type("kubernetes.variables", {name: _kept(one) for name, one in types.items()})
    return environment.extend(variables={"variables": variables}, types=(variables,))


_KEPT = frozenset([ANY, BOOL, BYTES, DOUBLE, DURATION, INT, NULL, STRING, TIMESTAMP, UINT])


def _kept(one: Type) -> Type:
    """What is known of a variable's type: of objects, optionals and whatever else has no plain type, nothing."""
    if one.kind is Kind.LIST:
        return list_of(_kept(one.parameters[0]))
    if one.kind is Kind.MAP:
        return map_of(*map(_kept, one.parameters))
    return one if one in _KEPT and not one.nullable else DYN
