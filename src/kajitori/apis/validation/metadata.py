"""Metadata as the rules of each kind judge it, besides what is asked of all kinds.

Kubernetes looks at metadata twice: once for all kinds alike, and again in the kind's own rules, of which some ask what
is asked of new objects, some what is asked of changes, some both and some nothing. Complaints are told as often as they
are found.

Promises
    V4  what is wrong with metadata is told as often as Kubernetes tells it
    V5  names are judged again only by kinds that ask of changes what they ask of new objects

Source: the calls of ValidateObjectMeta and ValidateObjectMetaUpdate in pkg/apis/*/validation.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.validation import (
    NameValidator,
    validate_names,
    validate_object_meta,
    validate_object_meta_update,
)

__all__ = ["changed_metadata", "judges_new", "new_metadata"]

_NEW = "new"
_CHANGE = "change"
_STANDARD_FINALIZERS = ("foregroundDeletion", "kubernetes", "orphan")
_JUDGED_BY_OTHERS = ("admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io")
"""Groups whose finalizers may have any name."""
_ANY_FINALIZER = ("coordination.k8s.io/leases", "node.k8s.io/runtimeclasses")

_SILENT = frozenset({"/events", "policy/poddisruptionbudgets"})
"""Kinds whose rules ask nothing of metadata."""
_OF_UPDATES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_SILENT, ()),
    **dict.fromkeys(
        (
            "/podtemplates",
            "/replicationcontrollers",
            "/resourcequotas",
            "/services",
            "apps/daemonsets",
            "apps/deployments",
            "apps/replicasets",
            "apps/statefulsets",
            "autoscaling/horizontalpodautoscalers",
            "batch/cronjobs",
            "coordination.k8s.io/leases",
            "events.k8s.io/events",
            "networking.k8s.io/networkpolicies",
            "resource.k8s.io/resourceslices",
            "scheduling.k8s.io/priorityclasses",
            "storage.k8s.io/csidrivers",
        ),
        (_CHANGE,),
    ),
    **dict.fromkeys(
        (
            "/limitranges",
            "admissionregistration.k8s.io/mutatingadmissionpolicies",
            "admissionregistration.k8s.io/mutatingadmissionpolicybindings",
            "admissionregistration.k8s.io/mutatingwebhookconfigurations",
            "admissionregistration.k8s.io/validatingadmissionpolicies",
            "admissionregistration.k8s.io/validatingadmissionpolicybindings",
            "admissionregistration.k8s.io/validatingwebhookconfigurations",
            "discovery.k8s.io/endpointslices",
            "flowcontrol.apiserver.k8s.io/flowschemas",
            "flowcontrol.apiserver.k8s.io/prioritylevelconfigurations",
            "storage.k8s.io/csinodes",
            "storage.k8s.io/volumeattachments",
        ),
        (_NEW,),
    ),
    "/persistentvolumes": (_NEW, _NEW),
}
"""What an update is asked, where it is not both."""
_OF_STATUS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_SILENT, ()),
    "admissionregistration.k8s.io/validatingadmissionpolicies": (),
    "batch/cronjobs": (),
    "certificates.k8s.io/certificatesigningrequests": (_CHANGE, _NEW),
    "storage.k8s.io/volumeattachments": (),
}
"""What an update of the status is asked, where that is not what is asked of changes."""


def judges_new(kind: Kind) -> bool:
    """Whether the kind's own rules look at the metadata of new objects."""
    return f"{kind.group}/{kind.plural}" not in _SILENT


def new_metadata(kind: Kind, metadata: Mapping[str, Any], name: NameValidator) -> list[FieldError]:
    """What the rules of a built-in kind find wrong with the metadata of a new object."""
    errors = validate_object_meta(metadata, namespaced=kind.namespaced, name=name)
    return errors + _finalizer_errors(kind, metadata)


def changed_metadata(
    kind: Kind,
    new: Mapping[str, Any],
    old: Mapping[str, Any],
    subresource: str,
    *,
    name: NameValidator,
    is_sound: bool,
) -> list[FieldError]:
    """What the rules of a built-in kind find wrong with changed metadata.

    `is_sound` says that what is asked of all kinds was answered well: only names and finalizers are looked at then.
    """
    key = f"{kind.group}/{kind.plural}"
    asked = _OF_STATUS.get(key, (_CHANGE,)) if subresource else _OF_UPDATES.get(key, (_CHANGE, _NEW))
    errors: list[FieldError] = []
    for each in asked:
        if each == _NEW:
            errors += (
                validate_names(new, name)
                if is_sound
                else validate_object_meta(new, namespaced=kind.namespaced, name=name)
            )
        elif not is_sound:
            errors += validate_object_meta_update(new, old)
        errors += _finalizer_errors(kind, new)
    return errors


def _finalizer_errors(kind: Kind, metadata: Mapping[str, Any]) -> list[FieldError]:
    """Names without a domain are Kubernetes' own."""
    finalizers: Sequence[str] = metadata.get("finalizers") or ()
    if not finalizers or kind.group in _JUDGED_BY_OTHERS or f"{kind.group}/{kind.plural}" in _ANY_FINALIZER:
        return []
    told = "name is neither a standard finalizer name nor is it fully qualified"
    return [
        FieldError.invalid(f"metadata.finalizers[{index}]", each, told)
        for index, each in enumerate(finalizers)
        if "/" not in each and each not in _STANDARD_FINALIZERS
    ]
