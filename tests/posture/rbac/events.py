"""Events of an audit log, in few words."""

from typing import Any

import msgspec

from kajitori.apiserver.authorization import Attributes

Event = dict[str, Any]


def event(
    user: str, verb: str, where: str, *, groups: tuple[str, ...] = (), code: int = 200, **more: Any
) -> Event:
    """`where` is `group/resource/subresource@namespace:name`, or a path when it begins with two slashes."""
    made: Event = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "auditID": "a",
        "stage": "ResponseComplete",
        "requestURI": "/ignored",
        "verb": verb,
        "user": {"username": user, "groups": list(groups)},
        "responseStatus": {"metadata": {}, "code": code},
        "requestReceivedTimestamp": "2026-01-01T00:00:00.000000Z",
        "stageTimestamp": "2026-01-01T00:00:00.000000Z",
        "annotations": {"authorization.k8s.io/decision": "allow", "authorization.k8s.io/reason": ""},
    }
    if where.startswith("//"):
        made["requestURI"] = where[1:] + "?timeout=1s"
    else:
        thing, _, name = where.partition(":")
        thing, _, namespace = thing.partition("@")
        group, resource, *rest = thing.split("/")
        reference = {
            "resource": resource,
            "namespace": namespace,
            "name": name,
            "apiGroup": group,
            "subresource": rest[0] if rest else "",
        }
        made["objectRef"] = {key: value for key, value in reference.items() if value}
    return made | more


def event_of(asked: Attributes, *, refused: bool = False) -> Event:
    """The event of a request that authorization was asked about."""
    thing = "/".join(filter(None, (asked.resource, asked.subresource)))
    where = (
        f"/{asked.path}" if not asked.resource else f"{asked.group}/{thing}@{asked.namespace}:{asked.name}"
    )
    made = event(asked.user.name, asked.verb, where, groups=asked.user.groups, code=403 if refused else 200)
    made["annotations"]["authorization.k8s.io/decision"] = "forbid" if refused else "allow"
    return made


def lines(*events: Event) -> bytes:
    """As a file has them."""
    return b"".join(msgspec.json.encode(each) + b"\n" for each in events)
