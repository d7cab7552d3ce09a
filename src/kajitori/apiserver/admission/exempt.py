"""What webhooks and policies of the API are not asked about, so that no mistake in one locks everybody out.

Those from files are: whoever wrote them has the machine, and can put them right.

Source: apiserver's pkg/admission/plugin/webhook/predicates/rules, policy/generic/plugin.go; kube-apiserver's
pkg/kubeapiserver/admission/exclusion.
"""

__all__ = ["POLICIES", "REVIEWS", "WEBHOOKS"]

POLICIES = frozenset(
    f"admissionregistration.k8s.io/{plural}"
    for plural in (
        "mutatingadmissionpolicies",
        "mutatingadmissionpolicybindings",
        "validatingadmissionpolicies",
        "validatingadmissionpolicybindings",
    )
)
"""Buckets that policies of the API do not judge."""

WEBHOOKS = POLICIES | {
    "admissionregistration.k8s.io/mutatingwebhookconfigurations",
    "admissionregistration.k8s.io/validatingwebhookconfigurations",
}
"""Buckets that webhooks of the API are not called for."""

REVIEWS = frozenset(
    [
        "authentication.k8s.io/selfsubjectreviews",
        "authentication.k8s.io/tokenreviews",
        "authorization.k8s.io/localsubjectaccessreviews",
        "authorization.k8s.io/selfsubjectaccessreviews",
        "authorization.k8s.io/selfsubjectrulesreviews",
        "authorization.k8s.io/subjectaccessreviews",
    ]
)
"""What no policy judges, wherever it is from; webhooks are called."""
