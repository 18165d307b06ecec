"""Answers JSON requests, one a line: {"id": 1, ...} -> {"id": 1, "ok": {...}} or {"id": 1, "error": "..."}."""

import json
import os
import sys
from collections.abc import Callable

# Tests compare with files on this disk; a look at the network would only make them slow and fickle.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")


def take_stdout():
    """Keeps stdout for answers alone: whatever libraries print goes to stderr."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def serve(answers, handle: Callable[[dict], dict]) -> None:
    print(json.dumps({"id": 0, "ok": {}}), file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"id": request["id"], "ok": handle(request)}
        except Exception as error:  # noqa: BLE001 - the test judges every failure of the oracle
            answer = {"id": request["id"], "error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers, flush=True)
