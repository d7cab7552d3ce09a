"""Trying a policy without a cluster: what it says about a request, and about its settings.

tried = try_policy("file:///policies/labels.wasm", request, {"labels": ["owner"]})
tried.complaint     # what the policy has against its settings; None: nothing
tried.response      # the `response` of an AdmissionReview
"""

from dataclasses import dataclass

from kajitori.apis import JsonObject
from kajitori.operators.kubewarden.fetching.modules import fetch_module
from kajitori.operators.kubewarden.fetching.sources import Sources
from kajitori.operators.kubewarden.runtime.capabilities import Capabilities

__all__ = ["Tried", "try_policy"]


@dataclass(frozen=True, slots=True)
class Tried:
    """What a policy said."""

    complaint: str | None
    """What it has against its settings; None where it has nothing."""
    response: JsonObject
    """The `response` of an AdmissionReview."""


def try_policy(
    module: str,
    request: JsonObject,
    settings: JsonObject,
    *,
    sources: Sources | None = None,
    seconds: float = 2.0,
) -> Tried:
    """Asks the policy at `module` (as `spec.module` has it) about the `request` of an AdmissionReview. Blocking.

    Raises: FetchError for a module that cannot be had, GuestError for one that is no policy.
    """
    # What runs WebAssembly takes 24 MiB and a tenth of a second.
    from kajitori.operators.kubewarden.runtime.engine import Engine, Limits
    from kajitori.operators.kubewarden.runtime.policy import Run, load_policy

    policy = load_policy(Engine(), fetch_module(module, sources or Sources()))
    run = Run(Capabilities(module), Limits(seconds))
    return Tried(policy.settings_complaint(settings, run), policy.validate(request, settings, run))
