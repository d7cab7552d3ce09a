"""Group policies.kubewarden.io, version v1: PolicyServer, AdmissionPolicy, ClusterAdmissionPolicy, groups of them.

`policies` and `policyserver` are the kinds; `expressions`, `validation` and `admission` what their schemas cannot say;
`names` what everything is called.
"""

from kajitori.apis.policies_v1.admission import admit, default_object
from kajitori.apis.policies_v1.expressions import ExpressionProblem, check_expression, evaluate_expression
from kajitori.apis.policies_v1.names import (
    ADMISSION_POLICY,
    ADMISSION_POLICY_GROUP,
    CLUSTER_ADMISSION_POLICY,
    CLUSTER_ADMISSION_POLICY_GROUP,
    FINALIZER,
    POLICY_KINDS,
    POLICY_SERVER,
    SERVER_PORT,
    is_cluster_wide,
    is_group,
    policy_server_service,
    unique_name,
)
from kajitori.apis.policies_v1.validation import validate_policy, validate_policy_server

__all__ = [
    "ADMISSION_POLICY",
    "ADMISSION_POLICY_GROUP",
    "CLUSTER_ADMISSION_POLICY",
    "CLUSTER_ADMISSION_POLICY_GROUP",
    "FINALIZER",
    "POLICY_KINDS",
    "POLICY_SERVER",
    "SERVER_PORT",
    "ExpressionProblem",
    "admit",
    "check_expression",
    "default_object",
    "evaluate_expression",
    "is_cluster_wide",
    "is_group",
    "policy_server_service",
    "unique_name",
    "validate_policy",
    "validate_policy_server",
]
