"""Who works on an object, by a hash of its uid or namespace: a table that all shards share. No client, no clock.

The hashes, 0 … 2^64, are cut into SLOTS equal ranges. The table says of each who works there (its owner), and who is
to have it next (its heir). It is one object, and every change of it fails when it has changed meanwhile.

    owner S ──► owner S, heir T ──► owner T          by the planner, then by S when its last work there has ended
       └───────────────┴──────────► owner T          by the planner, when S is dead

Promises
    R1  a slot passes from a living shard to another by the former's own hand, after it has stopped to work there
    R2  a shard works only in slots that are its own and have no heir
    R3  after a plan the shards' shares, by what they will have, differ by at most one slot
    R4  a plan moves no more than that needs, and a second plan of the same changes nothing
    R5  a text of a table is read as the same table

Source: KEP-5866, which gives clients ranges and leaves all this to them.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import msgspec

from kajitori.apimachinery.sharding import ShardRange, ShardSelector, fnv1a_64
from kajitori.ctrl.sharding.states import ShardState

__all__ = [
    "EMPTY",
    "SLOTS",
    "Slot",
    "Table",
    "hand_over",
    "mine",
    "owners",
    "parse_table",
    "plan",
    "selector_of",
    "slot_of",
    "table_text",
    "unknown",
]

SLOTS = 256
"""Shares are multiples of this part; and a selector names at most half as many ranges."""

_SLOT_HASHES = (1 << 64) // SLOTS


@dataclass(frozen=True, slots=True)
class Slot:
    """One range of hashes; empty: nobody."""

    owner: str = ""
    heir: str = ""


Table = tuple[Slot, ...]
"""SLOTS of them."""

EMPTY: Table = (Slot(),) * SLOTS


def slot_of(value: str) -> int:
    """The slot of a uid, or of a namespace."""
    return fnv1a_64(value.encode()) // _SLOT_HASHES


def selector_of(slots: Collection[int], field: str) -> str:
    """The shard selector of these slots; `field` is `uid` or `namespace`. Without slots it is a single hash, because
    nobody can ask for nothing.
    """
    ranges = list[ShardRange]()
    for slot in sorted(slots):
        start = slot * _SLOT_HASHES
        if ranges and ranges[-1].end == start:
            start = ranges.pop().start
        ranges.append(ShardRange(start, (slot + 1) * _SLOT_HASHES))
    ranges = ranges or [ShardRange(0, 1)]
    return str(ShardSelector(f"object.metadata.{field}", tuple(ranges)))


def mine(table: Table, me: str) -> tuple[frozenset[int], frozenset[int]]:
    """The slots where a shard may work, and those that it must give away (R2)."""
    own = [(number, slot.heir) for number, slot in enumerate(table) if slot.owner == me]
    return (
        frozenset(number for number, heir in own if not heir),
        frozenset(number for number, heir in own if heir),
    )


def hand_over(table: Table, me: str, has_ended: Callable[[int], bool], *, leaves: bool = False) -> Table:
    """What a shard writes when its work in slots that it must give away has ended (R1); with `leaves`, in all."""
    return tuple(
        Slot(slot.heir) if slot.owner == me and (leaves or slot.heir) and has_ended(number) else slot
        for number, slot in enumerate(table)
    )


def unknown(table: Table, states: Mapping[str, ShardState]) -> list[str]:
    """The shards in the table of which nothing is known: the planner must look whether their Leases exist."""
    return sorted({slot.owner for slot in table if slot.owner} - states.keys())


def plan(table: Table, states: Mapping[str, ShardState]) -> Table:
    """What the planner writes. The slots of shards that are dead go to their heirs, those of nobody to whoever has
    least; then who has too much is asked for some (R3, R4). Shards of which nothing is known keep what they have.
    """
    shards = sorted(shard for shard, state in states.items() if state.is_available)
    slots = [_without_the_dead(slot, states, shards) for slot in table]
    if not shards:
        return tuple(slots)
    having = dict.fromkeys(shards, 0)
    for slot in slots:
        will_have = slot.heir or slot.owner
        if will_have in having:
            having[will_have] += 1
    quota = _quotas(having, sum(1 for slot in slots if (slot.heir or slot.owner) in ("", *shards)))
    short = [shard for shard in shards for _ in range(quota[shard] - having[shard])]
    short.reverse()
    for number, slot in enumerate(slots):
        if not slot.owner:
            slots[number] = Slot(_take(short, having))
    # Runs of neighbours make short selectors: a shard gives from the end of the circle.
    for number in range(SLOTS - 1, -1, -1):
        slot = slots[number]
        has = slot.heir or slot.owner
        if short and has in having and having[has] > quota[has]:
            having[has] -= 1
            heir = _take(short, having)
            slots[number] = Slot(slot.owner, "" if heir == slot.owner else heir)
    return tuple(slots)


def _without_the_dead(slot: Slot, states: Mapping[str, ShardState], shards: Sequence[str]) -> Slot:
    heir = slot.heir if slot.heir in shards else ""
    state = states.get(slot.owner)
    if not slot.owner or (state is not None and not state.is_available):
        return Slot(heir)
    return Slot(slot.owner, heir if heir != slot.owner else "")


def _quotas(having: Mapping[str, int], slots: int) -> dict[str, int]:
    """Equal shares; who has more already gets what is left over."""
    share, over = divmod(slots, len(having))
    most = sorted(having, key=lambda shard: (-having[shard], shard))[:over]
    return {shard: share + (shard in most) for shard in having}


def _take(short: list[str], having: dict[str, int]) -> str:
    shard = short.pop()
    having[shard] += 1
    return shard


# As text: runs of equal slots, as [first, last, owner, heir].


def table_text(table: Table) -> str:
    runs = list[list[int | str]]()
    for slot, group in groupby(range(SLOTS), key=lambda number: table[number]):
        numbers = list(group)
        runs.append([numbers[0], numbers[-1], slot.owner, slot.heir])
    return msgspec.json.encode(runs).decode()


def parse_table(text: str) -> Table:
    """Raises: ValueError, saying what is wrong, where the text is no table."""
    try:
        runs = msgspec.json.decode(text, type=list[tuple[int, int, str, str]])
    except msgspec.MsgspecError as error:
        raise ValueError(f"no table of slots: {error}") from None
    slots = list[Slot]()
    for first, last, owner, heir in runs:
        if first != len(slots) or not first <= last < SLOTS:
            raise ValueError(
                f"no table of slots: a run is {first} … {last}; it must begin at {len(slots)} and end below {SLOTS}"
            )
        slots.extend([Slot(owner, heir)] * (last - first + 1))
    if len(slots) != SLOTS:
        raise ValueError(f"no table of slots: there are {len(slots)}; there must be {SLOTS}")
    return tuple(slots)


def owners(table: Iterable[Slot]) -> dict[str, int]:
    """How many slots each shard has."""
    counts = dict[str, int]()
    for slot in table:
        if slot.owner:
            counts[slot.owner] = counts.get(slot.owner, 0) + 1
    return counts
