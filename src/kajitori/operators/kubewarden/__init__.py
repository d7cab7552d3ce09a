"""The Kubewarden operator: policies of policies.kubewarden.io, WebAssembly modules that judge requests.

`setup` adds it to a manager that serves webhooks, `crds` is what an API server must serve first. Inside: `observe`
reads a frozen `PolicySeen` and loads the policy, `decide` makes a `Plan` of it, `act` carries it out; `fetching` gets
modules, `runtime` runs them, `serving` answers AdmissionReviews, `trying` asks a policy without a cluster.
"""

from kajitori.apis import JsonObject
from kajitori.operators.kubewarden.reconciler import setup
from kajitori.operators.kubewarden.settings import Settings

__all__ = ["Settings", "crds", "setup"]


def crds() -> list[JsonObject]:
    """The CustomResourceDefinitions of the operator's kinds."""
    # Generating schemas is needed by few processes, once.
    from kajitori.apis import crd_for
    from kajitori.apis.policies_v1.policies import (
        AdmissionPolicy,
        AdmissionPolicyGroup,
        ClusterAdmissionPolicy,
        ClusterAdmissionPolicyGroup,
    )
    from kajitori.apis.policies_v1.policyserver import PolicyServer

    kinds = (
        PolicyServer,
        AdmissionPolicy,
        AdmissionPolicyGroup,
        ClusterAdmissionPolicy,
        ClusterAdmissionPolicyGroup,
    )
    return [crd_for(each) for each in kinds]
