"""The Pod Security Standards: which Pods are privileged, baseline or restricted, in every version of Kubernetes.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/ and pod-security-admission's policy.
"""

from kajitori.apis.podsecurity.evaluation import (
    WORKLOADS,
    Verdict,
    evaluate,
    failed_checks,
    is_significant_update,
    pod_of,
)
from kajitori.apis.podsecurity.policies import (
    LABEL_PREFIX,
    LATEST,
    LEVELS,
    PRIVILEGED,
    Grade,
    Policy,
    parse_version,
    policy_of,
)

__all__ = [
    "LABEL_PREFIX",
    "LATEST",
    "LEVELS",
    "PRIVILEGED",
    "WORKLOADS",
    "Grade",
    "Policy",
    "Verdict",
    "evaluate",
    "failed_checks",
    "is_significant_update",
    "parse_version",
    "pod_of",
    "policy_of",
]
