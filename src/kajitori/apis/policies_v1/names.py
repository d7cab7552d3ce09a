"""What everything of the group is called; the names are Kubewarden's, whose kinds these are."""

from kajitori.apimachinery.kind import JsonObject, Kind

__all__ = [
    "ADMISSION_POLICY",
    "ADMISSION_POLICY_GROUP",
    "CLUSTER_ADMISSION_POLICY",
    "CLUSTER_ADMISSION_POLICY_GROUP",
    "DEFAULT_POLICY_SERVER",
    "FINALIZER",
    "GROUP",
    "POLICY_KINDS",
    "POLICY_SERVER",
    "SERVER_PORT",
    "VERSION",
    "is_cluster_wide",
    "is_group",
    "policy_server_service",
    "unique_name",
]

GROUP = "policies.kubewarden.io"
VERSION = "v1"

ADMISSION_POLICY = Kind(GROUP, VERSION, "AdmissionPolicy", "admissionpolicies")
ADMISSION_POLICY_GROUP = Kind(GROUP, VERSION, "AdmissionPolicyGroup", "admissionpolicygroups")
CLUSTER_ADMISSION_POLICY = Kind(
    GROUP, VERSION, "ClusterAdmissionPolicy", "clusteradmissionpolicies", namespaced=False
)
CLUSTER_ADMISSION_POLICY_GROUP = Kind(
    GROUP, VERSION, "ClusterAdmissionPolicyGroup", "clusteradmissionpolicygroups", namespaced=False
)
POLICY_SERVER = Kind(GROUP, VERSION, "PolicyServer", "policyservers", namespaced=False)
POLICY_KINDS = (
    ADMISSION_POLICY,
    ADMISSION_POLICY_GROUP,
    CLUSTER_ADMISSION_POLICY,
    CLUSTER_ADMISSION_POLICY_GROUP,
)

FINALIZER = "kubewarden.io/finalizer"
DEFAULT_POLICY_SERVER = "default"
SERVER_PORT = 8443

_PREFIXES = {
    ADMISSION_POLICY.kind: "namespaced-",
    ADMISSION_POLICY_GROUP.kind: "namespaced-group-",
    CLUSTER_ADMISSION_POLICY.kind: "clusterwide-",
    CLUSTER_ADMISSION_POLICY_GROUP.kind: "clusterwide-group-",
}


def unique_name(policy: JsonObject) -> str:
    """What a policy is called among all: its webhook configuration, and the path that it is asked at."""
    metadata = policy["metadata"]
    parts = [metadata["namespace"]] if metadata.get("namespace") else []
    return _PREFIXES[policy["kind"]] + "-".join([*parts, metadata["name"]])


def is_group(policy: JsonObject) -> bool:
    """Whether it is made of several policies."""
    return str(policy["kind"]).endswith("Group")


def is_cluster_wide(policy: JsonObject) -> bool:
    """Whether it is for all namespaces."""
    return str(policy["kind"]).startswith("Cluster")


def policy_server_service(server: str) -> str:
    """The Service that a policy server is reached by."""
    return f"policy-server-{server}"
