"""The containers of an instance's Pod: the user's mysqld completed, and what the operator adds."""

from collections.abc import Sequence
from typing import Any

from kajitori.apis import JsonObject, thaw
from kajitori.apis.mysql_v1beta2.names import (
    AGENT_METRICS_PORT,
    AGENT_PORT,
    DATA_VOLUME,
    EXPORTER_PORT,
    RESERVED_PORTS,
)
from kajitori.operators.mysql.mycnf import CONFIG_DIRECTORY, DATA_DIRECTORY, INIT_DIRECTORY, LOG_DIRECTORY
from kajitori.operators.mysql.objects.base import CONTAINER_ID, Rendering

__all__ = ["containers", "init_containers", "user_container"]

PRE_STOP_SECONDS = 20
"""How long mysqld goes on after its Pod is asked to stop: the time for a switchover."""
PROBE_PERIOD_SECONDS = 10

_CREDENTIALS_DIRECTORY = "/mysql-credentials"
_SHARED_DIRECTORY = "/shared"
_RUN = {"name": "run", "mountPath": "/run"}
_LOGS = {"name": "var-log", "mountPath": LOG_DIRECTORY}
_DATA = {"name": DATA_VOLUME, "mountPath": DATA_DIRECTORY}
_INIT = {"name": "mysql-conf-d", "mountPath": INIT_DIRECTORY}
_SHARED = {"name": "shared", "mountPath": _SHARED_DIRECTORY}
_CREDENTIALS = {"name": "my-cnf-secret", "mountPath": _CREDENTIALS_DIRECTORY, "readOnly": True}
_POD_NAME = {
    "name": "POD_NAME",
    "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}},
}


def user_container(rendering: Rendering, name: str) -> JsonObject | None:
    """A container as the user wrote it."""
    for container in rendering.spec.pod_template.spec.get("containers") or ():
        if container.get("name") == name:
            return dict(container)
    return None


def containers(rendering: Rendering, kept_slow_log: JsonObject | None) -> list[JsonObject]:
    """mysqld, the operator's, then the user's other ones.

    `kept_slow_log` is the container `slow-log` as it stands, when it must stay as it is.
    """
    spec = rendering.spec
    chosen = [_mysqld(rendering), _agent(rendering)]
    added = {"mysqld", "agent"}
    if not spec.disable_slow_query_log_container:
        chosen.append(kept_slow_log or _slow_log(rendering))
        added.add("slow-log")
    if spec.collectors:
        chosen.append(_exporter(rendering))
        added.add("mysqld-exporter")
    for container in spec.pod_template.spec.get("containers") or ():
        if container.get("name") not in added:
            chosen.append(_secured(rendering, thaw(container)))
    return chosen


def _mysqld(rendering: Rendering) -> JsonObject:
    container: JsonObject = thaw(user_container(rendering, "mysqld") or {"name": "mysqld"})
    # mysqld takes --defaults-file only as its first argument.
    container["args"] = [f"--defaults-file={CONFIG_DIRECTORY}/my.cnf", *(container.get("args") or ())]
    pre_stop = {"exec": {"command": ["sleep", str(PRE_STOP_SECONDS)]}}
    container["lifecycle"] = {**(container.get("lifecycle") or {}), "preStop": pre_stop}
    container["ports"] = [
        *(container.get("ports") or ()),
        *({"name": name, "containerPort": port, "protocol": "TCP"} for name, port in RESERVED_PORTS.items()),
    ]
    threshold = max(rendering.spec.startup_wait_seconds // PROBE_PERIOD_SECONDS, 1)
    startup = {"periodSeconds": PROBE_PERIOD_SECONDS, "failureThreshold": threshold}
    container["startupProbe"] = _probe(startup | (container.get("startupProbe") or {}), "/healthz")
    container["livenessProbe"] = _probe(container.get("livenessProbe") or {}, "/healthz")
    container["readinessProbe"] = _probe(container.get("readinessProbe") or {}, "/readyz")
    container["volumeMounts"] = [
        *(container.get("volumeMounts") or ()),
        {"name": "tmp", "mountPath": "/tmp"},
        _RUN,
        _LOGS,
        {"name": "mysql-conf", "mountPath": CONFIG_DIRECTORY},
        _INIT,
        _CREDENTIALS,
        _DATA,
    ]
    return _secured(rendering, container)


def _probe(given: JsonObject, path: str) -> JsonObject:
    """The user's periods and thresholds, asking the agent."""
    kept = {key: value for key, value in given.items() if key not in ("exec", "grpc", "tcpSocket")}
    return {**kept, "httpGet": {"path": path, "port": "health", "scheme": "HTTP"}}


def _agent(rendering: Rendering) -> JsonObject:
    spec, names = rendering.spec, rendering.names
    arguments: list[str] = []
    if spec.max_delay_seconds is not None:
        arguments += ["--max-delay", f"{spec.max_delay_seconds}s"]
    if spec.log_rotation_schedule:
        arguments += ["--log-rotation-schedule", spec.log_rotation_schedule]
    if spec.log_rotation_size:
        arguments += ["--log-rotation-size", str(spec.log_rotation_size)]
    if spec.agent_use_localhost:
        arguments += ["--mysqld-localhost", "true"]
    container: JsonObject = {
        "name": "agent",
        "image": rendering.settings.images.agent,
        "env": [_POD_NAME, {"name": "CLUSTER_NAME", "value": rendering.name}],
        "envFrom": [{"secretRef": {"name": names.prefixed}}],
        "ports": [
            {"name": "agent", "containerPort": AGENT_PORT, "protocol": "TCP"},
            {"name": "agent-metrics", "containerPort": AGENT_METRICS_PORT, "protocol": "TCP"},
        ],
        "resources": _equal_resources("100m", "100Mi"),
        "volumeMounts": [
            _RUN,
            _LOGS,
            {"name": "grpc-cert", "mountPath": "/grpc-cert", "readOnly": True},
        ],
    }
    if arguments:
        container["args"] = arguments
    return _ours(rendering, container)


def _slow_log(rendering: Rendering) -> JsonObject:
    container: JsonObject = {
        "name": "slow-log",
        "image": rendering.settings.images.fluent_bit,
        "resources": _equal_resources("100m", "20Mi"),
        "volumeMounts": [
            {"name": "slow-fluent-bit-config", "mountPath": "/fluent-bit/etc", "readOnly": True},
            _LOGS,
        ],
    }
    return _ours(rendering, container)


def _exporter(rendering: Rendering) -> JsonObject:
    container: JsonObject = {
        "name": "mysqld-exporter",
        "image": rendering.settings.images.exporter,
        "args": [
            f"--config.my-cnf={_CREDENTIALS_DIRECTORY}/exporter-my.cnf",
            *(f"--collect.{collector}" for collector in rendering.spec.collectors),
        ],
        "ports": [{"name": "mysqld-metrics", "containerPort": EXPORTER_PORT, "protocol": "TCP"}],
        "resources": _equal_resources("200m", "100Mi"),
        "volumeMounts": [_RUN, _CREDENTIALS],
    }
    return _ours(rendering, container)


def init_containers(rendering: Rendering, lower_case_table_names: str) -> list[JsonObject]:
    """The operator's two, which set an instance up, then the user's."""
    given: Sequence[JsonObject] = rendering.spec.pod_template.spec.get("initContainers") or ()
    return [
        _copy_moco_init(rendering),
        _moco_init(rendering, lower_case_table_names),
        *(_secured(rendering, thaw(container)) for container in given),
    ]


def _copy_moco_init(rendering: Rendering) -> JsonObject:
    container: JsonObject = {
        "name": "copy-moco-init",
        "image": rendering.settings.images.agent,
        "command": ["cp", "/moco-init", f"{_SHARED_DIRECTORY}/moco-init"],
        "resources": _equal_resources("100m", "512Mi"),
        "volumeMounts": [_SHARED],
    }
    return _ours(rendering, container)


def _moco_init(rendering: Rendering, lower_case_table_names: str) -> JsonObject:
    """Runs in the image of mysqld, because mysqld initialises the database."""
    spec = rendering.spec
    command = [
        f"{_SHARED_DIRECTORY}/moco-init",
        f"--data-dir={DATA_DIRECTORY}",
        f"--conf-dir={INIT_DIRECTORY}",
        f"--initialize-timezone-data={str(spec.initialize_timezone_data).lower()}",
        str(spec.server_id_base),
    ]
    if spec.agent_use_localhost:
        command.append("--mysqld-localhost=true")
    container: JsonObject = {
        "name": "moco-init",
        "image": (user_container(rendering, "mysqld") or {}).get("image", ""),
        "command": command,
        "env": [_POD_NAME],
        "resources": _equal_resources("100m", "512Mi"),
        "volumeMounts": [_DATA, _INIT, _SHARED],
    }
    if lower_case_table_names:
        container["args"] = [f"--lower-case-table-names={lower_case_table_names}"]
    return _ours(rendering, container)


def _ours(rendering: Rendering, container: JsonObject) -> JsonObject:
    """A container of the operator's with what the user overwrites of it."""
    secured = _secured(rendering, container)
    for overwrite in rendering.spec.pod_template.overwrite_containers:
        if overwrite.name == container["name"]:
            if overwrite.resources is not None:
                secured["resources"] = thaw(overwrite.resources)
            if overwrite.security_context is not None:
                secured["securityContext"] = thaw(overwrite.security_context)
    return secured


def _secured(rendering: Rendering, container: JsonObject) -> JsonObject:
    if rendering.settings.default_security_context:
        ids = {"runAsUser": CONTAINER_ID, "runAsGroup": CONTAINER_ID}
        container["securityContext"] = ids | (container.get("securityContext") or {})
    return container


def _equal_resources(cpu: str, memory: str) -> dict[str, Any]:
    """Requests equal to limits, so that a Pod whose user does the same gets the Guaranteed class."""
    amounts = {"cpu": cpu, "memory": memory}
    return {"requests": amounts, "limits": dict(amounts)}
