"""What the tests of controllers share: an API server under virtual time, and small objects."""

import logging
import os
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime
from typing import Any

from hypothesis import settings

from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.testing import TestEnv, VirtualClock, run_virtual
from kajitori.world.random import SeededRandom

NAMESPACES = Kind("", "v1", "Namespace", "namespaces", namespaced=False)
CONFIG_MAPS = Kind("", "v1", "ConfigMap", "configmaps")
SECRETS = Kind("", "v1", "Secret", "secrets")
EVENTS = Kind("", "v1", "Event", "events")
PODS = Kind("", "v1", "Pod", "pods")
SERVICE_ACCOUNTS = Kind("", "v1", "ServiceAccount", "serviceaccounts")
CLAIMS = Kind("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims")
VOLUMES = Kind("", "v1", "PersistentVolume", "persistentvolumes", namespaced=False)
CLASSES = Kind("storage.k8s.io", "v1", "VolumeAttributesClass", "volumeattributesclasses", namespaced=False)
STATEFUL_SETS = Kind("apps", "v1", "StatefulSet", "statefulsets")
REVISIONS = Kind("apps", "v1", "ControllerRevision", "controllerrevisions")
CLUSTER_ROLES = Kind("rbac.authorization.k8s.io", "v1", "ClusterRole", "clusterroles", namespaced=False)
CRDS = Kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False)
WIDGETS = Kind("example.com", "v1", "Widget", "widgets")

LONG = bool(os.environ.get("KAJITORI_LONG"))


def thorough(examples: int) -> settings:
    """Settings of a property test: the same cases every time, or with KAJITORI_LONG many new ones."""
    return settings(
        max_examples=examples * 20 if LONG else examples, derandomize=not LONG, deadline=None, database=None
    )


START = datetime(2026, 1, 1, tzinfo=UTC)
SETTLE_SECONDS = 0.5
"""Of virtual time: everything that can happen by itself has happened."""

NAMESPACE = "namespace-controller"
ACCOUNTS = "serviceaccount-controller"
ROOT_CA = "root-ca-certificate-publisher-controller"
GARBAGE = "garbage-collector-controller"
STATEFUL_SET = "statefulset-controller"
CLAIM_PROTECTION = "persistentvolumeclaim-protection-controller"
VOLUME_PROTECTION = "persistentvolume-protection-controller"
CLASS_PROTECTION = "volumeattributesclass-protection-controller"


class _Complaints(logging.Handler):
    """Collects what is logged as a warning or worse."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.texts.append(f"{record.name}: {record.getMessage()} {error or ''}")


def scenario(
    play: Callable[[TestEnv], Awaitable[None]],
    controllers: Collection[str] | bool,
    *,
    complains: bool = False,
    **options: Any,
) -> None:
    """Plays a scenario against a fresh server with these controllers, under virtual time.

    Nothing may be logged as a warning or an error, unless the scenario `complains`.
    """

    async def main() -> None:
        async with TestEnv(
            controllers=controllers, clock=VirtualClock(START), random=SeededRandom(1), **options
        ) as env:
            await play(env)

    complaints = _Complaints()
    logging.getLogger("kajitori").addHandler(complaints)
    try:
        run_virtual(main())
    finally:
        logging.getLogger("kajitori").removeHandler(complaints)
    if not complains:
        assert complaints.texts == []


def config_map(name: str, *owners: JsonObject, namespace: str = "default", **metadata: Any) -> JsonObject:
    about = {"name": name, "namespace": namespace, **metadata}
    if owners:
        about["ownerReferences"] = list(owners)
    return {"metadata": about}


def owned_by(owner: Unstructured, *, blocks: bool = False, controller: bool = False) -> JsonObject:
    """The entry of ownerReferences for an owner."""
    reference: JsonObject = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner.name,
        "uid": owner.uid,
    }
    if blocks:
        reference["blockOwnerDeletion"] = True
    if controller:
        reference["controller"] = True
    return reference


def widgets_crd() -> JsonObject:
    """A custom kind without opinions."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {
            "group": "example.com",
            "scope": "Namespaced",
            "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList"},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
                    },
                }
            ],
        },
    }
