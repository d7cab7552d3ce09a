"""Makes of a policy's spec something that answers requests: modules fetched and compiled, settings accepted.

Promises
    L1  a policy is loaded once per change of its spec, of its server's, and of the Secret with credentials
    L2  settings that the policy refuses, and anything else that will not pass by itself, are told apart from what may
    L3  of a group, every policy is loaded and judged, and everything that is wrong is told
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from kajitori.apis import JsonObject, thaw
from kajitori.apis.policies_v1 import is_cluster_wide, is_group, unique_name
from kajitori.ctrl import Clock
from kajitori.operators.kubewarden.fetching.modules import Modules
from kajitori.operators.kubewarden.fetching.sources import FetchError, Sources
from kajitori.operators.kubewarden.runtime.capabilities import Capabilities, Services
from kajitori.operators.kubewarden.runtime.groups import validate_group
from kajitori.operators.kubewarden.runtime.responses import constrained
from kajitori.operators.kubewarden.settings import Settings
from kajitori.wire.wasm.guest import GuestError

if TYPE_CHECKING:
    from kajitori.operators.kubewarden.runtime.policy import Policy, Run

__all__ = ["Answering", "LoadError", "load"]


class LoadError(Exception):
    """Why a policy cannot be run."""

    def __init__(self, message: str, *, will_pass: bool) -> None:
        super().__init__(message)
        self.will_pass = will_pass


@dataclass(frozen=True, slots=True)
class _Member:
    """One module with its settings."""

    policy: "Policy"
    settings: JsonObject
    run: "Run"

    def validate(self, request: JsonObject) -> JsonObject:
        return self.policy.validate(request, self.settings, self.run)


@dataclass(frozen=True, slots=True)
class Answering:
    """A policy that is ready to be asked."""

    name: str
    mode: str
    may_mutate: bool
    message: str
    expression: str
    """Of a group; empty for a single policy."""
    members: Mapping[str, _Member]
    digests: frozenset[str]

    def validate(self, request: JsonObject) -> JsonObject:
        """What the policy says, as its mode and its permissions allow. Blocking."""
        return constrained(
            self.audit(request),
            self.name,
            monitors=self.mode == "monitor",
            may_mutate=self.may_mutate,
            message="" if self.expression else self.message,
        )

    def audit(self, request: JsonObject) -> JsonObject:
        """What the policy itself says. Blocking."""
        if not self.expression:
            return self.members[""].validate(request)
        asked = {name: member.validate for name, member in self.members.items()}
        return validate_group(request, self.expression, self.message, asked)


async def load(
    policy: JsonObject,
    server: JsonObject,
    *,
    modules: Modules,
    sources: Sources,
    services: Services,
    settings: Settings,
    clock: Clock,
) -> Answering:
    """Raises: LoadError."""
    spec: JsonObject = thaw(policy["spec"])
    if server["spec"].get("verificationConfig"):
        why = (
            "the PolicyServer has spec.verificationConfig, and signatures cannot be verified here; remove it"
        )
        raise LoadError(why, will_pass=False)
    parts: dict[str, JsonObject] = spec["policies"] if is_group(policy) else {"": spec}
    make_run = partial(_run, policy, server, services=services, settings=settings, clock=clock)
    members: dict[str, _Member] = {}
    digests: set[str] = set()
    complaints: list[str] = []
    for name, part in parts.items():
        try:
            digest, found = await modules.load(part["module"], sources)
        except FetchError as error:
            raise LoadError(_of(name, str(error)), will_pass=True) from None
        except GuestError as error:
            raise LoadError(_of(name, f"{part['module']}: {error}"), will_pass=False) from None
        digests.add(digest)
        member = _Member(found, part.get("settings") or {}, await asyncio.to_thread(make_run, part, name))
        complaint = await asyncio.to_thread(found.settings_complaint, member.settings, member.run)
        if complaint:
            complaints.append(_of(name, f"Policy settings are invalid: {complaint}"))
        members[name] = member
    if complaints:
        raise LoadError("; ".join(complaints), will_pass=False)
    return Answering(
        unique_name(policy),
        spec.get("mode") or "protect",
        bool(spec.get("mutating")) and not is_group(policy),
        spec.get("message") or "",
        spec.get("expression") or "" if is_group(policy) else "",
        members,
        frozenset(digests),
    )


def _of(name: str, text: str) -> str:
    return f"{name}: {text}" if name else text


def _run(
    policy: JsonObject,
    server: JsonObject,
    part: JsonObject,
    name: str,
    *,
    services: Services,
    settings: Settings,
    clock: Clock,
) -> "Run":
    """What the policy's calls are run with."""
    from kajitori.operators.kubewarden.runtime.engine import Limits
    from kajitori.operators.kubewarden.runtime.policy import Run

    granted: list[dict[str, Any]] = part.get("contextAwareResources") or []
    allowed = server["spec"].get("namespacedPoliciesCapabilities")
    full_name = unique_name(policy)
    capabilities = Capabilities(
        f"{full_name}/{name}" if name else full_name,
        frozenset((each["apiVersion"], each["kind"]) for each in granted)
        if is_cluster_wide(policy)
        else frozenset(),
        services,
        ("*",) if is_cluster_wide(policy) or allowed is None else tuple(allowed),
    )
    seconds = float(part.get("timeoutEvalSeconds") or settings.evaluation_seconds)
    return Run(capabilities, Limits(seconds, settings.memory_bytes), clock)
