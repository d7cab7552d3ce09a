"""The audit policy: which requests are written down, and how much of them.

Promises
    P1  the first rule that matches a request decides; without one nothing is written
    P2  a policy that is wrong is refused, and the message names the field

Source: https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/
"""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from kajitori.apimachinery.decode import DecodeError
from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.names import is_dns1123_subdomain
from kajitori.apimachinery.yaml import decode_yaml
from kajitori.apiserver.authorization.attributes import Attributes

__all__ = ["LEVELS", "NONE", "Policy", "PolicyError", "Wanted", "parse_policy", "read_policy"]

NONE, METADATA, REQUEST, REQUEST_RESPONSE = "None", "Metadata", "Request", "RequestResponse"
LEVELS = (NONE, METADATA, REQUEST, REQUEST_RESPONSE)
STAGES = ("RequestReceived", "ResponseStarted", "ResponseComplete", "Panic")

_API_VERSION = "audit.k8s.io/v1"
_log = logging.getLogger(__name__)


class PolicyError(Exception):
    """What is wrong with a policy, in one sentence."""


class GroupResources(msgspec.Struct, frozen=True, rename="camel"):
    """Resources of one group; without names of resources, all of them."""

    group: str = ""
    resources: tuple[str, ...] = ()
    resource_names: tuple[str, ...] = ()


class Rule(msgspec.Struct, frozen=True, rename="camel"):
    """Which requests, and how much of them. What is empty restricts nothing."""

    level: str = ""
    users: tuple[str, ...] = ()
    user_groups: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ()
    resources: tuple[GroupResources, ...] = ()
    namespaces: tuple[str, ...] = ()
    non_resource_urls: tuple[str, ...] = msgspec.field(default=(), name="nonResourceURLs")
    omit_stages: tuple[str, ...] = ()
    omit_managed_fields: bool | None = None

    def matches(self, attributes: Attributes) -> bool:
        user = attributes.user
        if self.users and user.name not in self.users:
            return False
        if self.user_groups and not any(group in self.user_groups for group in user.groups):
            return False
        if self.verbs and attributes.verb not in self.verbs:
            return False
        if self.namespaces or self.resources:
            return self._matches_resource(attributes)
        if self.non_resource_urls:
            return not attributes.resource and any(
                _covers(url, attributes.path) for url in self.non_resource_urls
            )
        return True

    def _matches_resource(self, attributes: Attributes) -> bool:
        if not attributes.resource:
            return False
        if self.namespaces and attributes.namespace not in self.namespaces:
            return False
        if not self.resources:
            return True
        resource, subresource = attributes.resource, attributes.subresource
        named = {"*", f"{resource}/*", f"{resource}/{subresource}" if subresource else resource}
        if subresource:
            named.add(f"*/{subresource}")
        return any(
            each.group in ("*", attributes.group)
            and (
                not each.resources
                or (
                    not named.isdisjoint(each.resources)
                    and (not each.resource_names or attributes.name in each.resource_names)
                )
            )
            for each in self.resources
        )


class Wanted(msgspec.Struct, frozen=True):
    """What is to be written of one request."""

    level: str
    omitted: frozenset[str] = frozenset()
    """Stages that are left out."""
    omit_managed_fields: bool = False

    @property
    def request_too(self) -> bool:
        return self.level in (REQUEST, REQUEST_RESPONSE)

    @property
    def response_too(self) -> bool:
        return self.level == REQUEST_RESPONSE


class Policy(msgspec.Struct, frozen=True, rename="camel"):
    """The rules, in order."""

    api_version: str = ""
    kind: str = ""
    metadata: dict[str, Any] = {}
    rules: tuple[Rule, ...] = ()
    omit_stages: tuple[str, ...] = ()
    omit_managed_fields: bool = False

    def wanted(self, attributes: Attributes) -> Wanted:
        """What is to be written of a request (P1)."""
        for rule in self.rules:
            if rule.matches(attributes):
                omit = rule.omit_managed_fields
                return Wanted(
                    rule.level,
                    frozenset((*self.omit_stages, *rule.omit_stages)),
                    self.omit_managed_fields if omit is None else omit,
                )
        return Wanted(NONE)


def read_policy(path: Path) -> Policy:
    """The policy in a file. Raises: PolicyError."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise PolicyError(f"cannot read the audit policy {path}: {error.strerror}") from None
    try:
        return parse_policy(text)
    except PolicyError as error:
        raise PolicyError(f"{path}: {error}") from None


def parse_policy(text: bytes) -> Policy:
    """A policy in YAML or JSON. Raises: PolicyError (P2)."""
    try:
        value, repeated = decode_yaml(text)
    except DecodeError as error:
        raise PolicyError(f"this is no YAML: {error}") from None
    if not isinstance(value, dict):
        raise PolicyError(f"an audit policy is an object with apiVersion: {_API_VERSION}, kind: Policy")
    given = value.get("apiVersion", ""), value.get("kind", "")
    if given != (_API_VERSION, "Policy"):
        told = f"{given[1] or 'nothing'} of {given[0] or 'no version'}"
        raise PolicyError(f"this is {told}; write apiVersion: {_API_VERSION}, kind: Policy")
    try:
        policy = msgspec.convert(value, Policy)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$.")
        raise PolicyError(f"{where.rstrip('`') or 'the policy'}: {what}") from None
    unknown = [*repeated, *_unknown(value, msgspec.to_builtins(policy), "")]
    if unknown:
        _log.warning("the audit policy has fields that mean nothing: %s", ", ".join(unknown))
    wrong = [*_wrong_stages(policy.omit_stages, "omitStages")]
    for index, rule in enumerate(policy.rules):
        wrong += _wrong_rule(rule, f"rules[{index}]")
    if wrong:
        raise PolicyError("; ".join(map(str, wrong)))
    if not policy.rules:
        raise PolicyError(
            "rules: there are none, so nothing would ever be written; add one, e.g. - level: Metadata"
        )
    return policy


def _unknown(given: Any, known: Any, path: str) -> Iterator[str]:
    """The fields of what was given that a policy does not have."""
    if isinstance(given, dict) and isinstance(known, dict) and path != "metadata":
        for name, value in given.items():
            where = f"{path}.{name}" if path else name
            if name not in known:
                yield where
            else:
                yield from _unknown(value, known[name], where)
    elif isinstance(given, list):
        for index, (value, other) in enumerate(zip(given, known, strict=False)):
            yield from _unknown(value, other, f"{path}[{index}]")


def _wrong_rule(rule: Rule, path: str) -> Iterator[FieldError]:
    if not rule.level:
        yield FieldError.required(f"{path}.level", "")
    elif rule.level not in LEVELS:
        yield FieldError.not_supported(f"{path}.level", rule.level, LEVELS)
    for index, url in enumerate(rule.non_resource_urls):
        where = f"{path}.nonResourceURLs[{index}]"
        if url == "*":
            continue
        if not url.startswith("/"):
            yield FieldError.invalid(where, url, "non-resource URL rules must begin with a '/' character")
        if "*" in url[:-1]:
            told = "non-resource URL wildcards '*' must be the final character of the rule"
            yield FieldError.invalid(where, url, told)
    for each in rule.resources:
        if each.group not in ("", "*"):
            problems = is_dns1123_subdomain(each.group)
            if problems:
                yield FieldError.invalid(f"{path}.resources.group", each.group, ",".join(problems))
        if each.resource_names and not each.resources:
            told = "using resourceNames requires at least one resource"
            yield FieldError.invalid(f"{path}.resources.resourceNames", list(each.resource_names), told)
    yield from _wrong_stages(rule.omit_stages, f"{path}.omitStages")
    if rule.non_resource_urls and (rule.resources or rule.namespaces):
        told = "rules cannot apply to both regular resources and non-resource URLs"
        yield FieldError.invalid(f"{path}.nonResourceURLs", list(rule.non_resource_urls), told)


def _wrong_stages(stages: tuple[str, ...], path: str) -> Iterator[FieldError]:
    for index, stage in enumerate(stages):
        if stage not in STAGES:
            yield FieldError.invalid(f"{path}[{index}]", stage, f"allowed stages are {','.join(STAGES)}")


def _covers(url: str, path: str) -> bool:
    return url in ("*", path) or (url.endswith("*") and path.startswith(url.rstrip("*")))
