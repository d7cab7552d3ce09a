"""Admission webhooks: other people's servers that change writes, and refuse them.

Sits at the end of each half of admission. The configurations are read when they have changed; a write that no webhook
is interested in costs one look-up per configuration.

Promises
    H1  mutating webhooks are called one after another, by the names of their configurations and in their order
        there, each seeing what the ones before made of the object; validating ones all at once
    H2  a webhook that is IfNeeded is called once more when others have changed the object since; never a third time
    H3  a webhook that cannot be called, or answers badly, fails the write, or is passed over: its failure policy says
    H4  a dry run calls no webhook with side effects, and is refused where one would have to be called
    H5  webhooks from files are called before those of the API, and for configurations of webhooks and policies too

Source: apiserver's pkg/admission/plugin/webhook (mutating/dispatcher.go, validating/dispatcher.go).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from kajitori.apimachinery.decode import DecodeError, decode_json, go_quote
from kajitori.apimachinery.errors import (
    ApiError,
    BadRequest,
    InternalError,
    forbidden,
    internal_error,
)
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.patch.json_patch import PatchError, parse_json_patch, patched
from kajitori.apiserver.admission import exempt
from kajitori.apiserver.admission.figures import AdmissionFigures
from kajitori.apiserver.admission.matching import Matching
from kajitori.apiserver.admission.requests import request_asked
from kajitori.apiserver.admission.views import Undecodable, Views
from kajitori.apiserver.authorization import Authorizer, settled
from kajitori.apiserver.registry.call import Attributes, Reinvocation
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.registry.resource import Resource
from kajitori.apiserver.webhooks import WebhookCaller, WebhookError
from kajitori.apiserver.webhooks.review import (
    Answer,
    ReviewError,
    admission_review,
    read_answer,
    refusal_of,
    request_of,
    review_version,
)
from kajitori.storage import Store

if TYPE_CHECKING:
    from kajitori.apimachinery.cel.expression import Expression
    from kajitori.apiserver.admission.manifests import ManifestDirectory

__all__ = ["MutatingWebhooks", "ValidatingWebhooks"]

_log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 10
"""Of a webhook that says nothing else."""

_encode: Callable[[Any], bytes] = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode
_MUTATION = "mutation.webhook.admission.k8s.io/"
_PATCH = "patch.webhook.admission.k8s.io/"
_FAILED_OPEN = "failed-open."
_VALIDATION = "validating.webhook.admission.k8s.io/"


class _CallError(Exception):
    """A webhook gave no answer that counts; its failure policy says what that means."""

    def __init__(self, told: str, code: int = 503) -> None:
        super().__init__(told)
        self.code = code
        """As it is counted."""


class _RejectedError(Exception):
    """A webhook has answered no."""

    def __init__(self, error: ApiError) -> None:
        super().__init__(error)
        self.error = error


Answered = TypeVar("Answered")


class _Hook:
    """One webhook of one configuration."""

    def __init__(self, configuration: str, position: int, hook: Mapping[str, Any], prefix: str) -> None:
        self.configuration = configuration
        self.name: str = hook["name"]
        self.uid = f"{prefix}{configuration}/{self.name}/{position}"
        self.matching = Matching(
            hook.get("rules") or (),
            namespaces=hook.get("namespaceSelector"),
            objects=hook.get("objectSelector"),
            policy=hook.get("matchPolicy"),
        )
        self.client: Mapping[str, Any] = hook.get("clientConfig") or {}
        self.fails_open = hook.get("failurePolicy") == "Ignore"
        self.has_side_effects = hook.get("sideEffects") not in ("None", "NoneOnDryRun")
        self.timeout_seconds: int = hook.get("timeoutSeconds") or TIMEOUT_SECONDS
        self.review_versions: Sequence[str] = hook.get("admissionReviewVersions") or ()
        self.conditions: Sequence[Mapping[str, str]] = hook.get("matchConditions") or ()
        self.is_reinvoked = hook.get("reinvocationPolicy") == "IfNeeded"
        self._compiled: list[Expression] | None = None

    def compiled(self) -> "list[Expression]":
        """The match conditions, ready to run."""
        if self._compiled is None:
            from kajitori.apiserver.admission.policies.conditions import compile_webhook_conditions

            self._compiled = compile_webhook_conditions(self.conditions)
        return self._compiled


class _Hooks:
    """The webhooks of all configurations of one kind, as they are now: those from files, then those of the API."""

    def __init__(self, store: Store, plural: str, manifests: "ManifestDirectory | None") -> None:
        self._store = store
        self._plural = plural
        self._bucket = f"admissionregistration.k8s.io/{plural}"
        self._manifests = manifests
        self._static: list[_Hook] | None = None
        self._all: list[_Hook] | None = None
        store.subscribe(self._bucket, lambda event: self._forget())
        if manifests is not None:
            manifests.subscribe(self._forget_static)

    def _forget(self) -> None:
        self._all = None

    def _forget_static(self) -> None:
        self._static = self._all = None

    def for_writes_of(self, resource: Resource) -> Sequence[_Hook]:
        """Those that may be called for a resource."""
        static = self._static
        if static is None:
            objects = () if self._manifests is None else self._manifests.objects(self._plural)
            static = self._static = list(_hooks(objects, "manifest/"))
        if resource.bucket in exempt.WEBHOOKS:
            return static
        if self._all is None:
            stored = (_decode(item.value) for item in self._store.range(self._bucket))
            self._all = [*static, *_hooks(stored)]
        return self._all


def _hooks(configurations: Iterable[JsonObject], prefix: str = "") -> Iterator[_Hook]:
    for configuration in configurations:
        for position, hook in enumerate(configuration.get("webhooks") or ()):
            yield _Hook(configuration["metadata"]["name"], position, hook, prefix)


class _Webhooks:
    """What both sorts of webhooks have in common."""

    plural: str
    half: str
    """What figures call it."""
    is_mutating: bool

    def __init__(
        self,
        store: Store,
        registry: Callable[[], Registry],
        caller: WebhookCaller,
        authorizer: Authorizer,
        figures: AdmissionFigures,
        manifests: "ManifestDirectory | None" = None,
    ) -> None:
        self._hooks = _Hooks(store, self.plural, manifests)
        self._registry = registry
        self._caller = caller
        self._authorizer = authorizer
        self._figures = figures

    def _matched(self, hook: _Hook, attributes: Attributes) -> Resource | None:
        return hook.matching.matched(attributes, self._registry())

    async def called(self, attributes: Attributes) -> list[tuple[str, str, str]]:
        """Each webhook with its configuration, and why it is not called for a write; empty where it would be."""
        views, found = Views(attributes), list[tuple[str, str, str]]()
        for hook in self._hooks.for_writes_of(attributes.resource):
            why = ""
            try:
                resource = self._matched(hook, attributes)
                if resource is None:
                    why = hook.matching.misses(attributes, self._registry())
                elif not await self._meets(hook, resource, attributes, views):
                    why = "a match condition is false"
            except ApiError as error:
                why = f"this cannot be told: {error}"
            found.append((hook.configuration, hook.name, why))
        return found

    async def _meets(self, hook: _Hook, resource: Resource, attributes: Attributes, views: Views) -> bool:
        """Whether a write meets the match conditions of a webhook. Raises: Forbidden where that cannot be told."""
        if not hook.conditions:
            return True
        from kajitori.apiserver.admission.policies import conditions, inputs  # few webhooks have any

        asking = inputs.Asking(self._authorizer, attributes.user)
        found = await inputs.inputs_of(attributes, resource, views, asking, None)
        figures, operation = self._figures, attributes.operation
        began = figures.monotonic()

        def told(errors: int) -> None:
            seconds = figures.monotonic() - began
            figures.conditions(hook.name, "webhook", self.half, operation, seconds=seconds, errors=errors)

        try:
            holds = await settled(
                lambda: conditions.webhook_conditions_hold(
                    hook.compiled(), found, fails_open=hook.fails_open, told=told
                )
            )
        except conditions.ConditionError as error:
            kind = attributes.resource.kind
            raise forbidden(kind.plural, kind.group, attributes.name, str(error)) from None
        if not holds:
            figures.excluded(hook.name, "admit" if self.is_mutating else "validate", operation)
        return holds

    async def _counted(self, hook: _Hook, attributes: Attributes, calling: Awaitable[Answered]) -> Answered:
        """The outcome of calling a webhook, which is counted. Raises: _CallError, ApiError."""
        began = self._figures.monotonic()
        code, rejected, error = 0, True, "apiserver_internal_error"
        try:
            answered = await calling
            code, rejected = 200, False
        except _CallError as problem:
            code, rejected, error = problem.code, not hook.fails_open, "calling_webhook_error"
            raise
        except _RejectedError as refusal:
            code, error = refusal.error.code, "no_error"
            raise refusal.error from None
        finally:
            self._figures.webhook(
                hook.name,
                self.half,
                attributes.operation,
                seconds=self._figures.monotonic() - began,
                code=code,
                rejected=rejected,
                error=error,
            )
        return answered

    async def _ask(self, hook: _Hook, resource: Resource, attributes: Attributes, views: Views) -> Answer:
        """The answer of a webhook. Raises: _CallError, _RejectedError, BadRequest."""
        if attributes.dry_run and hook.has_side_effects:
            raise BadRequest(f"admission webhook {go_quote(hook.name)} does not support dry run")
        try:
            version = review_version(hook.review_versions)
        except ReviewError as error:
            raise _CallError(f"could not create admission objects: {error}") from None
        uid = self._registry().random.uuid4()
        asked = request_asked(attributes, resource, uid)
        request = request_of(asked, await views.new(resource), await views.old(resource))
        try:
            body = _encode(admission_review(version, request))
            answered = await self._caller.post(hook.client, body, hook.timeout_seconds)
            review = decode_json(answered)
        except WebhookError as error:
            raise _CallError(f"failed to call webhook: {error}", error.status or 503) from None
        except DecodeError as error:
            raise _CallError(f"failed to call webhook: {error}") from None
        try:
            answer = read_answer(review, uid, version, mutating=self.is_mutating)
        except ReviewError as error:
            raise _CallError(f"received invalid webhook response: {error}") from None
        call = attributes.call
        if call is not None:
            for key, value in answer.annotations.items():
                call.annotate(f"{hook.name}/{key}", value)
            for text in answer.warnings:
                call.warn(text)
        if not answer.allowed:
            raise _RejectedError(refusal_of(hook.name, answer.status))
        return answer

    def _failed(self, hook: _Hook, error: _CallError, attributes: Attributes, annotation: str) -> None:
        """Passes over a webhook that could not be called. Raises: InternalError where it may not be."""
        told = f"failed calling webhook {go_quote(hook.name)}: {error}"
        _log.warning(
            "a webhook could not be called",
            extra={"webhook": hook.name, "error": str(error), "passed_over": hook.fails_open},
        )
        if not hook.fails_open:
            raise internal_error(told)
        self._figures.failed_open(hook.name, self.half)
        if attributes.call is not None:
            attributes.call.annotate(f"{_FAILED_OPEN}{annotation}", hook.name)


class MutatingWebhooks(_Webhooks):
    """Lets webhooks change what is written."""

    plural = "mutatingwebhookconfigurations"
    half = "admit"
    is_mutating = True

    def mutate(self, attributes: Attributes) -> Awaitable[None] | None:
        hooks = self._hooks.for_writes_of(attributes.resource)
        if not hooks or not any(self._may_match(hook, attributes) for hook in hooks):
            return None
        return self._mutate(hooks, attributes)

    def _may_match(self, hook: _Hook, attributes: Attributes) -> bool:
        return hook.matching.may_match(attributes, self._registry())

    async def _mutate(self, hooks: Sequence[_Hook], attributes: Attributes) -> None:
        reinvocation = attributes.reinvocation
        called = _Called.of(reinvocation)
        if reinvocation.again and called.output != _snapshot(attributes):
            called.require()  # the server's own plugins have changed the object since
        views = Views(attributes)
        for position, hook in enumerate(hooks):
            resource = self._matched(hook, attributes)
            if resource is None or not await self._meets(hook, resource, attributes, views):
                continue
            if reinvocation.again and hook.uid not in called.again:
                continue
            where = f"round_{int(reinvocation.again)}_index_{position}"
            changed = False
            try:
                calling = self._call(hook, resource, attributes, views)
                answer, changed = await self._counted(hook, attributes, calling)
                _note_patch(hook, answer, attributes, where)
            except _CallError as error:
                self._failed(hook, error, attributes, _MUTATION + where)
            finally:
                _note_mutation(hook, attributes, where, changed=changed)
            if changed:
                called.require()
                reinvocation.needed = True
            if hook.is_reinvoked:
                called.once.add(hook.uid)
        called.output = _snapshot(attributes)

    async def _call(
        self, hook: _Hook, resource: Resource, attributes: Attributes, views: Views
    ) -> tuple[Answer, bool]:
        """What a webhook answers, and whether that changed the object."""
        answer = await self._ask(hook, resource, attributes, views)
        return answer, await self._patch(hook, resource, answer, attributes, views)

    async def _patch(
        self, hook: _Hook, resource: Resource, answer: Answer, attributes: Attributes, views: Views
    ) -> bool:
        """Applies what a webhook wants changed; whether it changed anything."""
        if not answer.patch:
            return False
        try:
            operations = parse_json_patch(answer.patch)
        except ApiError as error:
            raise _CallError(f"received undecodable patch in webhook response: {error}") from None
        if not operations:
            return False
        seen = await views.new(resource)
        if seen is None:
            what = "attempted to modify the object, which is not supported for this operation"
            raise internal_error(f"admission webhook {go_quote(hook.name)} {what}")
        try:
            changed = patched(seen, operations)
        except (PatchError, RecursionError) as error:
            raise internal_error(error) from None
        try:
            return await views.replace(resource, changed)
        except Undecodable as error:
            raise internal_error(error) from None


_REMEMBERED = "MutatingAdmissionWebhook"


class _Called:
    """Which webhooks were called in the first round, and which are to be called again."""

    def __init__(self) -> None:
        self.once: set[str] = set()
        self.again: set[str] = set()
        self.output: bytes = b""

    @classmethod
    def of(cls, reinvocation: Reinvocation) -> "_Called":
        found = reinvocation.kept.get(_REMEMBERED)
        if found is None:
            found = reinvocation.kept[_REMEMBERED] = cls()
        assert isinstance(found, cls)
        return found

    def require(self) -> None:
        """What was called until now has not seen the object as it is."""
        self.again |= self.once
        self.once.clear()


def _snapshot(attributes: Attributes) -> bytes:
    return _encode(attributes.obj)


def _note_mutation(hook: _Hook, attributes: Attributes, where: str, *, changed: bool) -> None:
    if attributes.call is not None and attributes.call.trail is not None:
        told = {"configuration": hook.configuration, "webhook": hook.name, "mutated": changed}
        attributes.call.annotate(_MUTATION + where, _encode(told).decode())


def _note_patch(hook: _Hook, answer: Answer, attributes: Attributes, where: str) -> None:
    call = attributes.call
    if answer.patch and call is not None and call.trail is not None and call.trail.has_requests:
        patch: Any = msgspec.Raw(answer.patch)
        told: JsonObject = {"configuration": hook.configuration, "webhook": hook.name}
        told |= {"patch": patch, "patchType": "JSONPatch"}
        call.annotate(_PATCH + where, _encode(told).decode())


class ValidatingWebhooks(_Webhooks):
    """Lets webhooks refuse what is written."""

    plural = "validatingwebhookconfigurations"
    half = "validating"
    is_mutating = False

    def validate(self, attributes: Attributes) -> Awaitable[None] | None:
        hooks = self._hooks.for_writes_of(attributes.resource)
        if not hooks:
            return None
        called = [(hook, resource) for hook in hooks if (resource := self._matched(hook, attributes))]
        return self._validate(called, attributes) if called else None

    async def _validate(self, called: Sequence[tuple[_Hook, Resource]], attributes: Attributes) -> None:
        views = Views(attributes)
        for _, resource in called:  # converted once, not once for each that is called
            await views.new(resource)
            await views.old(resource)
        called = [each for each in called if await self._meets(*each, attributes, views)]
        outcomes = await asyncio.gather(
            *(
                self._one(position, hook, resource, attributes, views)
                for position, (hook, resource) in enumerate(called)
            )
        )
        for refused in outcomes:
            if refused is not None:
                raise refused

    async def _one(
        self, position: int, hook: _Hook, resource: Resource, attributes: Attributes, views: Views
    ) -> ApiError | None:
        try:
            await self._counted(hook, attributes, self._ask(hook, resource, attributes, views))
        except _CallError as error:
            try:
                self._failed(hook, error, attributes, f"{_VALIDATION}round_0_index_{position}")
            except InternalError as refused:
                return refused
        except ApiError as refused:
            return refused
        return None
