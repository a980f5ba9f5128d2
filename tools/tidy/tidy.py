"""Checks what compilers and formatters do not: layers, wrapped libraries, banned words, sizes; that
every source is built, every component described, and every test that a README names there.

Run by `meson test tidy`. The rules are data, in layers.toml beside this file.
"""

import pathlib
import re
import sys
import tomllib

LINES_MAX = 500
FOLDERS = ("actors", "placement", "runtime", "sdk", "storage", "tools")
INCLUDE = re.compile(r'^\s*#include\s*[<"]([^>"]+)[>"]')
TEST = re.compile(r"^\s*(?:TEST|TEST_F|TEST_P|TYPED_TEST|TYPED_TEST_P)\(\s*(\w+),\s*(\w+)\s*\)", re.M)
NAMED_TEST = re.compile(r"`([A-Z]\w+)\.([A-Z]\w+)`")
CO_AWAIT_TEMPORARY = re.compile(r"co_await[^;]*[{\[]")
CO_AWAIT_CONDITION = re.compile(r"\b(if|while|switch)\s*\([^;]*co_await")


def within(path: str, place: str) -> bool:
    return path == place or path.startswith(place + "/") or path.startswith(place + ".")


class Rules:
    def __init__(self, rules: dict):
        self.level = {name: level for level, row in enumerate(rules["order"]) for name in row}
        self.libraries = rules["libraries"]
        self.banned = rules["banned"]
        self.undescribed = rules["undescribed"]["components"]

    def component(self, path: str) -> str | None:
        path = "sdk/include/" + path if path.startswith("troupe/") else path
        owners = [name for name in self.level if within(path, name)]
        return max(owners, key=len, default=None)

    def may_include(self, user: str, used: str) -> bool:
        return user == used or self.level[used] < self.level[user]


def check_file(path: str, text: str, rules: Rules):
    """Yields (line number, complaint)."""
    lines = text.splitlines()
    user = rules.component(path)
    if user is None:
        yield 1, "belongs to no component of layers.toml"
        return
    if len(lines) > LINES_MAX:
        yield LINES_MAX, f"has {len(lines)} lines, more than {LINES_MAX}: split it"
    for number, line in enumerate(lines, 1):
        if include := INCLUDE.match(line):
            header = include[1]
            used = rules.component(header)
            if used and not rules.may_include(user, used):
                yield number, f"{user} may not include {used}"
            for library, homes in rules.libraries.items():
                if header.startswith(library) and not any(within(path, home) for home in homes):
                    yield number, f"<{header}> is wrapped by {' and '.join(homes)}: use that"
            continue
        code = line.split("//")[0]
        for word, (home, instead) in rules.banned.items():
            if word in code and not (home and within(path, home)):
                yield number, f"{word} is banned here, use {instead}"
        if "TODO" in line:
            yield number, "finish it, or write it down in docs/"
        if not user.startswith("sdk"):  # only what users compile must suit g++ 12
            continue
        if CO_AWAIT_TEMPORARY.search(code):
            yield number, "g++ 12 destroys temporaries in co_await twice: name the value first"
        if CO_AWAIT_CONDITION.search(code):
            yield number, "g++ 12 miscompiles co_await in a condition: name the result first"


def unbuilt(root: pathlib.Path):
    """Yields the sources that nothing in their folder or above says to build; or, shared by tests,
    nothing in tests/."""
    says: dict[pathlib.Path, str] = {}
    for folder in (*FOLDERS, "tests"):
        for pattern in ("meson.build", "*.py"):
            for file in (root / folder).rglob(pattern):
                says[file.parent] = says.get(file.parent, "") + file.read_text()
    in_tests = "".join(text for folder, text in says.items() if (root / "tests") in (folder, *folder.parents))
    for folder in (*FOLDERS, "tests"):
        for file in sorted((root / folder).rglob("*.cpp")):
            place = in_tests if within(file.relative_to(root).as_posix(), "tests/support") else \
                "".join(says.get(parent, "") for parent in file.parents)
            # By its name, as one of a list of names, or with all of its folder.
            names = [file.name, re.sub("_(fuzz|bench)$", "", file.stem)]
            if not (file.parent / "meson.build").exists():
                names.append(file.parent.name)
            if not re.search("|".join(rf"\b{re.escape(name)}['\"]" for name in names), place):
                yield file, "is named in no meson.build: nobody compiles it"


def ill_described(root: pathlib.Path, rules: Rules):
    """Yields components without a README, and READMEs that name tests which are not there."""
    for component in rules.level:
        folder = root / component
        if (folder / "meson.build").exists() and not (folder / "README.md").exists():
            if component not in rules.undescribed:
                yield folder / "README.md", "is missing: say what the component is for"
    tests = {test for file in (root / "tests").rglob("*.cpp") for test in TEST.findall(file.read_text())}
    for folder in (*FOLDERS, "tests"):
        for file in sorted((root / folder).rglob("README.md")):
            for suite, name in NAMED_TEST.findall(file.read_text()):
                if (suite, name) not in tests:
                    yield file, f"names a test that is not there: {suite}.{name}"


def main(root: pathlib.Path) -> int:
    rules = Rules(tomllib.loads((root / "tools/tidy/layers.toml").read_text()))
    untidy = 0
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            if file.suffix not in (".h", ".cpp"):
                continue
            path = file.relative_to(root).as_posix()
            for line, complaint in check_file(path, file.read_text(), rules):
                print(f"{path}:{line}: {complaint}")
                untidy += 1
    for file, complaint in (*unbuilt(root), *ill_described(root, rules)):
        print(f"{file.relative_to(root).as_posix()}: {complaint}")
        untidy += 1
    return 1 if untidy else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
