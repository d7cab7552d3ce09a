"""The Huffman code of header strings: bytes of the code to text, a byte at a time.

Under `hpack`. A step, from a node of the code's tree by the next eight bits, is worked out when it is first
needed and then remembered: ordinary headers need a few hundred of them.

Promises
    U1  what the code says comes out, one character for each octet
    U2  padding that is longer than seven bits or not the beginning of the end mark, and the end mark itself, are errors
    U3  at most STEPS_MAX steps are remembered, whatever is decoded

Source: RFC 7541 section 5.2 and appendix B. The code is canonical: the lengths say it all.
"""

__all__ = ["HuffmanError", "decode", "encode"]

_LENGTHS = (
    "13 23 28 28 28 28 28 28 28 24 30 28 28 30 28 28 28 28 28 28 28 28 30 28 28 28 28 28 28 28 28 28 "
    "6 10 10 12 13 6 8 11 10 10 8 11 8 6 6 6 5 5 5 6 6 6 6 6 6 6 7 8 15 6 12 10 "
    "13 6 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 7 8 7 8 13 19 13 14 6 "
    "15 5 6 5 6 5 6 6 6 5 7 7 6 6 6 5 6 7 6 5 5 6 7 7 7 7 7 15 11 14 13 28 "
    "20 22 20 20 22 22 22 23 22 23 23 23 23 23 24 23 24 24 22 23 24 23 23 23 23 21 22 23 22 23 23 24 "
    "22 21 20 22 22 23 23 21 23 22 22 24 21 22 23 23 21 21 22 21 23 22 23 23 20 22 22 22 23 22 22 23 "
    "26 26 20 19 22 23 22 25 26 26 26 27 27 26 24 25 19 21 26 27 27 26 27 24 21 21 26 26 28 27 27 27 "
    "20 24 20 21 22 21 21 23 22 22 25 25 24 24 26 23 26 27 26 26 27 27 27 27 27 28 27 27 27 27 27 26 "
    "30"
)
"""Bits of the code of each octet, and of the end mark."""

_END = 256
STEPS_MAX = 256 * 256
"""Every node by every octet."""


class HuffmanError(ValueError):
    """These bytes are not of the code."""


def _tree() -> tuple[list[list[int]], list[tuple[int, int]]]:
    """The nodes, each with where 0 and 1 lead (negative: to a symbol), and the code of each symbol with its bits."""
    lengths = [int(each) for each in _LENGTHS.split()]
    codes = [(0, 0)] * len(lengths)
    code = last = 0
    nodes = [[0, 0]]
    for symbol in sorted(range(len(lengths)), key=lambda symbol: lengths[symbol]):
        length = lengths[symbol]
        code <<= length - last
        last = length
        codes[symbol] = (code, length)
        node = 0
        for bit in range(length - 1, 0, -1):
            way = code >> bit & 1
            if nodes[node][way] == 0:
                nodes.append([0, 0])
                nodes[node][way] = len(nodes) - 1
            node = nodes[node][way]
        nodes[node][code & 1] = ~symbol
        code += 1
    return nodes, codes


_nodes, _codes = _tree()
_steps: dict[int, tuple[str, int]] = {}
"""(node and octet) to (what that says, the next node), a node being its number times 256."""


def _endings() -> frozenset[int]:
    """Where a string may stop: after nothing, or up to seven bits of the end mark, which is all ones."""
    found, node = {0}, 0
    for _ in range(7):
        node = _nodes[node][1]
        found.add(node << 8)
    return frozenset(found)


_ENDINGS = _endings()


def decode(data: bytes) -> str:
    """What `data` says, octets as the characters of Latin-1.

    Raises: HuffmanError.
    """
    steps = _steps
    node = 0
    parts: list[str] = []
    for octet in data:
        text, node = steps.get(node | octet) or _step(node, octet)
        parts.append(text)
    if node not in _ENDINGS:
        raise HuffmanError("the padding is not that of the code")
    return "".join(parts)


def encode(text: str) -> bytes:
    """`text`, each character an octet, in the code."""
    bits = count = 0
    for character in text:
        code, length = _codes[ord(character)]
        bits = bits << length | code
        count += length
    padding = -count % 8
    return ((bits + 1 << padding) - 1).to_bytes((count + padding) // 8, "big")


def _step(node: int, octet: int) -> tuple[str, int]:
    at = node >> 8
    said = ""
    for bit in range(7, -1, -1):
        at = _nodes[at][octet >> bit & 1]
        if at < 0:
            symbol = ~at
            if symbol == _END:
                raise HuffmanError("the end mark is in the string")
            said += chr(symbol)
            at = 0
    step = _steps[node | octet] = (said, at << 8)
    return step
