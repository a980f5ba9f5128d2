"""Installs into a directory of its own and compiles a program outside of the tree against that.

usage: install_check.py BUILD_DIRECTORY PREFIX COMPILER ...

It is compiled and linked by what pkg-config says, without a warning, and its `--help` runs.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

MAIN = pathlib.Path(__file__).parent / "outside" / "main.cpp"


def run(command: list[str], **options) -> str:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}\nfailed with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def main(build: str, prefix: str, compiler: list[str]) -> None:
    with tempfile.TemporaryDirectory() as place:
        run(["meson", "install", "-C", build, "--no-rebuild", "--destdir", place])
        installed = place + prefix
        folders = sorted({str(file.parent) for file in pathlib.Path(installed).rglob("troupe.pc")})
        libraries = sorted({str(file.parent) for file in pathlib.Path(installed).rglob("libtroupe.*")})
        environment = {**os.environ, "PKG_CONFIG_PATH": ":".join(folders),
                       "PKG_CONFIG_SYSROOT_DIR": place, "LD_LIBRARY_PATH": ":".join(libraries)}
        flags = run(["pkg-config", "--cflags", "--libs", "troupe"], env=environment).split()
        program = f"{place}/notebook"
        run([*compiler, "-Wall", "-Wextra", "-Werror", str(MAIN), *flags, "-o", program])
        if "--join" not in run([program, "--help"], env=environment):
            sys.exit("its --help does not tell of --join")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])
