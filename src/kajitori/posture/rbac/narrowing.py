"""The narrowest rules that still allow what was recorded, and the objects that put them in place.

Promises
    N1  with every proposal in place, whatever a binding allowed of what was recorded is still allowed
    N2  nothing is proposed that the binding did not allow before
    N3  what an audit log cannot show stays as it is (see `visibility`)
    N4  a role that others use too, or that is Kubernetes' own, is left alone: the proposal is another role
"""

from collections.abc import Collection, Iterable, Iterator, Sequence

from kajitori.apiserver.authorization import Rule
from kajitori.apiserver.authorization.rbac import GROUP
from kajitori.posture.rbac.grants import Binding, Subject
from kajitori.posture.rbac.recorded import ANY_NAME, Asked
from kajitori.posture.rbac.visibility import STANDARD_VERBS, Unseen

__all__ = ["PATHS_MAX", "narrowed", "objects_of"]

PATHS_MAX = 50
"""Paths that a `*` is narrowed to; beyond it stays, with the verbs that were used."""

_Part = tuple[str, str, tuple[str, ...]]
"""Group, resource with its subresource, names."""


def narrowed(
    rules: Sequence[Rule], used: Iterable[tuple[Asked, int, tuple[Rule, ...]]], unseen: Unseen
) -> tuple[Rule, ...]:
    """Rules that allow what was used of `rules`, and what of them cannot be seen."""
    parts: dict[_Part, set[str]] = {}
    paths: dict[str, set[str]] = {}
    for asked, _, allowing in used:
        if asked.path:
            if all("*" in each.non_resource_urls for each in allowing):
                paths.setdefault(asked.path, set()).add(asked.verb)
            continue
        for part in _parts(asked, allowing):
            parts.setdefault(part, set()).add(asked.verb)
    for rule in rules:
        for (verb, group, resource), _ in unseen.parts(rule):
            parts.setdefault((group, resource, rule.resource_names), set()).add(verb)
    return (*_joined(parts), *_of_paths(rules, paths, unseen))


def _parts(asked: Asked, allowing: Sequence[Rule]) -> Iterator[_Part]:
    resource = f"{asked.resource}/{asked.subresource}" if asked.subresource else asked.resource
    if any(not each.resource_names for each in allowing):
        yield asked.group, resource, ()
    elif asked.name == ANY_NAME:
        names = dict.fromkeys(name for each in allowing for name in each.resource_names)
        yield asked.group, resource, tuple(names)
    else:
        yield asked.group, resource, (asked.name,)


def _joined(parts: dict[_Part, set[str]]) -> Iterator[Rule]:
    """As few rules as say exactly this: names of the same thing together, then things with the same verbs."""
    named: dict[tuple[str, str, tuple[str, ...]], set[str]] = {}
    for (group, resource, names), verbs in parts.items():
        always = parts.get((group, resource, ()), set())
        ordered = _ordered(verbs - always if names else verbs)
        if ordered:
            named.setdefault((group, resource, ordered), set()).update(names)
    things: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for (group, resource, verbs_of), names_of in named.items():
        things.setdefault((group, tuple(sorted(names_of)), verbs_of), []).append(resource)
    for (group, names_of_rule, verbs_of), resources in sorted(things.items()):
        yield Rule(verbs_of, (group,), tuple(sorted(resources)), names_of_rule)


def _of_paths(rules: Iterable[Rule], paths: dict[str, set[str]], unseen: Unseen) -> Iterator[Rule]:
    for rule in rules:
        urls = tuple(dict.fromkeys(path for path, _ in unseen.paths(rule)))
        if urls:
            yield Rule(rule.verbs, non_resource_urls=urls)
    if len(paths) > PATHS_MAX:
        yield Rule(_ordered(set().union(*paths.values())), non_resource_urls=("*",))
        return
    by_verbs: dict[tuple[str, ...], list[str]] = {}
    for path, verbs in paths.items():
        by_verbs.setdefault(_ordered(verbs), []).append(path)
    for ordered, several in sorted(by_verbs.items()):
        yield Rule(ordered, non_resource_urls=tuple(sorted(several)))


def _ordered(verbs: Collection[str]) -> tuple[str, ...]:
    rank = {verb: index for index, verb in enumerate(STANDARD_VERBS)}
    return tuple(sorted(verbs, key=lambda each: (rank.get(each, len(rank)), each)))


def objects_of(
    binding: Binding, rules: Sequence[Rule], *, in_place: bool, taken: Collection[tuple[str, str]]
) -> tuple[dict[str, object], ...]:
    """The objects to apply: the role with these rules, and a binding to it where it is another role.

    `taken` are namespaces and names of the roles and bindings that there are.
    """
    if in_place:
        kind, namespace, name = binding.role.kind, binding.role.namespace, binding.role.name
        return (_role(kind, namespace, name, rules),)
    name = _free(binding, taken)
    kind = "Role" if binding.namespace else "ClusterRole"
    bound: dict[str, object] = {
        "apiVersion": f"{GROUP}/v1",
        "kind": binding.kind,
        "metadata": _metadata(binding.namespace, name),
        "roleRef": {"apiGroup": GROUP, "kind": kind, "name": name},
        "subjects": [_subject(each) for each in binding.subjects],
    }
    return _role(kind, binding.namespace, name, rules), bound


def _free(binding: Binding, taken: Collection[tuple[str, str]]) -> str:
    base = name = f"{binding.name}-used"
    count = 1
    while (binding.namespace, name) in taken:
        count += 1
        name = f"{base}-{count}"
    return name


def _role(kind: str, namespace: str, name: str, rules: Sequence[Rule]) -> dict[str, object]:
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": kind,
        "metadata": _metadata(namespace, name),
        "rules": [each.to_json() for each in rules],
    }


def _metadata(namespace: str, name: str) -> dict[str, str]:
    return {"name": name, "namespace": namespace} if namespace else {"name": name}


def _subject(subject: Subject) -> dict[str, str]:
    if subject.kind == "ServiceAccount":
        return {"kind": subject.kind, "name": subject.name, "namespace": subject.namespace}
    return {"kind": subject.kind, "name": subject.name, "apiGroup": GROUP}
