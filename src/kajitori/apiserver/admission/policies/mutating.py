"""MutatingAdmissionPolicy: writes are changed by expressions.

Sits in mutating admission before the webhooks. Policies are compiled when they are first needed after a change of
theirs.

Promises
    U1  a policy changes what it and one of its bindings match, once for each parameter; its mutations run in order,
        each seeing what the ones before made of the object, each with a whole budget
    U2  what is made of the object is one of its kind, with defaults; nothing else than the object is changed
    U3  a mutation that fails changes nothing, and counts by the failure policy; of several failures the first is
        answered, and all are told as causes
    U4  after a change everything is run once more, of the policies those that are IfNeeded and ran before the change;
        there is no third time

Source: apiserver's pkg/admission/plugin/policy/mutating (dispatcher.go, plugin.go, reinvocationcontext.go).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from kajitori.apimachinery.cel import EvaluationError
from kajitori.apimachinery.cel.expression import Expression, compile_expression
from kajitori.apimachinery.cel.kubernetes import MATCH_CONDITIONS_COST_BUDGET, RUNTIME_COST_BUDGET
from kajitori.apimachinery.cel.libraries.mutation import JSON_PATCH, OBJECT
from kajitori.apimachinery.cel.types import list_of, object_type
from kajitori.apimachinery.errors import ApiError, error_from_status, internal_error
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.managedfields.managed import type_text
from kajitori.apimachinery.managedfields.types import Type
from kajitori.apiserver.admission.figures import AdmissionFigures
from kajitori.apiserver.admission.policies.bound import (
    Binding,
    BoundPolicies,
    Invocation,
    Key,
    Misfit,
    Policy,
)
from kajitori.apiserver.admission.policies.conditions import ConditionError, holds
from kajitori.apiserver.admission.policies.expressions import Account, ExpressionError, OutOfBudget
from kajitori.apiserver.admission.policies.inputs import Asking, inputs_of, namespace_seen
from kajitori.apiserver.admission.policies.patches import (
    MutationError,
    configured,
    json_patched,
    unconvertible,
)
from kajitori.apiserver.admission.views import Undecodable, Views
from kajitori.apiserver.authorization import Authorizer, settled
from kajitori.apiserver.registry.call import Attributes, Reinvocation
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.registry.resource import Resource
from kajitori.storage import Store

if TYPE_CHECKING:
    from kajitori.apiserver.admission.manifests import ManifestDirectory

__all__ = ["Failure", "MutatingPolicies", "MutatingPolicy", "Watch"]

_POLICIES = "mutatingadmissionpolicies"
_BINDINGS = "mutatingadmissionpolicybindings"
_encode = msgspec.json.Encoder().encode
_PLUGIN = "MutatingAdmissionPolicy"


@dataclass(frozen=True, slots=True)
class _Mutation:
    expression: Expression
    is_patch: bool
    """A JSON patch; else a configuration to apply."""


class MutatingPolicy(Policy):
    """One policy, compiled."""

    def __init__(self, name: str, spec: Mapping[str, Any]) -> None:
        super().__init__(name, spec)
        self.is_reinvoked = spec.get("reinvocationPolicy") == "IfNeeded"
        environment = self.environment(authorizer=True, patches=True)
        self.mutations: list[_Mutation] = []
        for mutation in spec.get("mutations") or ():
            is_patch = mutation["patchType"] == "JSONPatch"
            text = mutation["jsonPatch" if is_patch else "applyConfiguration"]["expression"]
            wanted = list_of(JSON_PATCH) if is_patch else object_type(OBJECT, {})
            self.mutations.append(_Mutation(compile_expression(text, environment, (wanted,)), is_patch))

    def expressions(self) -> list[Expression]:
        return [*super().expressions(), *(each.expression for each in self.mutations)]


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong with one policy."""

    policy: MutatingPolicy
    binding: Binding | None
    message: str
    reason: str = "Forbidden"

    def __str__(self) -> str:
        named = (
            f"'{self.policy.name}' with binding '{self.binding.name}'"
            if self.binding
            else f'"{self.policy.name}"'
        )
        return f"policy {named} denied request: {self.message}"


class Watch:
    """What policies did to one write, for those who want to know."""

    def __init__(self, accounts: type[Account] = Account) -> None:
        self.accounts = accounts
        """What expressions are run on."""
        self.failures: list[Failure] = []
        self.ran: list[tuple[Invocation[MutatingPolicy], Account]] = []
        """Each time that expressions were run, in this order."""
        self.seen: list[tuple[Invocation[MutatingPolicy], JsonObject | None, JsonObject | None]] = []
        """The object before and after each run of a policy."""


class MutatingPolicies:
    """Lets all policies that have a binding change what is written."""

    def __init__(
        self,
        store: Store,
        registry: Callable[[], Registry],
        authorizer: Authorizer,
        figures: AdmissionFigures,
        manifests: "ManifestDirectory | None" = None,
    ) -> None:
        self._store = store
        self._figures = figures
        self._registry = registry
        self._authorizer = authorizer
        self._bound = BoundPolicies(store, _POLICIES, _BINDINGS, MutatingPolicy, manifests)

    def mutate(self, attributes: Attributes) -> Awaitable[None] | None:
        if attributes.operation == "DELETE" or not self._bound.may_match(attributes, self._registry()):
            return None
        return self._mutate(attributes)

    def bound(self, resource: Resource) -> "Sequence[tuple[MutatingPolicy, Sequence[Binding]]]":
        """The policies that may be asked about writes of a resource, with their bindings."""
        return self._bound.asked(resource)

    async def watched(self, attributes: Attributes, watch: "Watch") -> None:
        """As `mutate` does it, while somebody watches. Raises: ApiError, the first failure that counts."""
        if attributes.operation != "DELETE" and self._bound.may_match(attributes, self._registry()):
            await self._mutate(attributes, watch)

    async def _mutate(self, attributes: Attributes, watch: "Watch | None" = None) -> None:
        """Raises: ApiError, the first failure that counts."""
        failures: list[Failure] = []
        invocations: list[Invocation[MutatingPolicy]] = []
        for each in await self._bound.matching(attributes, self._registry()):
            if isinstance(each, Misfit):
                failures.append(Failure(each.policy, each.binding, each.message))
            else:
                invocations.append(each)
        if invocations:
            failures += await self._run(invocations, attributes, watch)
        if watch is not None:
            watch.failures += failures
        counting = [each for each in failures if not each.policy.fails_open]
        if counting:
            raise _refused(counting, attributes)

    async def _run(
        self, invocations: Sequence[Invocation[MutatingPolicy]], attributes: Attributes, watch: "Watch | None"
    ) -> list[Failure]:
        invoked = _Invoked.of(attributes.reinvocation)
        if attributes.reinvocation.again and invoked.output != _encode(attributes.obj):
            invoked.require()  # the server's own plugins have changed the object since
        run = _Run(
            self._registry(),
            attributes,
            Asking(self._authorizer, attributes.user),
            namespace_seen(self._store, attributes),
            self._figures,
            watch,
        )
        failures = [each for invocation in invocations for each in await run.invoke(invocation, invoked)]
        if run.has_mutated:
            # Even where nothing was changed: whoever comes later is to see the object as it stays.
            invoked.require()
            attributes.reinvocation.needed = True
        invoked.output = _encode(attributes.obj)
        return failures


class _Run:
    """One write on its way through the policies that match it."""

    def __init__(
        self,
        registry: Registry,
        attributes: Attributes,
        asking: Asking,
        namespace: JsonObject | None,
        figures: AdmissionFigures,
        watch: "Watch | None",
    ) -> None:
        self._watch = watch
        self._registry = registry
        self._attributes = attributes
        self._asking = asking
        self._namespace = namespace
        self._figures = figures
        self._views = Views(attributes)
        self.has_mutated = False
        """Whether a mutation succeeded."""

    async def invoke(self, invocation: Invocation[MutatingPolicy], invoked: "_Invoked") -> list[Failure]:
        """Runs one policy once; gives what failed."""
        policy, reinvocation = invocation.policy, self._attributes.reinvocation
        try:
            if not await self._is_about(invocation):
                return []
        except ConditionError as error:
            return [Failure(policy, invocation.binding, str(error), "Invalid")]
        if reinvocation.again and invocation.key not in invoked.again:
            return []
        before = await self._views.new(invocation.resource)
        failures: list[Failure] = []
        for mutation in policy.mutations if before is not None else ():
            began = self._figures.monotonic()
            problem: Exception | None = None
            try:
                await self._mutate(mutation, invocation)
            except (MutationError, ExpressionError, OutOfBudget) as error:
                problem = error
                failures.append(Failure(policy, invocation.binding, str(error), "Invalid"))
            except ApiError as error:
                problem = error
                raise
            finally:
                self._figures.mutated(
                    policy.name,
                    invocation.binding.name,
                    seconds=self._figures.monotonic() - began,
                    error=None if problem is None else str(problem),
                )
        after = await self._views.new(invocation.resource)
        if self._watch is not None:
            self._watch.seen.append((invocation, before, after))
        if after != before:
            invoked.require()
            reinvocation.needed = True
        if policy.is_reinvoked:
            invoked.once.add(invocation.key)
        return failures

    async def _is_about(self, invocation: Invocation[MutatingPolicy]) -> bool:
        """Whether a policy's match conditions hold. Raises: ConditionError."""
        policy, figures = invocation.policy, self._figures
        if not policy.conditions:
            return True
        inputs = await self._inputs(invocation)
        began = figures.monotonic()

        def told(errors: int) -> None:
            seconds, operation = figures.monotonic() - began, self._attributes.operation
            # Kubernetes has the same type for both sorts of policies.
            figures.conditions(policy.name, "policy", "validate", operation, seconds=seconds, errors=errors)

        def hold() -> bool:
            account = self._account(invocation, inputs, MATCH_CONDITIONS_COST_BUDGET)
            return holds(policy.conditions, account, fails_open=policy.fails_open, told=told)

        return await settled(hold)

    def _account(
        self, invocation: Invocation[MutatingPolicy], inputs: Mapping[str, Any], budget: int
    ) -> Account:
        accounts = Account if self._watch is None else self._watch.accounts
        account = accounts(inputs, invocation.policy.variables, budget, invocation.param)
        if self._watch is not None:
            self._watch.ran.append((invocation, account))
        return account

    async def _inputs(self, invocation: Invocation[MutatingPolicy]) -> Mapping[str, Any]:
        return await inputs_of(
            self._attributes, invocation.resource, self._views, self._asking, self._namespace
        )

    async def _mutate(self, mutation: _Mutation, invocation: Invocation[MutatingPolicy]) -> None:
        """Raises: MutationError, ExpressionError, OutOfBudget; ApiError for what is no object of its kind."""
        expression, resource = mutation.expression, invocation.resource
        if expression.program is None:
            raise MutationError(expression.error)
        inputs = await self._inputs(invocation)
        value = await settled(
            lambda: self._account(invocation, inputs, RUNTIME_COST_BUDGET).evaluate(expression)
        )
        came = (*inputs.values(), invocation.param)
        seen = await self._views.new(resource)
        assert seen is not None, "there is an object to change"
        try:
            if mutation.is_patch:
                changed = json_patched(seen, value, came)
            else:
                changed = configured(seen, value, self._type(resource, seen), came, fits=not resource.custom)
            await self._views.replace(resource, changed, strict=mutation.is_patch)
        except EvaluationError as error:
            raise ExpressionError(f"expression '{expression.text}' resulted in error: {error}") from None
        except Undecodable as error:
            if mutation.is_patch:
                raise internal_error(error) from None
            raise MutationError(unconvertible(seen, str(error))) from None
        self.has_mutated = True

    def _type(self, resource: Resource, seen: JsonObject) -> Type:
        """How the values of what is seen merge. Raises: MutationError for what has no published schema."""
        attributes = self._attributes
        part = attributes.resource.part(attributes.subresource)
        found: Type | None = None
        if part is None and attributes.subresource != "scale":
            found = self._registry.ownership.type_of(resource)
        elif part is not None and part.kind.api_version == resource.kind.api_version:
            found = self._registry.ownership.type_of_definition(part.definition)
        if found is None:
            told = type_text(seen["apiVersion"], seen["kind"])
            raise MutationError(
                "error applying patch: failed to convert patch object to typed object: "
                f"no corresponding type for {told}"
            )
        return found


class _Invoked:
    """Which policies ran in the first round, and which are to run again."""

    def __init__(self) -> None:
        self.once: set[Key] = set()
        self.again: set[Key] = set()
        self.output = b""

    @classmethod
    def of(cls, reinvocation: Reinvocation) -> "_Invoked":
        found = reinvocation.kept.get(_PLUGIN)
        if found is None:
            found = reinvocation.kept[_PLUGIN] = cls()
        assert isinstance(found, cls)
        return found

    def require(self) -> None:
        """What ran until now has not seen the object as it is."""
        self.again |= self.once
        self.once.clear()


def _refused(failures: Sequence[Failure], attributes: Attributes) -> ApiError:
    """The answer to a write that policies have failed."""
    kind = attributes.resource.kind
    metadata = (attributes.obj or {}).get("metadata") or {}
    name = attributes.name or metadata.get("generateName") or "Unknown"
    details = {"name": name, "group": kind.group, "kind": kind.plural}
    return error_from_status(
        {
            "message": str(failures[0]),
            "reason": failures[0].reason,
            "code": 403,
            "details": {key: text for key, text in details.items() if text}
            | {"causes": [{"message": str(each)} for each in failures]},
        }
    )
