"""The static token file: `token,user,uid,"group1,group2"` a line.

Source: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#static-token-file
"""

import csv
import logging
import os
from collections.abc import Iterable

from kajitori.apiserver.authentication.user import User

__all__ = ["AuthenticationError", "parse_tokens", "read_token_file"]

_log = logging.getLogger(__name__)


class AuthenticationError(ValueError):
    """Settings of authentication that cannot be used; the text names the file and what is wrong with it."""


def read_token_file(path: str | os.PathLike[str]) -> dict[str, User]:
    """The users by their tokens.

    Raises: AuthenticationError when a line has fewer than three columns; OSError when the file cannot be read.
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            return parse_tokens(file, str(path))
    except UnicodeDecodeError:
        raise AuthenticationError(f"token file '{path}' is not UTF-8") from None


def parse_tokens(lines: Iterable[str], source: str) -> dict[str, User]:
    """The users by their tokens; of a token that is there twice the last line counts.

    Raises: AuthenticationError when a line has fewer than three columns; `source` names the file in it.
    """
    users: dict[str, User] = {}
    try:
        for number, record in enumerate(csv.reader(lines, strict=True), start=1):
            if not record:
                continue
            if len(record) < 3:
                raise AuthenticationError(
                    f"token file '{source}' must have at least 3 columns (token, user name, user uid), "
                    f"found {len(record)} in record {number}"
                )
            token, name, uid = record[:3]
            if not token:
                _log.warning("empty token in token file", extra={"file": source, "record": number})
                continue
            if token in users:
                _log.warning("duplicate token in token file", extra={"file": source, "record": number})
            groups = tuple(record[3].split(",")) if len(record) > 3 and record[3] else ()
            users[token] = User(name, uid, groups)
    except csv.Error as error:
        raise AuthenticationError(f"token file '{source}' is not CSV: {error}") from None
    return users
