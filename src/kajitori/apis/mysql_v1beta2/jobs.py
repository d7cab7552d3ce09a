"""How a backup or restore Job runs: shared by BackupPolicy and by `restore` of MySQLCluster.

Source: `specs` of moco.cybozu.com/v1beta2, JobConfig and BucketConfig.
"""

from typing import Annotated, Any, Literal

import msgspec

from kajitori.apimachinery.declare import BuiltinSchema, Nullable

__all__ = ["BucketConfig", "JobConfig"]

_Quantity = Annotated[
    int | str | None, BuiltinSchema("io.k8s.apimachinery.pkg.api.resource.Quantity"), Nullable
]

_CORE = "io.k8s.api.core.v1"


class BucketConfig(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Where backups are kept, and how to reach it."""

    bucket_name: Annotated[str, msgspec.Meta(min_length=1)]
    """Name of the bucket. `$(VARIABLE)` stands for an environment variable of the Job's container."""
    region: str = ""
    """Region of the bucket; the environment variable AWS_REGION says it as well."""
    endpoint_url: Annotated[str, msgspec.Meta(pattern="^https?://.*")] | None = msgspec.field(
        default=None, name="endpointURL"
    )
    """URL of the object storage's API, for storages other than Amazon S3."""
    use_path_style: bool = False
    """Whether the bucket is named in the path of a URL instead of its host."""
    backend_type: Literal["s3", "gcs", "azure"] = "s3"
    """Which kind of object storage it is."""
    ca_cert: str = ""
    """Path of a file with certificate authorities to trust besides the system's."""


class JobConfig(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """How the Pod of a backup or restore Job runs."""

    service_account_name: Annotated[str, msgspec.Meta(min_length=1)]
    """ServiceAccount that the Pod runs as."""
    bucket_config: BucketConfig
    """The bucket that backups are written to or read from."""
    work_volume: Annotated[dict[str, Any], BuiltinSchema(f"{_CORE}.Volume", every_field_optional=True)]
    """Source of the volume for the working directory. It must hold a dump of the whole database; a generic
    ephemeral
    volume is a good choice."""
    threads: Annotated[int, msgspec.Meta(ge=1)] = 4
    """How many threads dump or load."""
    cpu: _Quantity = 4
    """CPU that the Pod requests."""
    max_cpu: _Quantity = None
    """Limit of the Pod's CPU."""
    memory: _Quantity = "4Gi"
    """Memory that the Pod requests."""
    max_memory: _Quantity = None
    """Limit of the Pod's memory."""
    env: list[Annotated[dict[str, Any], BuiltinSchema(f"{_CORE}.EnvVar", every_field_optional=True)]] = []
    """Environment variables of the container, such as credentials for the bucket."""
    env_from: list[
        Annotated[dict[str, Any], BuiltinSchema(f"{_CORE}.EnvFromSource", every_field_optional=True)]
    ] = []
    """ConfigMaps and Secrets whose keys become environment variables of the container."""
    affinity: (
        Annotated[dict[str, Any], BuiltinSchema(f"{_CORE}.Affinity", every_field_optional=True)] | None
    ) = None
    """Where the Pod may run. By default it avoids nodes with another backup or restore Pod."""
    volumes: list[Annotated[dict[str, Any], BuiltinSchema(f"{_CORE}.Volume", every_field_optional=True)]] = []
    """Further volumes of the Pod."""
    volume_mounts: list[
        Annotated[dict[str, Any], BuiltinSchema(f"{_CORE}.VolumeMount", every_field_optional=True)]
    ] = []
    """Where the container mounts them."""
