"""The chain of admission plugins, and which of them are on.

Promises
    A1  plugins run in kube-apiserver's order, all mutating halves before the first validating one
    A2  a write that no plugin is interested in costs one look-up
    A3  an unknown plugin name is refused when the server starts, not ignored
    A4  when a webhook or a policy has changed the object, all mutating halves run once more, and not a third time
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

from kajitori.apiserver.admission.figures import QUICK_SECONDS, AdmissionFigures
from kajitori.apiserver.authorization import Undecided, settled
from kajitori.apiserver.registry.call import Attributes
from kajitori.world.clock import SYSTEM_CLOCK

__all__ = [
    "KNOWN_PLUGINS",
    "Chain",
    "ConfigurationError",
    "Half",
    "Plugin",
    "UnknownPlugin",
    "enabled_plugins",
]

KNOWN_PLUGINS = (
    "AlwaysAdmit",
    "NamespaceAutoProvision",
    "NamespaceLifecycle",
    "NamespaceExists",
    "LimitPodHardAntiAffinityTopology",
    "LimitRanger",
    "ServiceAccount",
    "NodeRestriction",
    "TaintNodesByCondition",
    "AlwaysPullImages",
    "ImagePolicyWebhook",
    "PodSecurity",
    "PodNodeSelector",
    "Priority",
    "DefaultTolerationSeconds",
    "PodTolerationRestriction",
    "EventRateLimit",
    "ExtendedResourceToleration",
    "DefaultStorageClass",
    "StorageObjectInUseProtection",
    "PodGroupProtection",
    "OwnerReferencesPermissionEnforcement",
    "PersistentVolumeClaimResize",
    "RuntimeClass",
    "CertificateApproval",
    "CertificateSigning",
    "ClusterTrustBundleAttest",
    "CertificateSubjectRestriction",
    "DefaultIngressClass",
    "DenyServiceExternalIPs",
    "PodTopologyLabels",
    "PodGroupWorkloadExists",
    "NodeDeclaredFeatureValidator",
    "JobValidation",
    "PodResizeValidator",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionWebhook",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionWebhook",
    "ResourceQuota",
    "AlwaysDeny",
)
"""Every plugin that kube-apiserver 1.36 knows, in the order in which they run."""


Half = Callable[[Attributes], Awaitable[None] | None]


class Plugin(Protocol):
    """One admission plugin. A half that does nothing is None."""

    @property
    def name(self) -> str: ...

    def handles(self, operation: str, bucket: str, subresource: str) -> bool: ...

    @property
    def mutate(self) -> Half | None: ...

    @property
    def validate(self) -> Half | None: ...


class UnknownPlugin(ValueError):
    """A name that is no admission plugin."""


class ConfigurationError(ValueError):
    """What is wrong with an admission configuration, in one sentence."""


def enabled_plugins(default: Iterable[str], enable: Iterable[str], disable: Iterable[str]) -> set[str]:
    """The names that are on: the defaults and what is enabled, less what is disabled.

    Raises: UnknownPlugin.
    """
    enable, disable = set(enable), set(disable)
    unknown = sorted((enable | disable) - set(KNOWN_PLUGINS))
    if unknown:
        raise UnknownPlugin(
            f"unknown admission plugin {', '.join(unknown)}; known are {', '.join(sorted(KNOWN_PLUGINS))}"
        )
    both = sorted(enable & disable)
    if both:
        raise UnknownPlugin(f"admission plugin {', '.join(both)} is both enabled and disabled")
    return (set(default) | enable) - disable


class Chain:
    """The plugins that are on."""

    def __init__(self, plugins: Sequence[Plugin], figures: AdmissionFigures | None = None) -> None:
        """`figures` get to know how long each takes."""
        order = {name: position for position, name in enumerate(KNOWN_PLUGINS)}
        # Others are in the place of webhooks: what a write uses is charged last, when nobody else can refuse it.
        others = order["ValidatingAdmissionWebhook"]
        self._plugins = sorted(plugins, key=lambda each: order.get(each.name, others))
        self._figures = figures or AdmissionFigures(SYSTEM_CLOCK)
        self._interested: dict[tuple[str, str, str], tuple[_Steps, _Steps]] = {}

    def _for(self, attributes: Attributes) -> "tuple[_Steps, _Steps]":
        """The mutating and the validating halves that care."""
        key = (attributes.operation, attributes.resource.bucket, attributes.subresource)
        known = self._interested.get(key)
        if known is None:
            plugins = [each for each in self._plugins if each.handles(*key)]
            mutating = [(each.name, each.mutate) for each in plugins if each.mutate]
            validating = [(each.name, each.validate) for each in plugins if each.validate]
            known = self._interested[key] = (
                _Steps(mutating, "admit", key[0], self._figures),
                _Steps(validating, "validate", key[0], self._figures),
            )
        return known

    def mutate(self, attributes: Attributes) -> Awaitable[None] | None:
        """Runs the mutating halves; gives what to wait for, if a plugin must ask somebody.

        When a plugin has asked for it, all run once more.
        """
        return self._for(attributes)[0].run(attributes)

    def validate(self, attributes: Attributes) -> Awaitable[None] | None:
        """Runs the validating halves."""
        return self._for(attributes)[1].run(attributes)


class _Steps:
    """The halves of one sort that care for one sort of writes, and what is counted of them."""

    __slots__ = ("_figures", "_halves", "_is_mutating", "_monotonic", "_timed")

    def __init__(
        self, halves: Sequence[tuple[str, Half]], sort: str, operation: str, figures: AdmissionFigures
    ) -> None:
        self._halves = [half for _, half in halves]
        self._is_mutating = sort == "admit"
        self._figures = figures
        self._monotonic = figures.monotonic
        self._timed = figures.timed([name for name, _ in halves], sort, operation)

    def run(self, attributes: Attributes) -> Awaitable[None] | None:
        """All of them, twice where somebody who changes the object wants that."""
        began = self._monotonic()
        try:
            waiting = self._round(attributes, began)
            if waiting is None and self._is_mutating and attributes.reinvocation.needed:
                attributes.reinvocation.again = True
                waiting = self._round(attributes, self._monotonic())
        except Exception:
            self._refused(None, began)
            raise
        if waiting is not None:
            return self._finish(waiting, attributes, began)
        took = self._monotonic() - began
        if took > QUICK_SECONDS:
            self._timed.whole.add(took)
        else:
            self._timed.quick_seconds += took
            self._timed.quick_times += 1
        return None

    async def _finish(self, waiting: Awaitable[None], attributes: Attributes, began: float) -> None:
        reinvocation = attributes.reinvocation
        try:
            await waiting
            if self._is_mutating and reinvocation.needed and not reinvocation.again:
                reinvocation.again = True
                second = self._round(attributes, self._monotonic())
                if second is not None:
                    await second
        except Exception:
            self._refused(None, began)
            raise
        self._timed.whole.add(self._monotonic() - began)

    def _round(self, attributes: Attributes, began: float, first: int = 0) -> Awaitable[None] | None:
        """Those from `first` on, once."""
        monotonic, seconds = self._monotonic, self._timed.seconds
        for position in range(first, len(seconds)):
            half = self._halves[position]
            try:
                waiting = half(attributes)
            except Undecided as pending:
                waiting = _decided(half, attributes, pending)
            except Exception:
                self._timed.part(first, position)
                self._refused(position, began)
                raise
            if waiting is not None:
                self._timed.part(first, position)
                return self._rest(waiting, attributes, began, position)
            now = monotonic()
            took = now - began
            if took > QUICK_SECONDS:
                self._timed.slowly(position, took)
            else:
                seconds[position] += took
            began = now
        if first == 0:
            self._timed.rounds += 1
        else:
            self._timed.part(first, len(seconds))
        return None

    async def _rest(
        self, waiting: Awaitable[None], attributes: Attributes, began: float, position: int
    ) -> None:
        try:
            await waiting
        except Exception:
            self._refused(position, began)
            raise
        now = self._monotonic()
        self._timed.slow[position].add(now - began)
        again = self._round(attributes, now, position + 1)
        if again is not None:
            await again

    def _refused(self, position: int | None, began: float) -> None:
        """Counts a refusal, by one plugin or of the whole."""
        timed = self._timed
        names = [] if position is None else [timed.names[position]]
        self._figures.refused(names, timed.half, timed.operation, self._monotonic() - began)


async def _decided(half: Half, attributes: Attributes, pending: Undecided) -> None:
    """Runs a half that somebody has to be asked for whether a user may."""
    waiting = await settled(lambda: half(attributes), pending)
    if waiting is not None:
        await waiting
