"""PodSecurity: Pods keep to the Pod Security Standards that their namespace asks for.

What is not demanded costs one look at the namespace: the standards are imported with the first that is.

Promises
    P1  a Pod is refused where it violates what is enforced, and only there; workloads are warned of, never refused
    P2  an update that changes no container and no image is not judged again
    P3  who makes a namespace stricter is told which Pods there violate it, of NAMESPACE_PODS_MAX and within
        NAMESPACE_SECONDS at most; meanwhile others are served

Source: https://kubernetes.io/docs/concepts/security/pod-security-admission/
"""

import asyncio
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from kajitori.apimachinery.decode import go_quote
from kajitori.apimachinery.errors import ApiError, FieldError, InternalError, forbidden, invalid
from kajitori.apimachinery.kind import JsonObject
from kajitori.apimachinery.names import name_is_dns_label, name_is_dns_subdomain
from kajitori.apiserver.registry.call import Attributes
from kajitori.storage import Store
from kajitori.world.clock import Clock

if TYPE_CHECKING:
    from kajitori.apis.podsecurity import Grade, Policy, Verdict

__all__ = ["NAMESPACE_PODS_MAX", "NAMESPACE_SECONDS", "PodSecurity", "PodSecurityConfiguration"]

NAMESPACE_PODS_MAX = 3000
"""How many Pods of a namespace are looked at when it becomes stricter."""

NAMESPACE_SECONDS = 1.0
"""How long that may take."""

_PODS_AT_ONCE = 50
"""After so many others get their turn."""

_NAMESPACES_MAX = 1000
"""Namespaces whose demands are remembered."""

_PREFIX = "pod-security.kubernetes.io/"
_LABELLED = _PREFIX.encode()
_PODS, _NAMESPACES = "/pods", "/namespaces"
_WORKLOADS = frozenset(
    {
        "/podtemplates",
        "/replicationcontrollers",
        "apps/daemonsets",
        "apps/deployments",
        "apps/replicasets",
        "apps/statefulsets",
        "batch/cronjobs",
        "batch/jobs",
    }
)
_IGNORED = frozenset(
    {"attach", "binding", "eviction", "exec", "log", "portforward", "proxy", "status", "token"}
)
_MODES = ("enforce", "warn", "audit")
_read = msgspec.json.Decoder(JsonObject).decode


class _Metadata(msgspec.Struct):
    labels: dict[str, str] | None = None


class _Labelled(msgspec.Struct):
    metadata: _Metadata


_read_labels = msgspec.json.Decoder(_Labelled).decode


class _Defaults(msgspec.Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    enforce: str = ""
    enforce_version: str = ""
    audit: str = ""
    audit_version: str = ""
    warn: str = ""
    warn_version: str = ""


class _Exemptions(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    usernames: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    runtime_classes: tuple[str, ...] = ()


class PodSecurityConfiguration(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What namespaces demand that say nothing, and who is judged by nothing."""

    api_version: str = ""
    kind: str = ""
    defaults: _Defaults = _Defaults()
    exemptions: _Exemptions = _Exemptions()

    @classmethod
    def of(cls, value: Any) -> "PodSecurityConfiguration":
        """The configuration of a file. Raises: ConfigurationError."""
        from kajitori.apis.podsecurity import LEVELS, parse_version
        from kajitori.apiserver.admission.configuration import typed, without_errors

        where = "PodSecurity"
        group = "pod-security.admission.config.k8s.io"
        found = typed(value, cls, kinds=("PodSecurityConfiguration",), group=group, where=where)
        errors: list[FieldError] = []
        for mode in _MODES:
            level, version = found._said(mode)
            if level not in LEVELS:
                told = f"must be one of {', '.join(LEVELS)}"
                errors.append(FieldError.invalid(f"defaults.{mode}", level, told))
            if parse_version(version) is None:
                told = 'must be "latest" or "v1.x"'
                errors.append(FieldError.invalid(f"defaults.{mode}-version", version, told))
        exempt = found.exemptions
        errors += _wrong_names("namespaces", exempt.namespaces, name_is_dns_label)
        errors += _wrong_names("runtimeClasses", exempt.runtime_classes, name_is_dns_subdomain)
        errors += _wrong_names("usernames", exempt.usernames, _no_username)
        without_errors(errors, where)
        return found

    def _said(self, mode: str) -> tuple[str, str]:
        level, version = getattr(self.defaults, mode), getattr(self.defaults, f"{mode}_version")
        return level or "privileged", version or "latest"

    def policy(self) -> "Policy":
        """What a namespace demands that says nothing."""
        from kajitori.apis.podsecurity import LATEST, Grade, Policy, parse_version

        def grade(mode: str) -> Grade:
            level, version = self._said(mode)
            minor = parse_version(version)
            return Grade(level, LATEST if minor is None else minor)

        return Policy(grade("enforce"), grade("audit"), grade("warn"))


def _no_username(name: str, prefix: bool) -> list[str]:
    return [] if name else ["username must not be empty"]


def _wrong_names(member: str, names: Iterable[str], check: Any) -> list[FieldError]:
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, name in enumerate(names):
        path, problems = f"exemptions.{member}[{index}]", check(name, False)
        if problems:
            errors.append(FieldError.invalid(path, name, ", ".join(problems)))
        elif name in seen:
            errors.append(FieldError.duplicate(path, name))
        seen.add(name)
    return errors


_Demands = tuple["Policy | None", list[FieldError]]
"""What a namespace asks for, None where that is nothing, and what is wrong with its labels."""


class PodSecurity:
    """The plugin."""

    name = "PodSecurity"
    mutate = None

    def __init__(self, store: Store, clock: Clock, configuration: Any = None) -> None:
        """Raises: ConfigurationError."""
        self._store = store
        self._clock = clock
        self._given = configuration is not None
        self._configuration = (
            PodSecurityConfiguration.of(configuration) if self._given else PodSecurityConfiguration()
        )
        self._remembered: dict[str, tuple[int, _Demands]] = {}

    @cached_property
    def _defaults(self) -> "Policy":
        return self._configuration.policy()

    def handles(self, operation: str, bucket: str, subresource: str) -> bool:
        if operation not in ("CREATE", "UPDATE"):
            return False
        if bucket == _PODS:
            return subresource not in _IGNORED
        return not subresource and (bucket == _NAMESPACES or bucket in _WORKLOADS)

    def validate(self, attributes: Attributes) -> Any:
        """Raises: Forbidden for a Pod that violates what its namespace enforces, Invalid for wrong labels."""
        bucket = attributes.resource.bucket
        if bucket == _NAMESPACES:
            return self._validate_namespace(attributes)
        exempt = self._configuration.exemptions
        if attributes.namespace in exempt.namespaces:
            return _annotate(attributes, "exempt", "namespace")
        if attributes.user.name in exempt.usernames:
            return _annotate(attributes, "exempt", "user")
        is_pod = bucket == _PODS
        demands = self._demands(attributes.namespace)
        if demands is None:
            return _no_namespace(attributes, is_pod=is_pod)
        policy, errors = demands
        if policy is None:
            return _annotate(attributes, "enforce-policy", "privileged:latest") if is_pod else None
        if is_pod:
            return self._validate_pod(attributes, policy, errors)
        return self._validate_workload(attributes, policy, errors)

    def _demands(self, namespace: str) -> "_Demands | None":
        item = self._store.get(_NAMESPACES, namespace)
        if item is None:
            return None
        if not self._given and _LABELLED not in item.value:
            return None, []
        known = self._remembered.get(namespace)
        if known is not None and known[0] == item.revision:
            return known[1]
        policy, errors = self._policy(_read_labels(item.value).metadata.labels)
        demands: _Demands = (None if policy.is_privileged and not errors else policy, errors)
        if len(self._remembered) >= _NAMESPACES_MAX:
            self._remembered.clear()
        self._remembered[namespace] = item.revision, demands
        return demands

    def _policy(self, labels: Mapping[str, str] | None) -> "tuple[Policy, list[FieldError]]":
        from kajitori.apis.podsecurity import policy_of

        return policy_of(labels or {}, self._defaults)

    # Pods, and what makes them.

    def _validate_pod(self, attributes: Attributes, policy: "Policy", errors: list[FieldError]) -> None:
        from kajitori.apis.podsecurity import is_significant_update

        pod, old = attributes.obj, attributes.old
        assert pod is not None, attributes
        if old is not None and not is_significant_update(pod, old):
            return
        metadata, spec = pod["metadata"], pod["spec"]
        if self._is_exempt(spec):
            _annotate(attributes, "exempt", "runtimeClass")
            return
        _annotate_errors(attributes, errors)
        _annotate(attributes, "enforce-policy", str(policy.enforce))
        enforced = _judged(policy.enforce, metadata, spec, {})
        seen = {policy.enforce: enforced}
        self._audit(attributes, policy, metadata, spec, seen)
        if not enforced.allowed:
            why = f"violates PodSecurity {go_quote(str(policy.enforce))}: {enforced.details}"
            raise forbidden("pods", "", attributes.name, why)
        self._warn(attributes, policy, metadata, spec, seen)

    def _validate_workload(self, attributes: Attributes, policy: "Policy", errors: list[FieldError]) -> None:
        from kajitori.apis.podsecurity import pod_of

        if not errors and policy.warn.level == policy.audit.level == "privileged":
            return
        assert attributes.obj is not None, attributes
        found = pod_of(attributes.resource.bucket, attributes.obj)
        if found is None:
            return
        metadata, spec = found
        if self._is_exempt(spec):
            _annotate(attributes, "exempt", "runtimeClass")
            return
        _annotate_errors(attributes, errors)
        seen: dict[Grade, Verdict] = {}
        self._audit(attributes, policy, metadata, spec, seen)
        self._warn(attributes, policy, metadata, spec, seen)

    def _is_exempt(self, spec: JsonObject) -> bool:
        name = spec.get("runtimeClassName")
        return bool(name) and name in self._configuration.exemptions.runtime_classes

    def _audit(
        self,
        attributes: Attributes,
        policy: "Policy",
        metadata: JsonObject,
        spec: JsonObject,
        seen: "dict[Grade, Verdict]",
    ) -> None:
        verdict = seen[policy.audit] = _judged(policy.audit, metadata, spec, seen)
        if not verdict.allowed:
            told = f"would violate PodSecurity {go_quote(str(policy.audit))}: {verdict.details}"
            _annotate(attributes, "audit-violations", told)

    def _warn(
        self,
        attributes: Attributes,
        policy: "Policy",
        metadata: JsonObject,
        spec: JsonObject,
        seen: "dict[Grade, Verdict]",
    ) -> None:
        verdict = _judged(policy.warn, metadata, spec, seen)
        if not verdict.allowed and attributes.call is not None:
            told = f"would violate PodSecurity {go_quote(str(policy.warn))}: {verdict.details}"
            attributes.call.warn(told)

    # Namespaces.

    def _validate_namespace(self, attributes: Attributes) -> Any:
        namespace, old = attributes.obj, attributes.old
        assert namespace is not None, attributes
        labels = namespace["metadata"].get("labels")
        if not self._given and not _speaks(labels) and (old is None or not _speaks(_labels(old))):
            return None
        policy, errors = self._policy(labels)
        if old is None:
            if errors:
                raise invalid("Namespace", "", attributes.name, errors)
            return self._warn_of_exemption(attributes, policy, labels)
        before, errors_before = self._policy(_labels(old))
        if errors and errors != errors_before:
            raise invalid("Namespace", "", attributes.name, errors)
        if not _is_stricter(policy.enforce, before.enforce):
            return None
        if attributes.name in self._configuration.exemptions.namespaces:
            return self._warn_of_exemption(attributes, policy, labels)
        return self._warn_of_pods(attributes, policy.enforce)

    def _warn_of_exemption(
        self, attributes: Attributes, policy: "Policy", labels: Mapping[str, str] | None
    ) -> None:
        if attributes.name not in self._configuration.exemptions.namespaces or attributes.call is None:
            return
        if policy.is_privileged or policy.is_equivalent(self._defaults):
            return
        said = [
            f"{mode}={grade}"
            for mode, grade in (("enforce", policy.enforce), ("audit", policy.audit), ("warn", policy.warn))
            if grade.level != "privileged"
            and labels
            and (f"{_PREFIX}{mode}" in labels or f"{_PREFIX}{mode}-version" in labels)
        ]
        told = f"namespace {go_quote(attributes.name)} is exempt from Pod Security"
        attributes.call.warn(f"{told}, and the policy ({', '.join(said)}) will be ignored")

    async def _warn_of_pods(self, attributes: Attributes, enforce: "Grade") -> None:
        """Tells which Pods violate what the namespace will enforce (P3)."""
        call, namespace = attributes.call, attributes.name
        if call is None:
            return
        end = self._clock.monotonic() + NAMESPACE_SECONDS
        pods = self._prioritized([_read(item.value) for item in self._store.range(_PODS, f"{namespace}/")])
        violating: dict[str, list[str]] = {}
        checked = 0
        for pod in pods[:NAMESPACE_PODS_MAX]:
            verdict = _judged(enforce, pod["metadata"], pod["spec"], {})
            if not verdict.allowed:
                violating.setdefault(verdict.reasons, []).append(pod["metadata"]["name"])
            checked += 1
            if self._clock.monotonic() > end:
                break
            if not checked % _PODS_AT_ONCE:
                await asyncio.sleep(0)
        if checked < len(pods):
            what = "new PodSecurity enforce level only checked against the first"
            call.warn(f"{what} {checked} of {len(pods)} existing pods")
        if violating:
            what = (
                f"existing pods in namespace {go_quote(namespace)} violate the new PodSecurity enforce level"
            )
            call.warn(f"{what} {go_quote(str(enforce))}")
        for told in sorted(f"{_names(names)}: {reasons}" for reasons, names in violating.items()):
            call.warn(told)

    def _prioritized(self, pods: list[JsonObject]) -> list[JsonObject]:
        """The Pods to look at; of each controller's the first one before the second of any."""
        first: list[JsonObject] = []
        others: list[JsonObject] = []
        controllers: set[str] = set()
        for pod in pods:
            if self._is_exempt(pod["spec"]):
                continue
            owners: list[JsonObject] = pod["metadata"].get("ownerReferences") or []
            uid = next((each["uid"] for each in owners if each.get("controller")), None)
            (others if uid is not None and uid in controllers else first).append(pod)
            if uid is not None:
                controllers.add(uid)
        return first + others


def _judged(
    grade: "Grade", metadata: JsonObject, spec: JsonObject, seen: "dict[Grade, Verdict]"
) -> "Verdict":
    from kajitori.apis.podsecurity import evaluate

    return seen[grade] if grade in seen else evaluate(grade, metadata, spec)


def _is_stricter(new: "Grade", old: "Grade") -> bool:
    """Whether Pods may be forbidden by the new one that the old one allowed."""
    from kajitori.apis.podsecurity import LEVELS, PRIVILEGED

    if new == old or new.level == PRIVILEGED:
        return False
    return new.minor != old.minor or LEVELS.index(new.level) > LEVELS.index(old.level)


def _labels(namespace: JsonObject) -> Mapping[str, str] | None:
    labels: Mapping[str, str] | None = namespace["metadata"].get("labels")
    return labels


def _speaks(labels: Mapping[str, str] | None) -> bool:
    """Whether the labels say anything about the security of Pods."""
    return bool(labels) and any(key.startswith(_PREFIX) for key in labels or ())


def _names(names: list[str]) -> str:
    others = len(names) - 1
    if not others:
        return names[0]
    return f"{min(names)} (and {others} other {'pod' if others == 1 else 'pods'})"


def _annotate(attributes: Attributes, key: str, value: str) -> None:
    """Tells the audit log."""
    if attributes.call is not None:
        attributes.call.annotate(f"{_PREFIX}{key}", value)


def _annotate_errors(attributes: Attributes, errors: list[FieldError]) -> None:
    if errors:
        texts = list(dict.fromkeys(str(each) for each in errors))
        told = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
        _annotate(attributes, "error", f"Failed to parse policy: {told}")


def _no_namespace(attributes: Attributes, *, is_pod: bool) -> None:
    """What is answered where nobody else has asked for the namespace before."""
    told = f"failed to lookup namespace {go_quote(attributes.namespace)}"
    missing = f"namespace {go_quote(attributes.namespace)} not found"
    if not is_pod:
        _annotate(attributes, "error", f"{told}: {missing}")
        return
    error: ApiError = InternalError(f"Internal error occurred: {told}", details={})
    _annotate(attributes, "error", f"{error.message}: {missing}")
    raise error
