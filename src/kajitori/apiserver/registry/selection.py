"""Which objects a list or watch is about: namespace, labels, fields and shards, compiled once per request.

Source: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/ and …/field-selectors/;
shards are KEP-5866 (alpha in Kubernetes 1.36, and off there by default; always on here).
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeVar

import msgspec

from kajitori.apimachinery.errors import BadRequest
from kajitori.apimachinery.fields import FieldSelector, parse_field_selector
from kajitori.apimachinery.labels import LabelSelector, parse_label_selector
from kajitori.apimachinery.sharding import ShardSelector, parse_shard_selector
from kajitori.apiserver.options import ListOptions
from kajitori.apiserver.registry.resource import Remembered, Resource

__all__ = ["Selection", "Term", "labels_of", "select"]


class _Metadata(msgspec.Struct):
    labels: dict[str, str] | None = None
    uid: str = ""
    namespace: str = ""


class _Head(msgspec.Struct):
    metadata: _Metadata


_read_head = Remembered(msgspec.json.Decoder(_Head).decode)


def labels_of(value: bytes) -> dict[str, str]:
    """The labels of a stored object."""
    return _read_head(value).metadata.labels or {}


T = TypeVar("T")

Match = Callable[[str, bytes], bool]


class Term(NamedTuple):
    """Something that every selected object has: a label or field, with one of these values, or any (`None`)."""

    key: str
    values: tuple[str, ...] | None
    field: bool = False


class Selection:
    """`prefix` narrows by key, `only` to one object; `matches` decides about the rest.

    `matches` is None when every object under the prefix is meant. What it demands is told besides, so that nobody
    needs to ask it about all: in `terms`, and as the name that is `named`, in whatever namespace.
    """

    __slots__ = ("matches", "named", "only", "prefix", "shard", "terms")

    def __init__(
        self,
        prefix: str,
        only: str | None,
        matches: Match | None,
        *,
        terms: Sequence[Term] = (),
        named: str | None = None,
        shard: ShardSelector | None = None,
    ) -> None:
        self.prefix = prefix
        self.only = only
        self.matches = matches
        self.terms = terms
        self.named = named
        self.shard = shard
        """What part of all objects is meant."""

    def matching(self, matches: Match) -> "Selection":
        """The same range, with another test of what is in it."""
        return Selection(self.prefix, self.only, matches, terms=(), named=self.named, shard=self.shard)

    def covers(self, name: str) -> bool:
        """Whether the key is in range at all, whatever the object holds."""
        return name == self.only if self.only is not None else name.startswith(self.prefix)


def select(resource: Resource, namespace: str, options: ListOptions, name: str = "") -> Selection:
    """The selection of a request; `name` restricts it to one object, as a watch of a single one does.

    Raises: BadRequest for selectors that do not parse or fields that cannot be selected by.
    """
    namespaced = resource.kind.namespaced
    prefix = f"{namespace}/" if namespace and namespaced else ""
    tests: list[Match] = []
    terms: list[Term] = []
    only = f"{prefix}{name}" if name else None
    named: str | None = None
    shard: ShardSelector | None = None
    if options.label_selector:
        selector = _parsed(parse_label_selector, options.label_selector)
        if selector:
            tests.append(_by_labels(selector.matches))
            terms += _label_terms(selector)
    if options.field_selector:
        fields = _fields(resource, options.field_selector)
        if name and fields and fields.required_value("metadata.name") != name:
            raise BadRequest("fieldSelector metadata.name doesn't match requested name")
        if namespaced and not prefix and not name:
            within = fields.required_value("metadata.namespace")
            prefix = f"{within}/" if within else ""
        if only is None:
            named = fields.required_value("metadata.name")
            if named is not None and (prefix or not namespaced):
                only = f"{prefix}{named}"
        tests += _by_fields(resource, fields)
        terms += _field_terms(fields)
    if options.shard_selector:
        # Kubernetes answers 500 to a wrong one; we call it what it is, in the same words.
        shard = _parsed(parse_shard_selector, options.shard_selector, "invalid shard selector: ")
        tests.append(_by_shard(shard))
    return Selection(prefix, only, _all(tests), terms=terms, named=named, shard=shard)


def _label_terms(selector: LabelSelector) -> Iterator[Term]:
    for each in selector.requirements:
        if each.operator in ("=", "==", "in"):
            yield Term(each.key, each.values)
        elif each.operator in ("exists", "gt", "lt"):
            yield Term(each.key, None)


def _field_terms(selector: FieldSelector) -> Iterator[Term]:
    for each in selector.requirements:
        if each.equals and each.field not in _KEYS:
            yield Term(each.field, (each.value,), field=True)


def _parsed(parse: Callable[[str], T], text: str, told: str = "") -> T:
    try:
        return parse(text)
    except ValueError as error:
        raise BadRequest(f"{told}{error}") from None


def _all(tests: list[Match]) -> Match | None:
    if len(tests) < 2:
        return tests[0] if tests else None
    return lambda name, value: all(test(name, value) for test in tests)


def _by_labels(matches: Callable[[dict[str, str]], bool]) -> Match:
    return lambda name, value: matches(labels_of(value))


_KEYS = frozenset(("metadata.name", "metadata.namespace"))
"""Fields that the key of an object has already."""


def _fields(resource: Resource, text: str) -> FieldSelector:
    return _parsed(parse_field_selector, text).transformed(
        lambda field, value: (resource.field_label(field), value)
    )


def _by_fields(resource: Resource, selector: FieldSelector) -> list[Match]:
    if not selector:
        return []
    if {each.field for each in selector.requirements} <= _KEYS:
        # Nothing is parsed.
        def by_key(name: str, value: bytes) -> bool:
            namespace, _, own = name.rpartition("/")
            return selector.matches({"metadata.name": own, "metadata.namespace": namespace})

        return [by_key]
    read = resource.fields_of
    return [lambda name, value: selector.matches(read(value))]


def _by_shard(shard: ShardSelector) -> Match:
    if shard.field == "object.metadata.uid":
        return lambda name, value: shard.matches(_read_head(value).metadata.uid)
    # Its key tells where an object is; one that is nowhere has no slash in it.
    return lambda name, value: shard.matches(name.rpartition("/")[0])
