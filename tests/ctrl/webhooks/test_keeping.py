"""Certificates that are made, shared and renewed."""

import asyncio
import base64
import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from kajitori.apis import Kind
from kajitori.client import Client
from kajitori.ctrl import SYSTEM_CLOCK
from kajitori.ctrl.webhooks.certificate_files import CertificateFiles, load_chain
from kajitori.ctrl.webhooks.certificates import Certificates, stepped
from kajitori.ctrl.webhooks.keeping import CertificateKeeper, MemoryShelf, SecretShelf
from kajitori.ctrl.webhooks.rotation import Step
from kajitori.testing import TestEnv, VirtualClock, run_virtual

SECRETS = Kind("", "v1", "Secret", "secrets")
NAMES = ["hooks.default.svc", "127.0.0.1"]


def keeper(
    client: Client, clock: VirtualClock, *, leads: bool = True, names: list[str] = NAMES
) -> CertificateKeeper:
    return CertificateKeeper(
        SecretShelf(client, "default", "hooks-tls"), names, clock=clock, leads=lambda: leads
    )


def test_replicas_agree() -> None:  # E1
    async def run() -> None:
        clock = VirtualClock()
        async with TestEnv(clock=clock) as env:
            client = env.client()
            replicas = [keeper(client, clock, leads=False) for _ in range(5)]
            await asyncio.gather(*(each.load() for each in replicas))
            assert len({(each.chain, each.bundle) for each in replicas}) == 1
            secret = await client.get(SECRETS, "default", "hooks-tls")
            assert secret["type"] == "kubernetes.io/tls"
            assert sorted(secret["data"]) == ["ca.crt", "ca.key", "tls.crt", "tls.key"]
            assert base64.b64decode(secret["data"]["ca.crt"]) == replicas[0].bundle

    run_virtual(run())


def test_an_authority_is_renewed_without_a_gap() -> None:  # E2
    async def run() -> list[str]:
        clock, seen = VirtualClock(), list[str]()
        async with TestEnv(clock=clock) as env:
            client = env.client()
            old = stepped(None, Step.BEGIN, NAMES, clock.now() - timedelta(days=250))
            old = stepped(old, Step.ISSUE, NAMES, clock.now() - timedelta(days=10))
            await SecretShelf(client, "default", "hooks-tls").write(old, "")
            first, second = keeper(client, clock), keeper(client, clock, leads=False)
            await asyncio.gather(first.load(), second.load())

            def note() -> None:
                seen.append(
                    f"{first.bundle.count(b'BEGIN')} authorities, the same certificate: {first.chain == old.chain}"
                )
                first.registered()

            note()
            async with asyncio.TaskGroup() as tasks:
                keeping = [
                    tasks.create_task(first.keep(note)),
                    tasks.create_task(second.keep(lambda: None)),
                ]
                await asyncio.sleep(25 * 3600)
                for each in keeping:
                    each.cancel()
            assert (second.chain, second.bundle) == (first.chain, first.bundle)
        return seen

    assert run_virtual(run()) == [
        "2 authorities, the same certificate: True",
        "2 authorities, the same certificate: False",
        "1 authorities, the same certificate: False",
    ]


def test_a_secret_that_is_removed_is_an_order_to_renew() -> None:  # E3
    async def run() -> None:
        clock = VirtualClock()
        async with TestEnv(clock=clock) as env:
            client = env.client()
            kept = keeper(client, clock)
            await kept.load()
            chain, bundle = kept.chain, kept.bundle
            kept.registered()
            await client.delete(SECRETS, "default", "hooks-tls")
            async with asyncio.TaskGroup() as tasks:
                keeping = tasks.create_task(kept.keep(kept.registered))
                await asyncio.sleep(1)
                assert kept.chain == chain and kept.bundle.endswith(bundle) and len(kept.bundle) > len(bundle)
                await asyncio.sleep(1000)
                assert kept.chain != chain and kept.bundle.endswith(bundle)
                await client.patch(SECRETS, "default", "hooks-tls", {"data": {"tls.crt": "eA=="}})
                await asyncio.sleep(400)
                found = await client.get(SECRETS, "default", "hooks-tls")
                assert base64.b64decode(found["data"]["tls.crt"]) in kept.chain
                keeping.cancel()

    run_virtual(run())


def test_what_fails_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:  # E2
    async def run() -> None:
        clock = VirtualClock()
        async with TestEnv(clock=clock) as env:
            kept = keeper(env.client("operator"), clock)
            await kept.load()
            chain = kept.chain
            async with asyncio.TaskGroup() as tasks:
                with env.faults.outage():
                    keeping = tasks.create_task(kept.keep(lambda: None))
                    await asyncio.sleep(300)
                assert kept.chain == chain and not keeping.done()
                keeping.cancel()

    run_virtual(run())
    assert {each.message for each in caplog.records if each.name.startswith("kajitori.ctrl.webhooks")} == {
        "the webhooks' certificates could not be looked after"
    }


def test_certificates_are_for_their_names_and_read_again() -> None:  # K1, K2
    made = stepped(None, Step.BEGIN, NAMES, SYSTEM_CLOCK.now())
    again = Certificates.of(made.data())
    assert again == made and made.held().names == set(NAMES) and made.held().signer == 0
    load_chain(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), made.chain)
    other = stepped(None, Step.BEGIN, NAMES, SYSTEM_CLOCK.now())
    for member, content in (
        ("ca.crt", b""),
        ("ca.crt", other.bundle),
        ("tls.crt", other.serving),
        ("tls.key", other.serving_key),
        ("ca.key", b"nonsense"),
        ("tls.crt", b"\xff"),
    ):
        assert Certificates.of({**made.data(), member: content}) is None, member
    assert Certificates.of({}) is None


def test_a_process_alone_keeps_its_own() -> None:
    async def run() -> None:
        kept = CertificateKeeper(MemoryShelf(), NAMES, clock=VirtualClock(), leads=lambda: True)
        await kept.load()
        chain = kept.chain
        await kept.load()
        assert kept.chain == chain

    run_virtual(run())


def test_files_are_read_again_when_they_change(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:  # X1, X2
    def write(certificates: Certificates) -> None:
        for name, content in certificates.data().items():
            (tmp_path / name).write_bytes(content)

    async def run() -> None:
        clock, changes = VirtualClock(), list[bytes]()
        first, second = (stepped(None, Step.BEGIN, NAMES, clock.now()) for _ in range(2))
        with pytest.raises(FileNotFoundError):
            await CertificateFiles(tmp_path).load()
        write(first)
        files = CertificateFiles(tmp_path)
        await files.load()
        chain = files.chain
        assert files.bundle == first.bundle and first.serving in chain
        async with asyncio.TaskGroup() as tasks:
            keeping = tasks.create_task(files.keep(lambda: changes.append(files.chain)))
            await asyncio.sleep(60)
            assert not changes
            (tmp_path / "tls.key").write_bytes(second.serving_key)
            await asyncio.sleep(60)
            assert not changes and first.serving in files.chain
            write(second)
            await asyncio.sleep(60)
            assert files.bundle == second.bundle + first.bundle
            assert [each == chain for each in changes] == [True, False] and second.serving in files.chain
            (tmp_path / "ca.crt").unlink()
            await asyncio.sleep(60)
            assert len(changes) == 3 and not files.bundle
            keeping.cancel()

    run_virtual(run())
    assert {each.message for each in caplog.records} == {"the webhooks' certificate cannot be read"}
