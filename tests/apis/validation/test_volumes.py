"""The volumes of Pods: their names, and each of their sources."""

from typing import Any

import pytest
from tests.apis.validation.cases import ABSENT, KEY, LABEL, SUBDOMAIN, Case, Checked, below, invalid

POD = Checked(
    "", "pods", {"spec": {"containers": [{"name": "c", "image": "img"}], "serviceAccountName": "default"}}
)
MODE = "must be a number between 0 and 0777 (octal), both inclusive"
BACKSTEPS = "must not contain '..'"
DOTS = "must not start with '..'"
RELATIVE = "must be a relative path"
ISCSI = {"targetPortal": "1.2.3.4", "iqn": "iqn.2001-04.com.example:storage", "lun": 0}
WORLDWIDE = "must specify either targetWWNs or wwids, but not both"
PAIRS = "must be a host:port pair or multiple pairs separated by commas"
MANAGED = "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"
BLOB = "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"
DISK = {"diskName": "d", "diskURI": "/subscriptions/x", "kind": "Managed"}


def volume(**said: Any) -> dict[str, Any]:
    return {"spec.volumes": [{"name": "v", **said}]}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"name": ""}, [".name: Required value"]),
        ({"name": "A"}, invalid(".name", "A", LABEL)),
        ({"secret": {"secretName": "s"}}, [".secret: Forbidden: may not specify more than 1 volume type"]),
        (
            {"downwardAPI": {"items": []}},
            [".downwarAPI: Forbidden: may not specify more than 1 volume type"],
        ),
        (
            {"emptyDir": {"sizeLimit": "-1"}},
            [".emptyDir.sizeLimit: Forbidden: SizeLimit field must be a valid resource quantity"],
        ),
    ],
)
def test_volumes(said: dict[str, Any], told: list[str]) -> None:
    assert POD.new(volume(**{"emptyDir": {}, **said})) == [f"spec.volumes[0]{each}" for each in told]


def test_a_volume_has_a_source() -> None:
    # Without one, a new volume is an empty directory; a stored one is not.
    told = POD.update(volume())
    assert told in ([], ["spec.volumes[0]: Required value: must specify a volume type"])


def test_names_of_volumes_are_different() -> None:
    twice = {"spec.volumes": [{"name": "v", "emptyDir": {}}] * 2}
    assert POD.new(twice) == ['spec.volumes[1].name: Duplicate value: "v"']


def test_nobody_takes_the_claim_of_an_ephemeral_volume() -> None:
    template = {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1"}}}}
    volumes = [
        {"name": "v", "ephemeral": {"volumeClaimTemplate": template}},
        {"name": "w", "persistentVolumeClaim": {"claimName": "a-v"}},
    ]
    assert POD.new({"spec.volumes": volumes}) == [
        'spec.volumes[1].persistentVolumeClaim.claimName: Invalid value: "a-v": '
        "must not reference a PVC that gets created for an ephemeral volume"
    ]


SOURCES: list[tuple[str, Any, list[str]]] = [
    ("hostPath", {"path": ""}, [".path: Required value"]),
    ("hostPath", {"path": "/a/../b"}, [f'.path: Invalid value: "/a/../b": {BACKSTEPS}']),
    (
        "hostPath",
        {"path": "/a", "type": "X"},
        [
            '.type: Unsupported value: "X": supported values: "", "BlockDevice", "CharDevice", "Directory", '
            '"DirectoryOrCreate", "File", "FileOrCreate", "Socket"'
        ],
    ),
    ("gitRepo", {"repository": ""}, [".repository: Required value"]),
    ("gitRepo", {"repository": "r", "directory": "/a"}, invalid(".directory", "/a", RELATIVE)),
    ("awsElasticBlockStore", {"volumeID": ""}, [".volumeID: Required value"]),
    (
        "awsElasticBlockStore",
        {"volumeID": "v", "partition": 256},
        [".partition: Invalid value: 256: must be between 1 and 255, inclusive"],
    ),
    ("secret", {}, [".secretName: Required value"]),
    ("secret", {"secretName": "s", "defaultMode": 0o1000}, [f".defaultMode: Invalid value: 512: {MODE}"]),
    ("secret", {"secretName": "s", "items": [{"path": "p"}]}, [".items[0].key: Required value"]),
    ("secret", {"secretName": "s", "items": [{"key": "k"}]}, [".items[0].path: Required value"]),
    (
        "secret",
        {"secretName": "s", "items": [{"key": "k", "path": "..x"}]},
        invalid(".items[0].path", "..x", DOTS),
    ),
    (
        "secret",
        {"secretName": "s", "items": [{"key": "k", "path": "p", "mode": -1}]},
        [f".items[0].mode: Invalid value: -1: {MODE}"],
    ),
    ("configMap", {}, [".name: Required value"]),
    ("nfs", {"server": "", "path": "/a"}, [".server: Required value"]),
    ("nfs", {"server": "s", "path": "a"}, invalid(".path", "a", "must be an absolute path")),
    ("iscsi", {**ISCSI, "targetPortal": ""}, [".targetPortal: Required value"]),
    ("iscsi", {**ISCSI, "iqn": ""}, [".iqn: Required value"]),
    (
        "iscsi",
        {**ISCSI, "iqn": "x"},
        invalid(".iqn", "x", "must be valid format starting with iqn, eui, or naa"),
    ),
    ("iscsi", {**ISCSI, "iqn": "eui.1"}, invalid(".iqn", "eui.1", "must be valid format")),
    ("iscsi", {**ISCSI, "lun": 256}, [".lun: Invalid value: 256: must be between 0 and 255, inclusive"]),
    ("iscsi", {**ISCSI, "chapAuthSession": True}, [".secretRef: Required value"]),
    ("glusterfs", {"endpoints": "", "path": "p"}, [".endpoints: Required value"]),
    ("flocker", {}, [": Required value: one of datasetName and datasetUUID is required"]),
    (
        "flocker",
        {"datasetName": "a", "datasetUUID": "b"},
        [': Invalid value: "resource": datasetName and datasetUUID can not be specified simultaneously'],
    ),
    ("flocker", {"datasetName": "a/b"}, invalid(".datasetName", "a/b", "must not contain '/'")),
    ("persistentVolumeClaim", {"claimName": ""}, [".claimName: Required value"]),
    ("rbd", {"monitors": [], "image": "i"}, [".monitors: Required value"]),
    ("rbd", {"monitors": ["m"], "image": ""}, [".image: Required value"]),
    ("cinder", {"volumeID": ""}, [".volumeID: Required value"]),
    ("cinder", {"volumeID": "v", "secretRef": {}}, [".secretRef.name: Required value"]),
    ("cephfs", {"monitors": []}, [".monitors: Required value"]),
    ("quobyte", {"registry": "", "volume": "v"}, [f".registry: Required value: {PAIRS}"]),
    ("quobyte", {"registry": "a", "volume": "v"}, invalid(".registry", "a", PAIRS)),
    (
        "quobyte",
        {"registry": "a:1", "volume": "v", "tenant": "t" * 65},
        [".tenant: Required value: must be a UUID and may not exceed a length of 64 characters"],
    ),
    ("quobyte", {"registry": "a:1,b:2", "volume": ""}, [".volume: Required value"]),
    (
        "downwardAPI",
        {"items": [{"path": "p"}]},
        [": Required value: one of fieldRef and resourceFieldRef is required"],
    ),
    (
        "downwardAPI",
        {"items": [{"path": "", "fieldRef": {"fieldPath": "metadata.labels"}}]},
        [".path: Required value"],
    ),
    (
        "downwardAPI",
        {"items": [{"path": "p", "fieldRef": {"fieldPath": "status.podIP"}}]},
        [
            '.fieldRef.fieldPath: Unsupported value: "status.podIP": supported values: "metadata.annotations", '
            '"metadata.labels", "metadata.name", "metadata.namespace", "metadata.uid"'
        ],
    ),
    (
        "downwardAPI",
        {"items": [{"path": "p", "resourceFieldRef": {"resource": "limits.cpu"}}]},
        [".resourceFieldRef.containerName: Required value"],
    ),
    (
        "downwardAPI",
        {
            "items": [
                {
                    "path": "p",
                    "fieldRef": {"fieldPath": "metadata.name"},
                    "resourceFieldRef": {"resource": "limits.cpu", "containerName": "c"},
                }
            ]
        },
        [': Invalid value: "resource": fieldRef and resourceFieldRef can not be specified simultaneously'],
    ),
    ("fc", {"lun": 1}, [f".targetWWNs: Required value: {WORLDWIDE}"]),
    (
        "fc",
        {"targetWWNs": ["a"], "wwids": ["b"], "lun": 1},
        ['.targetWWNs: Invalid value: ["a"]: targetWWNs and wwids can not be specified simultaneously'],
    ),
    ("fc", {"targetWWNs": ["a"]}, [".lun: Required value: lun is required if targetWWNs is specified"]),
    (
        "fc",
        {"targetWWNs": ["a"], "lun": 256},
        [".lun: Invalid value: 256: must be between 0 and 255, inclusive"],
    ),
    ("flexVolume", {"driver": ""}, [".driver: Required value"]),
    (
        "flexVolume",
        {"driver": "d", "options": {"a.kubernetes.io/b": "c"}},
        [
            '.options[a.kubernetes.io/b]: Invalid value: "a.kubernetes.io/b": '
            "kubernetes.io and k8s.io namespaces are reserved"
        ],
    ),
    ("azureFile", {"secretName": "", "shareName": "s"}, [".secretName: Required value"]),
    ("vsphereVolume", {"volumePath": ""}, [".volumePath: Required value"]),
    ("photonPersistentDisk", {"pdID": ""}, [".pdID: Required value"]),
    ("portworxVolume", {"volumeID": ""}, [".volumeID: Required value"]),
    ("azureDisk", {**DISK, "diskName": ""}, [".diskName: Required value"]),
    (
        "azureDisk",
        {**DISK, "cachingMode": "X"},
        ['.cachingMode: Unsupported value: "X": supported values: "None", "ReadOnly", "ReadWrite"'],
    ),
    (
        "azureDisk",
        {**DISK, "diskURI": "x"},
        [f'.diskURI: Unsupported value: "x": supported values: "{MANAGED}"'],
    ),
    (
        "azureDisk",
        {**DISK, "kind": "Shared", "diskURI": "x"},
        [f'.diskURI: Unsupported value: "x": supported values: "{BLOB}"'],
    ),
    ("storageos", {"volumeName": ""}, [".volumeName: Required value"]),
    ("storageos", {"volumeName": "A"}, invalid(".volumeName", "A", LABEL)),
    ("storageos", {"volumeName": "a", "volumeNamespace": "A"}, invalid(".volumeNamespace", "A", LABEL)),
    (
        "scaleIO",
        {"gateway": "", "system": "s", "volumeName": "v", "secretRef": {"name": "s"}},
        [".gateway: Required value"],
    ),
    (
        "csi",
        {"driver": "A_"},
        invalid(".driver", "A_", SUBDOMAIN),
    ),
    ("csi", {"driver": "d" * 64}, [".driver: Too long: may not be more than 63 bytes"]),
    ("csi", {"driver": "d", "nodePublishSecretRef": {}}, [".nodePublishSecretRef.name: Required value"]),
    ("ephemeral", {}, [".volumeClaimTemplate: Required value"]),
    (
        "ephemeral",
        {"volumeClaimTemplate": {"spec": {"resources": {"requests": {"storage": "1"}}}}},
        [".volumeClaimTemplate.spec.accessModes: Required value: at least 1 access mode is required"],
    ),
    ("image", {"pullPolicy": "Always"}, [".reference: Required value"]),
    (
        "image",
        {"reference": "r", "pullPolicy": "X"},
        ['.pullPolicy: Unsupported value: "X": supported values: "Always", "IfNotPresent", "Never"'],
    ),
]


@pytest.mark.parametrize(("member", "source", "told"), SOURCES)
def test_sources(member: str, source: dict[str, Any], told: list[str]) -> None:
    assert POD.new(volume(**{member: source})) == [f"spec.volumes[0].{member}{each}" for each in told]


def test_gce_disks_have_another_name() -> None:
    assert POD.new(volume(gcePersistentDisk={"pdName": ""})) == [
        "spec.volumes[0].persistentDisk.pdName: Required value"
    ]


def test_iscsi_initiators_have_short_names() -> None:
    source = {**ISCSI, "initiatorName": "eui.0123456789abcdef", "targetPortal": "p" * 63}
    told = (
        "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters "
        "if iscsi.initiatorName is specified."
    )
    assert POD.new(volume(iscsi=source)) == invalid("spec.volumes[0].name", "v", told)


PROJECTED = "spec.volumes[0].projected"
SOURCE = ".sources[0]"
BUNDLE = f"{SOURCE}.clusterTrustBundle"
CERTIFICATE = f"{SOURCE}.podCertificate"
FINE = {"signerName": "example.com/a", "keyType": "ED25519", "keyPath": "key"}


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({"secret": {"name": "s", "items": [{"key": "k", "path": "p"}]}}, []),
        ({"secret": {}}, [f"{SOURCE}.secret.name: Required value"]),
        (
            {"configMap": {"name": "s", "items": [{"key": "k"}]}},
            [f"{SOURCE}.configMap.items[0].path: Required value"],
        ),
        (
            {"configMap": {"name": "s", "items": [{"key": "k", "path": "p"}, {"key": "l", "path": "p"}]}},
            invalid("", "s", "conflicting duplicate paths"),
        ),
        (
            {"downwardAPI": {"items": [{"path": "p"}]}},
            [f"{SOURCE}.downwardAPI: Required value: one of fieldRef and resourceFieldRef is required"],
        ),
        (
            {"serviceAccountToken": {"path": "p", "expirationSeconds": 599}},
            [
                f"{SOURCE}.serviceAccountToken.expirationSeconds: Invalid value: 599: "
                "may not specify a duration less than 10 minutes"
            ],
        ),
        (
            {"serviceAccountToken": {"path": "p", "expirationSeconds": (1 << 32) + 1}},
            [
                f"{SOURCE}.serviceAccountToken.expirationSeconds: Invalid value: 4294967297: "
                "may not specify a duration larger than 2^32 seconds"
            ],
        ),
        ({"serviceAccountToken": {"path": ""}}, [".path: Required value"]),
        (
            {"secret": {"name": "s"}, "configMap": {"name": "c"}},
            [f"{SOURCE}: Forbidden: may not specify more than 1 volume type per source"],
        ),
    ],
)
def test_projected(source: dict[str, Any], told: list[str]) -> None:
    assert POD.new(volume(projected={"sources": [source]})) == [PROJECTED + each for each in told]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({"clusterTrustBundle": {"name": "a", "path": "p"}}, []),
        (
            {"clusterTrustBundle": {"path": "p"}},
            [f"{BUNDLE}: Required value: either name or signerName must be specified"],
        ),
        ({"clusterTrustBundle": {"name": "a", "path": ""}}, [f"{BUNDLE}.path: Required value"]),
        (
            {"clusterTrustBundle": {"name": "a", "path": "p", "labelSelector": {}}},
            [
                f"{BUNDLE}.labelSelector: Invalid value: {{}}: labelSelector must be unset if name is specified"
            ],
        ),
        (
            {"clusterTrustBundle": {"signerName": "x", "path": "p"}},
            invalid(
                f"{BUNDLE}.signerName",
                "x",
                "must be a fully qualified domain and path of the form 'example.com/signer-name'",
            ),
        ),
        ({"podCertificate": FINE}, []),
        (
            {"podCertificate": {**FINE, "keyType": "X"}},
            [
                f'{CERTIFICATE}.keyType: Unsupported value: "X": supported values: '
                '"RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519"'
            ],
        ),
        (
            {"podCertificate": {**FINE, "maxExpirationSeconds": 1}},
            [
                f"{CERTIFICATE}.maxExpirationSeconds: Invalid value: 1: "
                "if provided, maxExpirationSeconds must be >= 3600"
            ],
        ),
        (
            {"podCertificate": {**FINE, "signerName": "kubernetes.io/a", "maxExpirationSeconds": 90000}},
            [
                f"{CERTIFICATE}.maxExpirationSeconds: Invalid value: 90000: "
                "if provided, maxExpirationSeconds must be <= 86400"
            ],
        ),
        (
            {"podCertificate": {"signerName": "example.com/a", "keyType": "ED25519"}},
            [
                f"{CERTIFICATE}: Required value: "
                "specify at least one of credentialBundlePath, keyPath, and certificateChainPath"
            ],
        ),
        (
            {"podCertificate": {**FINE, "signerName": "Example.com/a"}},
            invalid(f"{CERTIFICATE}.signerName", "Example.com", f'validating label "Example": {LABEL}'),
        ),
        (
            {"podCertificate": {**FINE, "signerName": "example/a"}},
            invalid(
                f"{CERTIFICATE}.signerName",
                "example",
                "should be a domain with at least two segments separated by dots",
            ),
        ),
    ],
)
def test_projected_certificates(source: dict[str, Any], told: list[str]) -> None:
    # New volumes lose these where their features are off; so a stored one is changed.
    changes = volume(projected={"sources": [source], "defaultMode": 0o644})
    assert POD.update(changes) == [PROJECTED + each for each in told]


CLAIM = Checked(
    "",
    "persistentvolumeclaims",
    {"spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}},
)
MODES = '"ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"'
CLAIMS: list[Case] = [
    ({".accessModes": []}, [".accessModes: Required value: at least 1 access mode is required"]),
    ({".accessModes": ["X"]}, [f'.accessModes: Unsupported value: "X": supported values: {MODES}']),
    (
        {".accessModes": ["ReadWriteOncePod", "ReadWriteOnce"]},
        [".accessModes: Forbidden: may not use ReadWriteOncePod with other access modes"],
    ),
    ({".resources": {}}, [".resources[storage]: Required value"]),
    (
        {".resources.requests.storage": "0"},
        ['.resources[storage]: Invalid value: "0": must be greater than zero'],
    ),
    (
        {".storageClassName": "A"},
        invalid(".storageClassName", "A", SUBDOMAIN),
    ),
    ({".volumeMode": "X"}, ['.volumeMode: Unsupported value: "X": supported values: "Block", "Filesystem"']),
    ({'.selector.matchLabels["-"]': "a"}, invalid(".selector.matchLabels", "-", KEY)),
    ({".volumeAttributesClassName": "A"}, invalid(".volumeAttributesClassName", "A", SUBDOMAIN)),
    (
        {".dataSource": {"kind": "PersistentVolumeClaim", "name": ""}},
        [".dataSource.name: Required value", ".dataSourceRef.name: Required value"],
    ),
]


@pytest.mark.parametrize(("changes", "told"), below("spec", CLAIMS))
def test_claims(changes: dict[str, Any], told: list[str]) -> None:
    assert CLAIM.new(changes) == told


@pytest.mark.parametrize(
    ("changes", "told"),
    below(
        "status",
        [
            (
                {".capacity.storage": "-1"},
                [".capacity[storage]: Invalid value: -1: must be a valid resource quantity"],
            ),
        ],
    ),
)
def test_claim_status(changes: dict[str, Any], told: list[str]) -> None:
    assert CLAIM.status(changes) == told


VOLUME = Checked(
    "",
    "persistentvolumes",
    {"spec": {"accessModes": ["ReadWriteOnce"], "capacity": {"storage": "1Gi"}, "hostPath": {"path": "/a"}}},
)
VOLUMES: list[Case] = [
    ({".accessModes": []}, [".accessModes: Required value"]),
    ({".accessModes": ["X"]}, [f'.accessModes: Unsupported value: "X": supported values: {MODES}']),
    (
        {".capacity": {}},
        [".capacity: Required value", '.capacity: Unsupported value: null: supported values: "storage"'],
    ),
    (
        {".capacity.cpu": "1"},
        ['.capacity: Unsupported value: {"cpu":"1","storage":"1Gi"}: supported values: "storage"'],
    ),
    ({".capacity.storage": "0"}, ['.capacity[storage]: Invalid value: "0": must be greater than zero']),
    ({".hostPath": ABSENT}, [": Required value: must specify a volume type"]),
    (
        {".nfs": {"server": "s", "path": "/p"}},
        [".nfs: Forbidden: may not specify more than 1 volume type"],
    ),
    (
        {".persistentVolumeReclaimPolicy": "X"},
        [
            '.persistentVolumeReclaimPolicy: Unsupported value: "X": supported values: "Delete", "Recycle", "Retain"'
        ],
    ),
    (
        {".persistentVolumeReclaimPolicy": "Recycle", ".hostPath.path": "/"},
        [".persistentVolumeReclaimPolicy: Forbidden: may not be 'recycle' for a hostPath mount of '/'"],
    ),
    ({".storageClassName": "A"}, invalid(".storageClassName", "A", SUBDOMAIN)),
    ({".volumeMode": "X"}, ['.volumeMode: Unsupported value: "X": supported values: "Block", "Filesystem"']),
    ({".hostPath.path": ""}, [".hostPath.path: Required value"]),
    (
        {".nodeAffinity": {}},
        [".nodeAffinity.required: Required value: must specify required node constraints"],
    ),
    (
        {".nodeAffinity.required.nodeSelectorTerms": []},
        [
            ".nodeAffinity.required.nodeSelectorTerms: Required value: must have at least one node selector term"
        ],
    ),
    (
        {".hostPath": ABSENT, ".local": {"path": "/a"}},
        [".nodeAffinity: Required value: Local volume requires node affinity"],
    ),
    (
        {".hostPath": ABSENT, ".csi": {"driver": "d", "volumeHandle": ""}},
        [".csi.volumeHandle: Required value"],
    ),
    (
        {
            ".hostPath": ABSENT,
            ".csi": {"driver": "d", "volumeHandle": "h", "nodePublishSecretRef": {"name": "n"}},
        },
        [".csi.nodePublishSecretRef.namespace: Required value"],
    ),
    (
        {".hostPath": ABSENT, ".azureFile": {"secretName": "s", "shareName": "h", "secretNamespace": ""}},
        [".azureFile.secretNamespace: Required value"],
    ),
    (
        {".hostPath": ABSENT, ".glusterfs": {"endpoints": "e", "path": "p", "endpointsNamespace": ""}},
        invalid(
            ".glusterfs.endpointsNamespace",
            "",
            "if the endpointnamespace is set, it must be a valid namespace name",
        ),
    ),
    (
        {".hostPath": ABSENT, ".cinder": {"volumeID": "v", "secretRef": {"name": "s"}}},
        [".cinder.secretRef.namespace: Required value"],
    ),
    (
        {".hostPath": ABSENT, ".iscsi": {**ISCSI, "iqn": "x"}},
        invalid(".iscsi.iqn", "x", "must be valid format"),
    ),
]


@pytest.mark.parametrize(("changes", "told"), below("spec", VOLUMES))
def test_persistent_volumes(changes: dict[str, Any], told: list[str]) -> None:
    assert VOLUME.new(changes) == told
