"""Counts test cases over all suites of a `meson test` run, from its log in JSON.

Prints what failed, and as the last line `N passed, N failed`. A program that ended badly (a crash,
a time-out, a leak found at the end) counts as one failure if none of its cases says so itself.
Succeeds if something passed and nothing failed.
"""

import json
import re
import sys

CASE = re.compile(r"^\[ +(RUN|OK|FAILED|SKIPPED) +\] (\w[\w/]*\.[\w/]+)")
GOOD = ("OK", "EXPECTEDFAIL", "SKIP")


def cases(output: str) -> dict[str, str]:
    """How each case that gtest began ended; RUN if it did not."""
    found: dict[str, str] = {}
    for line in output.splitlines():
        if match := CASE.match(line):
            word, name = match.groups()
            # A failure is listed again at the end, which must not count twice, nor hide a crash.
            if word == "RUN" or found.get(name) == "RUN":
                found[name] = word
    return found


def count(tests: list[dict]) -> tuple[int, int, int, list[str]]:
    passed = skipped = 0
    failures = []
    for test in tests:
        ends = cases(test.get("stdout") or "")
        passed += sum(end == "OK" for end in ends.values())
        skipped += sum(end == "SKIPPED" for end in ends.values())
        broken = [f"{test['name']}: {name}" for name, end in ends.items() if end in ("FAILED", "RUN")]
        if test["result"] not in GOOD and not broken:
            broken = [f"{test['name']}: {test['result']}"]
        if not ends and not broken:  # not gtest's: the program is the case
            passed += test["result"] != "SKIP"
            skipped += test["result"] == "SKIP"
        failures += broken
    return passed, len(failures), skipped, failures


def main(path: str) -> int:
    with open(path, encoding="utf-8") as log:
        tests = [json.loads(line) for line in log if line.strip()]
    passed, failed, skipped, failures = count(tests)
    for failure in failures:
        print("failed:", failure)
    if skipped:
        print(skipped, "skipped")
    print(f"{passed} passed, {failed} failed")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
