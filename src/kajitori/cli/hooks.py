"""Listens for the HTTP event sources of a process of operators: `--hook-bind-address`.

Plain HTTP: who calls comes through an Ingress or a Gateway, which has the certificate. Limits on time and size are
those of the API server's own HTTP.
"""

from kajitori.apimachinery.errors import RequestEntityTooLarge
from kajitori.apiserver.http import Request, Response, Server, serve
from kajitori.cli.main import CommandError
from kajitori.cli.probing import Address
from kajitori.ctrl import Manager
from kajitori.ctrl.http_source import HttpCall, answer_hooks

__all__ = ["listen_for_hooks"]

_PLAIN = "text/plain; charset=utf-8"


async def listen_for_hooks(manager: Manager, address: Address) -> Server:
    """Until it is closed. Raises: CommandError."""

    async def answer(request: Request) -> Response:
        try:
            body = request.body
        except RequestEntityTooLarge as error:
            return Response(413, f"{error}\n".encode(), _PLAIN)
        call = HttpCall(request.path, request.headers, bytes(body), request.query)
        said = answer_hooks(manager, request.method, call)
        return Response(said.status, f"{said.text}\n".encode(), _PLAIN)

    try:
        return await serve(answer, host=address.host, port=address.port)
    except OSError as error:
        raise CommandError(
            f"--hook-bind-address {address}: cannot listen there: {error.strerror or error}; choose another, "
            "or 0 for none"
        ) from None
