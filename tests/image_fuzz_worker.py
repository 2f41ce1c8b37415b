"""Score the photographs named on stdin, one a line, and say how each ended; a separate process may crash."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

WATCHED = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "socket.connect", "pickle.find_class", "exec")
violations: list[str] = []
watching = False


def watch(event: str, arguments: tuple[object, ...]) -> None:
    """Note what a photograph must never bring about: programs, connections, pickles, code, files written."""
    if not watching:
        return
    if event in WATCHED:
        violations.append(f"{event} {arguments!r:.200}")
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        violations.append(f"open for writing {arguments[0]!r:.200}")


def synthetic() -> ModuleType:
    spec = importlib.util.spec_from_file_location("synthetic", Path(__file__).with_name("synthetic_fundus.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main() -> None:
    """Answer each line with one line of JSON: the rows of the score table, or how scoring failed."""
    global watching  # noqa: PLW0603 - an audit hook cannot be taken off again
    sys.addaudithook(watch)
    from sexstrat.scores import score_images, value_breaches
    from sexstrat.values.tables import table_schema

    model = synthetic().arithmetic_model()
    for line in sys.stdin:
        path = Path(line.strip())
        violations.clear()
        started = time.process_time()
        watching = not path.name.startswith("sound")  # the first of a kind imports the modules that read it
        rows: list[Any] = []
        try:
            found = score_images(path, model=model)
            breaches = [str(one) for one in value_breaches(found, table_schema("score"), source="scores")]
            outcome, detail = ("breached", "; ".join(breaches)) if breaches else ("loaded", "")
            kept = found[["image_id", "status", "reason", "prob_male"]].astype(object)
            rows = kept.where(kept.notna(), None).to_dict("records")
        except Exception as err:  # noqa: BLE001 - it is what the test looks for
            outcome, detail = "crashed", f"{type(err).__name__}: {err}"[:400]
        watching = False
        seconds = time.process_time() - started
        answer = {"outcome": outcome, "detail": detail, "seconds": seconds, "rows": rows, "violations": violations}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
