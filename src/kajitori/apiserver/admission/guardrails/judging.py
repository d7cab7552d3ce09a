"""The judge: which Guardrails are about a write, whether it is confirmed, and what a dry run is told.

The promises are in `plugin`.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec

from kajitori.apimachinery.errors import ApiError, FieldError, Forbidden, forbidden, invalid
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.labels import selector_from_object
from kajitori.apis.guardrails_v1alpha1.consequences import consequences_of, told
from kajitori.apis.guardrails_v1alpha1.tokens import (
    API_VERSION,
    GROUP,
    Action,
    confirmation,
    content_of,
    tokens_in,
)
from kajitori.apiserver.admission.guardrails.confirmations import CONFIRMATIONS, Confirmations
from kajitori.apiserver.admission.guardrails.plugin import GUARDRAILS
from kajitori.apiserver.admission.guardrails.surroundings import Surroundings
from kajitori.apiserver.admission.matching import Matching, is_of_namespaces
from kajitori.apiserver.admission.policies import conditions, inputs
from kajitori.apiserver.admission.views import Views
from kajitori.apiserver.authentication import User
from kajitori.apiserver.authorization import Authorizer, settled
from kajitori.apiserver.options import DeleteOptions
from kajitori.apiserver.registry.call import Attributes
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.registry.resource import Resource
from kajitori.storage import Store
from kajitori.world.clock import Clock

__all__ = ["Judge"]

_decode = msgspec.json.Decoder(dict[str, Any]).decode

_DEFINITIONS = "apiextensions.k8s.io/customresourcedefinitions"
_OURS = frozenset({f"guardrails.{GROUP}", f"confirmations.{GROUP}"})
_OPERATIONS = ("CREATE", "UPDATE", "DELETE")
KINDS_NAMED_MAX = 8
LINES_NAMED_MAX = 3
TOKENS_TOLD_MAX = 40
"""In one answer, to a dry run of a collection: more would not fit in its warnings. The rest is confirmed afterwards."""
_BEGINNING = f'{{"apiVersion":"{API_VERSION}","kind":"Confirmation"'


class _Guardrail:
    """One Guardrail, ready to judge."""

    def __init__(self, obj: Mapping[str, Any]) -> None:
        self.name: str = obj["metadata"]["name"]
        spec = obj["spec"]
        constraints = spec.get("matchConstraints") or {}
        self.matching = Matching(
            constraints.get("resourceRules") or (),
            namespaces=constraints.get("namespaceSelector"),
            objects=constraints.get("objectSelector"),
            policy=constraints.get("matchPolicy"),
            excluded=constraints.get("excludeResourceRules") or (),
        )
        exempt: Mapping[str, list[str]] = spec.get("exempt") or {}
        self._users = frozenset(exempt.get("users") or ())
        self._groups = frozenset(exempt.get("groups") or ())
        self.lifetime_seconds: int = spec.get("tokenLifetimeSeconds") or 300
        self.message: str = spec.get("message") or ""
        self._selectors = (constraints.get("namespaceSelector"), constraints.get("objectSelector"))
        self._conditions = spec.get("matchConditions") or ()

    @cached_property
    def compiled(self) -> list[Any]:
        """The conditions, ready to run. Raises: what the compiler raises."""
        return conditions.compile_webhook_conditions(self._conditions)

    def exempts(self, user: User) -> bool:
        return user.name in self._users or not self._groups.isdisjoint(user.groups)

    def loses(self, attributes: Attributes, *, namespace: bool) -> bool:
        """Whether a change of labels takes an object out of what a selector selects."""
        said = self._selectors[0 if namespace else 1]
        selector = selector_from_object(said) if said else None
        if not selector:
            return False
        return selector.matches(_labels(attributes.old)) and not selector.matches(_labels(attributes.obj))

    @property
    def has_conditions(self) -> bool:
        return bool(self._conditions)


class Judge:
    """Holds the Guardrails as they are now, and what is confirmed."""

    def __init__(
        self,
        store: Store,
        registry: Callable[[], Registry],
        resources: Callable[[], Iterable[Resource]],
        authorizer: Authorizer,
        clock: Clock,
    ) -> None:
        self._store, self._registry, self._authorizer = store, registry, authorizer
        self._confirmations = Confirmations(store, clock, lambda: registry().random.token())
        self._surroundings = Surroundings(store, resources)
        self._known: list[_Guardrail] | None = None
        store.subscribe(GUARDRAILS, lambda event: self._forget())

    def _forget(self) -> None:
        self._known = None

    def _guardrails(self) -> list[_Guardrail]:
        if self._known is None:
            self._known = [_Guardrail(_decode(item.value)) for item in self._store.range(GUARDRAILS)]
        return self._known

    def validate(self, attributes: Attributes) -> Awaitable[None] | None:
        """Raises: Forbidden, Invalid."""
        bucket = attributes.resource.bucket
        if bucket == CONFIRMATIONS:
            return self._confirm(attributes)
        if bucket == GUARDRAILS and attributes.obj is not None:
            _check(attributes.obj)
        asking = [each for each in self._guardrails() if not each.exempts(attributes.user)]
        if not asking:
            return None
        return self._judge(asking, attributes)

    def _confirm(self, attributes: Attributes) -> Awaitable[None] | None:
        if attributes.operation not in ("CREATE", "UPDATE") or attributes.obj is None:
            return None
        self._confirmations.check(attributes.obj, attributes.user)
        return None if attributes.dry_run else self._confirmations.put_away()

    async def _judge(self, asking: Sequence[_Guardrail], attributes: Attributes) -> None:
        is_dry_run = attributes.dry_run or _evicts_nothing(attributes)
        try:
            matched = [each for each in asking if await self._is_about(each, attributes)]
        except ApiError as error:
            if not is_dry_run:  # G2
                raise
            if attributes.call is not None:
                attributes.call.warn(f"this would be refused: {error}")
            return
        if not matched:
            return
        action = self._action(attributes)
        if is_dry_run:
            self._tell(matched, action, attributes)
            return
        spent = self._confirmations.spend(action)
        if spent is None:
            raise _unconfirmed(matched[0], attributes)
        reason, rest = spent
        if attributes.call is not None:
            attributes.call.annotate(f"{GROUP}/confirmed", reason)
        await rest

    # What a Guardrail is about.

    async def _is_about(self, guardrail: _Guardrail, attributes: Attributes) -> bool:
        if self._is_of_guardrails(guardrail, attributes):
            return True
        if await self._matches(guardrail, attributes) or self._leaves(guardrail, attributes):
            return True
        if attributes.operation != "DELETE" or attributes.subresource or attributes.old is None:
            return False
        if _orphans(attributes):
            return False
        for resource, each in self._surroundings.going_with(_whole(attributes)):
            if await self._matches(guardrail, _deleting(attributes, resource, each)):
                return True
        return False

    @staticmethod
    def _is_of_guardrails(guardrail: _Guardrail, attributes: Attributes) -> bool:
        """G5: its own change, and that of the definitions all of them hang on."""
        if attributes.operation not in ("UPDATE", "DELETE") or attributes.subresource:
            return False
        old = attributes.old or {}
        name = (old.get("metadata") or {}).get("name", "")
        if attributes.resource.bucket == GUARDRAILS:
            changed = attributes.obj is None or attributes.obj.get("spec") != old.get("spec")
            return bool(name == guardrail.name and changed)
        return attributes.resource.bucket == _DEFINITIONS and name in _OURS

    def _leaves(self, guardrail: _Guardrail, attributes: Attributes) -> bool:
        """G6: with other labels it could be deleted, with another owner it is."""
        if attributes.operation != "UPDATE" or attributes.old is None:
            return False
        labelled = _labels(attributes.old) != _labels(attributes.obj)
        if labelled and is_of_namespaces(attributes.resource):
            return guardrail.loses(attributes, namespace=True)
        owned = _owners(attributes.obj) - _owners(attributes.old)
        if not owned and not (labelled and guardrail.loses(attributes, namespace=False)):
            return False
        deletion = _deleting(attributes, attributes.resource, attributes.old)
        return guardrail.matching.matched(deletion, self._registry()) is not None

    async def _matches(self, guardrail: _Guardrail, attributes: Attributes) -> bool:
        resource = guardrail.matching.matched(attributes, self._registry())
        if resource is None or not guardrail.has_conditions:
            return resource is not None
        asking = inputs.Asking(self._authorizer, attributes.user)
        found = await inputs.inputs_of(attributes, resource, Views(attributes), asking, None)
        try:
            return await settled(
                lambda: conditions.webhook_conditions_hold(guardrail.compiled, found, fails_open=False)
            )
        except conditions.ConditionError as error:
            kind = attributes.resource.kind
            why = f"guardrail {guardrail.name}: {error}"
            raise forbidden(kind.plural, kind.group, attributes.name, why) from None

    # What is confirmed, and what a dry run is told.

    def _action(self, attributes: Attributes) -> Action:
        resource = attributes.resource
        of = attributes.old or attributes.obj or {}
        metadata = of.get("metadata") or {}
        name = attributes.name or str(metadata.get("name") or "")
        if attributes.operation == "CREATE" and metadata.get("generateName") and not attributes.subresource:
            name = f"{metadata['generateName']}*"
        uid = version = ""
        item = self._store.get(resource.bucket, resource.key(attributes.namespace, name))
        if item is not None:
            stored = _decode(item.value)["metadata"]
            uid, version = str(stored.get("uid", "")), str(item.revision)
        content = content_of(attributes.obj) if attributes.operation == "UPDATE" else ""
        options = attributes.options
        if isinstance(options, DeleteOptions):
            content = f"{options.propagation or ''} {options.orphan_dependents}"
        part = f"/{attributes.subresource}" if attributes.subresource else ""
        return Action(
            attributes.user.name,
            attributes.operation,
            f"{resource.bucket}{part}",
            attributes.namespace,
            name,
            uid,
            version,
            content,
        )

    def _tell(self, matched: Sequence[_Guardrail], action: Action, attributes: Attributes) -> None:
        """The warnings of a dry run: what would go, and the token."""
        call = attributes.call
        if call is None:
            return
        lifetime = min(each.lifetime_seconds for each in matched)
        token = self._confirmations.token_for(action, lifetime)
        if _added(call.warnings, token):
            return  # of a collection: what goes is in the answer
        names = ", ".join(each.name for each in matched)
        call.warn(f"guardrail {names}: {_what(attributes)} needs a confirmation")
        for guardrail in matched:
            if guardrail.message:
                call.warn(guardrail.message)
        if attributes.operation == "DELETE" and not attributes.subresource and attributes.old is not None:
            for line in self._losses(attributes):
                call.warn(line)
        call.warn(
            f"to confirm this within {lifetime} seconds, give `kubectl create -f -` the next line, then do it again:"
        )
        call.warn(_document([token]))

    def _losses(self, attributes: Attributes) -> Iterator[str]:
        going = _whole(attributes)
        cascades = not _orphans(attributes)
        with_it = [each for _, each in self._surroundings.going_with(going)] if cascades else []
        touched = (going, *with_it)
        namespaces = {str(each["metadata"].get("namespace") or "") for each in touched} - {""}
        around = [*with_it, *self._surroundings.near(namespaces)]
        found = consequences_of([going], around, cascades=cascades)
        if found.dependents:
            counts = [f"{count} {kind}" for kind, count in found.counted()]
            yield f"with {told(going)} go: {_listed(counts, KINDS_NAMED_MAX)}"
        for title, lines in (
            ("data is lost", found.lost),
            ("disruption budgets", found.budgets),
            ("without a ready Pod afterwards", found.emptied),
        ):
            if lines:
                yield f"{title}: {_listed(lines, LINES_NAMED_MAX)}"


def _document(tokens: Sequence[str]) -> str:
    """The Confirmation to be made, in one line."""
    whole = confirmation(tokens)
    return msgspec.json.encode(whole).decode()


def _added(warnings: list[str], token: str) -> bool:
    """Puts one more token into the Confirmation that is told already, if there is one."""
    if not warnings or not warnings[-1].startswith(_BEGINNING):
        return False
    tokens = list(tokens_in(warnings[-1]))
    if len(tokens) < TOKENS_TOLD_MAX:
        warnings[-1] = _document([*tokens, token])
    return True


def _labels(obj: JsonObject | None) -> Mapping[str, str]:
    found: Mapping[str, str] = ((obj or {}).get("metadata") or {}).get("labels") or {}
    return found


def _owners(obj: JsonObject | None) -> set[str]:
    references = ((obj or {}).get("metadata") or {}).get("ownerReferences") or ()
    return {str(each.get("uid") or "") for each in references}


def _listed(texts: Sequence[str], most: int) -> str:
    shown = ", ".join(texts[:most])
    return f"{shown} and {len(texts) - most} more" if len(texts) > most else shown


def _evicts_nothing(attributes: Attributes) -> bool:
    """Whether this is an eviction that says so in its own options, as those of `kubectl drain --dry-run` do."""
    options: object = (
        (attributes.obj or {}).get("deleteOptions") if attributes.subresource == "eviction" else None
    )
    return isinstance(options, dict) and bool(options.get("dryRun"))


def _orphans(attributes: Attributes) -> bool:
    """Whether what hangs on the object stays: never what is in a namespace, nor the objects of a definition."""
    options, bucket = attributes.options, attributes.resource.bucket
    if (
        not isinstance(options, DeleteOptions)
        or bucket == _DEFINITIONS
        or is_of_namespaces(attributes.resource)
    ):
        return False
    return options.propagation == "Orphan" or options.orphan_dependents is True


def _whole(attributes: Attributes) -> JsonObject:
    """The object that goes, with its kind."""
    kind = attributes.resource.kind
    return {**(attributes.old or {}), "apiVersion": kind.api_version, "kind": kind.kind}


def _deleting(attributes: Attributes, resource: Resource, obj: JsonObject) -> Attributes:
    """The deletion of something else that this one brings about."""
    metadata = obj["metadata"]
    return Attributes(
        "DELETE", resource, "", metadata.get("namespace") or "", metadata.get("name", ""), None, obj,
        attributes.user, attributes.dry_run, attributes.options, attributes.call,
    )  # fmt: skip


def _what(attributes: Attributes) -> str:
    word = {"DELETE": "deleting", "UPDATE": "changing", "CREATE": "creating"}.get(
        attributes.operation, "this"
    )
    kind = attributes.resource.kind
    of: JsonObject = {**(attributes.old or attributes.obj or {}), "kind": kind.kind}
    named = of if (of.get("metadata") or {}).get("name") else {**of, "metadata": _name(attributes)}
    part = f" ({attributes.subresource})" if attributes.subresource else ""
    return f"{word} {told(named)}{part}"


def _name(attributes: Attributes) -> JsonObject:
    return {"name": attributes.name, "namespace": attributes.namespace}


def _unconfirmed(guardrail: _Guardrail, attributes: Attributes) -> Forbidden:
    kind = attributes.resource.kind
    name = attributes.name or str(((attributes.old or {}).get("metadata") or {}).get("name") or "")
    message = f" ({guardrail.message})" if guardrail.message else ""
    why = (
        f"guardrail {guardrail.name}{message}: {_what(attributes)} needs a confirmation of exactly this; "
        "do it as a dry run first (--dry-run=server), which tells what would go and how to confirm it"
    )
    return forbidden(kind.plural, kind.group, name, why)


def _check(guardrail: JsonObject) -> None:
    """What the schema cannot say. Raises: Invalid."""
    spec: Mapping[str, Any] = guardrail.get("spec") or {}
    constraints = spec.get("matchConstraints") or {}
    errors: list[FieldError] = []
    if not constraints.get("resourceRules"):
        errors.append(
            FieldError.required("spec.matchConstraints.resourceRules", "say what is to be confirmed")
        )
    for position, rule in enumerate(constraints.get("resourceRules") or ()):
        for number, operation in enumerate(rule.get("operations") or ()):
            if operation not in _OPERATIONS:
                path = f"spec.matchConstraints.resourceRules[{position}].operations[{number}]"
                why = f"only what has a dry run can be confirmed: {', '.join(_OPERATIONS)}"
                errors.append(FieldError.invalid(path, operation, why))
    for member in ("namespaceSelector", "objectSelector"):
        try:
            selector_from_object(constraints.get(member) or {})
        except ValueError as error:
            path = f"spec.matchConstraints.{member}"
            errors.append(FieldError.invalid(path, constraints[member], str(error)))
    for position, each in enumerate(spec.get("matchConditions") or ()):
        path = f"spec.matchConditions[{position}].expression"
        for compiled in conditions.compile_webhook_conditions([each]):
            if compiled.error:
                errors.append(FieldError.invalid(path, compiled.text, compiled.error))
    if errors:
        raise invalid("Guardrail", GROUP, guardrail["metadata"].get("name", ""), errors)
