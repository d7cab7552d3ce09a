"""What a command would do: asked of the cluster with kubectl itself, as the same user, with the same flags.

Promises
    L1  nothing is changed by looking: `get`, and dry runs on the server
    L2  what could not be seen is told, never taken for nothing
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from kajitori.cli.guardrails.programs import Kubectl, Ran
from kajitori.cli.guardrails.rules import Affected
from kajitori.wire.kubectl import CommandLine, commands, targets_of

__all__ = ["DryRun", "Look", "Seen"]

JsonObject = dict[str, Any]

_MAKES = frozenset({"apply", "autoscale", "create", "expose", "replace", "run"})
"""Commands whose objects may not be there yet: the dry run tells which they are."""
NAMESPACES_ASKED_MAX = 5
"""So many are asked for one by one; of more, everything is asked for at once."""
_SELECTS = ("selector", "field-selector", "filename", "kustomize", "recursive", "all-namespaces")
_CHANGES = frozenset({"annotate", "label", "patch", "scale", "set", "rollout", "taint", *_MAKES})
_HARMLESS = frozenset({"events", "componentstatuses", "bindings", "podmetrics", "nodemetrics", "leases"})
"""Kinds that nobody misses, and that would only make the list long."""


@dataclass(frozen=True, slots=True)
class DryRun:
    """What the server says to the command, had it been meant."""

    out: str
    err: str
    failed: bool
    objects: Sequence[JsonObject] | None = None
    """As they would be afterwards; None where the command does not tell."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a command is about."""

    objects: Sequence[JsonObject] | None
    """As they are, or would be made; None where that cannot be seen."""
    complaint: str = ""
    """What kubectl said where not everything could be seen."""
    going: Sequence[JsonObject] = ()
    """Those that are deleted or evicted."""
    around: Sequence[JsonObject] = field(default_factory=tuple)
    """What could go with them."""
    cascades: bool = True

    @property
    def affected(self) -> Sequence[Affected] | None:
        """The objects as rules look at them."""
        if self.objects is None:
            return None
        from kajitori.cli.guardrails.kinds import names_of

        return [_affected(each, names_of) for each in self.objects]


def _affected(obj: JsonObject, names_of: Any) -> Affected:
    metadata = obj.get("metadata") or {}
    kind, name = str(obj.get("kind", "")), str(metadata.get("name", ""))
    namespace = name if kind == "Namespace" else str(metadata.get("namespace") or "")
    return Affected(
        names_of(str(obj.get("apiVersion", "")), kind), namespace, name, metadata.get("labels") or {}
    )


class Look:
    """At one command."""

    def __init__(self, line: CommandLine, kubectl: Kubectl) -> None:
        self._line, self._kubectl = line, kubectl
        if "-" in line.listed("filename"):
            kubectl.read_input()
        self._global = [
            f"--{name}={value}"
            for name, values in line.flags.items()
            if name in commands().takes_value and name not in ("help", "kuberc", "v", "vmodule", "namespace")
            for value in values
        ]
        self._namespace = [f"--namespace={line.flag('namespace')}"] if line.flag("namespace") else []

    @cache  # noqa: B019 - one Look lives as long as the process
    def dry_run(self) -> DryRun | None:
        """What the server says; None where the command has no dry run."""
        line = self._line
        if line.unsure or not line.takes("dry-run") or line.flag("raw") or self._replaces_by_force:
            return None
        verb = line.verb[0]
        further = ["--dry-run=server"]
        if line.takes("interactive"):
            further.append("--interactive=false")
        # What is pruned would look like what is applied.
        tells = verb in _CHANGES and line.takes("output") and not line.is_on("prune")
        if tells:
            further.append("--output=json")
        ran = self._kubectl.ask(self._with(further))
        out = ran.out.decode(errors="replace")
        if not tells:
            return DryRun(out, ran.err, ran.code != 0)
        return DryRun("", ran.err, ran.code != 0, _objects(out))

    def _with(self, further: Sequence[str]) -> list[str]:
        """The command's words and more flags, which come before `--`."""
        line = self._line
        words = [each for each in line.words if not each.startswith("--kuberc=")]
        if "--kuberc" in words:
            at = words.index("--kuberc")
            del words[at : at + 2]
        if line.dashed is None:
            return [*words, *further]
        at = words.index("--")
        return [*words[:at], *further, *words[at:]]

    @cache  # noqa: B019 - as above
    def objects(self) -> Seen:
        """The objects that the command is about, without what goes with them."""
        line = self._line
        if not line.known:
            return Seen(None, "what a plugin does cannot be told")
        if line.unsure or line.flag("raw"):
            return Seen(None, f"what {line.flag('raw')} is about cannot be told" if line.flag("raw") else "")
        if (
            line.verb[0] in _MAKES
            and not self._replaces_by_force
            and (line.takes("dry-run") and line.takes("output"))
        ):
            run = self.dry_run()
            if run is None or (run.objects is None and not run.failed):
                return Seen(None)
            return Seen(
                None if run.failed and not run.objects else run.objects, run.err if run.failed else ""
            )
        words = self._selection()
        if words is None:
            return Seen(None)
        found, complaint = self._get(words, self._namespace)
        return Seen(found, complaint)

    @property
    def _replaces_by_force(self) -> bool:
        """What is replaced is deleted first; kubectl has no dry run of that."""
        return self._line.verb[0] == "replace" and self._line.is_on("force")

    def before(self, after: Sequence[JsonObject]) -> Sequence[JsonObject]:
        """The objects that a dry run has changed, as they are."""
        seen = self._line.verb[0] not in _MAKES and self.objects().objects
        if seen:
            return seen
        document = json.dumps(
            {"apiVersion": "v1", "kind": "List", "items": [_identity(each) for each in after]}
        )
        ran = self._kubectl.ask(
            ["get", "--filename=-", "--ignore-not-found", "--output=json", *self._global], document.encode()
        )
        return _objects(ran.out.decode(errors="replace")) or ()

    @property
    def user_flags(self) -> Sequence[str]:
        """What makes another command of kubectl run in the same place as the same user."""
        return self._global

    def _selection(self) -> list[str] | None:
        line = self._line
        targets = targets_of(line)
        flags = [
            f"--{name}={value}"
            for name in _SELECTS
            for value in line.flags.get(name, ())
            if value != "-" or self._kubectl.input is not None
        ]
        if targets is None:
            return flags or None
        if not targets:
            return None
        if any(each.names for each in targets):
            return [f"{each.resource}/{name}" for each in targets for name in each.names] + flags
        return [",".join(each.resource for each in targets), *flags]

    def _get(self, words: Iterable[str], scope: Iterable[str]) -> tuple[list[JsonObject] | None, str]:
        ran = self._kubectl.ask(
            ["get", *words, *scope, "--output=json", "--show-managed-fields=false", *self._global]
        )
        found = _objects(ran.out.decode(errors="replace"))
        return found, ran.err.strip() if ran.code else ""

    def everything(self) -> Seen:
        """The objects, those that go, and what could go with them."""
        seen = self.objects()
        going = self._going(seen.objects or ())
        if not going:
            return seen
        around, complaint = self._around(going)
        cascades = self._line.flag("cascade") not in ("orphan", "false")
        told = "\n".join(each for each in (seen.complaint, complaint) if each)
        return replace(seen, complaint=told, going=going, around=around, cascades=cascades)

    def _going(self, objects: Sequence[JsonObject]) -> Sequence[JsonObject]:
        line = self._line
        if line.verb[0] == "delete" or self._replaces_by_force:
            return objects
        if line.verb[0] == "drain":
            pods: list[JsonObject] = []
            for node in objects:
                selects = [f"--field-selector=spec.nodeName={node['metadata']['name']}"]
                if line.flag("pod-selector"):
                    selects.append(f"--selector={line.flag('pod-selector')}")
                pods += self._get(["pods", *selects], ["--all-namespaces"])[0] or ()
            return [each for each in pods if not _is_of_daemon(each)]
        if line.verb[0] == "scale" and line.flag("replicas") == "0":
            return self._pods_of(objects)
        return ()

    def _pods_of(self, owners: Sequence[JsonObject]) -> list[JsonObject]:
        """The Pods that workloads have, by way of ReplicaSets or not."""
        found: list[JsonObject] = []
        for namespace in sorted({str(each["metadata"].get("namespace", "")) for each in owners}):
            scope = [f"--namespace={namespace}"]
            there = self._get(["pods,replicasets"], scope)[0] or []
            uids = {each["metadata"]["uid"] for each in owners}
            for kind in ("ReplicaSet", "Pod"):
                for each in there:
                    owned = each["metadata"].get("ownerReferences") or ()
                    if each["kind"] == kind and any(reference.get("uid") in uids for reference in owned):
                        uids.add(each["metadata"]["uid"])
                        found += [each] if kind == "Pod" else []
        return found

    def _around(self, going: Sequence[JsonObject]) -> tuple[list[JsonObject], str]:
        """All objects of the namespaces that are touched; of the cluster, where something of that goes."""
        definitions = [each for each in going if each["kind"] == "CustomResourceDefinition"]
        namespaces = {
            str(
                each["metadata"]["name"]
                if each["kind"] == "Namespace"
                else each["metadata"].get("namespace", "")
            )
            for each in going
        }
        clustered = "" in namespaces
        found: list[JsonObject] = []
        complaints: list[str] = []
        for each in definitions:
            names = f"{each['spec']['names']['plural']}.{each['spec']['group']}"
            self._add(found, complaints, [names], ["--all-namespaces"])
        kinds, complaint = self._kinds(namespaced=True)
        complaints += [complaint] if complaint else []
        scopes = [f"--namespace={each}" for each in sorted(namespaces - {""})]
        for scope in scopes if len(scopes) <= NAMESPACES_ASKED_MAX else ["--all-namespaces"]:
            self._add(found, complaints, [kinds], [scope])
        if clustered and len(definitions) < len(going):
            self._add(found, complaints, [self._kinds(namespaced=False)[0]], [])
        if any(each["kind"] == "PersistentVolumeClaim" for each in found):
            self._add(found, complaints, ["persistentvolumes"], [])
        return found, "\n".join(complaints)

    def _add(
        self, found: list[JsonObject], complaints: list[str], words: list[str], scope: list[str]
    ) -> None:
        if words != [""]:
            objects, complaint = self._get(words, scope)
            found += objects or ()
            complaints += [complaint] if complaint else []

    def _kinds(self, *, namespaced: bool) -> tuple[str, str]:
        """Every kind that can be listed, with commas."""
        words = [
            "api-resources",
            "--verbs=list,delete",
            f"--namespaced={str(namespaced).lower()}",
            "--output=name",
        ]
        ran: Ran = self._kubectl.ask([*words, *self._global])
        names = [each for each in ran.out.decode().split() if each.partition(".")[0] not in _HARMLESS]
        return ",".join(names), ran.err.strip() if ran.code else ""


def _identity(obj: JsonObject) -> JsonObject:
    metadata = {
        name: obj["metadata"].get(name) for name in ("namespace", "name") if obj["metadata"].get(name)
    }
    return {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": metadata}


def _is_of_daemon(pod: JsonObject) -> bool:
    owners = pod["metadata"].get("ownerReferences") or ()
    return any(each.get("kind") == "DaemonSet" for each in owners)


def _objects(text: str) -> list[JsonObject] | None:
    """The objects in JSON documents one after another, lists taken apart; None where that is none."""
    decoder = json.JSONDecoder()
    found: list[JsonObject] = []
    at = 0
    text = text.strip()
    if not text:
        return None
    while at < len(text):
        try:
            value, at = decoder.raw_decode(text, at)
        except ValueError:
            return None
        if not isinstance(value, dict):
            return None
        found += value["items"] if isinstance(value.get("items"), list) else [value]
        while at < len(text) and text[at].isspace():
            at += 1
    return found
