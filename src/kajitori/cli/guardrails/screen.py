"""What a user reads before the question: where a command runs, what the server says to it, and what goes."""

import difflib
import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from kajitori.cli.guardrails.place import Place
from kajitori.cli.guardrails.rules import Rule
from kajitori.wire.kubectl import CommandLine

if TYPE_CHECKING:
    from kajitori.cli.guardrails.looking import DryRun, Seen

__all__ = ["diff_lines", "dry_run_lines", "heading", "loss_lines", "object_lines"]

JsonObject = dict[str, Any]

NAMED_MAX = 20
"""So many objects are named, the others counted."""
COMPLAINTS_MAX = 5
"""Who may see little is told so a few times, not for every kind that there is."""
DIFF_LINES_MAX = 200
"""A longer change is cut: nobody reads it at a prompt."""


def heading(line: CommandLine, place: Place, rule: Rule) -> Iterator[str]:
    """The command, and where it would run."""
    yield f"guardrails: {rule.message or rule.name}"
    yield f"  command    {shlex.join(('kubectl', *line.words))}"
    yield f"  context    {place.context or '(none)'}"
    where = f" at {place.server}" if place.server and place.server != place.cluster else ""
    yield f"  cluster    {place.cluster or '(no name)'}{where}"
    acting = f" as {place.impersonated}" if place.impersonated else ""
    yield f"  user       {place.user or '(none)'}{acting}"
    everywhere = line.is_on("all-namespaces")
    yield f"  namespace  {'(all namespaces)' if everywhere else place.namespace}"
    if line.unsure:
        yield "  kubectl 1.36 does not know every flag of this command: what it would do cannot be told"


def dry_run_lines(run: "DryRun") -> Iterator[str]:
    """What the server says to it."""
    printed = [line for line in (*run.out.splitlines(), *run.err.splitlines()) if line.strip()]
    if printed:
        yield "dry run on the server" + (", which failed:" if run.failed else ":")
        yield from _cut([f"  {line}" for line in printed], NAMED_MAX)


def object_lines(seen: "Seen") -> Iterator[str]:
    """The objects by name and number, and what could not be seen."""
    from kajitori.apis.guardrails_v1alpha1.consequences import told

    if seen.objects is not None:
        word = "object" if len(seen.objects) == 1 else "objects"
        yield f"it is about {len(seen.objects) or 'no'} {word}{':' if seen.objects else ''}"
        yield from _cut([f"  {told(each)}" for each in seen.objects], NAMED_MAX)
    yield from _cut([f"  not seen: {line}" for line in seen.complaint.splitlines()], COMPLAINTS_MAX)


def _cut(lines: list[str], most: int) -> list[str]:
    if len(lines) <= most + 1:
        return lines
    return [*lines[:most], f"  … and {len(lines) - most} more"]


def loss_lines(seen: "Seen") -> Iterator[str]:
    """What goes with the objects."""
    if not seen.going:
        return
    from kajitori.apis.guardrails_v1alpha1.consequences import consequences_of, told

    found = consequences_of(seen.going, seen.around, cascades=seen.cascades)
    evicted = seen.objects is None or {id(each) for each in seen.going} != {id(each) for each in seen.objects}
    if evicted:
        yield f"pods that go: {len(seen.going)}"
        yield from _cut([f"  {told(each)}" for each in seen.going], NAMED_MAX)
    if found.dependents:
        counts = ", ".join(f"{count} {kind}" for kind, count in found.counted())
        yield f"dependents that go with that: {counts}"
        yield from _cut([f"  {told(each)}" for each in found.dependents], NAMED_MAX)
    for title, lines in (
        ("data that is lost:", found.lost),
        ("volumes that stay behind:", found.kept),
        ("disruption budgets, which deleting does not respect:", found.budgets),
        ("services left without a ready Pod:", found.emptied),
    ):
        if lines:
            yield title
            yield from _cut([f"  {each}" for each in lines], NAMED_MAX)


def diff_lines(before: Sequence[JsonObject], after: Sequence[JsonObject]) -> Iterator[str]:
    """How objects would change, and which would come to be."""
    from kajitori.apis.guardrails_v1alpha1.consequences import told

    old = {_key(each): each for each in before}
    lines: list[str] = []
    made: Counter[str] = Counter()
    for each in after:
        was = old.get(_key(each))
        if was is None:
            made[str(each.get("kind"))] += 1
            lines.append(f"+ {told(each)} (new)")
            continue
        changed = list(difflib.unified_diff(_text(was), _text(each, was), lineterm="", n=1))[2:]
        lines += [f"~ {told(each)}", *(f"  {line}" for line in changed)] if changed else []
    yield "what would change:" if lines else "nothing would change"
    yield from _cut([f"  {line}" for line in lines], DIFF_LINES_MAX)


def _key(obj: JsonObject) -> tuple[str, ...]:
    metadata = obj.get("metadata") or {}
    group = str(obj.get("apiVersion", "")).rpartition("/")[0]
    return group, str(obj.get("kind")), str(metadata.get("namespace") or ""), str(metadata.get("name"))


_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_OURS = frozenset({"managedFields", "resourceVersion", "generation", "creationTimestamp", "uid"})


def _text(obj: JsonObject, other: JsonObject | None = None) -> list[str]:
    """An object as YAML, without what the server sets; `other` is what it was before."""
    import yaml

    metadata = {name: value for name, value in (obj.get("metadata") or {}).items() if name not in _OURS}
    annotations = {
        name: each for name, each in (metadata.get("annotations") or {}).items() if name != _APPLIED
    }
    metadata["annotations"] = annotations
    if obj.get("kind") == "Secret":
        # Values of secrets are not for screens; that they differ is.
        known = {} if other is None else dict(_data(other))
        obj = {**obj, "data": {name: _hidden(value, known.get(name, value)) for name, value in _data(obj)}}
    shown = {**obj, "metadata": metadata}
    text: str = yaml.safe_dump(shown, sort_keys=True, allow_unicode=True, default_flow_style=False)
    return text.splitlines()


def _data(secret: JsonObject) -> list[tuple[str, Any]]:
    return [*(secret.get("data") or {}).items()]


def _hidden(value: object, before: object) -> str:
    return "(hidden)" if value == before else "(hidden, another one)"
