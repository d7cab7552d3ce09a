"""The Kubewarden operator: policies of policies.kubewarden.io, WebAssembly modules that judge requests.

`setup` adds it to a manager that serves webhooks, `crds` is what an API server must serve first. Inside: `observe`
reads a frozen `PolicySeen` and loads the policy, `decide` makes a `Plan` of it, `act` carries it out; `fetching` gets
modules, `runtime` runs them, `serving` answers AdmissionReviews, `trying` asks a policy without a cluster.
"""

from collections.abc import Mapping
from typing import Any

from kajitori.apimachinery.kind import JsonObject
from kajitori.operators.kubewarden.reconciler import setup
from kajitori.operators.kubewarden.settings import Settings

__all__ = ["Settings", "crds", "setup"]


def crds() -> list[JsonObject]:
    """The CustomResourceDefinitions of the operator's kinds."""
    # Generating schemas is needed by few processes, once.
    from kajitori.apimachinery.crdgen import crd_for
    from kajitori.apis import facts
    from kajitori.apis.policies_v1.policies import (
        AdmissionPolicy,
        AdmissionPolicyGroup,
        ClusterAdmissionPolicy,
        ClusterAdmissionPolicyGroup,
    )
    from kajitori.apis.policies_v1.policyserver import PolicyServer

    def load(name: str) -> Mapping[str, Any]:
        return facts.definition(name).schema

    kinds = (
        PolicyServer,
        AdmissionPolicy,
        AdmissionPolicyGroup,
        ClusterAdmissionPolicy,
        ClusterAdmissionPolicyGroup,
    )
    return [crd_for(each, load=load) for each in kinds]
