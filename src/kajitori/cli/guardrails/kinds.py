"""What kinds are called: the built-in ones by all their names, others as far as their names tell."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from kajitori.apis import facts

__all__ = ["names_in", "names_of"]


def _spoken(plural: str, group: str, *others: str) -> frozenset[str]:
    names = {plural, *others} - {""}
    return frozenset(names | {f"{name}.{group}" for name in names if group})


@cache
def _known() -> tuple[dict[str, frozenset[str]], dict[tuple[str, str], frozenset[str]]]:
    by_word: dict[str, frozenset[str]] = {}
    by_kind: dict[tuple[str, str], frozenset[str]] = {}
    for group, version, resource in _resources():
        kind = resource["responseKind"]["kind"]
        short = resource.get("shortNames") or ()
        singular = resource.get("singularResource") or kind.lower()
        names = _spoken(resource["resource"], group, singular, *short)
        by_kind.setdefault((group, kind), names)
        for word in names:
            by_word.setdefault(word, names)
            if group and "." not in word:
                by_word.setdefault(f"{word}.{version}.{group}", names)
    return by_word, by_kind


def _resources() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for root in ("api", "apis"):
        for item in facts.discovery(root)["items"]:
            group = (item.get("metadata") or {}).get("name") or ""
            for version in item["versions"]:
                for resource in version["resources"]:
                    yield group, version["version"], resource


def names_in(word: str) -> frozenset[str] | None:
    """All names of the built-in kind that a word means; None where it means none of them."""
    return _known()[0].get(word)


def names_of(api_version: str, kind: str) -> frozenset[str]:
    """All names of an object's kind. Of kinds that are not built in the plural is guessed, as people form it."""
    group = api_version.rpartition("/")[0]
    found = _known()[1].get((group, kind))
    if found is not None:
        return found
    singular = kind.lower()
    plurals = [f"{singular}s", f"{singular}es", f"{singular[:-1]}ies", singular]
    return _spoken(plurals[0], group, *plurals[1:])
