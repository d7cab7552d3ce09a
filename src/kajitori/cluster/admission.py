"""Which admission plugins are on, and what each of them is given.

A plugin is imported when it is on: most are about things that most clusters never see.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from kajitori.apiserver.admission.chain import KNOWN_PLUGINS, Chain, Plugin, enabled_plugins
from kajitori.apiserver.admission.deferred import Deferred
from kajitori.apiserver.admission.escalation import PrivilegeEscalation
from kajitori.apiserver.authorization import Authorizer
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.registry.resource import Resource
from kajitori.cluster.options import ClusterOptions
from kajitori.storage import Store
from kajitori.world.clock import Clock
from kajitori.world.random import Random

if TYPE_CHECKING:
    from kajitori.apiserver.webhooks import WebhookCaller

__all__ = ["DEFAULT_PLUGINS", "Grounds", "admission_chain"]

_log = logging.getLogger(__name__)

DEFAULT_PLUGINS = (
    "NamespaceLifecycle",
    "LimitRanger",
    "ServiceAccount",
    "TaintNodesByCondition",
    "PodSecurity",
    "Priority",
    "DefaultTolerationSeconds",
    "DefaultStorageClass",
    "StorageObjectInUseProtection",
    "PersistentVolumeClaimResize",
    "RuntimeClass",
    "DefaultIngressClass",
    "PodResizeValidator",
    "MutatingAdmissionWebhook",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionWebhook",
    "ResourceQuota",
)
"""On unless somebody says otherwise, as in kube-apiserver."""


@dataclass(frozen=True)
class Grounds:
    """What plugins decide on."""

    store: Store
    options: ClusterOptions
    authorizer: Authorizer
    registry: Callable[[], Registry]
    """There from the first request on."""
    find: Callable[[str, str, str], Resource | None]
    """The resource of a group, version and name; there from the first request on."""
    clock: Clock
    random: Random

    def quotas(self) -> Resource:
        """The resource of the quotas."""
        found = self.find("", "v1", "resourcequotas")
        assert found is not None, "a built-in kind"
        return found

    @cached_property
    def webhooks(self) -> "WebhookCaller":
        """Who calls them."""
        from kajitori.apiserver.webhooks import WebhookCaller

        return WebhookCaller(self.store)

    @cached_property
    def configurations(self) -> Mapping[str, Any]:
        """What plugins are told by the configuration file. Raises: ConfigurationError."""
        path = self.options.admission_control_config_file
        if path is None:
            return {}
        from kajitori.apiserver.admission.configuration import read_configurations

        return read_configurations(path, KNOWN_PLUGINS)


def _namespace_lifecycle(grounds: Grounds) -> Plugin:
    from kajitori.apiserver.admission.namespaces import NamespaceLifecycle

    return NamespaceLifecycle(grounds.store)


def _limit_ranger(grounds: Grounds) -> Plugin:
    from kajitori.apiserver.admission.limits import LimitRanger

    return LimitRanger(grounds.store)


def _service_account(grounds: Grounds) -> Plugin:
    from kajitori.apiserver.admission.pods import ServiceAccount

    return ServiceAccount(grounds.store, grounds.random.name_suffix)


def _taint_nodes(grounds: Grounds) -> Plugin:
    from kajitori.apiserver.admission.nodes import TaintNodesByCondition

    return TaintNodesByCondition()


def _pod_security(grounds: Grounds) -> Plugin:
    from kajitori.apiserver.admission.podsecurity import PodSecurity

    return PodSecurity(grounds.store, grounds.clock, grounds.configurations.get("PodSecurity"))


def _priority(grounds: Grounds) -> Plugin:
    from kajitori.apiserver.admission.pods import Priority

    return Priority(grounds.store)


def _toleration_seconds(grounds: Grounds) -> Plugin:
    from kajitori.apiserver.admission.pods import DefaultTolerationSeconds

    return DefaultTolerationSeconds()


def _storage_class(grounds: Grounds) -> Plugin:
    from kajitori.apiserver.admission.volumes import DefaultStorageClass

    return DefaultStorageClass(grounds.store)


def _storage_in_use(grounds: Grounds) -> Plugin:
    from kajitori.apiserver.admission.volumes import StorageObjectInUseProtection

    return StorageObjectInUseProtection()


def _claim_resize(grounds: Grounds) -> Plugin:
    from kajitori.apiserver.admission.volumes import PersistentVolumeClaimResize

    return PersistentVolumeClaimResize(grounds.store)


def _runtime_class(grounds: Grounds) -> Plugin:
    from kajitori.apiserver.admission.runtimes import RuntimeClass

    return RuntimeClass(grounds.store)


def _ingress_class(grounds: Grounds) -> Plugin:
    from kajitori.apiserver.admission.ingresses import DefaultIngressClass

    return DefaultIngressClass(grounds.store)


def _pod_resize(grounds: Grounds) -> Plugin:
    from kajitori.apiserver.admission.resizes import PodResizeValidator

    return PodResizeValidator(grounds.store)


def _resource_quota(grounds: Grounds) -> Plugin:
    from kajitori.apiserver.admission.ledger import Ledger
    from kajitori.apiserver.admission.quotas import ResourceQuota

    ledger = Ledger(grounds.store, grounds.registry, grounds.quotas)
    return ResourceQuota(grounds.store, ledger, grounds.clock, grounds.configurations.get("ResourceQuota"))


def _mutating_webhooks(grounds: Grounds) -> Plugin:
    def make() -> Plugin:
        from kajitori.apiserver.admission.webhooks import MutatingAdmissionWebhook

        return MutatingAdmissionWebhook(grounds.store, grounds.registry, grounds.webhooks, grounds.authorizer)

    bucket = "admissionregistration.k8s.io/mutatingwebhookconfigurations"
    return Deferred("MutatingAdmissionWebhook", grounds.store, bucket, make, mutating=True)


def _validating_webhooks(grounds: Grounds) -> Plugin:
    def make() -> Plugin:
        from kajitori.apiserver.admission.webhooks import ValidatingAdmissionWebhook

        return ValidatingAdmissionWebhook(
            grounds.store, grounds.registry, grounds.webhooks, grounds.authorizer
        )

    bucket = "admissionregistration.k8s.io/validatingwebhookconfigurations"
    return Deferred("ValidatingAdmissionWebhook", grounds.store, bucket, make, mutating=False)


def _validating_policies(grounds: Grounds) -> Plugin:
    def make() -> Plugin:
        from kajitori.apiserver.admission.policies.validating import ValidatingAdmissionPolicy

        return ValidatingAdmissionPolicy(grounds.store, grounds.registry, grounds.authorizer)

    bucket = "admissionregistration.k8s.io/validatingadmissionpolicybindings"
    return Deferred("ValidatingAdmissionPolicy", grounds.store, bucket, make, mutating=False)


_PLUGINS: Mapping[str, Callable[[Grounds], Plugin]] = {
    "NamespaceLifecycle": _namespace_lifecycle,
    "LimitRanger": _limit_ranger,
    "ServiceAccount": _service_account,
    "TaintNodesByCondition": _taint_nodes,
    "PodSecurity": _pod_security,
    "Priority": _priority,
    "DefaultTolerationSeconds": _toleration_seconds,
    "DefaultStorageClass": _storage_class,
    "StorageObjectInUseProtection": _storage_in_use,
    "PersistentVolumeClaimResize": _claim_resize,
    "RuntimeClass": _runtime_class,
    "DefaultIngressClass": _ingress_class,
    "PodResizeValidator": _pod_resize,
    "ResourceQuota": _resource_quota,
    "ValidatingAdmissionPolicy": _validating_policies,
    "MutatingAdmissionWebhook": _mutating_webhooks,
    "ValidatingAdmissionWebhook": _validating_webhooks,
}


def admission_chain(grounds: Grounds, plugins: Sequence[Plugin]) -> Chain:
    """The plugins that are on, those that nobody can turn off, and the operators' own, `plugins`.

    Raises: UnknownPlugin, ConfigurationError.
    """
    options = grounds.options
    # Without the controller that makes them, no Pod would find its service account.
    accounts = options.runs("serviceaccount-controller")
    default = [name for name in DEFAULT_PLUGINS if accounts or name != "ServiceAccount"]
    on = enabled_plugins(default, options.enable_admission_plugins, options.disable_admission_plugins)
    idle = sorted(on - _PLUGINS.keys())
    if idle:
        _log.warning("admission plugins that do nothing here yet: %s", ", ".join(idle))
    known = [make(grounds) for name, make in _PLUGINS.items() if name in on]
    return Chain([*known, PrivilegeEscalation(grounds.authorizer), *plugins])
