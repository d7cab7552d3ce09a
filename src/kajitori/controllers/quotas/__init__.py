"""Quotas: their status says what is allowed, and what is really used.

Admission charges what is created; what goes, or is over, is found here.

Source: https://kubernetes.io/docs/concepts/policy/resource-quotas/ and Kubernetes' resourcequota controller.
"""

from kajitori.controllers.quotas.reconciler import QuotaReconciler, setup

__all__ = ["QuotaReconciler", "setup"]
