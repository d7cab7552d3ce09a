"""Signed tokens: what verifies, and that nothing else does."""

import base64
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kajitori.apiserver.authentication.jwt import KeySet, split_claims

CLAIMS = {"iss": "me", "sub": "you", "n": 1}


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def decoded(part: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def rsa_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rsa") / "sa.key"
    path.write_bytes(pem(rsa.generate_private_key(65537, 2048)))
    return path


def test_both_kinds_of_keys_sign_and_verify(key_file: Path, rsa_file: Path) -> None:  # J1
    for path, algorithm, kind in ((key_file, "ES256", "EC"), (rsa_file, "RS256", "RSA")):
        keys = KeySet(path)
        token = keys.sign(CLAIMS)
        assert keys.verify(token) == CLAIMS
        assert split_claims(token) == CLAIMS
        [jwk] = keys.jwks()["keys"]
        assert (jwk["alg"], jwk["kty"], jwk["use"]) == (algorithm, kind, "sig")
        assert decoded(token.split(".")[0]) == {"alg": algorithm, "kid": jwk["kid"]}
        assert keys.algorithms() == [algorithm]


def test_keys_of_before_still_verify(key_file: Path, rsa_file: Path, tmp_path: Path) -> None:
    old = KeySet(rsa_file)
    token = old.sign(CLAIMS)
    private = serialization.load_pem_private_key(rsa_file.read_bytes(), None)
    (tmp_path / "old.pub").write_bytes(
        private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    )
    assert KeySet(key_file).verify(token) is None
    keys = KeySet(key_file, [tmp_path / "old.pub"])
    assert keys.verify(token) == CLAIMS
    assert len(keys.jwks()["keys"]) == 2


def test_forged_tokens_do_not_verify(key_file: Path) -> None:  # J1
    keys = KeySet(key_file)
    header, claims, signature = keys.sign(CLAIMS).split(".")
    kid = decoded(header)["kid"]
    for forged in (
        f"{header}.{encoded({**CLAIMS, 'n': 2})}.{signature}",
        f"{encoded({'alg': 'none', 'kid': kid})}.{claims}.",
        f"{encoded({'alg': 'none', 'kid': kid})}.{claims}.{signature}",
        f"{encoded({'alg': 'HS256', 'kid': kid})}.{claims}.{signature}",
        f"{encoded({'alg': 'ES256', 'kid': 'other'})}.{claims}.{signature}",
        f"{header}.{claims}.{signature[:-4]}",
        f"{header}.{claims}.{signature}\n",
        f"{header}.{claims}. {signature}",
        f"{header}.{claims}",
    ):
        assert keys.verify(forged) is None, forged


@given(
    st.text(max_size=80) | st.lists(st.text("aAQe_-.=", max_size=20), min_size=3, max_size=3).map(".".join)
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_makes_it_raise(key_file: Path, text: str) -> None:  # J2
    assert KeySet(key_file).verify(text) is None
    split_claims(text)


WEIRD: tuple[object, ...] = (None, True, 7, 10**400, 1.5, "", "x", [1], ["a", 2], {"a": 1}, [], {})
"""What a claim, or a part of a header, may be that somebody made up."""


def test_no_header_makes_it_raise(key_file: Path) -> None:  # J2
    keys = KeySet(key_file)
    _, claims, signature = keys.sign(CLAIMS).split(".")
    for value in WEIRD:
        for header in (value, {"alg": value}, {"alg": "ES256", "kid": value}):
            token = f"{encoded(header)}.{claims}.{signature}"
            assert keys.verify(token) is None
            keys.knows(token)


@pytest.mark.parametrize(
    ("curve", "algorithm"), [(ec.SECP384R1(), "ES384"), (ec.SECP521R1(), "ES512"), (ec.SECP256R1(), "ES256")]
)
def test_each_curve_has_its_algorithm(tmp_path: Path, curve: ec.EllipticCurve, algorithm: str) -> None:
    (tmp_path / "key").write_bytes(pem(ec.generate_private_key(curve)))
    keys = KeySet(tmp_path / "key")
    token = keys.sign(CLAIMS)
    assert decoded(token.split(".")[0])["alg"] == algorithm == keys.jwks()["keys"][0]["alg"]
    assert keys.verify(token) == CLAIMS


def test_a_curve_that_no_algorithm_of_ours_is_for_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(pem(ec.generate_private_key(ec.SECP256K1())))
    with pytest.raises(ValueError, match="use an EC key of the curve P-256, P-384 or P-521"):
        KeySet(tmp_path / "key").sign(CLAIMS)


def test_a_file_holds_several_keys(key_file: Path, rsa_file: Path, tmp_path: Path) -> None:  # J3
    others = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    public = (
        others[0]
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    (tmp_path / "keys").write_bytes(b"# old ones\n" + public + pem(others[1]))
    assert len(KeySet(key_file, [tmp_path / "keys", rsa_file]).jwks()["keys"]) == 4
    (tmp_path / "empty").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="does not contain any valid RSA or ECDSA public keys"):
        KeySet(key_file, [tmp_path / "empty"]).jwks()
