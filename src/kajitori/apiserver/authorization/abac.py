"""Rules in a file, a line each: the modes `ABAC`, `AlwaysAllow` and `AlwaysDeny`.

Promises
    P1  a request is allowed when some line allows it: its user and group, and its namespace, group and resource, or
        its path; a line that is `readonly` allows get, list and watch
    P2  a line that is no policy stops the server from starting, told with its number

Source: https://kubernetes.io/docs/reference/access-authn-authz/abac/, pkg/auth/authorizer/abac and pkg/apis/abac.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from kajitori.apimachinery.decode import DecodeError, decode_json, go_quote
from kajitori.apiserver.authentication.user import AUTHENTICATED, User
from kajitori.apiserver.authorization.attributes import UNNAMED, Attributes, Decision
from kajitori.apiserver.authorization.rules import Held, Rule, path_covers

__all__ = ["Abac", "AlwaysAllow", "AlwaysDeny", "PolicyFileError", "read_policies"]

_READING = ("get", "list", "watch")
_ALLOWED = Decision(True)
_VERSION = "abac.authorization.kubernetes.io/v1beta1"
_UNVERSIONED = "abac.authorization.kubernetes.io/v0"


class PolicyFileError(ValueError):
    """What is wrong with a policy file."""


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """One line. Empty is nobody and nothing; `*` is everything, of subjects everybody who is authenticated."""

    user: str = ""
    group: str = ""
    readonly: bool = False
    apiGroup: str = ""
    resource: str = ""
    namespace: str = ""
    nonResourcePath: str = ""

    def concerns(self, user: User) -> bool:
        """Whether it is about somebody: its user and its group must both fit, where it has both."""
        if "*" in (self.user, self.group):
            return AUTHENTICATED in user.groups
        if self.user not in ("", user.name) or (self.group and self.group not in user.groups):
            return False
        return bool(self.user or self.group)

    def allows(self, attributes: Attributes) -> bool:
        """Whether it lets a request through."""
        if not self.concerns(attributes.user) or (self.readonly and attributes.verb not in _READING):
            return False
        if not attributes.resource:
            return self.nonResourcePath == "*" or path_covers(self.nonResourcePath, attributes.path)
        resource = "" if attributes.resource == UNNAMED else attributes.resource
        return (
            self.namespace in ("*", attributes.namespace)
            and self.resource in ("*", resource)
            and self.apiGroup in ("*", attributes.group)
        )


class _Older(msgspec.Struct, frozen=True):
    """A line without a version: what it does not say is everything."""

    user: str = ""
    group: str = ""
    readonly: bool = False
    resource: str = ""
    namespace: str = ""

    def policy(self) -> Policy:
        return Policy(
            user=self.user,
            group=self.group or ("" if self.user else "*"),
            readonly=self.readonly,
            apiGroup="*",
            resource=self.resource or "*",
            namespace=self.namespace or "*",
            nonResourcePath="" if self.resource or self.namespace else "*",
        )


class _Line(msgspec.Struct, frozen=True):
    spec: Policy = Policy()


def read_policies(path: Path) -> list[Policy]:
    """The policies of a file. Empty lines and those that begin with `#` are passed over.

    Raises: PolicyFileError.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise PolicyFileError(f"open {path}: {(error.strerror or str(error)).lower()}") from None
    policies: list[Policy] = []
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith(b"#"):
            continue
        try:
            policies.append(_policy(text))
        except ValueError as error:
            shown = line.decode("utf-8", "replace")
            raise PolicyFileError(
                f"error reading policy file {path}, line {number}: {shown}: {error}"
            ) from None
    return policies


def _policy(line: bytes) -> Policy:
    """Raises: ValueError."""
    try:
        value: Any = decode_json(line)
    except DecodeError as error:
        raise ValueError(f"this is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise ValueError("this is no object; write one policy a line")
    version, kind = value.get("apiVersion") or "", value.get("kind") or ""
    try:
        if version == _VERSION and kind == "Policy":
            return msgspec.convert(value, _Line).spec
        if not version or not kind or version == _UNVERSIONED:
            return msgspec.convert(value, _Older).policy()
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    raise ValueError(
        f"no kind {go_quote(kind)} is registered for version {go_quote(version)}; "
        f"write apiVersion: {_VERSION}, kind: Policy"
    )


class Abac:
    """Decides by the lines of a file."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        self._policies = policies

    def authorize(self, attributes: Attributes) -> Decision:
        """Allowed or no opinion."""
        if any(each.allows(attributes) for each in self._policies):
            return _ALLOWED
        return Decision(False, "No policy matched.")

    def held(self, user: User, namespace: str) -> Held:
        """The lines about somebody, as rules."""
        rules: list[Rule] = []
        for each in self._policies:
            if not each.concerns(user) or each.namespace not in ("*", namespace):
                continue
            verbs = _READING if each.readonly else ("*",)
            if each.resource:
                rules.append(Rule(verbs, (each.apiGroup,), (each.resource,)))
            if each.nonResourcePath:
                rules.append(Rule(verbs, non_resource_urls=(each.nonResourcePath,)))
        return Held(rules)


class AlwaysAllow:
    """Lets everybody do everything."""

    def authorize(self, attributes: Attributes) -> Decision:
        return _ALLOWED

    def held(self, user: User, namespace: str) -> Held:
        return Held([Rule(("*",), ("*",), ("*",)), Rule(("*",), non_resource_urls=("*",))])


class AlwaysDeny:
    """Lets nobody do anything that nobody else has allowed."""

    def authorize(self, attributes: Attributes) -> Decision:
        return Decision(False, "Everything is forbidden.")

    def held(self, user: User, namespace: str) -> Held:
        return Held()
