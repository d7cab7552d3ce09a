"""Certificates, keys and the token: made once, kept, renewed when due."""

import json
import ssl
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kajitori.apiserver.pki import RENEW_SECONDS, SERVICE_NAMES, Pki, PkiError, serving_names


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return Pki.begin(tmp_path_factory.mktemp("data") / "pki", serving_names("192.0.2.7")).wait()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_restart_makes_nothing_and_keeps_everything(made: Pki) -> None:  # K1
    token, before = made.admin_token(), contents(made.folder)
    again = Pki.begin(made.folder, serving_names("192.0.2.7"))
    assert not again.making
    assert again.wait().admin_token() == token
    assert contents(made.folder) == before


def test_secrets_are_their_owners_alone(made: Pki) -> None:  # K3
    made.admin_token()
    for path in made.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    assert stat.S_IMODE(made.folder.stat().st_mode) == 0o700


def test_the_certificate_is_for_every_name_of_the_server(made: Pki) -> None:
    from cryptography import x509

    certificate = x509.load_pem_x509_certificate((made.folder / "apiserver.crt").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    found = {*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))}
    assert found == {*SERVICE_NAMES, "192.0.2.7"}


def test_another_name_renews_the_certificate_and_keeps_the_ca(tmp_path: Path) -> None:  # K2
    first = Pki.begin(tmp_path).wait()
    before = contents(first.folder)
    second = Pki.begin(tmp_path, serving_names("0.0.0.0", ["kube.example.com"]))
    assert second.making
    after = contents(second.wait().folder)
    changed = {name for name in after if after[name] != before.get(name)}
    assert changed == {"apiserver.crt", "apiserver.key", "certificates.json"}


def test_certificates_near_their_end_are_renewed(tmp_path: Path) -> None:  # K2
    Pki.begin(tmp_path).wait()
    ends = json.loads((tmp_path / "certificates.json").read_bytes())["serving_not_after"]
    assert not Pki.begin(tmp_path, wall_clock=lambda: ends - RENEW_SECONDS - 60).making
    renewal = Pki.begin(tmp_path, wall_clock=lambda: ends - RENEW_SECONDS + 60)
    assert renewal.making
    renewal.wait()
    assert not Pki.begin(tmp_path, wall_clock=time.time).making


def test_files_put_there_by_hand_are_taken_up(tmp_path: Path) -> None:
    ours = Pki.begin(tmp_path / "a").wait()
    folder = tmp_path / "b"
    folder.mkdir()
    for name in ("ca.crt", "ca.key", "sa.key"):
        (folder / name).write_bytes((ours.folder / name).read_bytes())
    theirs = Pki.begin(folder).wait()
    assert theirs.ca_data() == ours.ca_data()
    assert (folder / "sa.pub").read_bytes() == (ours.folder / "sa.pub").read_bytes()
    assert not Pki.begin(folder).making


def test_what_cannot_be_made_says_why(tmp_path: Path) -> None:
    for name in ("ca.key", "ca.crt"):
        (tmp_path / name).write_text("-----BEGIN SOMETHING-----\nelse\n-----END SOMETHING-----\n")
    with pytest.raises(PkiError, match=rf"certificates could not be made in {tmp_path}: .+"):
        Pki.begin(tmp_path).wait()


@pytest.mark.parametrize("name", ["ca.crt", "ca.key", "sa.key", "sa.pub"])
def test_what_must_last_is_never_made_again(tmp_path: Path, name: str) -> None:
    Pki.begin(tmp_path).wait()
    damaged = tmp_path / name
    damaged.write_bytes(damaged.read_bytes()[:40])
    with pytest.raises(PkiError, match=rf"{damaged}: the file is damaged; restore a backup"):
        Pki.begin(tmp_path)
    assert len(damaged.read_bytes()) == 40


def test_a_damaged_serving_key_is_replaced(tmp_path: Path) -> None:
    Pki.begin(tmp_path).wait()
    ca = (tmp_path / "ca.crt").read_bytes()
    (tmp_path / "apiserver.key").write_text("")
    Pki.begin(tmp_path).wait().ssl_context()
    assert (tmp_path / "ca.crt").read_bytes() == ca


def test_without_a_folder_nothing_stays() -> None:
    pki = Pki.begin(None).wait()
    assert pki.ca_file.exists()
    pki.close()
    assert not pki.folder.exists()


def test_clients_that_are_strict_trust_it(made: Pki) -> None:
    context = ssl.create_default_context(cafile=str(made.ca_file))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    server, client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = made.ssl_context().wrap_bio(client, server, server_side=True)
    theirs = context.wrap_bio(server, client, server_hostname="kubernetes.default.svc")
    for _ in range(4):
        for side in (theirs, ours):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert theirs.version() == "TLSv1.3"
    assert theirs.getpeercert() is not None


def test_a_start_that_makes_nothing_needs_no_cryptography(made: Pki) -> None:  # K4
    program = (
        "import sys; from pathlib import Path; from kajitori.apiserver.pki import Pki, serving_names;"
        f"pki = Pki.begin(Path({str(made.folder)!r}), serving_names('192.0.2.7')).wait();"
        "pki.ssl_context(); pki.admin_token(); import kajitori.apiserver.authentication;"
        "assert not [name for name in sys.modules if name.startswith('cryptography')]"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
