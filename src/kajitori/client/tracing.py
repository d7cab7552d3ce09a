"""Who is told of every try of a client, when somebody wants to know; and what a request's path is called then."""

from collections.abc import Callable, Mapping
from typing import Protocol

__all__ = ["RequestTracing", "TracedRequest", "url_template"]


class TracedRequest(Protocol):
    """One try, from its beginning to its end."""

    @property
    def headers(self) -> Mapping[str, str]:
        """What is sent: the headers that were given, and what tells the server of the trace."""
        ...

    def end(self, status: int) -> None:
        """`status` 0: no answer came. Called in the same task as `begin`."""
        ...


RequestTracing = Callable[[str, str, Mapping[str, str]], TracedRequest | None]
"""Is told before each try its method, path and headers; None: it does not care. Must be quick, must not raise."""


def url_template(path_and_query: str) -> str:
    """The path with names left out, as `/apis/apps/v1/namespaces/{namespace}/deployments/{name}/status`: few, where
    there are many paths. What is no resource stays as it is.

    Source: OpenTelemetry's `url.template`; the routes of Kubernetes' OpenAPI.
    """
    path = path_and_query.partition("?")[0]
    parts = path.strip("/").split("/")
    if parts[0] == "api":
        head, rest = parts[:2], parts[2:]
    elif parts[0] == "apis":
        head, rest = parts[:3], parts[3:]
    else:
        return path
    if rest[:1] == ["namespaces"] and len(rest) > 2 and (len(rest) > 3 or rest[2] not in _OF_NAMESPACES):
        head, rest = [*head, "namespaces", "{namespace}"], rest[2:]
    if len(rest) > 1:
        rest = [rest[0], "{name}", *rest[2:]]
    return "/" + "/".join([*head, *rest])


_OF_NAMESPACES = ("status", "finalize")
"""Subresources of a namespace itself."""
