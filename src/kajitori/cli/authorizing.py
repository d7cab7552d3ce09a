"""The flags of `kajitori up` that say who is asked whether somebody may."""

import argparse
from pathlib import Path

from kajitori.cluster.authorization import Authorization
from kajitori.wire.go_time import parse_duration

__all__ = ["add_flags", "chosen"]


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Adds them."""
    group = parser.add_argument_group("authorization, as kube-apiserver has it")
    group.add_argument(
        "--authorization-mode",
        metavar="MODES",
        help="who is asked, comma-separated and in that order: AlwaysAllow, AlwaysDeny, ABAC, Webhook, RBAC, Node "
        "(default: Node,RBAC)",
    )
    group.add_argument(
        "--authorization-policy-file", type=Path, metavar="FILE", help="policies of mode ABAC, a line each"
    )
    group.add_argument(
        "--authorization-config",
        type=Path,
        metavar="YAML",
        help="AuthorizationConfiguration: who is asked, with webhooks; read again when it changes",
    )
    group.add_argument(
        "--authorization-webhook-config-file",
        type=Path,
        metavar="KUBECONFIG",
        help="the server that mode Webhook asks",
    )
    group.add_argument(
        "--authorization-webhook-version",
        metavar="VERSION",
        help="of the SubjectAccessReviews that it is sent: v1 or v1beta1 (default: v1beta1)",
    )
    group.add_argument(
        "--authorization-webhook-cache-authorized-ttl",
        type=_seconds,
        metavar="DURATION",
        help="how long it is believed that somebody may (default: 5m)",
    )
    group.add_argument(
        "--authorization-webhook-cache-unauthorized-ttl",
        type=_seconds,
        metavar="DURATION",
        help="how long it is believed that somebody may not (default: 30s)",
    )


def chosen(arguments: argparse.Namespace) -> Authorization:
    """What they say."""
    modes = arguments.authorization_mode
    return Authorization(
        modes=None if modes is None else tuple(each.strip() for each in modes.split(",") if each.strip()),
        policy_file=arguments.authorization_policy_file,
        webhook_config_file=arguments.authorization_webhook_config_file,
        webhook_version=arguments.authorization_webhook_version,
        webhook_cache_authorized_seconds=arguments.authorization_webhook_cache_authorized_ttl,
        webhook_cache_unauthorized_seconds=arguments.authorization_webhook_cache_unauthorized_ttl,
        config_file=arguments.authorization_config,
    )


def _seconds(text: str) -> float:
    try:
        return parse_duration(text) / 1e9
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{error}; write it like 5m or 30s") from None
