"""One request on its way through the server: what is known of it so far."""

import msgspec

from kajitori.apiserver.authentication import User
from kajitori.apiserver.http import Request
from kajitori.apiserver.registry.resource import Resource
from kajitori.apiserver.requestinfo import RequestInfo

__all__ = ["Scope"]


class Scope(msgspec.Struct):
    """A request for a resource, past authorization."""

    request: Request
    info: RequestInfo
    query: dict[str, list[str]]
    user: User
    resource: Resource
    warnings: list[str] = msgspec.field(default_factory=list[str])
