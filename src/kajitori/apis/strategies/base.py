"""What Kubernetes does in code with the objects of a kind, between admission and storage.

The registry of the API server calls a strategy on the road of a write; all that differs from kind to kind is
behind it. The base class serves a kind with the usual shape, told by its attributes; kinds that do more are
subclasses beside this module.

Promises
    S1  objects come decoded and defaulted (`typed`, `defaults`) and are changed in place; old ones never
    S2  on create, name, uid and creationTimestamp are set before `prepare_for_create`
    S3  on update, `metadata.generation` is the old one before `prepare_for_update`
    S4  no strategy reads a clock or asks who calls: what it must know comes in an `Occasion`

Source: apiserver's registry/rest strategies and pkg/registry of Kubernetes.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from kajitori.apimachinery.errors import BadRequest, FieldError
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.validation import name_is_dns_subdomain
from kajitori.apis import facts, validation
from kajitori.apis.resources import ResourceInfo
from kajitori.apis.typed import decoder

__all__ = ["IMMUTABLE", "NOBODY", "Occasion", "Path", "ResetsMetadata", "Strategy"]

Path = tuple[str, ...]
"""A field by its members: `("metadata", "labels")`."""

_BACKGROUND = "Background"
_RESET_FOR_STATUS = (
    "deletionTimestamp",
    "generation",
    "selfLink",
    "labels",
    "annotations",
    "finalizers",
    "ownerReferences",
)


class Occasion(msgspec.Struct, frozen=True):
    """When a write happens, and by whom: the little that some strategies put into an object."""

    now: str = ""
    """The time, as a metadata timestamp."""
    username: str = ""
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: Mapping[str, Sequence[str]] = msgspec.field(default_factory=dict[str, Sequence[str]])


NOBODY = Occasion()
IMMUTABLE = "field is immutable"


class Strategy:
    """The strategy of one kind."""

    allow_create_on_update = False
    """Whether a PUT creates what is not there."""
    allow_unconditional_update = True
    """Whether an update may come without a resource version."""
    default_propagation = _BACKGROUND
    """What a deletion does with dependents when nobody says: `Background` or `Orphan`; empty: these objects never have
    any, and finalizers for them are not set.
    """
    returns_deleted = False
    """Whether a deletion answers with the object instead of a Status."""
    field_labels: frozenset[str] = frozenset()
    """What field selectors may ask for besides `metadata.name` and `metadata.namespace`."""
    counts_generations = False
    """Whether `metadata.generation` starts at 1 and grows when one of `generation_parts` changes."""
    generation_parts: tuple[str, ...] = ("spec",)
    status_keeps: tuple[str, ...] = ()
    """Members of metadata that an update of the status cannot change."""
    immutable_first = False
    """Whether changes of what can never change are told before all else that is wrong."""
    validates_metadata = False
    """Whether `validate` and `validate_update` judge the metadata too, instead of the registry."""
    status_is_reset = True
    """Whether creates and updates throw away the status that a client sent."""

    name_error: Callable[[str, bool], list[str]] = staticmethod(name_is_dns_subdomain)
    """What is wrong with a name; the second argument: whether it is a prefix that more is added to."""

    def __init__(self, info: ResourceInfo) -> None:
        self.kind = info.storage_kind
        self.definition = facts.kind_definitions()[
            f"{self.kind.group}/{self.kind.version}/{self.kind.kind}".removeprefix("/")
        ]
        members = {each.name: each.type for each in facts.definition(self.definition).fields or ()}
        status = members.get("status", "")
        self.has_status = bool(status) and self.status_is_reset
        self._zero_status = decoder(status) if self.has_status else None

    def in_cluster(self, families: Sequence[str]) -> "Strategy":
        """The strategy in a cluster whose Services have addresses of these families."""
        return self

    def name_errors(self, name: str, prefix: bool = False) -> list[str]:
        """What is wrong with a name, as validators of metadata ask for it."""
        return type(self).name_error(name, prefix)

    # Creating and updating.

    def default(self, obj: JsonObject) -> None:
        """Fills in what the client left out."""
        from kajitori.apis.defaults import default_for  # only what is written needs the defaults

        default_for(self.definition)(obj)

    def zero_status(self) -> JsonObject:
        """The status of an object that has none yet."""
        return self._zero_status({}, []) if self._zero_status else {}

    def prepare_for_create(self, obj: JsonObject, occasion: Occasion = NOBODY) -> None:
        """Makes a sent object the first of its life: no status, generation 1."""
        if self.has_status:
            obj["status"] = self.zero_status()
        if self.counts_generations:
            obj["metadata"]["generation"] = 1

    def prepare_for_update(
        self, obj: JsonObject, old: JsonObject, subresource: str = "", occasion: Occasion = NOBODY
    ) -> None:
        """Keeps of `old` what this path cannot change, and counts the generation."""
        if subresource == "status":
            self.keep_all_but_status(obj, old)
            return
        if self.has_status:
            _keep(obj, old, "status")
        if self.counts_generations:
            self.count_generation(obj, old)

    def keep_all_but_status(self, obj: JsonObject, old: JsonObject) -> None:
        """An update of the status changes the status, and metadata except `status_keeps`."""
        for name in old:
            if name not in ("metadata", "status"):
                _keep(obj, old, name)
        for name in [each for each in obj if each not in old and each != "status"]:
            del obj[name]
        for name in self.status_keeps:
            _keep(obj["metadata"], old["metadata"], name)

    def count_generation(self, obj: JsonObject, old: JsonObject) -> None:
        """Adds one to the generation when something that controllers act on has changed."""
        if self.is_changed(obj, old):
            obj["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1

    def is_changed(self, obj: JsonObject, old: JsonObject) -> bool:
        """Whether the change is one that the generation counts."""
        return any(obj.get(part) != old.get(part) for part in self.generation_parts)

    # Checking.

    def validate(self, obj: JsonObject) -> list[FieldError]:
        """What is wrong with a new object, besides its metadata."""
        return validation.validate(self.kind, obj)

    def validate_update(
        self,
        obj: JsonObject,
        old: JsonObject,
        subresource: str = "",
        warnings: list[str] | None = None,
    ) -> list[FieldError]:
        """What is wrong with a change, besides its metadata; `warnings` collects what was so before already."""
        immutable = self.immutable(obj, old, subresource)
        errors = validation.validate_update(self.kind, obj, old, subresource)
        return immutable + errors if self.immutable_first else errors + immutable

    def immutable(self, obj: JsonObject, old: JsonObject, subresource: str = "") -> list[FieldError]:
        """Complaints about changes of what can never change."""
        return []

    @staticmethod
    def unchanged(new: Any, old: Any, path: str, definition: str = "") -> list[FieldError]:
        """The complaint when a field has changed that can never change; empty and absent are the same.

        `definition` is the struct that the field is, which is shown as Kubernetes shows it.
        """
        if (new or None) == (old or None):
            return []
        if definition and new is not None:
            from kajitori.apis.validation.go_values import go_struct  # only complaints need it

            new = go_struct(definition, new)
        return [FieldError.invalid(path, new, IMMUTABLE)]

    def warnings(self, obj: JsonObject, old: JsonObject | None, subresource: str = "") -> list[str]:
        """What a client should know about an object that is accepted; `old` is None for a create."""
        return []

    # Selecting.

    def field_label(self, label: str) -> str:
        """The stored field that a field selector's label means.

        Raises: BadRequest for a field that objects of this kind cannot be selected by.
        """
        if label in self.field_labels or label == "metadata.name":
            return label
        if label == "metadata.namespace" and (self.kind.namespaced or not self.field_labels):
            return label
        if self.field_labels:
            raise BadRequest(self.unknown_field_label(label))
        quoted = '"' + label.replace("\\", "\\\\").replace('"', '\\"') + '"'
        raise BadRequest(
            f'{quoted} is not a known field selector: only "metadata.name", "metadata.namespace"'
        )

    def unknown_field_label(self, label: str) -> str:
        """The complaint about a field that objects of this kind cannot be selected by."""
        return f"field label not supported: {label}"

    def selectable_fields(self, obj: JsonObject) -> dict[str, str]:
        """The values of `field_labels`."""
        return {}

    # Deleting.

    def grace_period_seconds(self, obj: JsonObject, requested: int | None) -> int | None:
        """How long the object stays after its deletion; None for kinds that go at once."""
        return None

    def may_go(self, obj: JsonObject) -> bool:
        """Whether nothing but finalizers and the grace period keeps a deleted object."""
        return True

    def mark_deleted(self, obj: JsonObject) -> None:
        """What a deletion changes in an object that stays for now."""

    # Field ownership.

    def reset_fields(self, subresource: str = "") -> tuple[Path, ...]:
        """The fields that a write to this path cannot change, and so never owns."""
        if not self.has_status:
            return ()
        if subresource != "status":
            return (("status",),)
        return (("spec",), *(("metadata", each) for each in self.status_keeps if each != "selfLink"))


class ResetsMetadata(Strategy):
    """A kind whose status updates leave all of the metadata alone."""

    status_keeps: tuple[str, ...] = _RESET_FOR_STATUS

    def reset_fields(self, subresource: str = "") -> tuple[Path, ...]:
        return (("spec",), ("metadata",)) if subresource == "status" else super().reset_fields(subresource)


def _keep(new: dict[str, Any], old: dict[str, Any], name: str) -> None:
    """What `old` says of a member, also when it says nothing."""
    if name in old:
        new[name] = old[name]
    else:
        new.pop(name, None)
