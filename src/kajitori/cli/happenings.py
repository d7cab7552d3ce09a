"""What happens in a cluster, one line each: the Events that controllers and operators report."""

from collections.abc import Callable
from typing import Any

from kajitori.apimachinery.errors import ApiError
from kajitori.apimachinery.kind import Kind
from kajitori.client import Client, TransportError

__all__ = ["follow", "line_of"]

EVENTS = Kind("", "v1", "Event", "events")


def line_of(event: Any) -> str:
    """`12:00:01  Normal   VolumeGrown       mysqlcluster foo/default: Claim … grows from 1Gi to 2Gi`."""
    about = event.get("involvedObject") or {}
    where = (
        f"{about.get('namespace')}/{about.get('name')}" if about.get("namespace") else about.get("name", "")
    )
    stamp = event.get("lastTimestamp") or event["metadata"].get("creationTimestamp") or ""
    time = stamp[11:19] if len(stamp) > 18 else stamp
    message = " ".join(str(event.get("message", "")).split())
    kind = str(about.get("kind", "")).lower()
    return f"{time}  {event.get('type', ''):<7}  {event.get('reason', ''):<20}  {kind} {where}: {message}"


async def follow(client: Client, tell: Callable[[str], None]) -> None:
    """Tells every new Event until cancelled. A watch that ends is opened again."""
    version = ""
    while True:
        try:
            if not version:
                version = (await client.list(EVENTS, limit=1)).resource_version
            async with client.watch(EVENTS, resource_version=version) as events:
                async for event in events:
                    version = event.object["metadata"].get("resourceVersion", version)
                    if event.type in ("ADDED", "MODIFIED"):
                        tell(line_of(event.object))
        except ApiError:
            version = ""
        except TransportError:
            return
