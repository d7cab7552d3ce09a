"""What is counted of issuers. Their names are hashed, as in kube-apiserver: metrics are for more eyes than tokens are.

Source: apiserver's plugin/pkg/authenticator/token/oidc/metrics.go and pkg/server/options/authenticationconfig/metrics.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator

from kajitori.apiserver.operating.exposition import Histogram, family, labelled

__all__ = ["OidcFigures"]

_BOUNDS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SERVER = "apiserver-kajitori"


def _hashed(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


class OidcFigures:
    """Counters of all issuers of a server, and of its configuration file."""

    def __init__(self, wall_clock: Callable[[], float]) -> None:
        self._clock = wall_clock
        self._latencies: dict[tuple[str, str], Histogram] = {}
        self._fetched: dict[tuple[str, str], float] = {}
        self._key_sets: dict[str, str] = {}
        self._reloads: dict[str, tuple[int, float]] = {}
        self._configuration = ""

    def asked(self, issuer: str, result: str, seconds: float) -> None:
        """A token of an issuer was judged."""
        self._latencies.setdefault((_hashed(issuer), result), Histogram(_BOUNDS)).add(seconds)

    def fetched(self, issuer: str, digest: str | None) -> None:
        """Keys were fetched, or not."""
        self._fetched[_hashed(issuer), "failure" if digest is None else "success"] = self._clock()
        if digest is not None:
            self._key_sets[_hashed(issuer)] = f"sha256:{digest}"

    def only(self, issuers: Collection[str]) -> None:
        """Forgets what the others were told of."""
        kept = {_hashed(each) for each in issuers}
        self._fetched = {key: value for key, value in self._fetched.items() if key[0] in kept}
        self._key_sets = {key: value for key, value in self._key_sets.items() if key in kept}

    def configured(self, content: bytes) -> None:
        """This is the configuration file that counts."""
        self._configuration = f"sha256:{hashlib.sha256(content).hexdigest()}"

    def reloaded(self, result: str) -> None:
        """The file was read again, with `success` or `failure`."""
        count, _ = self._reloads.get(result, (0, 0.0))
        self._reloads[result] = (count + 1, self._clock())

    def lines(self) -> Iterator[str]:
        """All families."""
        server = _hashed(_SERVER)
        yield from family(
            "apiserver_authentication_jwt_authenticator_latency_seconds",
            "histogram",
            "How long it took to judge tokens of issuers that were not known yet.",
            (
                (labelled({"jwt_issuer_hash": issuer, "result": result}), each)
                for (issuer, result), each in sorted(self._latencies.items(), key=lambda item: item[0])
            ),
        )
        yield from family(
            "apiserver_authentication_jwt_authenticator_jwks_fetch_last_timestamp_seconds",
            "gauge",
            "When the keys of an issuer were fetched last.",
            (
                (labelled({"apiserver_id_hash": server, "jwt_issuer_hash": issuer, "result": result}), when)
                for (issuer, result), when in sorted(self._fetched.items())
            ),
        )
        yield from family(
            "apiserver_authentication_jwt_authenticator_jwks_fetch_last_key_set_info",
            "gauge",
            "The keys of an issuer that were fetched last.",
            (
                (labelled({"apiserver_id_hash": server, "hash": digest, "jwt_issuer_hash": issuer}), 1)
                for issuer, digest in sorted(self._key_sets.items())
            ),
        )
        if self._configuration:
            yield from self._file_lines(server)

    def _file_lines(self, server: str) -> Iterator[str]:
        prefix = "apiserver_authentication_config_controller"
        reloads = sorted(self._reloads.items())
        labels = [labelled({"apiserver_id_hash": server, "status": result}) for result, _ in reloads]
        yield from family(
            f"{prefix}_automatic_reloads_total",
            "counter",
            "How often the authentication configuration was read again.",
            zip(labels, (count for _, (count, _) in reloads), strict=True),
        )
        yield from family(
            f"{prefix}_automatic_reload_last_timestamp_seconds",
            "gauge",
            "When it was read again last.",
            zip(labels, (when for _, (_, when) in reloads), strict=True),
        )
        yield from family(
            f"{prefix}_last_config_info",
            "gauge",
            "The authentication configuration that counts.",
            ((labelled({"apiserver_id_hash": server, "hash": self._configuration}), 1),),
        )
