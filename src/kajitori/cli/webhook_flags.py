"""The flags of `kajitori run` that say where webhooks are answered."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from kajitori.apimachinery.kind import NamespacedName
from kajitori.cli.main import CommandError
from kajitori.cli.probing import parse_address

if TYPE_CHECKING:
    from kajitori.cli.webhooks import WebhookPlace

__all__ = ["PORT", "add_webhooks", "webhook_place"]

PORT = 9443
"""Where webhooks are answered unless told otherwise, as in controller-runtime."""

_EVERYWHERE = ("", "0.0.0.0", "::")


def add_webhooks(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(
        "webhooks",
        "Where operators that guard, fill in or convert objects answer the API server, with HTTPS. Certificates are "
        "made and renewed here, unless a folder has them.",
    )
    group.add_argument(
        "--webhook-address",
        metavar="HOST:PORT",
        help=f"listen there (default: port {PORT} of all addresses, where another of these flags is given)",
    )
    group.add_argument(
        "--webhook-host",
        metavar="NAME",
        help="what the API server calls that host by, where it is another name (default: HOST)",
    )
    group.add_argument(
        "--webhook-url",
        metavar="URL",
        help="what the API server asks for, where it comes by a way of its own; paths are added",
    )
    group.add_argument(
        "--webhook-service",
        metavar="NAMESPACE/NAME[:PORT]",
        help="the Service that the API server comes through, when we run in a Pod of it (default port: 443)",
    )
    group.add_argument(
        "--webhook-secret",
        metavar="NAMESPACE/NAME",
        help="the Secret in which replicas share their certificates (default with --webhook-service: NAME-tls)",
    )
    group.add_argument(
        "--webhook-cert-dir",
        metavar="FOLDER",
        type=Path,
        help="take tls.crt and tls.key from there, read again when they change; API servers are told of ca.crt, "
        "where it is there",
    )
    group.add_argument(
        "--webhook-inject-ca-from",
        metavar="NAMESPACE/CERTIFICATE",
        help="let cert-manager tell API servers which authority to believe: the Certificate whose Secret is mounted "
        "at the folder",
    )
    group.add_argument(
        "--webhook-client-ca-file",
        metavar="FILE",
        type=Path,
        help="answer only who shows a certificate of these authorities: an API server that has one for its webhooks",
    )


def webhook_place(chosen: argparse.Namespace) -> "WebhookPlace | None":
    """What the flags ask for; None: webhooks are not answered. Raises: CommandError."""
    given = [name for name in vars(chosen) if name.startswith("webhook_") and getattr(chosen, name)]
    if not given:
        return None
    host, port = parse_address("--webhook-address", chosen.webhook_address or f":{PORT}") or ("", PORT)
    service, service_port = _service(chosen.webhook_service)
    url = (chosen.webhook_url or "").rstrip("/")
    if url and (chosen.webhook_host or service):
        raise CommandError("--webhook-url says it all; leave out --webhook-host and --webhook-service", 2)
    if url and (urlsplit(url).scheme != "https" or not urlsplit(url).hostname):
        raise CommandError(f"--webhook-url {url}: write it as https://NAME:PORT", 2)
    if chosen.webhook_host:
        name = f"[{chosen.webhook_host}]" if ":" in chosen.webhook_host else chosen.webhook_host
        url = f"https://{name}:{port}"
        if port == 0:
            raise CommandError("--webhook-host needs a port that is known: --webhook-address HOST:PORT", 2)
    if host in _EVERYWHERE and not url and service is None:
        raise CommandError(
            f"--webhook-address {chosen.webhook_address or f':{PORT}'}: say with --webhook-host what the API server "
            "calls this host, or with --webhook-service which Service leads here",
            2,
        )
    secret = _named("--webhook-secret", chosen.webhook_secret)
    if secret is not None and chosen.webhook_cert_dir is not None:
        raise CommandError("--webhook-secret and --webhook-cert-dir: certificates are in one of them", 2)
    if chosen.webhook_inject_ca_from and chosen.webhook_cert_dir is None:
        raise CommandError(
            "--webhook-inject-ca-from: say with --webhook-cert-dir where that Secret is mounted", 2
        )
    _named("--webhook-inject-ca-from", chosen.webhook_inject_ca_from)
    if secret is None and service is not None and chosen.webhook_cert_dir is None:
        secret = NamespacedName(service.namespace, f"{service.name}-tls")
    from kajitori.cli.webhooks import WebhookPlace  # few operators have webhooks

    return WebhookPlace(
        host=host,
        port=port,
        url=url,
        service=service,
        service_port=service_port,
        secret=secret,
        cert_dir=chosen.webhook_cert_dir,
        ca_from=chosen.webhook_inject_ca_from or "",
        client_ca_file=chosen.webhook_client_ca_file,
    )


def _service(text: str | None) -> tuple[NamespacedName | None, int]:
    if not text:
        return None, 443
    name, colon, port = text.partition(":")
    if colon and not (port.isdigit() and 0 < int(port) <= 65535):
        raise CommandError(f"--webhook-service {text}: write it as NAMESPACE/NAME:PORT", 2)
    return _named("--webhook-service", name), int(port or 443)


def _named(flag: str, text: str | None) -> NamespacedName | None:
    if not text:
        return None
    namespace, slash, name = text.partition("/")
    if not slash or not namespace or not name or "/" in name:
        raise CommandError(f"{flag} {text}: write it as NAMESPACE/NAME", 2)
    return NamespacedName(namespace, name)
