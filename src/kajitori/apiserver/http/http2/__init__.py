"""HTTP/2 for the API server: one connection, many requests at once, to the same handler as HTTP/1.1.

Beside the HTTP/1.1 connection, under the listening server, which chooses between them by what TLS agreed on (ALPN).

    connection  turns, deadlines and the end
    streams     what frames mean for requests
    reader      frames to what they say
    exchange    one stream: a request, then its answer
    heads       header fields to requests, answers to header blocks
    uploads     what clients may send of bodies
    outflow     what clients have windows for, fairly
    outlet      frames to writes
    allowance   how much of what costs only us a client may do

Loaded when the first client speaks it.

Source: RFC 9113; Go's net/http for what happens where the RFC leaves a choice.
"""

from kajitori.apiserver.http.http2.connection import Http2Connection
from kajitori.apiserver.http.http2.heads import Blocks

__all__ = ["Blocks", "Http2Connection"]
