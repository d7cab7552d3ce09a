"""Getting modules: S1 and S2 of `sources`, H1 to H3 of `http`, R1 and R2 of `registry`, M1 and M2 of `modules`."""

import asyncio
import base64
import json
import os
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.operators.kubewarden.guests import wapc
from tests.operators.kubewarden.registry import Hub, digest_of

from kajitori.apiserver.pki import Pki
from kajitori.operators.kubewarden.fetching import modules as fetching
from kajitori.operators.kubewarden.fetching.modules import Modules, fetch_module
from kajitori.operators.kubewarden.fetching.sources import (
    FetchError,
    Reference,
    Sources,
    credentials_of,
    parse_reference,
)

NOTHING = Sources()
MODULE = b"\0asm\1\0\0\0"
DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("ghcr.io/a/b:v1", Reference("ghcr.io", "a/b", "v1")),
        ("ghcr.io/a/b", Reference("ghcr.io", "a/b", "latest")),
        (f"localhost/b@{DIGEST}", Reference("localhost", "b", "", DIGEST)),
        (f"h:5000/b:v1@{DIGEST}", Reference("h:5000", "b", "v1", DIGEST)),
        ("busybox", Reference("registry-1.docker.io", "library/busybox", "latest")),
        ("busybox:1.36", Reference("registry-1.docker.io", "library/busybox", "1.36")),
        ("a/b:1", Reference("registry-1.docker.io", "a/b", "1")),
        ("docker.io/busybox", Reference("registry-1.docker.io", "library/busybox", "latest")),
    ],
)
def test_references(text: str, reference: Reference) -> None:  # S1
    assert parse_reference(text) == reference


@pytest.mark.parametrize("text", ["", "ghcr.io/", "ghcr.io/A", "ghcr.io/a:", "ghcr.io/a@sha256:1", "h.x/a:é"])
def test_what_is_no_reference(text: str) -> None:
    with pytest.raises(FetchError, match="is no reference"):
        parse_reference(text)


def test_credentials_of_a_secret() -> None:
    auth = base64.b64encode(b"u:p:q").decode()
    config = {"auths": {"https://h:5/v1/": {"auth": auth}, "x": {"username": "a", "password": "b"}}}
    assert credentials_of(json.dumps(config).encode()) == {"h:5": ("u", "p:q"), "x": ("a", "b")}
    for bad in (b"", b"[]", b'{"auths": [1]}', b'{"auths": {"h": {"auth": "!"}}}'):
        with pytest.raises(FetchError):
            credentials_of(bad)


# Files.


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "a policy.wasm"
    file.write_bytes(MODULE)
    assert fetch_module(f"file://{file}", NOTHING) == MODULE
    assert fetch_module(f"file://{str(file).replace(' ', '%20')}", NOTHING) == MODULE
    with pytest.raises(FetchError, match="is no file"):
        fetch_module(f"file://{tmp_path}/none", NOTHING)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FetchError, match="is no file"):
        fetch_module(f"file://{tmp_path}/pipe", NOTHING)
    with pytest.raises(FetchError, match="begin it with registry://"):
        fetch_module("ftp://x/y", NOTHING)


def test_a_module_that_is_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # H1
    monkeypatch.setattr(fetching, "MODULE_BYTES_MAX", 4)
    file = tmp_path / "p.wasm"
    file.write_bytes(MODULE)
    hub = Hub()
    hub.paths["/p.wasm"] = (200, {}, MODULE)
    with hub.served() as host:
        for module in (f"file://{file}", f"http://{host}/p.wasm"):
            with pytest.raises(FetchError, match="more than 4 bytes"):
                fetch_module(module, NOTHING)


# The web.


@pytest.fixture
def hub() -> Iterator[Hub]:
    hub = Hub()
    hub.paths["/p.wasm"] = (200, {}, MODULE)
    with hub.served():
        yield hub


def test_http(hub: Hub) -> None:
    hub.paths["/moved"] = (302, {"Location": "/p.wasm"}, b"")
    assert fetch_module(f"http://{hub.host}/moved", NOTHING) == MODULE
    with pytest.raises(FetchError, match="answered 404"):
        fetch_module(f"http://{hub.host}/none", NOTHING)
    with pytest.raises(FetchError, match="cannot be reached"):
        fetch_module("http://127.0.0.1:1/p.wasm", NOTHING)


def test_certificates_are_checked(tmp_path: Path) -> None:  # H2, S2
    pki = Pki.begin(tmp_path / "pki").wait()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.folder / "apiserver.crt", pki.folder / "apiserver.key")
    hub = Hub()
    hub.paths["/p.wasm"] = (200, {}, MODULE)
    with hub.served(context) as host:
        url = f"https://{host}/p.wasm"
        with pytest.raises(FetchError, match="CERTIFICATE_VERIFY_FAILED"):
            fetch_module(url, NOTHING)
        assert fetch_module(url, Sources(authorities={host: [pki.ca_data().decode()]})) == MODULE
        assert fetch_module(url, Sources(insecure=frozenset({host}))) == MODULE
        with pytest.raises(FetchError, match="no certificate in PEM"):
            fetch_module(url, Sources(authorities={host: ["nonsense"]}))


# Registries.


def insecure(hub: Hub, *login: tuple[str, str]) -> Sources:
    return Sources(frozenset({hub.host}), credentials=dict.fromkeys([hub.host], login[0]) if login else {})


def test_a_policy_of_a_registry(hub: Hub) -> None:
    digest = hub.push("team/policy", "v1", MODULE)
    for module in (
        f"registry://{hub.host}/team/policy:v1",
        f"{hub.host}/team/policy:v1",
        f"registry://{hub.host}/team/policy@{digest}",
    ):
        assert fetch_module(module, insecure(hub)) == MODULE
    with pytest.raises(FetchError, match="404: manifest unknown"):
        fetch_module(f"registry://{hub.host}/team/policy:v2", insecure(hub))


def test_a_registry_is_asked_without_tls_only_where_it_may_be(hub: Hub) -> None:  # S2
    hub.push("team/policy", "v1", MODULE)
    hub.asked.clear()
    with pytest.raises(FetchError, match="cannot be reached"):
        fetch_module(f"registry://{hub.host}/team/policy:v1", NOTHING)
    assert hub.asked == []


def test_a_registry_that_lies(hub: Hub) -> None:  # R1
    digest = hub.push("team/policy", "v1", MODULE)
    hub.paths[f"/v2/team/policy/blobs/{digest_of(MODULE)}"] = (200, {}, b"something else")
    with pytest.raises(FetchError, match="does not have the digest"):
        fetch_module(f"registry://{hub.host}/team/policy:v1", insecure(hub))
    hub.paths[f"/v2/team/policy/manifests/{digest}"] = (200, {}, b"{}")
    with pytest.raises(FetchError, match="gave something else"):
        fetch_module(f"registry://{hub.host}/team/policy@{digest}", insecure(hub))
    hub.push("team/image", "v1", MODULE, mediaType="application/vnd.oci.image.layer.v1.tar")
    with pytest.raises(FetchError, match="is no policy"):
        fetch_module(f"registry://{hub.host}/team/image:v1", insecure(hub))
    hub.paths["/v2/team/x/manifests/v1"] = (200, {}, b"[")
    with pytest.raises(FetchError, match="gave no manifest"):
        fetch_module(f"registry://{hub.host}/team/x:v1", insecure(hub))


def test_a_registry_that_wants_a_token(hub: Hub) -> None:  # R2
    hub.push("team/policy", "v1", MODULE)
    hub.login = ("u", "p")
    module = f"registry://{hub.host}/team/policy:v1"
    with pytest.raises(FetchError, match="no token"):
        fetch_module(module, insecure(hub))
    with pytest.raises(FetchError, match="no token"):
        fetch_module(module, insecure(hub, ("u", "wrong")))
    hub.asked.clear()
    assert fetch_module(module, insecure(hub, ("u", "p"))) == MODULE
    assert [path.partition("?")[0] for path, _ in hub.asked if path.startswith("/token")] == ["/token"]


def test_credentials_do_not_follow_a_redirection(hub: Hub) -> None:  # H3
    other = Hub()
    other.paths["/blob"] = (200, {}, MODULE)
    hub.push("team/policy", "v1", MODULE)
    hub.login = ("u", "p")
    with other.served() as elsewhere:
        moved = (307, {"Location": f"http://{elsewhere}/blob"}, b"")
        hub.paths[f"/v2/team/policy/blobs/{digest_of(MODULE)}"] = moved
        module = f"registry://{hub.host}/team/policy:v1"
        assert fetch_module(module, insecure(hub, ("u", "p"))) == MODULE
    assert other.asked == [("/blob", "")]


# Compiled once.


def test_the_same_content_is_compiled_once(tmp_path: Path) -> None:  # M1, M2
    asyncio.run(_compiles_once(tmp_path))


async def _compiles_once(tmp_path: Path) -> None:
    modules, binary = Modules(), wapc()
    for name in ("one", "other"):
        (tmp_path / name).write_bytes(binary)
    (tmp_path / "third").write_bytes(wapc('{"accepted": false}'))
    digest, one = await modules.load(f"file://{tmp_path}/one", NOTHING)
    assert (await modules.load(f"file://{tmp_path}/other", NOTHING)) == (digest, one)
    third, _ = await modules.load(f"file://{tmp_path}/third", NOTHING)
    modules.keep({third})
    assert (await modules.load(f"file://{tmp_path}/one", NOTHING))[1] is not one
