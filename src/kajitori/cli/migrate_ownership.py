"""`kajitori migrate-ownership`: what was applied from the client becomes server-side apply's, on any cluster."""

import argparse
import asyncio
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import yaml

from kajitori.apimachinery.errors import ApiError
from kajitori.apimachinery.managedfields.sets import FieldsError, path_text, paths
from kajitori.cli.main import CommandError
from kajitori.cli.migrate_objects import Meant, add_flags, check_flags, find
from kajitori.client import Client, TransportError
from kajitori.client.config import ConfigError, load_config
from kajitori.client.network import NetworkTransport
from kajitori.client.ownership import CLIENT_SIDE_APPLIERS, Migration, Owners, migrate_ownership

__all__ = ["main"]

FAILED, WRONG = 1, 2
"""Exit codes: some object could not be migrated; the command line or a file is wrong."""

_AT_ONCE = 4
"""Objects that are migrated at the same time: quick, and no burden."""

EXAMPLES = """\
why:
  What was applied without --server-side belongs to an updater. Server-side apply removes only what its own applier
  owned before, so fields that are taken out of a manifest would stay in the object. Once the updater's fields are the
  applier's, they go. kubectl apply --server-side does this by itself for updaters that own its annotation; other
  appliers (an operator, a tool of yours) do not.

what happens:
  In metadata.managedFields the fields of --from become those of --to, and the entries of --from go; those of another
  apiVersion go with their fields. Nothing else changes, no controller acts, and what somebody writes meanwhile stays.
  It may be done before the first server-side apply or after it, and again. It CANNOT BE UNDONE: what had been set from
  the client is not known afterwards. So look first, with --dry-run; `-o yaml` shows every field.
  With --to kubectl the annotation last-applied-configuration is kept, as kubectl keeps it (its owner is then
  kubectl-last-applied), and one may go back to applying from the client; the next apply of another --to removes it.

exit codes:
  0  every object is migrated, now or before
  1  something is not, which is said; the others are
  2  the command line is wrong, or a file

examples:
  kajitori migrate-ownership deployment/web service/web -n shop --dry-run
  kajitori migrate-ownership -f manifests/ --to argocd-controller
      before the first server-side apply of another applier
  kajitori migrate-ownership deployments,configmaps -A -l app.kubernetes.io/managed-by=ci --from ci-tool --to ci-tool
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What has become of one object that was meant."""

    meant: Meant
    migration: Migration | None = None
    error: str = ""

    dry_run: bool = False

    @property
    def result(self) -> str:
        if self.migration is None:
            return "failed"
        if not self.migration.is_needed:
            return "nothing to do"
        return "would migrate" if self.dry_run else "migrated"


def main(arguments: Sequence[str]) -> int:
    """Migrates objects and prints what has become of each.

    Raises: CommandError.
    """
    chosen = _parser().parse_args(arguments)
    check_flags(chosen)
    updaters = [each.strip() for each in chosen.updaters.split(",") if each.strip()]
    if not updaters or not chosen.applier:
        raise CommandError(
            "--from and --to: both name field managers, e.g. --from kubectl-client-side-apply", WRONG
        )
    owners = Owners(tuple(dict.fromkeys(updaters)), chosen.applier, chosen.subresource)
    try:
        outcomes = asyncio.run(_migrated(chosen, owners))
    except ConfigError as error:
        raise CommandError(str(error), WRONG) from None
    except (ApiError, TransportError) as error:
        raise CommandError(str(error), FAILED) from None
    # Flushed, so that the notes come after it wherever both go.
    print("\n".join(_printed(outcomes, owners, chosen.output, dry_run=chosen.dry_run)), flush=True)
    for note in _notes(outcomes, dry_run=chosen.dry_run):
        print(note, file=sys.stderr)
    return FAILED if any(each.migration is None for each in outcomes) else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kajitori migrate-ownership",
        description="Let a server-side applier take over what was applied from the client, on any cluster, so that\n"
        "what is taken out of a manifest goes away. It cannot be undone.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_flags(parser)
    parser.add_argument(
        "--from",
        dest="updaters",
        metavar="MANAGER,...",
        default=",".join(CLIENT_SIDE_APPLIERS),
        help="who applied from the client (default: %(default)s)",
    )
    parser.add_argument(
        "--to",
        dest="applier",
        metavar="MANAGER",
        default="kubectl",
        help="the field manager of server-side apply (default: %(default)s)",
    )
    parser.add_argument(
        "--subresource",
        metavar="NAME",
        default="",
        help="migrate what was written through a subresource, e.g. status (default: what was not)",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="change nothing; the server checks everything all the same"
    )
    parser.add_argument("--kubeconfig", help="kubeconfig to use (default: as kubectl finds it)")
    parser.add_argument("--context", help="context of the kubeconfig")
    parser.add_argument(
        "-o",
        "--output",
        choices=("table", "json", "yaml"),
        default="table",
        help="how to print it; json and yaml name every field (default: table)",
    )
    return parser


async def _migrated(chosen: argparse.Namespace, owners: Owners) -> list[Outcome]:
    config = load_config(chosen.kubeconfig, chosen.context)
    client = Client(NetworkTransport(config), user_agent="kajitori-migrate-ownership").without_warnings()
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(meant: Meant) -> Outcome:
        async with limit:
            try:
                migration = await migrate_ownership(
                    client,
                    meant.kind,
                    meant.namespace,
                    meant.name,
                    owners,
                    seen=meant.seen,
                    dry_run=chosen.dry_run,
                )
            except (ApiError, TransportError, FieldsError) as error:
                return Outcome(meant, error=" ".join(str(error).split()))
            return Outcome(meant, migration, dry_run=chosen.dry_run)

    async with client:
        found = await find(client, chosen, config.namespace)
        return await asyncio.gather(*map(one, found))


# What is printed.


def _printed(outcomes: Sequence[Outcome], owners: Owners, output: str, *, dry_run: bool) -> Iterator[str]:
    if output == "table":
        if not outcomes:
            yield "no objects found"
            return
        yield from _table(
            ["OBJECT", "RESULT", "FROM", "TO", "FIELDS"], [_row(each, owners) for each in outcomes]
        )
        return
    told = {"dryRun": dry_run, "objects": [_told(each, owners) for each in outcomes]}
    if output == "json":
        yield msgspec.json.format(msgspec.json.encode(told)).decode()
    else:
        text: str = yaml.safe_dump(told, sort_keys=False, allow_unicode=True)
        yield text.rstrip()


def _row(outcome: Outcome, owners: Owners) -> list[str]:
    migration = outcome.migration
    if migration is None or not migration.is_needed:
        return [_object(outcome.meant), outcome.result, "-", "-", "-"]
    upgraded = migration.upgraded
    came = [each["manager"] for each in upgraded.taken]
    went = [f"{each['manager']} (dropped: {each.get('apiVersion')})" for each in upgraded.dropped]
    gained = sum(1 for _ in paths(upgraded.gained))
    return [_object(outcome.meant), outcome.result, ", ".join([*came, *went]), owners.applier, f"+{gained}"]


def _object(meant: Meant) -> str:
    where = f"{meant.namespace}/{meant.name}" if meant.namespace else meant.name
    return f"{meant.kind.group_resource} {where}"


def _told(outcome: Outcome, owners: Owners) -> dict[str, Any]:
    meant, migration = outcome.meant, outcome.migration
    told: dict[str, Any] = {"apiVersion": meant.kind.api_version, "kind": meant.kind.kind}
    if meant.namespace:
        told["namespace"] = meant.namespace
    told |= {"name": meant.name, "result": outcome.result}
    if migration is None:
        return told | {"error": outcome.error}
    if migration.is_needed:
        upgraded = migration.upgraded
        told |= {
            "to": owners.applier,
            "taken": [_entry(each) for each in upgraded.taken],
            "dropped": [_entry(each) for each in upgraded.dropped],
            "fields": [path_text(each) for each in paths(upgraded.gained)],
            "keepsLastApplied": migration.keeps_last_applied,
        }
    if migration.others:
        told["otherClientSideAppliers"] = list(migration.others)
    return told


def _entry(entry: Mapping[str, Any]) -> dict[str, str]:
    return {name: entry[name] for name in ("manager", "apiVersion", "time") if entry.get(name)}


def _notes(outcomes: Sequence[Outcome], *, dry_run: bool) -> Iterator[str]:
    for outcome in outcomes:
        if outcome.migration is None:
            yield f"{_object(outcome.meant)}: {outcome.error}"
    others = {name: outcome for outcome in outcomes if outcome.migration for name in outcome.migration.others}
    for name, outcome in sorted(others.items()):
        yield f"{name} has applied {_object(outcome.meant)} from the client too, and keeps its fields: add it to --from"
    if any(each.migration and each.migration.is_needed for each in outcomes):
        if dry_run:
            yield "Nothing was changed. Without --dry-run it is done, and cannot be undone."
        else:
            yield "This cannot be undone."


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    lines = [heads, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        yield "   ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
