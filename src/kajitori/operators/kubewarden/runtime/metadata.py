"""What a module says of itself, and by which protocol it is spoken to. No I/O.

Promises
    D1  the protocol is the one that the metadata name; without metadata, the one that the module's exports show

Source: the section `io.kubewarden.policy-metadata` of policies, as `kwctl annotate` writes it.
"""

from enum import StrEnum

import msgspec

from kajitori.wire.wasm.guest import GuestError
from kajitori.wire.wasm.module import ModuleError, custom_section, export_names

__all__ = ["PROTOCOL_VERSIONS", "ContextAwareResource", "ExecutionMode", "Metadata", "read_metadata"]

SECTION = "io.kubewarden.policy-metadata"
PROTOCOL_VERSIONS = ("v1",)


class ExecutionMode(StrEnum):
    """The protocols of policies."""

    WAPC = "kubewarden-wapc"
    WASI = "wasi"
    OPA = "opa"
    GATEKEEPER = "gatekeeper"


class ContextAwareResource(msgspec.Struct, frozen=True, rename="camel"):
    """A kind that a policy reads from the cluster."""

    api_version: str
    kind: str


class _Stated(msgspec.Struct, frozen=True, rename="camel"):
    """What the section holds, as far as it matters here."""

    protocol_version: str | None = None
    execution_mode: ExecutionMode | None = None
    mutating: bool = False
    context_aware_resources: list[ContextAwareResource] = []
    annotations: dict[str, str] | None = None


class Metadata(msgspec.Struct, frozen=True):
    """What is known of a module before it is run."""

    mode: ExecutionMode
    stated: bool
    """Whether the module says so itself."""
    mutating: bool = False
    context_aware_resources: tuple[ContextAwareResource, ...] = ()
    annotations: dict[str, str] = {}


_decode = msgspec.json.Decoder(_Stated).decode


def read_metadata(module: bytes) -> Metadata:
    """Raises: GuestError for what is no policy."""
    try:
        section, exports = custom_section(module, SECTION), export_names(module)
    except ModuleError as error:
        raise GuestError(f"the module cannot be read: {error}") from None
    if section is None:
        return Metadata(_shown_by(exports), stated=False)
    try:
        stated = _decode(section)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise GuestError(f"the policy's metadata cannot be read: {error}") from None
    if stated.protocol_version is not None and stated.protocol_version.lower() not in PROTOCOL_VERSIONS:
        raise GuestError(f"the policy speaks protocol version {stated.protocol_version}; v1 is understood")
    return Metadata(
        stated.execution_mode or _shown_by(exports),
        stated=True,
        mutating=stated.mutating,
        context_aware_resources=tuple(stated.context_aware_resources),
        annotations=stated.annotations or {},
    )


def _shown_by(exports: frozenset[str]) -> ExecutionMode:
    if "__guest_call" in exports:
        return ExecutionMode.WAPC
    if "opa_json_parse" in exports:
        return ExecutionMode.GATEKEEPER
    if "_start" in exports:
        return ExecutionMode.WASI
    raise GuestError("the module is no policy: it has neither __guest_call nor opa_json_parse nor _start")
