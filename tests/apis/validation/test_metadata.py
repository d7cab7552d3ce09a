"""Metadata as the rules of each kind judge it: how often is told what is wrong."""

from typing import Any

import pytest

from kajitori.apimachinery.validation import name_is_dns_subdomain
from kajitori.apis.resources import find_resource
from kajitori.apis.validation import changed_metadata, judges_new, new_metadata

SOUND = {"name": "a", "namespace": "n", "uid": "u", "resourceVersion": "1"}


def told(group: str, plural: str, changes: dict[str, Any], subresource: str = "") -> int:
    """How many complaints there are about a change."""
    info = find_resource(group, "v1", plural)
    assert info is not None
    kind = info.kind
    old = {name: value for name, value in SOUND.items() if kind.namespaced or name != "namespace"}
    errors = changed_metadata(
        kind,
        {**old, **changes},
        old,
        subresource,
        name=name_is_dns_subdomain,
        is_sound="labels" not in changes,
    )
    return len(errors)


LABELS = {"labels": {"-": "a"}}
GENERATED = {"generateName": "-"}
FINALIZER = {"finalizers": ["x"]}


@pytest.mark.parametrize(
    ("group", "plural", "counts"),
    [
        # Bad labels, a bad generateName, a finalizer without a domain.
        ("", "configmaps", (2, 1, 2)),
        ("", "services", (1, 0, 1)),
        ("apps", "deployments", (1, 0, 1)),
        ("", "limitranges", (1, 1, 1)),
        ("", "events", (0, 0, 0)),
        ("policy", "poddisruptionbudgets", (0, 0, 0)),
        ("", "persistentvolumes", (2, 2, 2)),
        ("coordination.k8s.io", "leases", (1, 0, 0)),
        ("admissionregistration.k8s.io", "validatingadmissionpolicies", (1, 1, 0)),
    ],
)
def test_updates(group: str, plural: str, counts: tuple[int, int, int]) -> None:  # V4, V5
    assert tuple(told(group, plural, each) for each in (LABELS, GENERATED, FINALIZER)) == counts


@pytest.mark.parametrize(
    ("group", "plural", "counts"),
    [
        ("", "pods", (1, 0, 1)),
        ("batch", "cronjobs", (0, 0, 0)),
        ("certificates.k8s.io", "certificatesigningrequests", (2, 1, 2)),
    ],
)
def test_updates_of_the_status(group: str, plural: str, counts: tuple[int, int, int]) -> None:  # V4, V5
    assert tuple(told(group, plural, each, "status") for each in (LABELS, GENERATED, FINALIZER)) == counts


def test_new_objects() -> None:  # V4
    secrets, events = find_resource("", "v1", "secrets"), find_resource("", "v1", "events")
    assert secrets is not None and events is not None
    assert judges_new(secrets.kind) and not judges_new(events.kind)
    errors = new_metadata(secrets.kind, {**SOUND, **FINALIZER, **GENERATED}, name_is_dns_subdomain)
    assert [each.path for each in errors] == ["metadata.generateName", "metadata.finalizers[0]"]
