"""Load the models whose cards are named on stdin, one a line, and say how each ended; a separate process may crash."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

WATCHED = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "socket.connect", "pickle.find_class")
violations: list[str] = []
watching = False


def watch(event: str, arguments: tuple[object, ...]) -> None:
    """Note what a model file must never bring about: programs, connections, pickles, files written."""
    if not watching:
        return
    if event in WATCHED:
        violations.append(f"{event} {arguments!r:.200}")
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    if writes and not str(arguments[0]).startswith(os.environ["SEXSTRAT_CACHE"]):
        violations.append(f"open for writing {arguments[0]!r:.200}")


def main() -> None:
    """Answer each line with one line of JSON."""
    global watching  # noqa: PLW0603 - an audit hook cannot be taken off again
    sys.addaudithook(watch)
    from sexstrat.errors import ModelError
    from sexstrat.models import load_model

    for line in sys.stdin:
        path = Path(line.strip())
        violations.clear()
        started = time.process_time()
        watching = path.parent.name != "sound"
        try:
            load_model(path)
            outcome, detail = "loaded", ""
        except ModelError as err:
            outcome, detail = "refused", str(err)[:200]
        except Exception as err:  # noqa: BLE001 - it is what the test looks for
            outcome, detail = "crashed", f"{type(err).__name__}: {err}"[:400]
        watching = False
        seconds = time.process_time() - started
        answer = {"outcome": outcome, "detail": detail, "seconds": seconds, "violations": violations}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
