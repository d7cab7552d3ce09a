"""Matches as OpenVEX: statements that scanners and policy engines read.

Promises
    X1  what is uncertain is `under_investigation`, never more
    X2  a statement of `affected` says what to do, and one of `not_affected` why

Source: https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md (0.2.0)
"""

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Any

import msgspec

from kajitori.posture.cves.matching import AFFECTED, FIXED, NOT_AFFECTED, Match

__all__ = ["vex_document"]

_CONTEXT = "https://openvex.dev/ns/v0.2.0"


def vex_document(matches: Iterable[Match], source: str, now: datetime) -> dict[str, Any]:
    """One document about everything that was judged."""
    statements = [_statement(each) for each in matches]
    digest = sha256(msgspec.json.encode([source, statements])).hexdigest()
    return {
        "@context": _CONTEXT,
        "@id": f"https://openvex.dev/docs/kajitori/vex-{digest}",
        "author": "kajitori audit",
        "timestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "version": 1,
        "statements": statements,
    }


def _statement(match: Match) -> dict[str, Any]:
    status = "under_investigation"
    if match.certain and match.result in (AFFECTED, FIXED, NOT_AFFECTED):
        status = match.result
    statement: dict[str, Any] = {
        "vulnerability": {"name": match.cve} | ({"@id": match.link} if match.link else {}),
        "products": [{"@id": _product(match)}],
        "status": status,
    }
    if status == NOT_AFFECTED:
        statement["impact_statement"] = match.evidence
    elif status == AFFECTED:
        go_to = (
            f"upgrade {match.component} to {match.fixed_in} or later" if match.fixed_in else "no fix is known"
        )
        statement["action_statement"] = f"{go_to}: {match.link}" if match.link else go_to
        statement["status_notes"] = match.evidence
    else:
        statement["status_notes"] = match.evidence
    return statement


def _product(match: Match) -> str:
    name = f"pkg:generic/kubernetes/{match.component or 'unknown'}"
    return f"{name}@{match.version.removeprefix('v')}" if match.version else name
