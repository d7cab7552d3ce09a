"""A stored definition, read as far as serving it needs: its schemas stay bytes until an object comes.

Sits between the store and what mounts definitions. A cluster may have hundreds, of fifty kilobytes each, of which
few are in use: a parsed schema takes ten times the room of its bytes, and reading it a thousand times longer.

Promises
    L1  reading costs one pass over the bytes, and keeps nothing of a schema but where in them it stands
    L2  two definitions have the same digest exactly when what they ask for is the same, to the byte
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import msgspec

from kajitori.apimachinery.kind import JsonObject

__all__ = ["StoredDefinition"]


class _Version(msgspec.Struct, omit_defaults=True):
    name: str = ""
    served: bool = False
    storage: bool = False
    deprecated: bool = False
    deprecationWarning: str | None = None
    schema: msgspec.Raw = msgspec.Raw(b"null")
    subresources: Any = None
    additionalPrinterColumns: Any = None
    selectableFields: Any = None


class _Spec(msgspec.Struct):
    group: str = ""
    names: dict[str, Any] = {}
    scope: str = ""
    versions: list[_Version] | None = None
    conversion: Any = None


class _Definition(msgspec.Struct):
    metadata: dict[str, Any]
    spec: msgspec.Raw = msgspec.Raw(b"{}")
    status: Any = None


class _Schema(msgspec.Struct):
    openAPIV3Schema: dict[str, Any] | None = None


_definition = msgspec.json.Decoder(_Definition).decode
_spec = msgspec.json.Decoder(_Spec).decode
_schema = msgspec.json.Decoder(_Schema | None).decode


class StoredDefinition:
    """What a stored value says, without schemas."""

    __slots__ = ("_schemas", "crd", "digest", "name")

    def __init__(self, value: bytes) -> None:
        read = _definition(value)
        spec = _spec(read.spec)
        versions = spec.versions or []
        self.name: str = read.metadata["name"]
        self.digest = sha256(read.spec).digest()
        """Of `spec`."""
        self.crd: JsonObject = {
            "metadata": read.metadata,
            "spec": {
                "group": spec.group,
                "names": spec.names,
                "scope": spec.scope,
                "versions": [_without_schema(each) for each in versions],
                "conversion": spec.conversion,
            },
            "status": read.status or {},
        }
        """The definition; its versions have no schemas."""
        self._schemas = {each.name: each.schema for each in versions}

    def schema(self, version: str) -> Mapping[str, Any]:
        """`openAPIV3Schema` of a version, read anew each time; empty where there is none."""
        found = _schema(self._schemas[version])
        return {} if found is None else found.openAPIV3Schema or {}


def _without_schema(version: _Version) -> JsonObject:
    fields = msgspec.structs.asdict(version)
    del fields["schema"]
    return {name: each for name, each in fields.items() if each is not None}
