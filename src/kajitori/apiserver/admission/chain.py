"""The chain of admission plugins, and which of them are on.

Promises
    A1  plugins run in kube-apiserver's order, all mutating halves before the first validating one
    A2  a write that no plugin is interested in costs one look-up
    A3  an unknown plugin name is refused when the server starts, not ignored
    A4  when a webhook or a policy has changed the object, all mutating halves run once more, and not a third time
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

from kajitori.apiserver.authorization import Undecided, settled
from kajitori.apiserver.registry.call import Attributes

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

    def __init__(self, plugins: Sequence[Plugin]) -> None:
        order = {name: position for position, name in enumerate(KNOWN_PLUGINS)}
        # Others are in the place of webhooks: what a write uses is charged last, when nobody else can refuse it.
        others = order["ValidatingAdmissionWebhook"]
        self._plugins = sorted(plugins, key=lambda each: order.get(each.name, others))
        self._interested: dict[tuple[str, str, str], tuple[Sequence[Half], Sequence[Half]]] = {}

    def _for(self, attributes: Attributes) -> tuple[Sequence[Half], Sequence[Half]]:
        """The mutating and the validating halves that care."""
        key = (attributes.operation, attributes.resource.bucket, attributes.subresource)
        known = self._interested.get(key)
        if known is None:
            plugins = [each for each in self._plugins if each.handles(*key)]
            known = self._interested[key] = (
                [each.mutate for each in plugins if each.mutate],
                [each.validate for each in plugins if each.validate],
            )
        return known

    def mutate(self, attributes: Attributes) -> Awaitable[None] | None:
        """Runs the mutating halves; gives what to wait for, if a plugin must ask somebody.

        When a plugin has asked for it, all run once more.
        """
        steps = self._for(attributes)[0]
        waiting = _run(steps, attributes)
        if waiting is not None:
            return _rounds(waiting, steps, attributes)
        if attributes.reinvocation.needed:
            attributes.reinvocation.again = True
            return _run(steps, attributes)
        return None

    def validate(self, attributes: Attributes) -> Awaitable[None] | None:
        """Runs the validating halves."""
        return _run(self._for(attributes)[1], attributes)


def _run(steps: Sequence[Half], attributes: Attributes) -> Awaitable[None] | None:
    for position, step in enumerate(steps):
        try:
            waiting = step(attributes)
        except Undecided as pending:
            waiting = _decided(step, attributes, pending)
        if waiting is not None:
            return _rest(waiting, steps[position + 1 :], attributes)
    return None


async def _decided(step: Half, attributes: Attributes, pending: Undecided) -> None:
    """Runs a step that somebody has to be asked for whether a user may."""
    waiting = await settled(lambda: step(attributes), pending)
    if waiting is not None:
        await waiting


async def _rounds(waiting: Awaitable[None], steps: Sequence[Half], attributes: Attributes) -> None:
    await waiting
    reinvocation = attributes.reinvocation
    if reinvocation.needed:
        reinvocation.again = True
        second = _run(steps, attributes)
        if second is not None:
            await second


async def _rest(
    waiting: Awaitable[None],
    steps: Sequence[Half],
    attributes: Attributes,
) -> None:
    await waiting
    again = _run(steps, attributes)
    if again is not None:
        await again
