"""Kubernetes' own controllers, on our runtime: they know the cluster through a client only, and run on any.

Source: Kubernetes' kube-controller-manager.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kajitori.controllers.means import Means

if TYPE_CHECKING:
    from kajitori.ctrl import Manager

__all__ = ["CONTROLLERS", "ControllerProgram", "Means", "setup"]


@dataclass(frozen=True, slots=True)
class ControllerProgram:
    """One controller, before it is added to a manager."""

    title: str
    """What people call it; two halves of one thing share one."""
    setup: "Callable[[Manager, Means], object]"
    """Adds it to a manager."""


def _namespaces(manager: "Manager", means: Means) -> None:
    from kajitori.controllers import namespaces

    namespaces.setup(manager)


def _service_accounts(manager: "Manager", means: Means) -> None:
    from kajitori.controllers import serviceaccounts

    serviceaccounts.setup_accounts(manager)


def _root_certificates(manager: "Manager", means: Means) -> None:
    from kajitori.controllers import serviceaccounts

    serviceaccounts.setup_root_certificates(manager, means.ca)


def _garbage(manager: "Manager", means: Means) -> None:
    from kajitori.controllers import garbage

    garbage.setup(manager)


def _stateful_sets(manager: "Manager", means: Means) -> None:
    from kajitori.controllers import statefulset

    statefulset.setup(manager)


def _disruption(manager: "Manager", means: Means) -> None:
    from kajitori.controllers import disruption

    disruption.setup(manager)


def _claim_protection(manager: "Manager", means: Means) -> None:
    from kajitori.controllers import protection

    protection.setup_claims(manager)


def _volume_protection(manager: "Manager", means: Means) -> None:
    from kajitori.controllers import protection

    protection.setup_volumes(manager)


def _class_protection(manager: "Manager", means: Means) -> None:
    from kajitori.controllers import protection

    protection.setup_classes(manager)


def _cluster_roles(manager: "Manager", means: Means) -> None:
    from kajitori.controllers import clusterroles

    clusterroles.setup(manager)


def _quotas(manager: "Manager", means: Means) -> None:
    from kajitori.controllers import quotas

    quotas.setup(manager)


def _signing(manager: "Manager", means: Means) -> None:
    from kajitori.controllers import certificates

    if means.authority is not None:
        certificates.setup_signing(manager, means.authority)


def _approving(manager: "Manager", means: Means) -> None:
    from kajitori.controllers import certificates

    certificates.setup_approving(manager)


def _cleaning(manager: "Manager", means: Means) -> None:
    from kajitori.controllers import certificates

    certificates.setup_cleaning(manager)


def _policy_status(manager: "Manager", means: Means) -> None:
    from kajitori.controllers import policystatus

    policystatus.setup(manager)


def _kept_tokens(manager: "Manager", means: Means) -> None:
    from kajitori.controllers import tokens

    if means.sign_token is not None:
        tokens.setup(manager, sign=means.sign_token, ca=means.ca)


def _old_tokens(manager: "Manager", means: Means) -> None:
    from kajitori.controllers import oldtokens

    oldtokens.setup(manager)


def _token_cleaner(manager: "Manager", means: Means) -> None:
    from kajitori.controllers import bootstraptokens

    bootstraptokens.setup_cleaner(manager)


def _bootstrap_signer(manager: "Manager", means: Means) -> None:
    from kajitori.controllers import bootstraptokens

    bootstraptokens.setup_signer(manager)


CONTROLLERS: Mapping[str, ControllerProgram] = {
    "namespace-controller": ControllerProgram("namespaces", _namespaces),
    "serviceaccount-controller": ControllerProgram("service accounts", _service_accounts),
    "serviceaccount-token-controller": ControllerProgram("service accounts", _kept_tokens),
    "root-ca-certificate-publisher-controller": ControllerProgram("service accounts", _root_certificates),
    "resourcequota-controller": ControllerProgram("quotas", _quotas),
    "garbage-collector-controller": ControllerProgram("garbage collector", _garbage),
    "statefulset-controller": ControllerProgram("statefulsets", _stateful_sets),
    "disruption-controller": ControllerProgram("disruption budgets", _disruption),
    "persistentvolumeclaim-protection-controller": ControllerProgram("volume protection", _claim_protection),
    "persistentvolume-protection-controller": ControllerProgram("volume protection", _volume_protection),
    "volumeattributesclass-protection-controller": ControllerProgram("volume protection", _class_protection),
    "clusterrole-aggregation-controller": ControllerProgram("role aggregation", _cluster_roles),
    "certificatesigningrequest-signing-controller": ControllerProgram("certificates", _signing),
    "certificatesigningrequest-approving-controller": ControllerProgram("certificates", _approving),
    "certificatesigningrequest-cleaner-controller": ControllerProgram("certificates", _cleaning),
    "legacy-serviceaccount-token-cleaner-controller": ControllerProgram("service accounts", _old_tokens),
    "token-cleaner-controller": ControllerProgram("bootstrap tokens", _token_cleaner),
    "bootstrap-signer-controller": ControllerProgram("bootstrap tokens", _bootstrap_signer),
    "validatingadmissionpolicy-status-controller": ControllerProgram("type checking", _policy_status),
}
"""By the names that kube-controller-manager's `--controllers` knows, in the order in which they start."""


def setup(manager: "Manager", means: Means, *, only: Collection[str] | None = None) -> list[str]:
    """Adds the controllers to a manager, all or those named in `only`; gives their titles."""
    chosen = [program for name, program in CONTROLLERS.items() if only is None or name in only]
    for program in chosen:
        program.setup(manager, means)
    return list(dict.fromkeys(program.title for program in chosen))
