"""Compiles the public headers, and snippets that must be refused, with one compiler.

    compile_check.py headers <compiler> <include folder>...   each header alone, and two tests
    compile_check.py refusals <compiler> <include folder>...  each file of compile_fail/

A file of compile_fail/ says with `// expect: text` what the compiler's errors must contain; they
must fit on a screen.
"""

import pathlib
import subprocess
import sys

FLAGS = "-std=c++20 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -fsyntax-only".split()
ERROR_LINES_MAX = 40
HERE = pathlib.Path(__file__).parent


def compiles(compiler: str, includes: list[str], text: str) -> tuple[bool, str]:
    command = [compiler, *FLAGS, *(f"-I{folder}" for folder in includes), "-x", "c++", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=100)
    return done.returncode == 0, done.stderr


def check_headers(compiler: str, includes: list[str]) -> list[str]:
    headers = sorted(pathlib.Path(includes[0], "troupe").glob("*.h"))
    complaints = [] if headers else ["no headers found"]
    users = {header.name: f"#include <troupe/{header.name}>\n" for header in headers}
    for name in ("names_test.cpp", "json_test.cpp"):
        users[name] = (HERE / name).read_text()
    for name, text in users.items():
        compiled, errors = compiles(compiler, includes, text)
        if not compiled:
            complaints.append(f"{name}: does not compile\n{errors}")
    return complaints


def check_refusals(compiler: str, includes: list[str]) -> list[str]:
    snippets = sorted((HERE / "compile_fail").glob("*.cpp"))
    complaints = [] if snippets else ["no snippets found"]
    for file in snippets:
        expected = [line[len("// expect: "):] for line in file.read_text().splitlines()
                    if line.startswith("// expect: ")]
        compiled, errors = compiles(compiler, includes, file.read_text())
        if compiled or not expected:
            complaints.append(f"{file.name}: compiles, or expects nothing")
        for text in expected:
            if text not in errors:
                complaints.append(f"{file.name}: does not say: {text}\n{errors}")
        lines = len(errors.splitlines())
        if lines > ERROR_LINES_MAX:
            complaints.append(f"{file.name}: {lines} lines of errors\n{errors}")
    return complaints


def main(kind: str, compiler: str, *includes: str) -> int:
    check = {"headers": check_headers, "refusals": check_refusals}[kind]
    complaints = check(compiler, list(includes))
    print("\n".join(complaints))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
