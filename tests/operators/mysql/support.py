"""A small world for the operator's pure core: objects, and what an API server makes of a plan.

`World` keeps objects as an API server would, as far as a decision can notice: server-side apply with managed
fields, defaults that the server adds, generations, uids, and a StatefulSet controller that makes Pods and
claims. Plans are carried out on it, so that invariants can be checked over whole stories without a server.
"""

import copy
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from kajitori.apimachinery.kind import JsonObject, Kind
from kajitori.apis.mysql_v1beta2 import MYSQL_CLUSTER, ClusterNames
from kajitori.apis.mysql_v1beta2.names import FINALIZER
from kajitori.operators.mysql.decide import decide
from kajitori.operators.mysql.plan import (
    Action,
    Apply,
    Create,
    Delete,
    GrowClaim,
    Patch,
    Plan,
    RecreateStatefulSet,
    ReplaceClaim,
)
from kajitori.operators.mysql.seen import (
    CONFIG_MAP,
    PERSISTENT_VOLUME,
    POD,
    STATEFUL_SET,
    STORAGE_CLASS,
    VOLUME_CLAIM,
    ClusterSeen,
    ObjectKey,
)
from kajitori.operators.mysql.settings import FIELD_MANAGER, Settings

ENTROPY = bytes(range(132))
START = datetime(2026, 1, 1, tzinfo=UTC)
NAMESPACE_NAME = "foo"
CLUSTER_NAME = "default"

_KEYS = {
    "containers": ("name",),
    "initContainers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "volumeMounts": ("mountPath",),
    "ownerReferences": ("uid",),
}


def cluster_object(spec: JsonObject | None = None, **metadata: Any) -> JsonObject:
    """The MySQLCluster of the example manifest, defaulted and admitted."""
    default: JsonObject = {
        "replicas": 1,
        "serverIDBase": 100,
        "maxDelaySeconds": 60,
        "startupWaitSeconds": 3600,
        "podTemplate": {"spec": {"containers": [{"name": "mysqld", "image": "quay.io/cybozu/mysql:8.0.28"}]}},
        "volumeClaimTemplates": [claim_template()],
    }
    return {
        "apiVersion": MYSQL_CLUSTER.api_version,
        "kind": MYSQL_CLUSTER.kind,
        "metadata": {
            "name": CLUSTER_NAME,
            "namespace": NAMESPACE_NAME,
            "uid": "cluster-uid",
            "resourceVersion": "1",
            "generation": 1,
            "finalizers": [FINALIZER],
            **metadata,
        },
        "spec": {**default, **(spec or {})},
    }


def claim_template(name: str = "mysql-data", storage: str = "1Gi", **spec: Any) -> JsonObject:
    return {
        "metadata": {"name": name},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": storage}},
            **spec,
        },
    }


def job_config(**more: Any) -> JsonObject:
    return {
        "serviceAccountName": "backup-owner",
        "bucketConfig": {"bucketName": "backups", "endpointURL": "https://storage.example"},
        "workVolume": {"emptyDir": {}},
        "threads": 4,
        "cpu": 4,
        "memory": "4Gi",
        **more,
    }


def storage_class(name: str, *, expands: bool | None, default: bool = False) -> JsonObject:
    metadata: JsonObject = {"name": name}
    if default:
        metadata["annotations"] = {"storageclass.kubernetes.io/is-default-class": "true"}
    made: JsonObject = {"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": metadata}
    return made if expands is None else {**made, "allowVolumeExpansion": expands}


def fields_of(value: Any, holder: str = "") -> JsonObject:
    """The FieldsV1 of an applied value."""
    if isinstance(value, dict) and value and holder not in ("selector", "labelSelector", "nodeAffinity"):
        return {f"f:{key}": fields_of(each, key) for key, each in value.items()}
    if isinstance(value, list) and value and holder in _keyed(holder, value):
        keyed: JsonObject = {}
        for item in value:
            key = {name: item.get(name, "TCP") for name in _key_names(holder, item)}
            inner = {} if holder == "ownerReferences" else fields_of(item)
            keyed["k:" + json.dumps(key)] = {".": {}, **inner} if inner else {}
        return keyed
    return {}


def _keyed(holder: str, items: list[Any]) -> tuple[str, ...]:
    return (holder,) if holder in _KEYS or (holder == "ports" and isinstance(items[0], dict)) else ()


def _key_names(holder: str, item: JsonObject) -> tuple[str, ...]:
    if holder == "ports":
        return ("containerPort", "protocol") if "containerPort" in item else ("port", "protocol")
    return _KEYS[holder]


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_empty(each) for key, each in value.items() if each not in ([], None, "")}
    return [_without_empty(each) for each in value] if isinstance(value, list) else value


@dataclass
class World:
    """Objects, and a clock that counts writes."""

    objects: dict[ObjectKey, JsonObject] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    now: datetime = START
    serves_certificates: bool = False
    fresh_entropy: bool = True
    """Whether every look brings other random bytes, as in life."""
    writes: int = 10
    deleted: list[JsonObject] = field(default_factory=list)
    """Objects that were deleted by actions."""

    # Objects.

    def put(self, obj: JsonObject) -> JsonObject:
        """Stores an object as it is, with a uid and a version."""
        self.writes += 1
        metadata = obj["metadata"]
        metadata.setdefault("uid", f"uid-{self.writes}")
        metadata.setdefault("creationTimestamp", f"2026-01-01T00:00:{self.writes % 60:02d}Z")
        metadata["resourceVersion"] = str(self.writes)
        self.objects[self._key(obj)] = obj
        return obj

    def get(self, kind: Kind, name: str, namespace: str = NAMESPACE_NAME) -> JsonObject | None:
        return self.objects.get(ObjectKey(kind.kind, namespace if kind.namespaced else "", name))

    def cluster(self) -> JsonObject:
        found = self.get(MYSQL_CLUSTER, CLUSTER_NAME)
        assert found is not None
        return found

    def all(self, kind: Kind) -> list[JsonObject]:
        return [each for key, each in sorted(self.objects.items()) if key.kind == kind.kind]

    def edit(self, **spec: Any) -> None:
        """A user changes the cluster's spec."""
        cluster = self.cluster()
        cluster["spec"] = {**cluster["spec"], **spec}
        cluster["metadata"]["generation"] += 1
        self.put(cluster)

    @staticmethod
    def _key(obj: JsonObject) -> ObjectKey:
        metadata = obj["metadata"]
        return ObjectKey(obj["kind"], metadata.get("namespace", ""), metadata["name"])

    # Looking.

    def seen(self) -> ClusterSeen:
        """What `observe` would see."""
        cluster = self.cluster()
        spec = cluster["spec"]
        names = ClusterNames(NAMESPACE_NAME, CLUSTER_NAME)
        hidden = {
            "MySQLCluster",
            "Pod",
            "PersistentVolumeClaim",
            "PersistentVolume",
            "StorageClass",
            "Namespace",
        }
        live = {key: each for key, each in self.objects.items() if key.kind not in hidden}
        policy = spec.get("backupPolicyName")
        config = spec.get("mysqlConfigMapName")
        return ClusterSeen(
            settings=self.settings,
            now=self.now,
            entropy=bytes((self.writes + each) % 256 for each in ENTROPY) if self.fresh_entropy else ENTROPY,
            cluster=cluster,
            user_config=self.get(CONFIG_MAP, config) if config else None,
            policy=self.objects.get(ObjectKey("BackupPolicy", NAMESPACE_NAME, policy)) if policy else None,
            system_namespace_exists=ObjectKey("Namespace", "", self.settings.system_namespace)
            in self.objects,
            serves_certificates=self.serves_certificates,
            live=live,
            claims=tuple(self.all(VOLUME_CLAIM)),
            pods=tuple(each for each in self.all(POD) if names.prefixed in each["metadata"]["name"]),
            volumes=tuple(self.all(PERSISTENT_VOLUME)),
            storage_classes=tuple(self.all(STORAGE_CLASS)),
        )

    # Acting.

    def round(self) -> Plan:
        """Decides, and carries the plan out, as the reconciler does."""
        self.now += timedelta(seconds=1)
        plan = decide(self.seen())
        for action in plan.actions:
            self.carry_out(action)
        if plan.status is not None:
            self.cluster().setdefault("status", {}).update(copy.deepcopy(plan.status))
        return plan

    def settle(self, rounds_max: int = 6) -> list[Plan]:
        """Rounds until nothing is left to do, with a StatefulSet controller working in between."""
        plans: list[Plan] = []
        for _ in range(rounds_max):
            plans.append(self.round())
            self.run_statefulset_controller()
            if not plans[-1].actions:
                return plans
        raise AssertionError(f"does not settle: {[action.why for action in plans[-1].actions]}")

    def carry_out(self, action: Action) -> None:
        match action:
            case Apply(obj=obj):
                self.apply(obj)
            case Create(obj=obj, may_exist=may_exist):
                assert may_exist or self._key(obj) not in self.objects
                if self._key(obj) not in self.objects:
                    self.put(self._defaulted(copy.deepcopy(obj)))
            case Patch(patch=patch):
                cluster = self.cluster()
                assert patch["metadata"].get("resourceVersion") == cluster["metadata"]["resourceVersion"]
                _merge(cluster, patch)
                self.put(cluster)
                if cluster["metadata"].get("deletionTimestamp") and not cluster["metadata"].get("finalizers"):
                    del self.objects[self._key(cluster)]
            case Delete(kind=kind, namespace=namespace, name=name, uid=uid):
                self._delete(ObjectKey(kind.kind, namespace, name), uid)
            case GrowClaim(name=name, uid=uid, storage=storage):
                claim = self.objects[ObjectKey("PersistentVolumeClaim", NAMESPACE_NAME, name)]
                # As Kubernetes validates it.
                assert claim["metadata"]["uid"] == uid and claim["status"]["phase"] == "Bound"
                claim["spec"]["resources"]["requests"]["storage"] = storage
                self.put(claim)
            case ReplaceClaim(obj=obj, uid=uid, resource_version=version):
                assert self.objects[self._key(obj)]["metadata"]["resourceVersion"] == version
                self._delete(self._key(obj), uid)
                self.put(self._defaulted(copy.deepcopy(obj)))
            case RecreateStatefulSet(obj=obj, uid=uid):
                self._delete(self._key(obj), uid)
                self.apply(obj)

    def _delete(self, key: ObjectKey, uid: str) -> None:
        assert self.objects[key]["metadata"]["uid"] == uid
        self.deleted.append(self.objects.pop(key))

    def apply(self, obj: JsonObject) -> None:
        """Server-side apply by one manager: its fields are replaced, those that it drops go, others stay."""
        old = self.objects.get(self._key(obj))
        live = copy.deepcopy(obj)
        if old is not None:
            if obj["kind"] == STATEFUL_SET.kind:
                new, before = obj["spec"]["volumeClaimTemplates"], old["spec"]["volumeClaimTemplates"]
                assert new == before, "volumeClaimTemplates cannot be changed"
            live["metadata"] = {**old["metadata"], **live["metadata"]}
            if "status" in old:
                live["status"] = old["status"]
        metadata = {k: v for k, v in obj["metadata"].items() if k not in ("name", "namespace")}
        rest = {k: v for k, v in obj.items() if k not in ("apiVersion", "kind", "metadata")}
        live["metadata"]["managedFields"] = [
            {
                "manager": FIELD_MANAGER,
                "operation": "Apply",
                "apiVersion": obj["apiVersion"],
                "fieldsV1": fields_of({"metadata": metadata, **rest}),
            }
        ]
        self.put(self._defaulted(_without_empty(live)))

    @staticmethod
    def _defaulted(obj: JsonObject) -> JsonObject:
        if obj["kind"] == STATEFUL_SET.kind:
            for template in obj["spec"]["volumeClaimTemplates"]:
                template.setdefault("apiVersion", "v1")
                template.setdefault("kind", "PersistentVolumeClaim")
                template["spec"].setdefault("volumeMode", "Filesystem")
                template.setdefault("status", {"phase": "Pending"})
            obj["spec"].setdefault("revisionHistoryLimit", 10)
            for container in obj["spec"]["template"]["spec"]["containers"]:
                container.setdefault("imagePullPolicy", "IfNotPresent")
        if obj["kind"] == VOLUME_CLAIM.kind:
            obj["spec"].setdefault("volumeMode", "Filesystem")
            obj.setdefault("status", {"phase": "Pending"})
        if obj["kind"] == "Service":
            obj["spec"].setdefault("sessionAffinity", "None")
        return obj

    # Others at work.

    def run_statefulset_controller(self) -> None:
        """Makes missing claims and Pods from the StatefulSet, and deletes Pods that are too many."""
        sts = self.get(STATEFUL_SET, f"moco-{CLUSTER_NAME}")
        if sts is None:
            return
        replicas = sts["spec"]["replicas"]
        for pod in self.all(POD):
            if int(pod["metadata"]["name"].rsplit("-", 1)[1]) >= replicas:
                del self.objects[self._key(pod)]
        labels = sts["spec"]["selector"]["matchLabels"]
        for ordinal in range(replicas):
            volumes = copy.deepcopy(sts["spec"]["template"]["spec"]["volumes"])
            for template in sts["spec"]["volumeClaimTemplates"]:
                title = template["metadata"]["name"]
                name = f"{title}-{sts['metadata']['name']}-{ordinal}"
                volumes.append({"name": title, "persistentVolumeClaim": {"claimName": name}})
                if self.get(VOLUME_CLAIM, name) is None:
                    self.put(
                        {
                            "apiVersion": "v1",
                            "kind": "PersistentVolumeClaim",
                            "metadata": {"name": name, "namespace": NAMESPACE_NAME, "labels": labels},
                            "spec": copy.deepcopy(template["spec"]),
                            "status": {"phase": "Pending"},
                        }
                    )
            name = f"{sts['metadata']['name']}-{ordinal}"
            if self.get(POD, name) is None:
                self.put(
                    {
                        "apiVersion": "v1",
                        "kind": "Pod",
                        "metadata": {"name": name, "namespace": NAMESPACE_NAME, "labels": labels},
                        "spec": {"volumes": volumes},
                        "status": {"phase": "Pending"},
                    }
                )

    def bind(self, claim: JsonObject, storage_class_name: str | None) -> None:
        """A volume is found for a claim, and its Pod starts."""
        name = claim["metadata"]["name"]
        claim["status"] = {"phase": "Bound"}
        claim["spec"]["volumeName"] = f"pv-{name}"
        if storage_class_name:
            claim["spec"]["storageClassName"] = storage_class_name
        self.put(claim)
        reference = {"namespace": NAMESPACE_NAME, "name": name, "uid": claim["metadata"]["uid"]}
        self.put(
            {
                "apiVersion": "v1",
                "kind": "PersistentVolume",
                "metadata": {"name": f"pv-{name}"},
                "spec": {"claimRef": reference},
            }
        )


def _merge(target: JsonObject, patch: JsonObject) -> None:
    for key, value in patch.items():
        if isinstance(value, dict):
            _merge(target.setdefault(key, {}), value)
        elif value is None:
            target.pop(key, None)
        else:
            target[key] = value


def new_world(spec: JsonObject | None = None, **metadata: Any) -> World:
    """A world with one MySQLCluster and nothing else."""
    world = World()
    world.put(cluster_object(spec, **metadata))
    return world
