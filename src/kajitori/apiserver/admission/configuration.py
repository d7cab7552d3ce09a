"""The admission configuration file: what plugins are told that need to be told something.

Promises
    F1  a file, a plugin's configuration or a field that nobody knows is refused when the server starts

Source: https://kubernetes.io/docs/reference/config-api/apiserver-config.v1/#apiserver-config-k8s-io-v1-AdmissionConfiguration
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from kajitori.apimachinery.decode import DecodeError
from kajitori.apimachinery.errors import FieldError
from kajitori.apimachinery.yaml import decode_yaml
from kajitori.apiserver.admission.chain import ConfigurationError

__all__ = ["Configurations", "read_configurations", "typed", "without_errors"]

_GROUP = "apiserver.config.k8s.io"
_OF_PODS = ("podNodeSelectorPluginConfig", "PodNodeSelector")
"""A file from before there were versions, for this plugin alone."""

Read = TypeVar("Read")


Configurations = dict[str, Any]
"""By the plugin's name."""


class _Plugin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    path: str = ""
    configuration: Any = None


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    apiVersion: str
    kind: str
    plugins: list[_Plugin] | None = None


def read_configurations(path: Path, known: Collection[str]) -> Configurations:
    """What the file says, and the files that it names, which lie beside it unless they say where.

    Raises: ConfigurationError.
    """
    value = _read(path)
    if isinstance(value, dict) and "kind" not in value and _OF_PODS[0] in value:
        return {_OF_PODS[1]: value}
    file = typed(value, _File, kinds=("AdmissionConfiguration",), group=_GROUP, where=str(path))
    found: Configurations = {}
    for plugin in file.plugins or ():
        if plugin.name not in known:
            raise ConfigurationError(f"{path}: unknown admission plugin {plugin.name}")
        if plugin.name in found:
            continue  # the first one counts
        if plugin.configuration is not None:
            found[plugin.name] = plugin.configuration
        elif plugin.path:
            found[plugin.name] = _read(path.parent / plugin.path)
    return found


def _read(path: Path) -> Any:
    try:
        value, _ = decode_yaml(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(
            f"cannot read the admission configuration {path}: {error.strerror}"
        ) from None
    except DecodeError as error:
        raise ConfigurationError(f"{path}: this is no YAML: {error}") from None
    return value


def typed(
    value: Any,
    type_: type[Read],
    *,
    kinds: Collection[str],
    group: str,
    where: str,
    versions: Collection[str] = ("v1", "v1beta1", "v1alpha1"),
) -> Read:
    """A configuration as a value of `type_`, which has the members `apiVersion` and `kind`.

    Raises: ConfigurationError, which names `where`.
    """
    said = value if isinstance(value, dict) else {}
    if said.get("kind") not in kinds or said.get("apiVersion") not in [
        f"{group}/{each}" for each in versions
    ]:
        newest = next(iter(versions))
        raise ConfigurationError(f"{where}: write apiVersion: {group}/{newest}, kind: {next(iter(kinds))}")
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        what, _, member = str(error).partition(" - at `$.")
        raise ConfigurationError(f"{where}: {member.rstrip('`') or 'the configuration'}: {what}") from None


def without_errors(errors: Collection[FieldError], where: str) -> None:
    """Raises: ConfigurationError where there are any."""
    if errors:
        raise ConfigurationError(f"{where}: {', '.join(str(each) for each in errors)}")
