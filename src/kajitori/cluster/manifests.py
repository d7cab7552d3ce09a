"""Where the admission manifests are: in the directory of `--admission-manifest-dir`, or in those that the admission
configuration file names, one for each plugin.

Source: https://kubernetes.io/docs/reference/config-api/apiserver-config.v1/
"""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import msgspec

from kajitori.apiserver.admission.chain import ConfigurationError
from kajitori.apiserver.admission.configuration import typed
from kajitori.apiserver.admission.manifests import PLUGIN_KINDS, Directories, ManifestDirectory
from kajitori.apiserver.registry.resource import Resource
from kajitori.world.clock import Clock

__all__ = ["manifest_directories"]

_GROUP = "apiserver.config.k8s.io"
FLAG = "--admission-manifest-dir"


class _OfPolicies(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    apiVersion: str
    kind: str
    staticManifestsDir: str = ""


class _OfWebhooks(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    apiVersion: str
    kind: str
    kubeConfigFile: str = ""
    staticManifestsDir: str = ""


def manifest_directories(
    flagged: Path | None,
    configurations: Mapping[str, Any],
    plugins: Collection[str],
    find: Callable[[str, str, str], Resource | None],
    clock: Clock,
) -> Directories:
    """The directories, read. `flagged` is the one for all plugins, `plugins` are those that are on.

    Raises: ConfigurationError.
    """
    on = [name for name in PLUGIN_KINDS if name in plugins]
    named = {name: path for name in on if (path := _configured(name, configurations.get(name))) is not None}
    if flagged is None:
        return Directories(
            {name: ManifestDirectory(path, [name], find, clock) for name, path in named.items()}
        )
    if named:
        raise ConfigurationError(
            f"{FLAG} is for all plugins, and the admission configuration has a staticManifestsDir for "
            f"{', '.join(named)}: use one of the two"
        )
    if not flagged.is_dir():
        what = "is no directory" if flagged.exists() else "is not there"
        raise ConfigurationError(f"{FLAG} {flagged}: {what}; name a directory with manifests")
    if not on:
        return Directories({})
    return Directories(dict.fromkeys(on, ManifestDirectory(flagged, on, find, clock)))


def _configured(plugin: str, value: Any) -> Path | None:
    """What the configuration of a plugin says. Raises: ConfigurationError."""
    if value is None:
        return None
    if plugin.endswith("Policy"):
        text = typed(
            value,
            _OfPolicies,
            kinds=(f"{plugin}Configuration",),
            group=_GROUP,
            where=plugin,
            versions=("v1",),
        ).staticManifestsDir
    else:
        kinds = ("WebhookAdmissionConfiguration", "WebhookAdmission")
        read = typed(value, _OfWebhooks, kinds=kinds, group=_GROUP, where=plugin, versions=("v1", "v1alpha1"))
        text = read.staticManifestsDir
    if not text:
        return None
    path, where = Path(text), f"{plugin}: staticManifestsDir: Invalid value: {text!r}"
    if not path.is_absolute():
        raise ConfigurationError(f"{where}: must be an absolute file path")
    if not path.is_dir():
        raise ConfigurationError(
            f"{where}: must be a directory" if path.exists() else f"{where}: is not there"
        )
    return path
