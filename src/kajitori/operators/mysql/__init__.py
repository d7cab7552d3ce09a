"""The MySQL operator: MySQLCluster and BackupPolicy of moco.cybozu.com, at the level of Kubernetes objects.

`setup` adds it to a manager, `crds` is what an API server must serve first, `admission` what it may call in
process, `explain` what the operator would do. Inside: `observe` reads a frozen `ClusterSeen`, `decide` makes
a `Plan` of it, `act` carries it out, `reconciler` joins them.
"""

from kajitori.apis import JsonObject
from kajitori.operators.mysql.admission import Admission, admission
from kajitori.operators.mysql.explain import explain
from kajitori.operators.mysql.observe import entropy_of
from kajitori.operators.mysql.reconciler import MySQLReconciler, setup
from kajitori.operators.mysql.settings import Images, Settings

__all__ = [
    "Admission",
    "Images",
    "MySQLReconciler",
    "Settings",
    "admission",
    "crds",
    "entropy_of",
    "explain",
    "setup",
]


def crds() -> list[JsonObject]:
    """The CustomResourceDefinitions of the operator's kinds."""
    # Generating schemas is needed by few processes, once.
    from kajitori.apis import crd_for
    from kajitori.apis.mysql_v1beta2 import BackupPolicy, MySQLCluster

    return [crd_for(each) for each in (MySQLCluster, BackupPolicy)]
