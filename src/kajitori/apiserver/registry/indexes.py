"""Which objects have a label or a field's value, so that a selector does not look at all the others.

There is an index for each label or field that many objects are selected by. The first such selection makes it; it
follows every write from then on, and goes when more was written than is stored since anybody asked.

Promises
    I1  the candidates are all that can match, whatever was written meanwhile
    I2  looking costs what is found and not what is stored, in one namespace or in all of them
    I3  few objects, and what nobody selects by, cost nothing; indexes are bounded in number
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from kajitori.apiserver.registry.resource import Resource
from kajitori.apiserver.registry.selection import Selection, Term, labels_of
from kajitori.storage import Event, Store

__all__ = ["INDEXED_FROM", "INDEXES_MAX", "Indexes"]

INDEXED_FROM = 500
"""Objects from which on an index is worth it: looking at so many takes less than a millisecond."""

INDEXES_MAX = 64
"""Of all kinds together. The one that was asked last goes last."""

_TERMS_MAX = 4
"""Of a selector with more terms the first are enough to find few."""

Read = Callable[[bytes], str | None]
"""The value of one label or field of a stored object."""


class _Index:
    """The names of one bucket by the value of one label or field, and by namespace."""

    def __init__(self, store: Store, bucket: str, read: Read, done: Callable[[], object]) -> None:
        self._read = read
        self._done = done
        self._names: dict[str, dict[str, set[str]]] = {}
        self._objects = 0
        self._unasked = 0
        for item in store.span(bucket):
            self._add(item.name, read(item.value))
        self.end = store.subscribe(bucket, self._on_event)

    def names(self, values: Iterable[str] | None, namespace: str) -> Iterator[set[str]]:
        """Who has any of `values`, or any at all (`None`); a namespace of "" is all of them."""
        self._unasked = 0
        for value in list(self._names) if values is None else values:
            spaces = self._names.get(value)
            if spaces is None:
                continue
            if not namespace:
                yield from spaces.values()
            elif namespace in spaces:
                yield spaces[namespace]

    def _on_event(self, event: Event) -> None:
        self._unasked += 1
        if self._unasked > max(self._objects, INDEXED_FROM):
            self._done()
            return
        before = None if event.previous is None else self._read(event.previous.value)
        after = None if event.deleted else self._read(event.item.value)
        if before != after:
            self._remove(event.name, before)
            self._add(event.name, after)

    def _add(self, name: str, value: str | None) -> None:
        if value is None:
            return
        self._objects += 1
        spaces = self._names.setdefault(value, {})
        spaces.setdefault(_namespace(name), set()).add(name)

    def _remove(self, name: str, value: str | None) -> None:
        if value is None:
            return
        self._objects -= 1
        spaces = self._names[value]
        names = spaces[_namespace(name)]
        names.remove(name)
        if not names:
            del spaces[_namespace(name)]
        if not spaces:
            del self._names[value]


class Indexes:
    """The indexes of all kinds of one store."""

    def __init__(self, store: Store, *, indexed_from: int = INDEXED_FROM) -> None:
        self._store = store
        self._indexed_from = indexed_from
        self._indexes: dict[tuple[Resource | str, str], _Index] = {}
        """By bucket and label, or by resource and field; in the order in which they were asked."""

    def __len__(self) -> int:
        """How many there are."""
        return len(self._indexes)

    def candidates(self, resource: Resource, selection: Selection) -> list[str] | None:
        """The names, sorted, of all that can match now; `None` where looking at all in range is as good."""
        if selection.only is not None:
            return [] if self._store.get(resource.bucket, selection.only) is None else [selection.only]
        if selection.matches is None:
            return None
        in_range = self._store.count(resource.bucket, selection.prefix)
        if in_range < self._indexed_from:
            return None
        if selection.named:
            return self._named(resource, selection)
        namespace = selection.prefix.rstrip("/")
        best: list[set[str]] | None = None
        fewest = in_range
        for term in selection.terms[:_TERMS_MAX]:
            found = list(self._index(resource, term).names(term.values, namespace))
            size = sum(map(len, found))
            if size < fewest:
                best, fewest = found, size
        return None if best is None else sorted(name for names in best for name in names)

    def _named(self, resource: Resource, selection: Selection) -> list[str]:
        """Who is called so in any namespace: one step for each namespace that has objects of the kind."""
        found: list[str] = []
        after = ""
        while first := self._store.range(resource.bucket, after=after, limit=1):
            namespace = _namespace(first[0].name)
            name = f"{namespace}/{selection.named}"
            if self._store.get(resource.bucket, name) is not None:
                found.append(name)
            after = f"{namespace}0"  # what comes after all that begins with `namespace/`
        return found

    def _index(self, resource: Resource, term: Term) -> _Index:
        # What a field is called and means is the version's; a label is the same in all of them.
        key = (resource if term.field else resource.bucket, term.key)
        found = self._indexes.pop(key, None)
        if found is None:
            read = partial(_field, resource, term.key) if term.field else partial(_label, term.key)
            found = _Index(self._store, resource.bucket, read, partial(self._end, key))
            if len(self._indexes) == INDEXES_MAX:
                self._end(next(iter(self._indexes)))
        self._indexes[key] = found
        return found

    def _end(self, key: tuple[Resource | str, str]) -> None:
        self._indexes.pop(key).end()


def _namespace(name: str) -> str:
    return name.rpartition("/")[0]


def _label(key: str, value: bytes) -> str | None:
    return labels_of(value).get(key)


def _field(resource: Resource, field: str, value: bytes) -> str:
    return resource.fields_of(value).get(field, "")
