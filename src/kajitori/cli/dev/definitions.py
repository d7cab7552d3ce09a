"""The kinds that the code declares, installed where it runs, and what saving it does to them.

Promises
    K1  a definition is written only when that changes something; what it changes is told, and what may hurt
    K2  what the server refuses is told as the server says it, with what would help; nothing else is written then
    K3  kinds that are no longer declared stay: objects of theirs may be worth something
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from kajitori.apimachinery.errors import ApiError, NotFound
from kajitori.apimachinery.frozen import Unstructured
from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.cli.dev.schemachanges import SchemaChange, schema_changes
from kajitori.client import Client
from kajitori.ctrl.definitions import install_crds

__all__ = ["CRDS", "Definitions", "Installed", "RefusedDefinition"]

CRDS = Kind("apiextensions.k8s.io", "v1", "CustomResourceDefinition", "customresourcedefinitions", False)


class RefusedDefinition(Exception):
    """The server does not take a definition. The text is for the user."""


@dataclass(frozen=True, slots=True)
class Installed:
    """One definition that was written."""

    name: str
    is_new: bool
    changes: Sequence[SchemaChange] = field(default_factory=list[SchemaChange])


class Definitions:
    """Those of one session."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._declared: list[str] = []

    async def install(self, definitions: Sequence[JsonObject]) -> list[Installed]:
        """Installs what is new or other, and waits until it is served. Gives what was written.

        Raises: RefusedDefinition; NotEstablished, ApiError, TransportError.
        """
        found = [(definition, await self._dry_run(definition)) for definition in definitions]
        await install_crds(
            self._client, *(definition for definition, written in found if written is not None)
        )
        return [written for _, written in found if written is not None]

    def forgotten(self, definitions: Sequence[JsonObject]) -> list[str]:
        """Names of definitions that were declared when this was last asked, and are not any more."""
        names = [each["metadata"]["name"] for each in definitions]
        gone, self._declared = [each for each in self._declared if each not in names], names
        return gone

    async def _dry_run(self, definition: JsonObject) -> Installed | None:
        name = definition["metadata"]["name"]
        try:
            known: Unstructured | None = await self._client.get(CRDS, "", name)
        except NotFound:
            known = None
        try:
            becomes = await self._client.apply(CRDS, definition, force=True, dry_run=True)
        except ApiError as error:
            raise RefusedDefinition(_advice(name, error, is_there=known is not None)) from None
        if known is None:
            return Installed(name, True)
        changes = schema_changes(known["spec"], becomes["spec"])
        return Installed(name, False, changes) if changes else None


def _advice(name: str, error: ApiError, *, is_there: bool) -> str:
    text = f"the server refuses the definition {name}: {error}"
    if not is_there:
        return text
    return f"{text}\nTo begin anew, without its objects: kubectl delete crd {name}"
