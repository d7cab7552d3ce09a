"""A kind of one's own with rules, for tests of webhooks."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
from msgspec.structs import replace

from kajitori.apis import FieldError, JsonObject, ObjectMeta, PreserveUnknown, schema_markers
from kajitori.apis import kind as declared
from kajitori.ctrl import AdmissionRequest, Defaulter, Denied, FieldsInvalid, Validator, current_admission


class Part(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    name: str
    size: int = 1


@schema_markers(PreserveUnknown())
class WidgetSpec(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    size: int = 1
    color: str = ""
    parts: tuple[Part, ...] = ()


@declared(group="example.com", version="v1", plural="widgets", status=True)
class Widget(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    metadata: ObjectMeta = ObjectMeta()
    spec: WidgetSpec = WidgetSpec()


def widget(name: str, **spec: Any) -> JsonObject:
    return {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }


@dataclass
class WidgetRules(Defaulter[Widget], Validator[Widget]):
    """Widgets have a color, do not shrink, and the big ones stay."""

    asked: list[AdmissionRequest] = field(default_factory=list[AdmissionRequest])

    def default(self, value: Widget) -> Widget:
        return value if value.spec.color else replace(value, spec=replace(value.spec, color="grey"))

    def validate_create(self, new: Widget) -> list[str]:
        self.asked.append(current_admission.get())
        if new.spec.color == "red":
            raise Denied("no red widgets")
        return ["this is a large widget"] if new.spec.size > 10 else []

    def validate_update(self, old: Widget, new: Widget) -> None:
        self.asked.append(current_admission.get())
        if new.spec.size < old.spec.size:
            raise FieldsInvalid(FieldError.invalid("spec.size", new.spec.size, "must not shrink"))

    async def validate_delete(self, old: Widget) -> None:
        self.asked.append(current_admission.get())
        if old.spec.size > 10:
            raise Denied("the big ones stay")
