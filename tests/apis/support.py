"""Objects on their road through the strategies, as the registry of the API server sends them."""

import copy
from typing import Any

from kajitori.apimachinery.errors import FieldError
from kajitori.apis.defaults import default_for
from kajitori.apis.resources import find_resource
from kajitori.apis.strategies import Occasion, Strategy, strategy_for
from kajitori.apis.typed import decode

NOW = "2026-01-01T00:00:00Z"
LATER = "2026-01-02T00:00:00Z"


class Road:
    """Creates and updates objects of one kind without a store."""

    def __init__(self, group: str, plural: str) -> None:
        info = find_resource(group, "v2" if plural.startswith("horizontal") else "v1", plural)
        assert info is not None
        self.info = info
        self.strategy: Strategy = strategy_for(group, plural)

    def sent(self, body: dict[str, Any]) -> dict[str, Any]:
        """A client's object, decoded and defaulted."""
        obj, unknown = decode(self.info.definition, copy.deepcopy(body))
        assert not unknown
        default_for(self.info.definition)(obj)
        return obj

    def create(self, body: dict[str, Any], occasion: Occasion | None = None) -> dict[str, Any]:
        obj = self.sent(body)
        obj["metadata"] = {"name": "a", "uid": "u", "creationTimestamp": NOW, **obj["metadata"]}
        self.strategy.prepare_for_create(obj, occasion or Occasion(NOW))
        return obj

    def update(
        self, old: dict[str, Any], change: Any, subresource: str = "", occasion: Occasion | None = None
    ) -> tuple[dict[str, Any], list[FieldError]]:
        """The object after `change` has worked on a copy of it, and what is wrong with that."""
        before = copy.deepcopy(old)
        obj = copy.deepcopy(old)
        change(obj)
        obj = self.sent(obj)
        if "generation" in old["metadata"]:
            obj["metadata"]["generation"] = old["metadata"]["generation"]
        self.strategy.prepare_for_update(obj, old, subresource, occasion or Occasion(LATER))
        errors = self.strategy.immutable(obj, old, subresource)
        assert old == before, "a strategy changed the old object"
        return obj, errors


def texts(errors: list[FieldError]) -> list[str]:
    return [str(each).split("\n", maxsplit=1)[0] for each in errors]
