"""The controller runtime: what controller-runtime is to Go. Write `reconcile(request) -> Result`, declare
what to watch.

Level-triggered: a reconciler learns a name, reads what is there (from the cache, frozen, at no cost), and
brings the world closer to it. The rest is ours: list and watch, caches, queues, retries, metrics, events,
explanations.
"""

import importlib
import typing

from kajitori.ctrl.cache import Cache, InformerUse, NotInCache
from kajitori.ctrl.cache_options import ALL_NAMESPACES, CacheOptions, Selection
from kajitori.ctrl.clusters import ClusterProvider, Clusters, ClusterScope, EngagedCluster, NotEngaged
from kajitori.ctrl.conditions import (
    ConditionStatus,
    find_condition,
    is_condition_true,
    set_condition,
    with_condition,
    without_condition,
)
from kajitori.ctrl.controller import Controller, ControllerOptions, CurrentReconcile, current_reconcile
from kajitori.ctrl.events import EventRecorder, EventType
from kajitori.ctrl.explain import Cause, Explanation, Trace
from kajitori.ctrl.finalizers import add_finalizer, being_deleted, has_finalizer, remove_finalizer
from kajitori.ctrl.handler import MapFunction, Watch, own_request, owner_requests
from kajitori.ctrl.informer import Informer, Registration
from kajitori.ctrl.kind_checks import check_kinds
from kajitori.ctrl.leader import LeaderElection, LeadershipLost
from kajitori.ctrl.manager import Manager
from kajitori.ctrl.object_reconciler import ObjectReconciler, as_reconciler
from kajitori.ctrl.owners import (
    AlreadyOwned,
    controller_of,
    controller_reference,
    owner_reference,
    with_controller,
)
from kajitori.ctrl.predicate import (
    Change,
    Predicate,
    all_of,
    annotation_changed,
    any_of,
    generation_changed,
    label_changed,
    negated,
    resource_version_changed,
)
from kajitori.ctrl.queue_state import LOW_PRIORITY
from kajitori.ctrl.rate_limit import RateLimit
from kajitori.ctrl.reader import CachedReader
from kajitori.ctrl.reconcile import DONE, Reconciler, Request, Result, TerminalError
from kajitori.ctrl.source import (
    Channel,
    ChannelFull,
    Enqueue,
    EventSource,
    SourceFailed,
    SyncingSource,
    Timer,
    all_in,
)
from kajitori.ctrl.store import UnreadableObject
from kajitori.ctrl.upsert import Upserted, create_or_patch, create_or_update
from kajitori.ctrl.watching import CacheSyncTimeout, WatchHandle
from kajitori.ctrl.webhooks import WebhookHost, WebhooksNotServed
from kajitori.world.clock import SYSTEM_CLOCK, Clock
from kajitori.world.random import SYSTEM_RANDOM, Random

if typing.TYPE_CHECKING:
    from kajitori.ctrl.http_source import HttpAnswer, HttpCall, HttpSource, answer_hooks
    from kajitori.ctrl.providers import KubeconfigContexts, KubeconfigSecrets
    from kajitori.ctrl.webhooks.conversion import Conversions
    from kajitori.ctrl.webhooks.reviews import AdmissionRequest, AdmissionResponse
    from kajitori.ctrl.webhooks.typed import (
        Defaulter,
        Denied,
        FieldsInvalid,
        Mutating,
        Validating,
        Validator,
        Verdict,
        current_admission,
    )

__all__ = [
    "ALL_NAMESPACES",
    "DONE",
    "LOW_PRIORITY",
    "SYSTEM_CLOCK",
    "SYSTEM_RANDOM",
    "AdmissionRequest",
    "AdmissionResponse",
    "AlreadyOwned",
    "Cache",
    "CacheOptions",
    "CacheSyncTimeout",
    "CachedReader",
    "Cause",
    "Change",
    "Channel",
    "ChannelFull",
    "Clock",
    "ClusterProvider",
    "ClusterScope",
    "Clusters",
    "ConditionStatus",
    "Controller",
    "ControllerOptions",
    "Conversions",
    "CurrentReconcile",
    "Defaulter",
    "Denied",
    "EngagedCluster",
    "Enqueue",
    "EventRecorder",
    "EventSource",
    "EventType",
    "Explanation",
    "FieldsInvalid",
    "HttpAnswer",
    "HttpCall",
    "HttpSource",
    "Informer",
    "InformerUse",
    "KubeconfigContexts",
    "KubeconfigSecrets",
    "LeaderElection",
    "LeadershipLost",
    "Manager",
    "MapFunction",
    "Mutating",
    "NotEngaged",
    "NotInCache",
    "ObjectReconciler",
    "Predicate",
    "Random",
    "RateLimit",
    "Reconciler",
    "Registration",
    "Request",
    "Result",
    "Selection",
    "SourceFailed",
    "SyncingSource",
    "TerminalError",
    "Timer",
    "Trace",
    "UnreadableObject",
    "Upserted",
    "Validating",
    "Validator",
    "Verdict",
    "Watch",
    "WatchHandle",
    "WebhookHost",
    "WebhooksNotServed",
    "add_finalizer",
    "all_in",
    "all_of",
    "annotation_changed",
    "answer_hooks",
    "any_of",
    "as_reconciler",
    "being_deleted",
    "check_kinds",
    "controller_of",
    "controller_reference",
    "create_or_patch",
    "create_or_update",
    "current_admission",
    "current_reconcile",
    "find_condition",
    "generation_changed",
    "has_finalizer",
    "is_condition_true",
    "label_changed",
    "negated",
    "own_request",
    "owner_reference",
    "owner_requests",
    "remove_finalizer",
    "resource_version_changed",
    "set_condition",
    "with_condition",
    "with_controller",
    "without_condition",
]

_HOMES = {
    "http_source": "HttpAnswer HttpCall HttpSource answer_hooks",
    "providers": "KubeconfigContexts KubeconfigSecrets",
    "webhooks.conversion": "Conversions",
    "webhooks.reviews": "AdmissionRequest AdmissionResponse",
    "webhooks.typed": "Defaulter Denied FieldsInvalid Mutating Validating Validator Verdict current_admission",
}
"""What is loaded when it is asked for: few operators need it."""

_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> typing.Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(importlib.import_module(f"{__name__}.{home}"), name)
    return found
