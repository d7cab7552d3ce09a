"""StatefulSets: Pods with names of their own, each with its claims, made and replaced in order.

`observe` reads, `decide` chooses, `act` does, `reconciler` joins them; `template` says what a Pod and a claim of a
set look like, `revisions` tells one template from another.

Source: https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/
"""

from kajitori.controllers.statefulset.reconciler import StatefulSetReconciler, setup

__all__ = ["StatefulSetReconciler", "setup"]
