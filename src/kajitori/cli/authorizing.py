"""The flags of `kajitori up` that say who is asked whether somebody may."""

import argparse
from pathlib import Path

from kajitori.cluster.authorization import Authorization

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


def chosen(arguments: argparse.Namespace) -> Authorization:
    """What they say."""
    modes = arguments.authorization_mode
    return Authorization(
        modes=None if modes is None else tuple(each.strip() for each in modes.split(",") if each.strip()),
        policy_file=arguments.authorization_policy_file,
    )
