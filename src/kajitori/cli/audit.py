"""`kajitori audit [SECTION]`: where a cluster is open. Nothing is changed."""

import argparse
import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from kajitori.apimachinery.errors import ApiError
from kajitori.apis.podsecurity import parse_version
from kajitori.apiserver.operating.audit.policy import PolicyError, read_policy
from kajitori.cli.audit_output import print_proposals, print_sections, print_vex
from kajitori.cli.main import CommandError
from kajitori.client import Client, TransportError
from kajitori.client.config import ConfigError, load_config
from kajitori.client.network import NetworkTransport
from kajitori.posture.admission.judging import judge_admission
from kajitori.posture.cves.feed import FeedError
from kajitori.posture.cves.fetching import OFFICIAL, get_feed, kept_path
from kajitori.posture.cves.judging import judge_cves
from kajitori.posture.findings import SEVERITIES, Section, at_least
from kajitori.posture.inventory import Inventory
from kajitori.posture.manifests import from_manifests
from kajitori.posture.pods import judge_pods
from kajitori.posture.rbac.auditlog import LogRead, read_log
from kajitori.posture.rbac.grants import Grants
from kajitori.posture.rbac.judging import judge_rbac, named_resources
from kajitori.posture.secrets import judge_secrets
from kajitori.posture.sources import from_backup, from_cluster
from kajitori.storage.errors import BackupUnfit
from kajitori.world.clock import SYSTEM_CLOCK

__all__ = ["main"]

OPEN, WRONG, UNREAD = 1, 2, 3
"""Exit codes: something is open; the command line is wrong; not everything could be read."""

_SQLITE = b"SQLite format 3\0"

EXAMPLES = """\
sections:
  rbac      who could get more than it has, who may everything, who is gone; with --audit-log
            also what nobody ever used, and narrower roles that would have been enough
  pods      the Pod Security level that each namespace could have, and what stands in the way
  secrets   who can read which Secrets, directly or by way of Pods, tokens, other rights
  webhooks  webhooks and policies that let everything through, stop everything, or soon will
  cves      the official Kubernetes CVEs, matched to the versions that run
Without a section all of them are judged, and shown on one screen.

what is judged:
  the cluster of the kubeconfig, whatever Kubernetes it is; its rights to list are enough
  -f FILE or FOLDER      a backup made by `kajitori backup`, or manifests: no cluster is needed

exit codes:
  0  nothing is as severe as --fail-on says
  1  something is
  2  the command line is wrong
  3  not done, or not whole: something could not be read, which is said

examples:
  kajitori audit
      one screen
  kajitori audit rbac --audit-log /var/log/kubernetes/audit.log
      what was never used; files that were laid aside (audit-2026-....log, .gz) are read too
  kajitori audit rbac --audit-log audit.log --propose > narrower.yaml
      roles with what was used, for kubectl apply
  kajitori audit pods -f manifests/ --fail-on medium
      in CI, before anything is applied
  kajitori audit cves --feed feed.json -o vex
      offline, as statements that other tools read
"""


def main(arguments: Sequence[str]) -> int:
    """Prints what is open; gives 1 when something is as severe as asked for, 3 when not all could be read.

    Raises: CommandError.
    """
    chosen = _parser().parse_args(arguments)
    if chosen.propose and (chosen.section != "rbac" or not chosen.audit_log):
        raise CommandError("--propose goes with: kajitori audit rbac --audit-log FILE", WRONG)
    if chosen.output == "vex" and chosen.section != "cves":
        raise CommandError("-o vex goes with: kajitori audit cves", WRONG)
    if chosen.kubeconfig is not None and chosen.file is not None:
        raise CommandError("-f and --kubeconfig: it is either files or a cluster that is judged", WRONG)
    inventory = _inventory(chosen)
    names = [chosen.section] if chosen.section else list(_JUDGES)
    sections = [_JUDGES[name](inventory, chosen) for name in names]
    if chosen.propose:
        print_proposals(sections[0])
        return UNREAD if sections[0].missing else 0
    if chosen.output == "vex":
        print_vex(inventory, sections[0], SYSTEM_CLOCK.now())
    else:
        print_sections(inventory, sections, chosen.output, summary=not chosen.section)
    if chosen.fail_on != "never" and any(at_least(each.findings, chosen.fail_on) for each in sections):
        return OPEN
    return UNREAD if any(each.missing for each in sections) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kajitori audit",
        description="Show where a cluster is open: rights that nobody uses or that can be made more, Pods and\n"
        "Secrets, admission that fails, known vulnerabilities. Reads only.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "section",
        metavar="SECTION",
        nargs="?",
        choices=tuple(_JUDGES),
        help=f"one of {', '.join(_JUDGES)} (default: all, in short)",
    )
    parser.add_argument(
        "-f", "--file", type=Path, metavar="PATH", help="a backup, a manifest or a folder of them"
    )
    parser.add_argument(
        "-n",
        "--namespace",
        default="",
        help="look into this namespace alone: the right to list in it is enough",
    )
    parser.add_argument("--kubeconfig", help="kubeconfig to use (default: as kubectl finds it)")
    parser.add_argument("--context", help="context of the kubeconfig")
    parser.add_argument(
        "-o",
        "--output",
        choices=("table", "json", "yaml", "vex"),
        default="table",
        help="how to print it; vex: OpenVEX, of cves only (default: table)",
    )
    parser.add_argument(
        "--fail-on",
        choices=(*SEVERITIES, "never"),
        default="high",
        help="the least severity that ends with code 1 (default: high)",
    )
    parser.add_argument(
        "--system",
        action="store_true",
        help="also tell what Kubernetes itself grants to its own parts",
    )
    parser.add_argument(
        "--audit-log",
        metavar="PATH",
        action="append",
        default=[],
        help="a log of audit.k8s.io events, a folder of them, or - for standard input, for rbac and cves; repeatable",
    )
    _add_of_sections(parser)
    return parser


def _add_of_sections(parser: argparse.ArgumentParser) -> None:
    """The options that are about one section."""
    rbac = parser.add_argument_group("rbac")
    rbac.add_argument(
        "--audit-policy",
        type=Path,
        metavar="FILE",
        help="the server's audit policy: what it leaves out of the log is not called unused",
    )
    rbac.add_argument(
        "--propose", action="store_true", help="print nothing but the narrower roles, for kubectl apply -f -"
    )
    pods = parser.add_argument_group("pods")
    pods.add_argument(
        "--pod-security-version",
        metavar="v1.N",
        default="latest",
        help="the version of the Pod Security Standards (default: that of the server)",
    )
    cves = parser.add_argument_group("cves")
    cves.add_argument(
        "--feed",
        metavar="FILE|URL",
        default=OFFICIAL,
        help="the feed, JSON or RSS, or records of OSV (default: the official one, fetched once a day)",
    )
    cves.add_argument(
        "--offline",
        action="store_true",
        help="fetch nothing: what was fetched last counts, and the shipped table",
    )


# What is judged.


def _inventory(chosen: argparse.Namespace) -> Inventory:
    path: Path | None = chosen.file
    try:
        if path is None:
            return asyncio.run(_of_cluster(chosen))
        if path.is_file() and _starts(path) == _SQLITE:
            return _within(from_backup(path), chosen.namespace)
        found = from_manifests(path)
    except BackupUnfit as error:
        raise CommandError(str(error), UNREAD) from None
    except OSError as error:
        raise CommandError(f"{path}: it cannot be read: {error.strerror}", UNREAD) from None
    if not found.objects:
        told = f" ({'; '.join(found.notes)})" if found.notes else ""
        raise CommandError(f"{path}: no object that could be judged is in it{told}", UNREAD)
    return _within(found, chosen.namespace)


def _within(inventory: Inventory, namespace: str) -> Inventory:
    return inventory.within(namespace) if namespace else inventory


def _starts(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(_SQLITE))


async def _of_cluster(chosen: argparse.Namespace) -> Inventory:
    try:
        config = load_config(chosen.kubeconfig, chosen.context)
        async with Client(NetworkTransport(config), user_agent="kajitori-audit").without_warnings() as client:
            return await from_cluster(client, f"cluster {config.cluster.server}", chosen.namespace)
    except (ConfigError, TransportError, ApiError) as error:
        raise CommandError(str(error), UNREAD) from None


# The judges.


def _log(inventory: Inventory, chosen: argparse.Namespace) -> LogRead | None:
    """The audit log, read once for all sections."""
    if not chosen.audit_log:
        return None
    if not hasattr(chosen, "log"):
        try:
            chosen.log = read_log(chosen.audit_log, named_resources(Grants(inventory)))
        except OSError as error:
            raise CommandError(f"--audit-log: {error}", UNREAD) from None
    log: LogRead = chosen.log
    return log


def _rbac(inventory: Inventory, chosen: argparse.Namespace) -> Section:
    policy = None
    if chosen.audit_policy is not None:
        try:
            policy = read_policy(chosen.audit_policy)
        except PolicyError as error:
            raise CommandError(f"--audit-policy: {error}", UNREAD) from None
    log = _log(inventory, chosen)
    return judge_rbac(inventory, Grants(inventory), log, policy=policy, system=chosen.system)


def _pods(inventory: Inventory, chosen: argparse.Namespace) -> Section:
    version = parse_version(chosen.pod_security_version)
    if version is None:
        told = "latest or a version such as v1.34 is meant"
        raise CommandError(f"--pod-security-version {chosen.pod_security_version}: {told}", WRONG)
    return judge_pods(inventory, version=version)


def _secrets(inventory: Inventory, chosen: argparse.Namespace) -> Section:
    return judge_secrets(inventory, Grants(inventory), system=chosen.system)


def _webhooks(inventory: Inventory, chosen: argparse.Namespace) -> Section:
    return judge_admission(inventory, SYSTEM_CLOCK.now())


def _cves(inventory: Inventory, chosen: argparse.Namespace) -> Section:
    try:
        got = get_feed(chosen.feed, now=SYSTEM_CLOCK.now(), path=kept_path(), offline=chosen.offline)
    except OSError as error:
        raise CommandError(f"--feed {chosen.feed}: it cannot be read: {error.strerror}", UNREAD) from None
    except FeedError as error:
        raise CommandError(f"--feed {chosen.feed}: this is no feed of CVEs: {error}", UNREAD) from None
    log = _log(inventory, chosen)
    programs = () if log is None else tuple(log.recorded.programs)
    return judge_cves(inventory, got.feed, programs=programs, notes=got.notes, missing=got.missing)


_JUDGES: dict[str, Callable[[Inventory, argparse.Namespace], Section]] = {
    "rbac": _rbac,
    "pods": _pods,
    "secrets": _secrets,
    "webhooks": _webhooks,
    "cves": _cves,
}
