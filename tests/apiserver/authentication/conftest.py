"""Keys, a clock and a few objects for tests of authentication."""

from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from kajitori.apiserver.authentication.jwt import KeySet
from kajitori.apiserver.authentication.serviceaccount import ServiceAccountTokens, TokenRules


def private_pem(key: Any) -> bytes:
    pem: bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return pem


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "sa.key"
    path.write_bytes(private_pem(ec.generate_private_key(ec.SECP256R1())))
    return path


class World:
    """What tokens are checked against: a clock and the objects that are there."""

    def __init__(self, key_file: Path) -> None:
        self.now = 1_800_000_000.0
        self.objects: dict[tuple[str, str, str], dict[str, Any]] = {}
        self.add("serviceaccounts", "ns", "bot", "u-1")
        self.warnings: list[str] = []
        self.used: list[tuple[str, str, str]] = []
        self._keys = KeySet(key_file)
        self._numbers = count(1)
        self.use(TokenRules())

    def use(self, rules: TokenRules) -> None:
        """Tokens by these rules from now on."""
        self.tokens = ServiceAccountTokens(
            self._keys,
            self.lookup,
            wall_clock=lambda: self.now,
            uuid4=lambda: f"jti-{next(self._numbers)}",
            rules=rules,
            used=lambda *use: self.used.append(use),
        )

    def add(self, resource: str, namespace: str, name: str, uid: str, **spec: str) -> dict[str, Any]:
        found = {"metadata": {"namespace": namespace, "name": name, "uid": uid}, "spec": spec}
        self.objects[resource, namespace, name] = found
        return found

    def lookup(self, resource: str, namespace: str, name: str) -> Mapping[str, Any] | None:
        return self.objects.get((resource, namespace, name))

    def token(
        self,
        audiences: Sequence[str] | None = None,
        *,
        seconds: int = 3600,
        bound: Mapping[str, Mapping[str, str]] | None = None,
    ) -> str:
        audiences = self.tokens.audiences if audiences is None else audiences
        return self.tokens.issue("ns", "bot", uid="u-1", audiences=audiences, seconds=seconds, bound=bound)


@pytest.fixture
def world(key_file: Path) -> World:
    return World(key_file)
