"""Says to Ninja how lint.sh looks at each source, so that it looks again only at what has changed.

lint.py DIRECTORY COMMAND [FILE ...]

Writes DIRECTORY/lint.ninja: a mark for each source of `build`, made by COMMAND, older than neither
the source, nor what it includes, nor its .clang-tidy. Prints the marks to be made for FILEs, or for all
sources if none are named. Runs in the root of the project, after a build.
"""

import json
import os
import pathlib
import subprocess
import sys

BUILD = "build"
OURS = "../"  # seen from there; of libraries the paths are absolute


def dependencies(listing: str) -> dict[str, set[str]]:
    """What of ours each object was made of, as `ninja -t deps` tells it, by paths from the root."""
    found: dict[str, set[str]] = {}
    inputs: set[str] = set()
    for line in listing.splitlines():
        if line.startswith("    " + OURS) and not line.startswith("    " + 2 * OURS):
            inputs.add(line.strip().removeprefix(OURS))
        elif ": #deps" in line:
            inputs = found.setdefault(line.split(":")[0], set())
    return found


def units(database: list[dict], listing: str) -> dict[str, list[str]]:
    """For each source of ours what of ours it includes, by paths from the root."""
    included = dependencies(listing)
    found: dict[str, list[str]] = {}
    for entry in database:
        file, output = entry["file"], entry["output"]
        if file.startswith(OURS) and file.endswith(".cpp"):
            source = file.removeprefix(OURS)
            found[source] = sorted(included.get(output, set()) - {source})
    return found


def looked_at(file: str, sources: dict[str, list[str]]) -> str | None:
    """The source in which a file is looked at: a header's own, or else one that includes it."""
    if file in sources:
        return file
    users = [source for source in sorted(sources) if file in sources[source]]
    own = os.path.splitext(file)[0] + ".cpp"
    return own if own in users else next(iter(users), None)


def rules(source: str) -> list[str]:
    """Where clang-tidy reads how to look at it."""
    places = [folder / ".clang-tidy" for folder in pathlib.PurePath(source).parents]
    return [str(place) for place in places if os.path.exists(place)]


def ninja_file(directory: str, command: str, sources: dict[str, list[str]]) -> str:
    # The compiler counts what it leaves out of libraries' headers, which nobody wants to know.
    lines = [f"builddir = {directory}", "rule look",
             f"  command = {command} $in 2>$out.log && touch $out"
             " || { grep -v ' generated[.]$$' $out.log; false; }",
             "  description = $in"]
    for source, included in sorted(sources.items()):
        lines.append(f"build {directory}/{source}.clean: look {source} | "
                     + " ".join([*rules(source), *included]))
    return "\n".join(lines) + "\n"


def main(directory: str, command: str, files: list[str]) -> int:
    database = json.loads(pathlib.Path(BUILD, "compile_commands.json").read_text())
    listing = subprocess.run(["ninja", "-C", BUILD, "-t", "deps"], check=True, capture_output=True,
                             text=True).stdout
    sources = units(database, listing)
    pathlib.Path(directory).mkdir(parents=True, exist_ok=True)
    pathlib.Path(directory, "lint.ninja").write_text(ninja_file(directory, command, sources))
    wanted = {looked_at(os.path.relpath(file), sources) for file in files or sources}
    print("\n".join(f"{directory}/{source}.clean" for source in sorted(wanted - {None})))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
