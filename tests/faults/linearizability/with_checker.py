"""Runs a program of tests with the checker of histories: with_checker.py DIRECTORY PROGRAM [ARGUMENT ...]

The checker is built in DIRECTORY first; its library comes from Go's module proxy. Where there is no
Go or no proxy, tests that need the checker fail unless that is why the whole run is skipped."""

import os
import pathlib
import subprocess
import sys

SKIPPED = 77


def main() -> int:
    directory = pathlib.Path(sys.argv[1]).resolve()
    directory.mkdir(parents=True, exist_ok=True)
    checker = directory / "linearizability"
    sources = pathlib.Path(__file__).parent
    try:
        built = subprocess.run(["go", "build", "-buildvcs=false", "-o", checker, "."], cwd=sources, timeout=300,
                               capture_output=True, text=True, stdin=subprocess.DEVNULL)
        trouble = built.stderr if built.returncode != 0 else ""
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        trouble = str(error)
    if trouble:
        print(f"skipped: the checker cannot be built: {trouble}")
        return SKIPPED
    return subprocess.run(sys.argv[2:], env={**os.environ, "TROUPE_LINEARIZABILITY": str(checker)},
                          stdin=subprocess.DEVNULL).returncode


if __name__ == "__main__":
    sys.exit(main())
