"""The operators there are, found by name; nothing of one is imported before it is needed."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.world.random import Random

if TYPE_CHECKING:
    from kajitori.apiserver.admission.chain import Plugin
    from kajitori.client import Client
    from kajitori.cluster.operatoradmission import Admit, Default
    from kajitori.cluster.options import ClusterOptions
    from kajitori.ctrl import Manager
    from kajitori.storage import Store

__all__ = ["OPERATORS", "Known", "Operator", "UnknownProgram", "admission", "check_names", "chosen"]


class UnknownProgram(ValueError):
    """A name that no controller and no operator has."""


class Explain(Protocol):
    """What an operator sees of one object and would do, as plain data; None when there is no such object."""

    def __call__(self, client: "Client", namespace: str, name: str) -> Awaitable[dict[str, Any] | None]: ...


@dataclass(frozen=True, slots=True)
class Operator:
    """One operator, as the cluster and the command line see it."""

    name: str
    crds: Callable[[], Sequence[JsonObject]]
    setup: "Callable[[Manager], object]"
    admit: "Admit"
    default: "Default"
    explain: Explain | None = None
    """None: it explains nothing."""


@dataclass(frozen=True, slots=True)
class Known:
    """An operator that could be run, before anything of it is imported."""

    load: Callable[[Random], Operator]
    kinds: tuple[Kind, ...]
    """Whose writes it wants to see, and whose objects it works for."""
    reads_back: str = ""
    """The field manager whose entries in managedFields it reads, to know what it wrote."""
    explains: tuple[str, ...] = ()
    """The names of the kind that it can explain, in lower case, the singular first."""


def _mysql(random: Random) -> Operator:
    from kajitori.apis.mysql_v1beta2.defaults import default_cluster
    from kajitori.operators import mysql

    def default(obj: JsonObject) -> JsonObject:
        if obj.get("kind") != "MySQLCluster":
            return obj
        return default_cluster(obj, lambda size: mysql.entropy_of(random)[:size])

    return Operator("mysql", mysql.crds, mysql.setup, mysql.admission(random), default, mysql.explain)


def _kubewarden(random: Random) -> Operator:
    from kajitori.apis.policies_v1 import admit, default_object
    from kajitori.operators import kubewarden

    return Operator("kubewarden", kubewarden.crds, kubewarden.setup, admit, default_object)


_POLICIES = partial(Kind, "policies.kubewarden.io", "v1")

OPERATORS: Mapping[str, Known] = {
    "kubewarden": Known(
        _kubewarden,
        (
            _POLICIES("AdmissionPolicy", "admissionpolicies"),
            _POLICIES("AdmissionPolicyGroup", "admissionpolicygroups"),
            _POLICIES("ClusterAdmissionPolicy", "clusteradmissionpolicies", namespaced=False),
            _POLICIES("ClusterAdmissionPolicyGroup", "clusteradmissionpolicygroups", namespaced=False),
            _POLICIES("PolicyServer", "policyservers", namespaced=False),
        ),
    ),
    "mysql": Known(
        _mysql,
        (
            Kind("moco.cybozu.com", "v1beta2", "BackupPolicy", "backuppolicies"),
            Kind("moco.cybozu.com", "v1beta2", "MySQLCluster", "mysqlclusters"),
        ),
        reads_back="moco-controller",
        explains=("mysqlcluster", "mysqlclusters"),
    ),
}


def check_names(options: "ClusterOptions") -> None:
    """Raises: UnknownProgram when the options name a controller or an operator that there is not."""
    from kajitori.controllers import CONTROLLERS

    _check("controller", options.controllers or (), CONTROLLERS)
    _check("operator", options.without, OPERATORS)


def _check(what: str, names: Iterable[str], known: Iterable[str]) -> None:
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise UnknownProgram(f"unknown {what} {', '.join(unknown)}; known are {', '.join(known)}")


def chosen(options: "ClusterOptions") -> dict[str, Known]:
    """The operators that run."""
    if options.api_only:
        return {}
    return {name: known for name, known in OPERATORS.items() if name not in options.without}


def admission(options: "ClusterOptions", store: "Store", random: Random) -> "Sequence[Plugin]":
    """The operators' own admission, which has no webhook to go through in one process."""
    # Who runs operators beside a cluster has none of this.
    from kajitori.cluster.operatoradmission import OperatorAdmission

    return [
        OperatorAdmission(
            f"{name} operator",
            partial(known.load, random),
            frozenset(f"{kind.group}/{kind.plural}" for kind in known.kinds),
            store=store,
        )
        for name, known in chosen(options).items()
    ]
