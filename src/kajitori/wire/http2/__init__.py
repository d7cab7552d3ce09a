"""HTTP/2 as bytes and values: frames, and the compression of headers.

Under the API server's connections, and any client's. No connection here, no stream and no socket: what frames
mean for one another is for those above.

    frames    frames out of bytes, and the bytes of frames
    hpack     header blocks to lists of fields, and fields to blocks
    huffman   the code that header strings may be written in

Source: RFC 9113 (HTTP/2), RFC 7541 (HPACK).
"""
