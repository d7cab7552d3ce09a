"""What a namespace demands of its Pods: a level and a version for each of enforce, audit and warn.

Promises
    L1  a label that says no level counts as restricted where it enforces, and as privileged where it only tells
    L2  who is told of nothing else is warned as strictly as is enforced

Source: pod-security-admission's api (PolicyToEvaluate).
"""

import re
from collections.abc import Mapping

import msgspec

from kajitori.apimachinery.errors import FieldError

__all__ = [
    "BASELINE",
    "LABEL_PREFIX",
    "LATEST",
    "LEVELS",
    "PRIVILEGED",
    "Grade",
    "Policy",
    "parse_version",
    "policy_of",
]

LABEL_PREFIX = "pod-security.kubernetes.io/"
PRIVILEGED, BASELINE, RESTRICTED = "privileged", "baseline", "restricted"
LEVELS = (PRIVILEGED, BASELINE, RESTRICTED)
"""From what allows everything to what allows least."""

LATEST = -1
"""The version that is always the newest."""

_INT64_MAX = (1 << 63) - 1
_is_version = re.compile(r"v1\.(?:[0-9]|[1-9][0-9]*)").fullmatch
_WRONG_LEVEL = f"must be one of {', '.join(LEVELS)}"
_WRONG_VERSION = 'must be "latest" or "v1.x"'


class Grade(msgspec.Struct, frozen=True):
    """A level in one version."""

    level: str = PRIVILEGED
    minor: int = LATEST
    """Of Kubernetes 1.x, or LATEST."""

    def __str__(self) -> str:
        return f"{self.level}:{'latest' if self.minor == LATEST else f'v1.{self.minor}'}"

    def is_equivalent(self, other: "Grade") -> bool:
        """Whether both say the same: what is privileged is so in every version."""
        return self == other or self.level == other.level == PRIVILEGED


class Policy(msgspec.Struct, frozen=True):
    """What is refused, what is written down, and what is warned of."""

    enforce: Grade = Grade()
    audit: Grade = Grade()
    warn: Grade = Grade()

    @property
    def is_privileged(self) -> bool:
        """Whether nothing is demanded at all."""
        return self.enforce.level == self.audit.level == self.warn.level == PRIVILEGED

    def is_equivalent(self, other: "Policy") -> bool:
        return (
            self.enforce.is_equivalent(other.enforce)
            and self.audit.is_equivalent(other.audit)
            and self.warn.is_equivalent(other.warn)
        )


def parse_version(text: str) -> int | None:
    """The minor version that a text says, LATEST, or None when it says neither."""
    if text == "latest":
        return LATEST
    if not _is_version(text) or len(text) > 3 + len(str(_INT64_MAX)):
        return None
    minor = int(text[3:])
    return minor if minor <= _INT64_MAX else None


def policy_of(labels: Mapping[str, str], defaults: Policy) -> tuple[Policy, list[FieldError]]:
    """What a namespace with these labels demands, and what is wrong with them."""
    errors: list[FieldError] = []

    def read(mode: str, default: Grade, otherwise: str) -> Grade:
        level, minor = default.level, default.minor
        key = f"{LABEL_PREFIX}{mode}"
        if key in labels:
            level = labels[key]
            if level not in LEVELS:
                errors.append(FieldError.invalid(f"metadata.labels[{key}]", level, _WRONG_LEVEL))
                level = otherwise
        key += "-version"
        if key in labels:
            found = parse_version(labels[key])
            if found is None:
                errors.append(FieldError.invalid(f"metadata.labels[{key}]", labels[key], _WRONG_VERSION))
            minor = LATEST if found is None else found
        return Grade(level, minor)

    enforce = read("enforce", defaults.enforce, RESTRICTED)
    audit = read("audit", defaults.audit, PRIVILEGED)
    warn = read("warn", defaults.warn, PRIVILEGED)
    says_nothing = f"{LABEL_PREFIX}warn" not in labels
    if says_nothing and labels.get(f"{LABEL_PREFIX}enforce") in LEVELS and _is_stricter(enforce, warn):
        versioned = f"{LABEL_PREFIX}warn-version" in labels
        warn = Grade(enforce.level, warn.minor if versioned else enforce.minor)
    return Policy(enforce, audit, warn), errors


def _is_stricter(one: Grade, other: Grade) -> bool:
    return LEVELS.index(one.level) > LEVELS.index(other.level)
