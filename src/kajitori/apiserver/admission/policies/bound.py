"""Policies with their bindings: which of them a write is about, and with which parameters.

Sits under the plugins for validating and for mutating policies, which say what becomes of a write that is matched.

Promises
    B1  a policy counts while it has a binding; it is compiled when it is first needed after a change of its own
    B2  it is run for what both it and the binding match, once for each parameter
    B3  what is wrong with a configuration is told as it is: the failure policy says whether it counts
    B4  what a write costs depends on the policies that are about it, not on how many there are
    B5  policies from files come before those of the API, and judge policies and bindings too, which those do not

Source: apiserver's pkg/admission/plugin/policy/generic (policy_source.go, policy_dispatcher.go).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from kajitori.apimachinery.cel import AdmissionVariables
from kajitori.apimachinery.cel.admission import admission_environment, with_variables
from kajitori.apimachinery.cel.environment import Environment
from kajitori.apimachinery.cel.expression import Expression, compile_expression
from kajitori.apimachinery.cel.types import Type
from kajitori.apimachinery.errors import ApiError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apiserver.admission import exempt
from kajitori.apiserver.admission.matching import KNOWN_MAX, Matching, is_of_namespaces
from kajitori.apiserver.admission.policies.conditions import compile_conditions
from kajitori.apiserver.admission.policies.params import ConfigurationError, params_of, resource_of
from kajitori.apiserver.registry.call import Attributes
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.registry.resource import Resource
from kajitori.storage import Item, Store

if TYPE_CHECKING:
    from kajitori.apiserver.admission.manifests import ManifestDirectory

__all__ = ["Binding", "BoundPolicies", "Invocation", "Key", "Misfit", "Policy"]

_GROUP = "admissionregistration.k8s.io"
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class Policy:
    """What all policies say, compiled."""

    def __init__(self, name: str, spec: Mapping[str, Any]) -> None:
        self.name = name
        self.param_kind: Mapping[str, str] | None = spec.get("paramKind")
        self.fails_open = spec.get("failurePolicy") == "Ignore"
        self.matching = _matching(spec.get("matchConstraints") or {})
        self.variables: dict[str, Expression] = {}
        self._types: dict[str, Type] = {}
        plain = self._environment(authorizer=True)
        for variable in spec.get("variables") or ():
            environment = with_variables(plain, self._types)
            expression = compile_expression(variable["expression"], environment, None)
            self.variables[variable["name"]] = expression
            self._types[variable["name"]] = expression.type
        self.judging = self.environment(authorizer=True)
        """What conditions are compiled in."""
        self.conditions = compile_conditions(spec.get("matchConditions") or (), self.judging)

    def expressions(self) -> list[Expression]:
        """All that it may run."""
        return [*self.variables.values(), *self.conditions]

    def environment(self, *, authorizer: bool, patches: bool = False) -> Environment:
        """One with the policy's variables; `authorizer`: it may ask; `patches`: it makes objects and patches."""
        return with_variables(self._environment(authorizer=authorizer, patches=patches), self._types)

    def _environment(self, *, authorizer: bool, patches: bool = False) -> Environment:
        params = self.param_kind is not None
        variables = AdmissionVariables(params=params, authorizer=authorizer, patches=patches)
        return admission_environment(variables, stored=True)


def _matching(resources: Mapping[str, Any]) -> Matching:
    """What `matchConstraints` or `matchResources` select."""
    return Matching(
        resources.get("resourceRules") or (),
        excluded=resources.get("excludeResourceRules") or (),
        namespaces=resources.get("namespaceSelector"),
        objects=resources.get("objectSelector"),
        policy=resources.get("matchPolicy"),
        everything=not resources.get("resourceRules"),
    )


@dataclass(frozen=True, slots=True)
class Binding:
    name: str
    spec: JsonObject
    matching: Matching | None
    """None where it matches all that the policy does."""


Compiled = TypeVar("Compiled", bound=Policy)
Key = tuple[str, str, str, str]


class Invocation(msgspec.Struct, Generic[Compiled], frozen=True, gc=False):
    """One policy to run, with one binding and one parameter."""

    policy: Compiled
    binding: Binding
    resource: Resource
    """The version in which the policy sees the object."""
    param: JsonObject | None

    @property
    def key(self) -> Key:
        """What tells it from all others: policy, binding, and the parameter's namespace and name."""
        metadata = (self.param or {}).get("metadata") or {}
        return self.policy.name, self.binding.name, metadata.get("namespace", ""), metadata.get("name", "")


@dataclass(frozen=True, slots=True)
class Misfit(Generic[Compiled]):
    """A configuration that cannot be used for this write."""

    policy: Compiled
    binding: Binding | None
    """None where the policy itself is at fault."""
    message: str


_Bound = Sequence[tuple[Compiled, Sequence[Binding]]]
"""Policies with their bindings."""

_Plan = Sequence[Invocation[Compiled] | tuple[Compiled, Sequence[Binding]]]
"""What is known to be run, and the policies of which that depends on the object, or on parameters."""


def _is_settled(policy: Policy, bindings: Sequence[Binding]) -> bool:
    """Whether what is run is the same for all writes of one kind in one namespace."""
    matchings = [policy.matching, *(binding.matching for binding in bindings if binding.matching is not None)]
    return policy.param_kind is None and not any(each.depends_on_object for each in matchings)


class BoundPolicies(Generic[Compiled]):
    """All policies of one kind that have bindings."""

    def __init__(
        self,
        store: Store,
        plural: str,
        bindings: str,
        compiles: Callable[[str, JsonObject], Compiled],
        manifests: "ManifestDirectory | None" = None,
    ) -> None:
        """`plural` and `bindings` are the two resources; `compiles` takes a policy's name and spec."""
        self._store = store
        self._plurals = plural, bindings
        self._policies, self._bindings = f"{_GROUP}/{plural}", f"{_GROUP}/{bindings}"
        self._compiles = compiles
        self._manifests = manifests
        self._static: _Bound[Compiled] | None = None
        """Those from files; None before they are needed."""
        self._compiled: dict[str, tuple[bytes, Compiled]] = {}
        self._active: _Bound[Compiled] | None = None
        """Those of the API; None before they are needed."""
        self._plans: dict[tuple[str, Resource, str, str], tuple[Item | None, _Plan[Compiled]]] = {}
        """By what a write is and where; with the namespace, as it was then."""
        for bucket in (self._policies, self._bindings):
            store.subscribe(bucket, lambda event: self._forget())
        if manifests is not None:
            manifests.subscribe(self._forget_static)

    def _forget_static(self) -> None:
        self._static = None
        self._plans.clear()

    def _forget(self) -> None:
        self._active = None
        self._plans.clear()

    def may_match(self, attributes: Attributes, registry: Registry) -> bool:
        """Whether there may be something to run; mostly two look-ups."""
        return bool(self._plan(attributes, registry))

    def _plan(self, attributes: Attributes, registry: Registry) -> "_Plan[Compiled]":
        """What is run for all such writes in one namespace, and what has to be looked at each time (B4)."""
        resource = attributes.resource
        namespace = None
        if resource.kind.namespaced:
            namespace = self._store.get("/namespaces", attributes.namespace)
        key = (attributes.operation, resource, attributes.subresource, attributes.namespace)
        known = self._plans.get(key)
        if known is None or known[0] is not namespace:
            if len(self._plans) >= KNOWN_MAX:
                self._plans.clear()
            known = self._plans[key] = namespace, self._planned(attributes, registry)
        return known[1]

    def _planned(self, attributes: Attributes, registry: Registry) -> "_Plan[Compiled]":
        plan: list[Invocation[Compiled] | tuple[Compiled, Sequence[Binding]]] = []
        of_namespaces = is_of_namespaces(attributes.resource)
        for policy, bindings in self.asked(attributes.resource):
            if not policy.matching.is_about(attributes, registry):
                continue
            try:
                if of_namespaces or not _is_settled(policy, bindings):
                    plan.append((policy, bindings))
                elif (resource := policy.matching.matched(attributes, registry)) is not None:
                    plan += [
                        Invocation(policy, binding, resource, None)
                        for binding in bindings
                        if binding.matching is None or binding.matching.matched(attributes, registry)
                    ]
            except ApiError:
                plan.append((policy, bindings))
        return plan

    def asked(self, resource: Resource) -> "_Bound[Compiled]":
        """Every policy that may be asked about writes of a resource."""
        static = self._static
        if static is None:
            static = self._static = self._load_static()
        if resource.bucket in exempt.POLICIES:
            return static
        active = self._active
        if active is None:
            active = self._active = self._load()
        return [*static, *active]

    def _load_static(self) -> "_Bound[Compiled]":
        if self._manifests is None:
            return ()
        policies, bindings = map(self._manifests.objects, self._plurals)
        bound = _by_policy(bindings)
        named = [(each["metadata"]["name"], each["spec"]) for each in policies]
        return [(self._compiles(name, spec), bound[name]) for name, spec in named if name in bound]

    def _load(self) -> "_Bound[Compiled]":
        """Every policy that has a binding, with its bindings, by name."""
        bindings = _by_policy(_decode(item.value) for item in self._store.range(self._bindings))
        compiled: dict[str, tuple[bytes, Compiled]] = {}
        for item in self._store.range(self._policies):
            known = self._compiled.get(item.name)
            if item.name in bindings:
                if known is None or known[0] != item.value:
                    known = (item.value, self._compiles(item.name, _decode(item.value)["spec"]))
                compiled[item.name] = known
        self._compiled = compiled
        return [(policy, bindings[name]) for name, (_, policy) in compiled.items()]

    async def matching(
        self, attributes: Attributes, registry: Registry
    ) -> list[Invocation[Compiled] | Misfit[Compiled]]:
        """What is to be run for a write, and what cannot be, by the names of policies and of their bindings."""
        found: list[Invocation[Compiled] | Misfit[Compiled]] = []
        for each in self._plan(attributes, registry):
            if isinstance(each, Invocation):
                found.append(each)
                continue
            policy, bindings = each
            try:
                resource = policy.matching.matched(attributes, registry)
                if resource is None:
                    continue
                params_in = resource_of(policy.param_kind, registry)
            except (ApiError, ConfigurationError) as error:
                found.append(Misfit(policy, None, f"failed to configure policy: {error}"))
                continue
            for binding in bindings:
                try:
                    if (
                        binding.matching is not None
                        and binding.matching.matched(attributes, registry) is None
                    ):
                        continue
                    if params_in is None:
                        found.append(Invocation(policy, binding, resource, None))
                        continue
                    params = await _params(binding, params_in, attributes, registry)
                except (ApiError, ConfigurationError) as error:
                    found.append(Misfit(policy, binding, f"failed to configure binding: {error}"))
                    continue
                found += [Invocation(policy, binding, resource, param) for param in params]
        return found


def _by_policy(bindings: Iterable[JsonObject]) -> dict[str, list[Binding]]:
    """Bindings by the names of their policies."""
    found: dict[str, list[Binding]] = {}
    for binding in bindings:
        spec = binding["spec"]
        resources = spec.get("matchResources")
        matching = None if resources is None else _matching(resources)
        found.setdefault(spec["policyName"], []).append(Binding(binding["metadata"]["name"], spec, matching))
    return found


async def _params(
    binding: Binding, params_in: Resource | None, attributes: Attributes, registry: Registry
) -> Sequence[JsonObject | None]:
    """The parameters of a binding, one after another; nothing where it is about something else."""
    if binding.matching is not None and binding.matching.matched(attributes, registry) is None:
        return ()
    namespace = attributes.name if is_of_namespaces(attributes.resource) else attributes.namespace
    return await params_of(params_in, binding.spec.get("paramRef"), namespace, registry)
