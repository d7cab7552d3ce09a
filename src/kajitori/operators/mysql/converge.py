"""The plan for a cluster that is valid and not stopped: which objects to apply, create and delete, in order.

The greater part of `decide`, whose docstring has the invariants. Secrets, certificate, my.cnf, sidecar
configuration, ServiceAccount, Services, growing claims, StatefulSet, budget, backup, restore: each step adds
actions and problems, and a step that cannot be done holds up only what needs it.
"""

import msgspec

from kajitori.apis import JsonObject, Kind
from kajitori.apis.mysql_v1beta2 import BackupPolicySpec, MySQLClusterSpec, validate_policy
from kajitori.apis.mysql_v1beta2.names import ANNOTATION_FORCE_ROLLING_UPDATE, BACKUP_POLICY
from kajitori.operators.mysql.applied import extract, is_applied
from kajitori.operators.mysql.objects.backup import backup_objects
from kajitori.operators.mysql.objects.base import Rendering
from kajitori.operators.mysql.objects.certificate import certificate, grpc_secret
from kajitori.operators.mysql.objects.config import lower_case_table_names, my_cnf, slow_log_config
from kajitori.operators.mysql.objects.plain import disruption_budget, service_account, services
from kajitori.operators.mysql.objects.restore import restore_objects
from kajitori.operators.mysql.objects.secrets import (
    controller_secret,
    make_passwords,
    my_cnf_secret,
    passwords_of,
    user_secret,
)
from kajitori.operators.mysql.objects.statefulset import PodSources, statefulset
from kajitori.operators.mysql.plan import (
    Action,
    Apply,
    Create,
    Delete,
    Event,
    Plan,
    Problem,
    RecreateStatefulSet,
    State,
)
from kajitori.operators.mysql.seen import (
    CONFIG_MAP,
    CRON_JOB,
    DISRUPTION_BUDGET,
    JOB,
    KINDS_BY_NAME,
    NAMESPACE,
    ROLE,
    ROLE_BINDING,
    SECRET,
    STATEFUL_SET,
    ClusterSeen,
)
from kajitori.operators.mysql.settings import FIELD_MANAGER
from kajitori.operators.mysql.status import problem_events, status_after
from kajitori.operators.mysql.volumes import decide_volumes

__all__ = ["converge"]

RECREATION_RETRY_SECONDS = 1.0
"""How soon to look again at a StatefulSet that is being deleted, should no event tell that it is gone."""


def converge(seen: ClusterSeen) -> Plan:
    """The plan."""
    steps = _Steps(seen)
    steps.secrets()
    steps.certificates()
    config_map, options = steps.my_cnf()
    slow_log = steps.slow_log()
    steps.apply(service_account(steps.rendering))
    for service in services(steps.rendering):
        steps.apply(service)
    if config_map:
        steps.statefulset(
            PodSources(
                my_cnf=config_map,
                slow_log_config=slow_log,
                lower_case_table_names=lower_case_table_names(options),
                grpc_secret_required=seen.serves_certificates,
                kept_slow_log=steps.kept_slow_log(),
            )
        )
    steps.prune_config_maps({config_map, slow_log})
    steps.disruption_budget()
    steps.backup()
    steps.restore()
    return steps.plan()


class _Steps:
    """A plan in the making."""

    def __init__(self, seen: ClusterSeen) -> None:
        metadata = seen.cluster["metadata"]
        self.seen = seen
        self.rendering = Rendering(
            namespace=metadata["namespace"],
            name=metadata["name"],
            uid=metadata["uid"],
            spec=msgspec.convert(seen.cluster["spec"], MySQLClusterSpec),
            settings=seen.settings,
        )
        self.names = self.rendering.names
        self.sts = seen.live_statefulset(self.names)
        self._actions: list[Action] = []
        self._problems: list[Problem] = []
        self._requeue_after_seconds = 0.0

    def plan(self) -> Plan:
        problems, actions = tuple(self._problems), tuple(self._actions)
        if problems:
            state, reason = State.BLOCKED, problems[0].message
        elif actions:
            state, reason = State.CONVERGING, f"{len(actions)} objects are not as they should be"
        else:
            state, reason = State.SETTLED, "all objects are as they should be"
        return Plan(
            state,
            reason,
            actions=actions,
            status=status_after(self.seen, self.sts, problems),
            events=problem_events(self.seen.cluster, problems),
            problems=problems,
            requeue_after_seconds=self._requeue_after_seconds,
        )

    # Single objects.

    def apply(self, obj: JsonObject, why: str = "", event: Event | None = None) -> None:
        """Applies an object unless it is as it should be; reports it when it is somebody else's."""
        kind = KINDS_BY_NAME[obj["kind"]]
        live = self._mine_or_absent(kind, obj)
        if live is _FOREIGN or is_applied(obj, live, FIELD_MANAGER):
            return
        told = why or ("it does not exist" if live is None else "it is not as it should be")
        self._actions.append(Apply(kind=kind, obj=obj, why=told, event=event))

    def _mine_or_absent(self, kind: Kind, obj: JsonObject) -> JsonObject | None:
        """The live object; `_FOREIGN`, and a problem, when another owner controls it (I7)."""
        metadata = obj["metadata"]
        live = self.seen.object(kind, metadata["namespace"], metadata["name"])
        owner = _controller(live)
        if owner is not None and owner["uid"] != self.rendering.uid:
            whose = f"{owner['kind']} {owner['name']}"
            if owner["kind"] == "MySQLCluster" and owner["name"] == self.rendering.name:
                whose = "an earlier cluster of this name; it is about to be removed"
            self.problem("NameTaken", f"{kind.kind} {metadata['name']} belongs to {whose}")
            return _FOREIGN
        return live

    def _delete(self, kind: Kind, name: str, why: str) -> None:
        """Deletes an object of the cluster's, if it is there."""
        live = self.seen.object(kind, self.rendering.namespace, name)
        owner = _controller(live)
        if live is None or live["metadata"].get("deletionTimestamp"):
            return
        if owner is None or owner["uid"] != self.rendering.uid:
            return
        uid = live["metadata"]["uid"]
        self._actions.append(
            Delete(kind=kind, namespace=self.rendering.namespace, name=name, uid=uid, why=why)
        )

    def problem(self, reason: str, message: str) -> None:
        self._problems.append(Problem(reason, message))

    # Steps.

    def secrets(self) -> None:
        """I5: a copy that exists is the truth, since it is what the databases know."""
        seen, names = self.seen, self.names
        system = seen.settings.system_namespace
        master = seen.object(SECRET, system, names.controller_secret)
        if master is None:
            copy = passwords_of(seen.object(SECRET, self.rendering.namespace, names.prefixed))
            passwords = copy or make_passwords(seen.entropy)
            why = (
                "the master copy is lost; the user Secret has the passwords" if copy else "it does not exist"
            )
            self._system_namespace()
            self._actions.append(
                Create(kind=SECRET, obj=controller_secret(self.rendering, passwords), why=why)
            )
        else:
            known = passwords_of(master)
            if known is None:
                lacks = f"Secret {system}/{names.controller_secret} lacks passwords; put them back"
                self.problem("PasswordsUnreadable", lacks)
                return
            passwords = known
        self.apply(user_secret(self.rendering, passwords))
        self.apply(my_cnf_secret(self.rendering, passwords))

    def _system_namespace(self) -> None:
        if not self.seen.system_namespace_exists:
            name = self.seen.settings.system_namespace
            obj: JsonObject = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            why = "the operator's own objects need it"
            self._actions.append(Create(kind=NAMESPACE, obj=obj, why=why, may_exist=True))

    def certificates(self) -> None:
        if not self.seen.serves_certificates:
            return
        self.apply(certificate(self.rendering))
        issued = self.seen.object(SECRET, self.seen.settings.system_namespace, self.names.certificate)
        if issued is not None and issued.get("data"):
            self.apply(grpc_secret(self.rendering, issued))

    def my_cnf(self) -> tuple[str, dict[str, str]]:
        """The name of the ConfigMap, empty while it cannot be made, and the user's options."""
        wanted = self.rendering.spec.mysql_config_map_name
        options: dict[str, str] = {}
        if wanted is not None:
            if self.seen.user_config is None:
                self.problem(
                    "ConfigMapNotFound", f"ConfigMap {wanted} of spec.mysqlConfigMapName does not exist"
                )
                return "", options
            options = dict(self.seen.user_config.get("data") or {})
        config_map = my_cnf(self.rendering, options)
        self.apply(config_map)
        name: str = config_map["metadata"]["name"]
        return name, options

    def slow_log(self) -> str:
        """The name of the sidecar's ConfigMap; empty when there is no sidecar."""
        if self.rendering.spec.disable_slow_query_log_container:
            return ""
        config_map = slow_log_config(self.rendering)
        self.apply(config_map)
        name: str = config_map["metadata"]["name"]
        return name

    def kept_slow_log(self) -> JsonObject | None:
        """The sidecar as it stands, while the user has not changed the cluster: a new version of the
        operator, with a
        new image for it, must not restart mysqld."""
        info = (self.seen.cluster.get("status") or {}).get("reconcileInfo") or {}
        if self.sts is None or info.get("generation") != self.seen.cluster["metadata"].get("generation"):
            return None
        applied = extract(self.sts, FIELD_MANAGER) or {}
        pod = applied.get("spec", {}).get("template", {}).get("spec", {})
        for container in pod.get("containers") or ():
            if container.get("name") == "slow-log":
                return dict(container)
        return None

    def statefulset(self, sources: PodSources) -> None:
        seen, spec = self.seen, self.rendering.spec
        identity = self.rendering.owned("apps/v1", "StatefulSet", self.names.prefixed)
        if self._mine_or_absent(STATEFUL_SET, identity) is _FOREIGN:
            return
        if seen.statefulset_is_leaving(self.names):
            # It is being deleted, leaving its Pods; the next round creates it again.
            self._requeue_after_seconds = RECREATION_RETRY_SECONDS
        volumes = decide_volumes(seen, self.rendering, self.sts)
        self._problems += volumes.problems
        self._actions += volumes.before
        annotations = seen.cluster["metadata"].get("annotations") or {}
        obj = statefulset(
            self.rendering,
            sources,
            replicas=0 if spec.offline else self._replicas(),
            volume_claim_templates=volumes.templates,
            force_rolling_update=annotations.get(ANNOTATION_FORCE_ROLLING_UPDATE) == "true",
        )
        if volumes.recreate and self.sts is not None:
            self._recreate(obj, self.sts, volumes.changes)
        elif not seen.statefulset_is_leaving(self.names):
            self.apply(obj, event=self._recreation_event())
        if not seen.statefulset_is_leaving(self.names):
            self._actions += volumes.after

    def _replicas(self) -> int:
        """I4."""
        wanted = self.rendering.spec.replicas
        current: int = (self.sts or {}).get("spec", {}).get("replicas", 0)
        if current > wanted:
            self.problem("ReplicasLowered", f"spec.replicas cannot be lowered from {current} to {wanted}")
        return max(wanted, current)

    def _recreate(self, obj: JsonObject, sts: JsonObject, changes: str) -> None:
        message = (
            f"StatefulSet {self.names.prefixed} was created again, keeping its Pods, "
            f"because its volume claim templates changed: {changes}"
        )
        self._actions.append(
            RecreateStatefulSet(
                kind=STATEFUL_SET,
                obj=obj,
                uid=sts["metadata"]["uid"],
                why=f"its volume claim templates changed: {changes}",
                event=Event("Normal", "StatefulSetRecreated", message),
            )
        )

    def _recreation_event(self) -> Event | None:
        """For a StatefulSet whose re-creation an earlier round could not finish: its Pods are there without
        it."""
        if self.sts is not None or not self.seen.pods:
            return None
        message = (
            f"StatefulSet {self.names.prefixed} was created again for {len(self.seen.pods)} Pods without one"
        )
        return Event("Normal", "StatefulSetRecreated", message)

    def prune_config_maps(self, current: set[str]) -> None:
        """Keeps the newest ones, for rolling back, and those in use (I8)."""
        used = current | self._config_maps_in_use()
        history = self.seen.settings.config_map_history_max - 1
        disabled = self.rendering.spec.disable_slow_query_log_container
        for prefix, kept in (
            (self.names.my_cnf_prefix, history),
            (self.names.slow_log_prefix, 0 if disabled else history),
        ):
            older = [each for each in self._generated(prefix) if each["metadata"]["name"] not in current]
            for config_map in older[max(kept, 0) :]:
                name = config_map["metadata"]["name"]
                if name not in used:
                    self._delete(CONFIG_MAP, name, f"more than {history} older ones are kept")

    def _generated(self, prefix: str) -> list[JsonObject]:
        """The cluster's ConfigMaps with a prefix, newest first. The owner tells them from those of a cluster
        whose name
        begins alike."""
        found = [
            each
            for key, each in self.seen.live.items()
            if key.kind == CONFIG_MAP.kind
            and key.name.startswith(prefix)
            and (_controller(each) or {}).get("uid") == self.rendering.uid
        ]
        found.sort(key=lambda each: each["metadata"]["name"])
        found.sort(key=lambda each: each["metadata"].get("creationTimestamp") or "", reverse=True)
        return found

    def _config_maps_in_use(self) -> set[str]:
        pods = [pod["spec"] for pod in self.seen.pods]
        if self.sts is not None:
            pods.append(self.sts["spec"]["template"]["spec"])
        return {
            volume["configMap"]["name"]
            for pod in pods
            for volume in pod.get("volumes") or ()
            if volume.get("configMap")
        }

    def disruption_budget(self) -> None:
        cron_job = self.seen.object(CRON_JOB, self.rendering.namespace, self.names.backup) or {}
        running = self.rendering.spec.backup_policy_name is not None and bool(
            (cron_job.get("status") or {}).get("active")
        )
        budget = disruption_budget(self.rendering, backup_running=running)
        if budget is None:
            self._delete(DISRUPTION_BUDGET, self.names.prefixed, "there is nothing to guard")
        else:
            self.apply(budget)

    def backup(self) -> None:
        wanted = self.rendering.spec.backup_policy_name
        if wanted is None:
            for kind in (CRON_JOB, ROLE_BINDING, ROLE):
                self._delete(kind, self.names.backup, "the cluster names no BackupPolicy")
            return
        if self.seen.policy is None:
            self.problem(
                "BackupPolicyNotFound", f"BackupPolicy {wanted} of spec.backupPolicyName does not exist"
            )
            return
        try:
            policy = msgspec.convert(self.seen.policy.get("spec"), BackupPolicySpec)
        except msgspec.ValidationError as error:
            self.problem("InvalidBackupPolicy", f"{BACKUP_POLICY.kind} {wanted}: spec: {error}")
            return
        if errors := validate_policy(self.seen.policy):
            self.problem("InvalidBackupPolicy", f"{BACKUP_POLICY.kind} {wanted}: {errors[0]}")
            return
        for obj in backup_objects(self.rendering, policy):
            self.apply(obj)

    def restore(self) -> None:
        """The Job is created once and then left alone, since its template cannot be changed."""
        restore = self.rendering.spec.restore
        if restore is None or (self.seen.cluster.get("status") or {}).get("restoredTime"):
            return
        for obj in restore_objects(self.rendering, restore):
            if obj["kind"] != JOB.kind:
                self.apply(obj)
            elif self._mine_or_absent(JOB, obj) is None:
                self._actions.append(
                    Create(kind=JOB, obj=obj, why="the cluster is to be restored", may_exist=True)
                )


_FOREIGN: JsonObject = {}
"""Stands for an object that another owner controls."""


def _controller(obj: JsonObject | None) -> JsonObject | None:
    references = ((obj or {}).get("metadata") or {}).get("ownerReferences") or ()
    return next((each for each in references if each.get("controller")), None)
