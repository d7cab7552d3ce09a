"""Compiles the OpenAPI documents of a Kubernetes release into the resources that `kajitori.apis.facts` reads.

    python tools/compile_openapi.py KUBECTL [FLAG...]

KUBECTL and its flags reach a kube-apiserver of the release, with nothing installed in it. The documents, with the
descriptions in them, are Kubernetes' (Apache License 2.0). Run again, it writes the same bytes.

Promises
    P1  a document is kept as it was served, byte for byte, so that its hash is the one that Kubernetes tells
    P2  a document that the release no longer serves does not stay behind
"""

import gzip
import hashlib
import json
import subprocess
import sys
from pathlib import Path

OUT = Path(__file__).resolve().parent.parent / "src/kajitori/apis/facts/openapi-v3"


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__)
        return 2
    kubectl = sys.argv[1:]
    index: dict[str, dict[str, str]] = json.loads(_get(kubectl, "/openapi/v3"))["paths"]
    documents = {path: _get(kubectl, told["serverRelativeURL"]) for path, told in sorted(index.items())}
    hashes: dict[str, str] = {}
    OUT.mkdir(parents=True, exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    for path, text in documents.items():
        hashes[path] = hashlib.sha512(text).hexdigest().upper()
        assert index[path]["serverRelativeURL"].endswith(hashes[path]), path
        (OUT / (path.replace("/", "__") + ".json.gz")).write_bytes(gzip.compress(text, 9, mtime=0))
    (OUT / "index.json").write_text(json.dumps(hashes, separators=(",", ":")))
    return 0


def _get(kubectl: list[str], url: str) -> bytes:
    return subprocess.run([*kubectl, "get", "--raw", url], check=True, stdout=subprocess.PIPE).stdout


if __name__ == "__main__":
    sys.exit(main())
