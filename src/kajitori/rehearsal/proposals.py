"""What is proposed: policies, their bindings and parameters, and whatever else the same files hold.

Promises
    P1  what the API server would refuse is refused here, with the file, the field and the reason
    P2  expressions are checked against the kinds that rules name, those of definitions in the same files included
    P3  a policy without a binding judges nothing, here as there; that is said, and one is assumed only where asked for
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from kajitori.apimachinery.cel.types import DYN, Type
from kajitori.apimachinery.kind import JsonObject
from kajitori.apis import type_checking
from kajitori.apis.cel_types import built_in_type
from kajitori.apiserver.admission.policies.bound import Policy
from kajitori.apiserver.admission.policies.mutating import MutatingPolicy
from kajitori.apiserver.admission.policies.validating import ValidatingPolicy
from kajitori.apiserver.registry.resource import Resource
from kajitori.rehearsal.stage import DEFINITIONS, Stage, Unfit

__all__ = ["Looked", "Proposals", "is_policy", "shown"]

_GROUP = "admissionregistration.k8s.io"
_COMPILED: Mapping[str, type[Policy]] = {
    "ValidatingAdmissionPolicy": ValidatingPolicy,
    "MutatingAdmissionPolicy": MutatingPolicy,
}


def is_policy(obj: JsonObject) -> bool:
    """Whether an object is a policy, not a binding of one."""
    return str(obj.get("apiVersion", "")).startswith(f"{_GROUP}/") and obj.get("kind") in _COMPILED


@dataclass(slots=True)
class Looked:
    """What there is to say of one policy without any write."""

    kind: str
    name: str
    bindings: list[str]
    kinds: list[str]
    """Those that it was checked against."""
    expressions: int
    cost: tuple[int, int]
    """What its expressions cost together at least, and at most as far as that is known."""
    warnings: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Field and text."""


class Proposals:
    """The objects of some files."""

    def __init__(self, given: Iterable[tuple[str, JsonObject]]) -> None:
        """`given`: objects with the files that they are in."""
        self.objects = list(given)
        self.problems: list[str] = []
        self.notes: list[str] = []
        self._before: list[tuple[str, str, bytes | None]] = []

    @property
    def policies(self) -> list[JsonObject]:
        return [obj for _, obj in self.objects if is_policy(obj)]

    def bindings(self, policy: JsonObject) -> list[JsonObject]:
        """Those of a policy."""
        kind = f"{policy['kind']}Binding"
        return [
            obj
            for _, obj in self.objects
            if obj.get("kind") == kind and (obj.get("spec") or {}).get("policyName") == _name(policy)
        ]

    async def define(self, stage: Stage) -> None:
        """Serves the custom kinds that are defined in the files; says what is wrong with all objects (P1)."""
        for where, obj in self.objects:
            if obj.get("kind") == "CustomResourceDefinition":
                try:
                    await stage.add(obj, check=True)
                except Unfit as error:
                    self.problems.append(f"{where}: {shown(obj)}: {error}")
        for where, obj in self.objects:
            try:
                decoded = stage.decoded(obj, strict=True)
                judged = stage.problems(decoded) if _GROUP in str(obj.get("apiVersion")) else []
            except Unfit as error:
                self.problems.append(f"{where}: {shown(obj)}: {error}")
                continue
            self.problems += [f"{where}: {shown(obj)}: {each}" for each in judged]

    def bind(self, stage: Stage, actions: Sequence[str] | None) -> None:
        """Says which policies have no binding; assumes one for each where `actions` are given."""
        bucket = f"{_GROUP}/validatingadmissionpolicybindings"
        mutating = f"{_GROUP}/mutatingadmissionpolicybindings"
        stored = {each["spec"]["policyName"] for name in (bucket, mutating) for each in stage.all(name)}
        for policy in self.policies:
            name = _name(policy)
            if self.bindings(policy) or name in stored:
                continue
            if actions is None:
                self.notes.append(
                    f"{policy['kind']} {name} has no binding, so it judges nothing; --bind assumes one"
                )
                continue
            spec: JsonObject = {"policyName": name}
            if policy["kind"] == "ValidatingAdmissionPolicy":
                spec["validationActions"] = list(actions)
            if (policy.get("spec") or {}).get("paramKind"):
                spec["paramRef"] = {"selector": {}, "parameterNotFoundAction": "Allow"}
            binding = {
                "apiVersion": policy["apiVersion"],
                "kind": f"{policy['kind']}Binding",
                "metadata": {"name": f"{name}-assumed"},
                "spec": spec,
            }
            self.objects.append(("--bind", binding))

    # On the stage, and off again.

    async def put(self, stage: Stage) -> None:
        """In place of what has their names. Raises: Unfit."""
        for _, obj in self.objects:
            resource = stage.resource(obj)
            if resource.bucket == DEFINITIONS:
                continue
            decoded = stage.decoded(obj)
            key = resource.key(decoded["metadata"].get("namespace", ""), _name(obj))
            item = stage.store.get(resource.bucket, key)
            self._before.append((resource.bucket, key, None if item is None else item.value))
            await stage.add(obj)

    async def take_away(self, stage: Stage) -> None:
        """Everything is as it was before `put`."""
        for bucket, key, value in reversed(self._before):
            if value is None:
                await stage.remove(bucket, key)
            else:
                await stage.store.put(bucket, key, partial(_unchanged, value), expect=None)
        self._before.clear()

    # Without any write.

    def look(self, stage: Stage) -> list[Looked]:
        """What there is to say of each policy (P2)."""
        return [self._looked(stage, stage.decoded(each)) for each in self.policies]

    def _looked(self, stage: Stage, policy: JsonObject) -> Looked:
        spec = policy["spec"]
        compiled = _COMPILED[policy["kind"]](_name(policy), spec)
        expressions = compiled.expressions()
        costs = [each.program.estimate() for each in expressions if each.program is not None]
        cost = sum(each.min for each in costs), sum(each.max for each in costs)
        found = Looked(
            policy["kind"],
            _name(policy),
            [_name(each) for each in self.bindings(policy)],
            [],
            len(expressions),
            cost,
        )
        if policy["kind"] == "ValidatingAdmissionPolicy":
            types = _Types(stage)
            matched = [
                type_checking.Matched(kind, of)
                for kind in type_checking.kinds_matched(spec, types.kinds)
                if (of := types.of(kind, f"{kind.kind}1")) is not None
            ]
            found.kinds = [str(each.kind) for each in matched]
            param = type_checking.param_kind(spec)
            params = None if param is None else types.of(param, f"{param.kind}2") or DYN
            found.warnings = [
                (each["fieldRef"], each["warning"].strip())
                for each in type_checking.warnings(spec, matched, params)
            ]
        return found


class _Types:
    """The types of kinds that a stage knows."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def kinds(self, group: str, version: str, resource: str) -> list[type_checking.GroupVersionKind]:
        wanted = resource.lower()

        def fits(each: Resource) -> bool:
            kind = each.kind
            return (
                wanted in (kind.plural, each.singular)
                and kind.version == version
                and (not group or kind.group == group)
            )

        found = [each.kind for each in self._stage.catalog.all() if fits(each)]
        return [type_checking.GroupVersionKind(each.group, each.version, each.kind) for each in found]

    def of(self, kind: type_checking.GroupVersionKind, name: str) -> Type | None:
        found = built_in_type(*kind, name)
        return found or type_checking.custom_type(self._stage.schemas(kind.group, kind.version), kind, name)


def _unchanged(value: bytes, revision: int) -> bytes:
    return value


def shown(obj: Mapping[str, Any]) -> str:
    """`ConfigMap shop/limits`, as far as the object says so."""
    metadata = obj.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    name = metadata.get("name") or metadata.get("generateName") or ""
    namespace = metadata.get("namespace")
    return f"{obj.get('kind') or 'object'} {f'{namespace}/' if namespace else ''}{name}".rstrip()


def _name(obj: Mapping[str, Any]) -> str:
    return str((obj.get("metadata") or {}).get("name") or "")
