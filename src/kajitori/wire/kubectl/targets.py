"""What a command of kubectl is about: `pods`, `deploy/web`, `secrets a b`, `pods,services`, files.

Source: cli-runtime's pkg/resource/builder.go (ResourceTypeOrNameArgs).
"""

from dataclasses import dataclass

from kajitori.wire.kubectl.grammar import CommandLine

__all__ = ["NODES", "Target", "targets_of"]

NODES = frozenset({"cordon", "uncordon", "drain"})
"""Commands whose arguments are the names of Nodes."""

_PODS = frozenset({"attach", "debug", "exec", "logs", "port-forward"})
"""Commands whose first argument is a Pod unless it says of what kind it is."""

_IN_ARGUMENTS = frozenset(
    (
        "annotate",
        "autoscale",
        "delete",
        "describe",
        "edit",
        "expose",
        "get",
        "label",
        "patch",
        "rollout",
        "scale",
        "set",
        "taint",
        "wait",
    )
)
"""Commands whose arguments are kinds and names."""


@dataclass(frozen=True, slots=True)
class Target:
    """Objects of one kind as a command names them."""

    resource: str
    """The kind in the user's words, in lower case: `deploy`, `deployments.apps`, `po`."""
    names: tuple[str, ...] = ()
    """Empty for all that are selected."""


def targets_of(line: CommandLine) -> list[Target] | None:
    """What a command is about; None where its words do not tell (files, plugins, raw paths), empty where it is
    about no objects.
    """
    if line.unsure or not line.known or any(line.flag(each) for each in ("filename", "kustomize", "raw")):
        return None
    verb, arguments = line.verb[0], list(line.arguments)
    if line.verb[:2] == ("set", "subject") or line.verb[0] in _IN_ARGUMENTS:
        return _by_arguments(verb, line.verb, arguments)
    if verb in NODES:
        return [Target("nodes", tuple(arguments))]
    if verb in _PODS and arguments:
        kind, slash, name = arguments[0].rpartition("/")
        return [Target(kind.lower() if slash else "pods", (name,))]
    if verb == "cp":
        return [Target("pods", tuple(_remote_pods(arguments)))]
    if verb == "run":
        return [Target("pods", tuple(arguments[:1]))]
    if verb == "create" and len(line.verb) > 1:
        return [Target(line.verb[1], tuple(arguments[:1]))]
    if verb == "certificate":
        return [Target("certificatesigningrequests", tuple(arguments))]
    return []


def _by_arguments(verb: str, words: tuple[str, ...], arguments: list[str]) -> list[Target]:
    if verb in ("label", "annotate", "taint") or words == ("set", "env"):
        arguments = [each for each in arguments if "=" not in each and not each.endswith("-")]
    elif words in (("set", "image"), ("set", "serviceaccount")):
        arguments = [each for each in arguments if "=" not in each]
    if not arguments:
        return []
    if "/" in arguments[0]:
        pairs = [each.partition("/") for each in arguments if "/" in each]
        return [Target(kind.lower(), (name,)) for kind, _, name in pairs]
    kinds = [each.lower() for each in arguments[0].split(",") if each]
    if words == ("set", "serviceaccount") and len(arguments) > 2:
        arguments = arguments[:-1]  # the last one is the account
    return [Target(each, tuple(arguments[1:])) for each in kinds]


def _remote_pods(arguments: list[str]) -> list[str]:
    """The Pods in `namespace/pod:path` and `pod:path`."""
    found = [each.partition(":")[0] for each in arguments if ":" in each]
    return [each.rpartition("/")[2] for each in found]
