"""Which admission plugins are on, and what each of them is given.

A plugin is imported when it is on: most are about things that most clusters never see.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

from kajitori.apiserver.admission import exempt
from kajitori.apiserver.admission.chain import (
    KNOWN_PLUGINS,
    Chain,
    ConfigurationError,
    Half,
    Plugin,
    enabled_plugins,
)
from kajitori.apiserver.admission.deferred import Deferred
from kajitori.apiserver.admission.escalation import PrivilegeEscalation
from kajitori.apiserver.admission.figures import AdmissionFigures
from kajitori.apiserver.admission.guardrails.plugin import Guardrails
from kajitori.apiserver.authorization import Authorizer
from kajitori.apiserver.catalog import Catalog
from kajitori.apiserver.registry.registry import Registry
from kajitori.apiserver.registry.resource import Resource
from kajitori.cluster.options import ClusterOptions
from kajitori.storage import Store
from kajitori.world.clock import Clock
from kajitori.world.random import Random

if TYPE_CHECKING:
    from kajitori.apiserver.admission.manifests import Directories, ManifestDirectory
    from kajitori.apiserver.webhooks import WebhookCaller
    from kajitori.cluster.localwebhooks import LocalWebhooks
    from kajitori.cluster.outgoing import KubeconfigWebhook
    from kajitori.cluster.plugin_files import PluginFiles

__all__ = ["DEFAULT_PLUGINS", "Grounds", "admission_chain"]

IMAGE_REVIEW_SECONDS = 30.0
"""How long the image policy webhook may take, as in kube-apiserver."""

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
    "PodGroupProtection",
    "PersistentVolumeClaimResize",
    "RuntimeClass",
    "CertificateApproval",
    "CertificateSigning",
    "ClusterTrustBundleAttest",
    "CertificateSubjectRestriction",
    "DefaultIngressClass",
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
)
"""On unless somebody says otherwise, as in kube-apiserver."""


_WITH_FILES = (
    "MutatingAdmissionPolicy",
    "MutatingAdmissionWebhook",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionWebhook",
)
"""The plugins that may be told of files."""


@dataclass(frozen=True)
class Grounds:
    """What plugins decide on."""

    store: Store
    options: ClusterOptions
    authorizer: Authorizer
    registry: Callable[[], Registry]
    """There from the first request on."""
    catalog: Callable[[], Catalog]
    """There from the first request on, too."""
    clock: Clock
    random: Random
    local: "LocalWebhooks | None" = None
    """Webhooks that are answered in this process."""
    outgoing: "list[KubeconfigWebhook]" = field(default_factory=list)
    """Who is asked over connections that are kept."""

    def found(self, plural: str) -> Resource:
        """A resource of the core group."""
        found = self.catalog().find("", "v1", plural)
        assert found is not None, plural
        return found

    def quotas(self) -> Resource:
        return self.found("resourcequotas")

    def resources(self) -> Iterable[Resource]:
        """All that are served now."""
        return self.catalog().all()

    @cached_property
    def figures(self) -> AdmissionFigures:
        """What is counted."""
        return AdmissionFigures(self.clock)

    @cached_property
    def configurations(self) -> Mapping[str, Any]:
        """What plugins are told by the configuration file. Raises: ConfigurationError."""
        path = self.options.admission_control_config_file
        if path is None:
            return {}
        from kajitori.apiserver.admission.configuration import read_configurations

        return read_configurations(path, KNOWN_PLUGINS)

    @cached_property
    def on(self) -> frozenset[str]:
        """The names of the plugins that are on. Raises: UnknownPlugin."""
        options = self.options
        # Without the controller that makes them, no Pod would find its service account.
        accounts = options.runs("serviceaccount-controller")
        default = [name for name in DEFAULT_PLUGINS if accounts or name != "ServiceAccount"]
        return frozenset(
            enabled_plugins(default, options.enable_admission_plugins, options.disable_admission_plugins)
        )

    @cached_property
    def files(self) -> "PluginFiles | None":
        """What webhooks and policies are told by files; None where there are none. Raises: ConfigurationError."""
        flagged = self.options.admission_manifest_dir
        if flagged is None and not any(name in _WITH_FILES for name in self.configurations):
            return None
        from kajitori.cluster.plugin_files import plugin_files

        able = self.on & _PLUGINS.keys()
        return plugin_files(flagged, self.configurations, able, self.catalog().find, self.clock)

    @property
    def directories(self) -> "Directories | None":
        """Where webhooks and policies lie in files; None where they do not. Raises: ConfigurationError."""
        return None if self.files is None else self.files.directories or None

    def manifests(self, plugin: str) -> "ManifestDirectory | None":
        """Those of one plugin."""
        return None if self.directories is None else self.directories.of(plugin)

    def caller(self, plugin: str) -> "WebhookCaller":
        """Who calls the webhooks of a plugin."""
        from kajitori.apiserver.webhooks import WebhookCaller

        users = None if self.files is None else self.files.users.get(plugin)
        return WebhookCaller(self.store, users, {} if self.local is None else self.local)


def _of(module: str, plugin: str, *parts: Callable[[Grounds], Any]) -> Callable[[Grounds], Plugin]:
    """What makes a plugin of a module of `apiserver.admission`, which is imported only then."""

    def make(grounds: Grounds) -> Plugin:
        found = getattr(import_module(f"kajitori.apiserver.admission.{module}"), plugin)
        made: Plugin = found(*(part(grounds) for part in parts))
        return made

    return make


def _configured(name: str) -> Callable[[Grounds], Any]:
    return lambda grounds: grounds.configurations.get(name)


def _store(grounds: Grounds) -> Store:
    return grounds.store


def _clock(grounds: Grounds) -> Clock:
    return grounds.clock


def _authorizer(grounds: Grounds) -> Authorizer:
    return grounds.authorizer


def _suffix(grounds: Grounds) -> Callable[[], str]:
    return grounds.random.name_suffix


def _ledger(grounds: Grounds) -> Any:
    from kajitori.apiserver.admission.ledger import Ledger

    return Ledger(grounds.store, grounds.registry, grounds.quotas)


def _provide(grounds: Grounds) -> Any:
    from kajitori.apiserver.admission.namespaces import provider

    return provider(grounds.registry, lambda: grounds.found("namespaces"))


def _gated(name: str) -> Callable[[Grounds], Plugin]:
    """A plugin behind a feature gate that Kubernetes 1.36 has closed."""
    return _of("everything", "Gated", lambda grounds: name)


def _image_policy(grounds: Grounds) -> Plugin:
    from kajitori.apiserver.admission.images import ImagePolicyWebhook, image_settings
    from kajitori.client.config import ConfigError
    from kajitori.cluster.outgoing import KubeconfigWebhook

    settings = image_settings(grounds.configurations.get("ImagePolicyWebhook"))
    try:
        asked = KubeconfigWebhook(settings.kubeconfig, IMAGE_REVIEW_SECONDS, clock=grounds.clock)
    except ConfigError as error:
        raise ConfigurationError(f"ImagePolicyWebhook: {error}") from None
    grounds.outgoing.append(asked)
    return ImagePolicyWebhook(settings, asked.post, grounds.clock)


def _deferred(
    name: str, bucket: str, exempted: frozenset[str], make: Callable[[Grounds], Half], *, mutating: bool
) -> Callable[[Grounds], Plugin]:
    """A plugin that is made when something in the bucket needs it, or at once when it has manifests.

    `exempted` is what those of the API are not asked about.
    """

    def plugin(grounds: Grounds) -> Plugin:
        from_files = grounds.manifests(name) is not None
        return Deferred(
            name,
            grounds.store,
            f"admissionregistration.k8s.io/{bucket}",
            lambda: make(grounds),
            mutating=mutating,
            exempt=exempted - exempt.WEBHOOKS if from_files else exempted,
            needed=from_files,
        )

    return plugin


def _mutating_webhooks(grounds: Grounds) -> Half:
    from kajitori.apiserver.admission.webhooks import MutatingWebhooks

    name = "MutatingAdmissionWebhook"
    return MutatingWebhooks(
        grounds.store,
        grounds.registry,
        grounds.caller(name),
        grounds.authorizer,
        grounds.figures,
        grounds.manifests(name),
    ).mutate


def _mutating_policies(grounds: Grounds) -> Half:
    from kajitori.apiserver.admission.policies.mutating import MutatingPolicies

    manifests = grounds.manifests("MutatingAdmissionPolicy")
    return MutatingPolicies(
        grounds.store, grounds.registry, grounds.authorizer, grounds.figures, manifests
    ).mutate


def _validating_webhooks(grounds: Grounds) -> Half:
    from kajitori.apiserver.admission.webhooks import ValidatingWebhooks

    name = "ValidatingAdmissionWebhook"
    return ValidatingWebhooks(
        grounds.store,
        grounds.registry,
        grounds.caller(name),
        grounds.authorizer,
        grounds.figures,
        grounds.manifests(name),
    ).validate


def _validating_policies(grounds: Grounds) -> Half:
    from kajitori.apiserver.admission.policies.validating import ValidatingPolicies

    manifests = grounds.manifests("ValidatingAdmissionPolicy")
    return ValidatingPolicies(
        grounds.store, grounds.registry, grounds.authorizer, grounds.figures, manifests
    ).validate


_PLUGINS: Mapping[str, Callable[[Grounds], Plugin]] = {
    "AlwaysAdmit": _of("everything", "AlwaysAdmit"),
    "NamespaceAutoProvision": _of("namespaces", "NamespaceAutoProvision", _store, _provide),
    "NamespaceLifecycle": _of("namespaces", "NamespaceLifecycle", _store),
    "NamespaceExists": _of("namespaces", "NamespaceExists", _store),
    "LimitPodHardAntiAffinityTopology": _of("placement", "LimitPodHardAntiAffinityTopology"),
    "LimitRanger": _of("limits", "LimitRanger", _store),
    "ServiceAccount": _of("pods", "ServiceAccount", _store, _suffix),
    "NodeRestriction": _of("noderestriction", "NodeRestriction", _store, _authorizer),
    "TaintNodesByCondition": _of("nodes", "TaintNodesByCondition"),
    "AlwaysPullImages": _of("placement", "AlwaysPullImages"),
    "ImagePolicyWebhook": _image_policy,
    "PodSecurity": _of("podsecurity", "PodSecurity", _store, _clock, _configured("PodSecurity")),
    "PodNodeSelector": _of("placement", "PodNodeSelector", _store, _configured("PodNodeSelector")),
    "Priority": _of("pods", "Priority", _store),
    "DefaultTolerationSeconds": _of("pods", "DefaultTolerationSeconds"),
    "PodTolerationRestriction": _of(
        "tolerations", "PodTolerationRestriction", _store, _configured("PodTolerationRestriction")
    ),
    "EventRateLimit": _of("events", "EventRateLimit", _clock, _configured("EventRateLimit")),
    "ExtendedResourceToleration": _of("placement", "ExtendedResourceToleration"),
    "DefaultStorageClass": _of("volumes", "DefaultStorageClass", _store),
    "StorageObjectInUseProtection": _of("volumes", "StorageObjectInUseProtection"),
    "PodGroupProtection": _gated("PodGroupProtection"),
    "OwnerReferencesPermissionEnforcement": _of(
        "owners", "OwnerReferencesPermissionEnforcement", _authorizer, lambda grounds: grounds.resources
    ),
    "PersistentVolumeClaimResize": _of("volumes", "PersistentVolumeClaimResize", _store),
    "RuntimeClass": _of("runtimes", "RuntimeClass", _store),
    "CertificateApproval": _of("certificates", "CertificateApproval", _authorizer),
    "CertificateSigning": _of("certificates", "CertificateSigning", _authorizer),
    "ClusterTrustBundleAttest": _of("certificates", "ClusterTrustBundleAttest", _authorizer),
    "CertificateSubjectRestriction": _of("certificates", "CertificateSubjectRestriction"),
    "DefaultIngressClass": _of("ingresses", "DefaultIngressClass", _store),
    "DenyServiceExternalIPs": _of("services", "DenyServiceExternalIPs"),
    "PodTopologyLabels": _of("placement", "PodTopologyLabels", _store),
    "PodGroupWorkloadExists": _gated("PodGroupWorkloadExists"),
    "NodeDeclaredFeatureValidator": _of("nodefeatures", "NodeDeclaredFeatureValidator", _store),
    "JobValidation": _gated("JobValidation"),
    "PodResizeValidator": _of("resizes", "PodResizeValidator", _store),
    "MutatingAdmissionPolicy": _deferred(
        "MutatingAdmissionPolicy",
        "mutatingadmissionpolicybindings",
        exempt.POLICIES | exempt.REVIEWS,
        _mutating_policies,
        mutating=True,
    ),
    "ValidatingAdmissionPolicy": _deferred(
        "ValidatingAdmissionPolicy",
        "validatingadmissionpolicybindings",
        exempt.POLICIES | exempt.REVIEWS,
        _validating_policies,
        mutating=False,
    ),
    "MutatingAdmissionWebhook": _deferred(
        "MutatingAdmissionWebhook",
        "mutatingwebhookconfigurations",
        exempt.WEBHOOKS,
        _mutating_webhooks,
        mutating=True,
    ),
    "ValidatingAdmissionWebhook": _deferred(
        "ValidatingAdmissionWebhook",
        "validatingwebhookconfigurations",
        exempt.WEBHOOKS,
        _validating_webhooks,
        mutating=False,
    ),
    "ResourceQuota": _of("quotas", "ResourceQuota", _store, _ledger, _clock, _configured("ResourceQuota")),
    "AlwaysDeny": _of("everything", "AlwaysDeny"),
}


def admission_chain(grounds: Grounds, plugins: Sequence[Plugin]) -> Chain:
    """The plugins that are on, those that nobody can turn off, and the operators' own, `plugins`.

    Raises: UnknownPlugin, ConfigurationError.
    """
    known = [make(grounds) for name, make in _PLUGINS.items() if name in grounds.on]
    guardrails = Guardrails(
        grounds.store, grounds.registry, grounds.resources, grounds.authorizer, grounds.clock
    )
    unnamed = PrivilegeEscalation(grounds.authorizer)
    return Chain([*known, unnamed, guardrails, *plugins], grounds.figures)
