"""Names, tokens and jitter."""

import base64
import uuid

import pytest

from kajitori.world.random import (
    NAME_SUFFIX_ALPHABET,
    NAME_SUFFIX_LENGTH,
    SYSTEM_RANDOM,
    Random,
    SeededRandom,
    SystemRandom,
)

SOURCES = [SYSTEM_RANDOM, SystemRandom(), SeededRandom(7)]


@pytest.mark.parametrize("source", SOURCES)
def test_uuid4_is_a_random_uuid_in_lower_case(source: Random) -> None:  # R1
    for _ in range(200):
        text = source.uuid4()
        read = uuid.UUID(text)
        assert str(read) == text
        assert read.version == 4
        assert read.variant == uuid.RFC_4122


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("size_bytes", [1, 16, 32, 33])
def test_token_holds_as_many_bytes_as_asked(source: Random, size_bytes: int) -> None:  # R2
    text = source.token(size_bytes)
    assert len(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))) == size_bytes
    assert "=" not in text


@pytest.mark.parametrize("source", SOURCES)
def test_name_suffix_uses_the_letters_of_generated_names(source: Random) -> None:  # R3
    seen = {letter for _ in range(2000) for letter in source.name_suffix()}
    assert seen == set(NAME_SUFFIX_ALPHABET)
    assert len(source.name_suffix()) == NAME_SUFFIX_LENGTH
    assert len(source.name_suffix(10)) == 10


def test_the_same_seed_says_the_same() -> None:  # R4
    def told(source: Random) -> list[object]:
        return [source.uuid4(), source.token(), source.name_suffix(), source.uniform(0, 1)]

    assert told(SeededRandom(1)) == told(SeededRandom(1))
    assert told(SeededRandom(1)) != told(SeededRandom(2))
    assert told(SYSTEM_RANDOM) != told(SYSTEM_RANDOM)


def test_uniform_stays_between_its_bounds() -> None:
    assert all(2 <= SYSTEM_RANDOM.uniform(2, 3) <= 3 for _ in range(1000))
