"""The secrets of a cluster that nobody reaches over a network: no authority, no files, the same tokens.

Stands where `pki.Pki` stands in a cluster that is served.
"""

from kajitori.world.random import Random

__all__ = ["UnservedSecrets"]


class _KeyInMemory:
    """The key that signs service account tokens, made when the first is signed or verified."""

    def __init__(self) -> None:
        self._pem = b""

    def read_bytes(self) -> bytes:
        if not self._pem:
            from cryptography.hazmat.primitives import serialization
            from cryptography.hazmat.primitives.asymmetric import ec

            self._pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        return self._pem

    def __str__(self) -> str:
        return "the service account key in memory"


class UnservedSecrets:
    """Gone with the process."""

    def __init__(self, random: Random) -> None:
        self._token = random.token()
        self._key = _KeyInMemory()
        self._authority: tuple[bytes, bytes] | None = None

    def admin_token(self) -> str:
        """The bearer token of the admin user."""
        return self._token

    def ca_data(self) -> bytes:
        """Empty: no certificate was signed."""
        return b""

    def authority(self) -> tuple[bytes, bytes]:
        """An authority that nobody has to believe, made when the first certificate is signed."""
        if self._authority is None:
            from kajitori.apiserver.certificates import authority

            self._authority = authority()
        return self._authority

    @property
    def service_account_key_file(self) -> _KeyInMemory:
        """The private key that signs service account tokens."""
        return self._key

    def close(self) -> None:
        """Nothing is left behind."""
