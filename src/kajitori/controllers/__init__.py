"""Kubernetes' own controllers, on our runtime: they know the cluster through a client only, and run on any.

Source: Kubernetes' kube-controller-manager.
"""

from kajitori.ctrl import Manager

__all__ = ["setup"]


def setup(manager: Manager, *, ca: str) -> list[str]:
    """Adds every controller to a manager; gives their names. `ca` is the API's authority, in PEM."""
    from kajitori.controllers import garbage, namespaces, protection, serviceaccounts, statefulset

    namespaces.setup(manager)
    serviceaccounts.setup(manager, ca)
    garbage.setup(manager)
    statefulset.setup(manager)
    protection.setup(manager)
    return ["namespaces", "service accounts", "garbage collector", "statefulsets", "volume protection"]
