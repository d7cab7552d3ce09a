"""Typed models of events.k8s.io/v1: frozen classes, unset fields at their zero.

Written by tools/gen_models.py from the facts: change that, and run it. What the fields mean is told by
`kubectl explain` and the reference of the API; `apimachinery/built_in` says what all models promise.

Source: https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/
"""

from typing import ClassVar

from kajitori.apimachinery.built_in import BuiltIn
from kajitori.apimachinery.declare import MicroTime, Time
from kajitori.apimachinery.kind import Kind
from kajitori.apimachinery.objectmeta import ObjectMeta
from kajitori.apis.core_v1 import EventSource, ObjectReference

__all__ = ["Event", "EventSeries"]


class EventSeries(BuiltIn, frozen=True, kw_only=True):
    """`EventSeries` of events.v1."""

    __definition__: ClassVar[str] = "io.k8s.api.events.v1.EventSeries"
    count: int = 0
    last_observed_time: MicroTime | None = None


class Event(BuiltIn, frozen=True, kw_only=True):
    """`events` of events.k8s.io/v1, in a namespace."""

    __kind__: ClassVar[Kind] = Kind("events.k8s.io", "v1", "Event", "events", True)
    __definition__: ClassVar[str] = "io.k8s.api.events.v1.Event"
    metadata: ObjectMeta = ObjectMeta()
    event_time: MicroTime | None = None
    series: EventSeries | None = None
    reporting_controller: str = ""
    reporting_instance: str = ""
    action: str = ""
    reason: str = ""
    regarding: ObjectReference = ObjectReference()
    related: ObjectReference | None = None
    note: str = ""
    type: str = ""
    deprecated_source: EventSource = EventSource()
    deprecated_first_timestamp: Time | None = None
    deprecated_last_timestamp: Time | None = None
    deprecated_count: int = 0
