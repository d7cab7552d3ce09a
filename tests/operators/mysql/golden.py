"""The rendered manifests and my.cnf files that are kept beside the tests.

After a wanted change: `python -m tests.operators.mysql.golden` writes them anew; read the difference before
keeping it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml
from tests.operators.mysql.support import World, claim_template, job_config, new_world

from kajitori.apimachinery.kind import JsonObject
from kajitori.operators.mysql.decide import decide
from kajitori.operators.mysql.mycnf import render_my_cnf
from kajitori.operators.mysql.plan import Apply, Create
from kajitori.operators.mysql.settings import Settings

HERE = Path(__file__).parent / "golden"

EVERYTHING: JsonObject = {
    "replicas": 3,
    "podTemplate": {
        "metadata": {"labels": {"team": "db"}, "annotations": {"note": "x"}},
        "spec": {
            "terminationGracePeriodSeconds": 60,
            "priorityClassName": "high",
            "containers": [
                {
                    "name": "mysqld",
                    "image": "quay.io/cybozu/mysql:8.4.4",
                    "args": ["--binlog-cache-size=65536"],
                    "resources": {"requests": {"cpu": "2", "memory": "8Gi"}, "limits": {"memory": "16Gi"}},
                    "env": [{"name": "TZ", "value": "Asia/Tokyo"}],
                    "ports": [{"name": "extra", "containerPort": 7000}],
                    "livenessProbe": {"timeoutSeconds": 20, "exec": {"command": ["true"]}},
                    "startupProbe": {"periodSeconds": 5},
                    "lifecycle": {"postStart": {"exec": {"command": ["true"]}}},
                },
                {"name": "sidecar", "image": "example/sidecar:1", "securityContext": {"runAsUser": 5}},
            ],
            "initContainers": [{"name": "prepare", "image": "example/prepare:1"}],
            "volumes": [{"name": "scratch", "emptyDir": {}}],
            "tolerations": [{"key": "db", "operator": "Exists"}],
        },
        "overwriteContainers": [
            {"name": "agent", "resources": {"requests": {"cpu": "50m"}}},
            {"name": "moco-init", "securityContext": {"allowPrivilegeEscalation": False}},
        ],
    },
    "volumeClaimTemplates": [
        {**claim_template(storage="100Gi", storageClassName="fast"), "metadata": {"name": "mysql-data"}},
        {
            **claim_template("extra", "5Gi"),
            "metadata": {"name": "extra", "labels": {"use": "extra"}, "annotations": {"keep": "yes"}},
        },
    ],
    "primaryServiceTemplate": {
        "metadata": {"labels": {"face": "outside"}, "annotations": {"dns": "db.example"}},
        "spec": {
            "type": "LoadBalancer",
            "clusterIP": "10.0.0.1",
            "selector": {"app": "no"},
            "ports": [{"name": "mysql", "port": 1, "nodePort": 30306}, {"name": "admin", "port": 9000}],
        },
    },
    "replicaServiceTemplate": {"spec": {"publishNotReadyAddresses": True}},
    "mysqlConfigMapName": "mycnf",
    "collectors": ["engine_innodb_status", "info_schema.innodb_metrics"],
    "maxDelaySeconds": 0,
    "startupWaitSeconds": 25,
    "logRotationSchedule": "*/10 * * * *",
    "logRotationSize": 1000000,
    "backupPolicyName": "daily",
    "agentUseLocalhost": True,
    "initializeTimezoneData": True,
    "slowQueryLogConfigTmpl": "tail {{ .Path }}\n",
    "restore": {
        "sourceName": "old",
        "sourceNamespace": "bar",
        "restorePoint": "2026-01-02T03:04:05Z",
        "schema": "app",
        "users": "'app'@'%'",
        "jobConfig": job_config(maxCpu=8, maxMemory="8Gi", envFrom=[{"secretRef": {"name": "s3"}}]),
    },
}

_POLICY: JsonObject = {
    "schedule": "0 3 * * *",
    "timeZone": "Asia/Tokyo",
    "concurrencyPolicy": "Forbid",
    "startingDeadlineSeconds": 10,
    "activeDeadlineSeconds": 3600,
    "backoffLimit": 1,
    "successfulJobsHistoryLimit": 1,
    "failedJobsHistoryLimit": 2,
    "jobConfig": job_config(
        bucketConfig={
            "bucketName": "$(BUCKET)",
            "region": "r1",
            "endpointURL": "https://storage.example",
            "usePathStyle": True,
            "backendType": "azure",
            "caCert": "/ca/ca.crt",
        },
        env=[{"name": "BUCKET", "value": "b"}],
        volumes=[{"name": "ca", "configMap": {"name": "ca"}}],
        volumeMounts=[{"name": "ca", "mountPath": "/ca"}],
    ),
}


def everything() -> World:
    """A cluster that uses every field, where cert-manager is installed."""
    world = new_world(EVERYTHING, annotations={"moco.cybozu.com/force-rolling-update": "true"})
    world.serves_certificates = True
    data = {"lower_case_table_names": "1", "max-connections": "10", "_include": "performance-schema=ON"}
    metadata = {"name": "mycnf", "namespace": "foo"}
    world.put({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})
    world.put({"kind": "BackupPolicy", "metadata": {"name": "daily", "namespace": "foo"}, "spec": _POLICY})
    return world


def _as_small_as_possible() -> World:
    world = new_world({"disableSlowQueryLogContainer": True})
    world.settings = Settings(default_security_context=False)
    return world


def _manifests(world: World) -> str:
    world.fresh_entropy = False
    objects = [each.obj for each in decide(world.seen()).actions if isinstance(each, Apply | Create)]
    return yaml.dump_all(objects, Dumper=_Dumper, sort_keys=True, width=100)


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such, and everything in full."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


FILES: Mapping[str, Callable[[], str]] = {
    "example.yaml": lambda: _manifests(new_world()),
    "everything.yaml": lambda: _manifests(everything()),
    "smallest.yaml": lambda: _manifests(_as_small_as_possible()),
    "default.my.cnf": lambda: render_my_cnf({}, 0),
    "sized.my.cnf": lambda: render_my_cnf({}, 10 << 30),
    "overridden.my.cnf": lambda: render_my_cnf(
        {
            "loose-binlog-transaction-compression": "OFF",
            "innodb_numa_interleave": "OFF",
            "thread-cache-size": "200",
            "innodb_buffer_pool_size": "1G",
            "port": "1234",
            "log-bin": "off",
            "skip_log_bin": "ON",
            "loose_log_error": "/dev/null",
            "_include": "performance-schema-instrument='memory/%=ON'\nperformance-schema-instrument='wait/%=ON'",
        },
        0,
    ),
}


if __name__ == "__main__":
    for name, render in FILES.items():
        (HERE / name).write_text(render())
        print(f"wrote {HERE / name}")
