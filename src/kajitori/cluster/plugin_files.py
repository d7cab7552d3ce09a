"""The files for webhooks and policies: manifests, in the directory of `--admission-manifest-dir` or in those that the
admission configuration names for each plugin; and the kubeconfig that says who we are to webhooks.

Source: https://kubernetes.io/docs/reference/config-api/apiserver-config.v1/
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from kajitori.apiserver.admission.chain import ConfigurationError
from kajitori.apiserver.admission.configuration import typed
from kajitori.apiserver.admission.manifests import PLUGIN_KINDS, Directories, ManifestDirectory
from kajitori.apiserver.registry.resource import Resource
from kajitori.apiserver.webhooks.kubeconfig import WebhookConfigError
from kajitori.apiserver.webhooks.users import WebhookUsers
from kajitori.world.clock import Clock

__all__ = ["PluginFiles", "plugin_files"]

_GROUP = "apiserver.config.k8s.io"
FLAG = "--admission-manifest-dir"


class _Files(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    apiVersion: str
    kind: str
    kubeConfigFile: str = ""
    staticManifestsDir: str = ""


@dataclass(frozen=True, slots=True)
class PluginFiles:
    """What the files of all plugins say."""

    directories: Directories
    users: Mapping[str, WebhookUsers]
    """Who we are to webhooks, by plugin."""


def plugin_files(
    flagged: Path | None,
    configurations: Mapping[str, Any],
    plugins: Collection[str],
    find: Callable[[str, str, str], Resource | None],
    clock: Clock,
) -> PluginFiles:
    """The files, read. `flagged` is the directory of manifests for all plugins, `plugins` are those that are on.

    Raises: ConfigurationError.
    """
    on = [name for name in PLUGIN_KINDS if name in plugins]
    files = {name: _files(name, configurations[name]) for name in on if name in configurations}
    users = {name: _users(name, each.kubeConfigFile) for name, each in files.items() if each.kubeConfigFile}
    named = {
        name: _directory(name, each.staticManifestsDir)
        for name, each in files.items()
        if each.staticManifestsDir
    }
    if flagged is None:
        own = {name: ManifestDirectory(path, [name], find, clock) for name, path in named.items()}
        return PluginFiles(Directories(own), users)
    if named:
        raise ConfigurationError(
            f"{FLAG} is for all plugins, and the admission configuration has a staticManifestsDir for "
            f"{', '.join(named)}: use one of the two"
        )
    if not flagged.is_dir():
        what = "is no directory" if flagged.exists() else "is not there"
        raise ConfigurationError(f"{FLAG} {flagged}: {what}; name a directory with manifests")
    shared = dict.fromkeys(on, ManifestDirectory(flagged, on, find, clock)) if on else {}
    return PluginFiles(Directories(shared), users)


def _files(plugin: str, value: Any) -> _Files:
    """What the configuration of a plugin names. Raises: ConfigurationError."""
    if not plugin.endswith("Policy"):
        kinds = ("WebhookAdmissionConfiguration", "WebhookAdmission")
        return typed(value, _Files, kinds=kinds, group=_GROUP, where=plugin, versions=("v1", "v1alpha1"))
    kind = f"{plugin}Configuration"
    found = typed(value, _Files, kinds=(kind,), group=_GROUP, where=plugin, versions=("v1",))
    if found.kubeConfigFile:
        raise ConfigurationError(f"{plugin}: kubeConfigFile is for webhooks; leave it out")
    return found


def _users(plugin: str, text: str) -> WebhookUsers:
    if not Path(text).is_absolute():
        told = f"{plugin}: kubeConfigFile: Invalid value: {text!r}: must be an absolute file path"
        raise ConfigurationError(told)
    try:
        return WebhookUsers(Path(text))
    except WebhookConfigError as error:
        raise ConfigurationError(f"{plugin}: kubeConfigFile: {error}") from None


def _directory(plugin: str, text: str) -> Path:
    path, where = Path(text), f"{plugin}: staticManifestsDir: Invalid value: {text!r}"
    if not path.is_absolute():
        raise ConfigurationError(f"{where}: must be an absolute file path")
    if not path.is_dir():
        raise ConfigurationError(
            f"{where}: must be a directory" if path.exists() else f"{where}: is not there"
        )
    return path
