"""Figures in Prometheus' text format.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

__all__ = ["Histogram", "Lines", "family", "labelled"]

Lines = Callable[[], Iterator[str]]
"""Gives the lines of some families."""


class Histogram:
    """How many values fell between each two of some bounds."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        """The last is of values above every bound."""
        self.sum = 0.0

    def add(self, value: float) -> None:
        """Counts one value; one that equals a bound is below it."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def merge(self, other: "Histogram") -> None:
        """Adds what `other` counted; its bounds may be finer, but these must be among them."""
        assert set(self.bounds) <= set(other.bounds), (self.bounds, other.bounds)
        for bound, count in zip((*other.bounds, float("inf")), other.counts, strict=True):
            self.counts[bisect_left(self.bounds, bound)] += count
        self.sum += other.sum

    def samples(self, labels: str) -> Iterator[tuple[str, str, float]]:
        """Suffix, labels and value of each line."""
        comma = "," if labels else ""
        total = 0
        for bound, count in zip((*self.bounds, float("inf")), self.counts, strict=True):
            total += count
            yield "_bucket", f'{labels}{comma}le="{_number(bound)}"', total
        yield "_sum", labels, self.sum
        yield "_count", labels, total


def labelled(labels: Mapping[str, str]) -> str:
    """Labels as they stand between braces, in alphabetical order."""
    return ",".join(f'{name}="{_escaped(labels[name])}"' for name in sorted(labels))


def family(
    name: str, kind: str, told: str, samples: Iterable[tuple[str, float | Histogram]]
) -> Iterator[str]:
    """The lines of one family; none when it has no samples. `samples` are by their labels."""
    head = [f"# HELP {name} {told}", f"# TYPE {name} {kind}"]
    for labels, value in samples:
        yield from head
        head = []
        if isinstance(value, Histogram):
            for suffix, each, number in value.samples(labels):
                yield (
                    f"{name}{suffix}{{{each}}} {_number(number)}"
                    if each
                    else (f"{name}{suffix} {_number(number)}")
                )
        else:
            yield f"{name}{{{labels}}} {_number(value)}" if labels else f"{name} {_number(value)}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    """As Go writes it: whole numbers without a fraction, from a million on with an exponent where it is a float."""
    if isinstance(value, int):
        return str(value)
    if value == float("inf"):
        return "+Inf"
    if value.is_integer() and abs(value) < 1e6:
        return str(int(value))
    if value.is_integer() and abs(value) >= 1e6:
        mantissa, _, exponent = f"{value:e}".partition("e")
        mantissa = mantissa.rstrip("0").rstrip(".")
        if float(f"{mantissa}e{exponent}") == value:
            return f"{mantissa}e{exponent}"
    return repr(value)
