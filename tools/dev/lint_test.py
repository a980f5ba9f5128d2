"""What lint.py has looked at again, and in which source."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from lint import looked_at, ninja_file, rules, units  # noqa: E402

DATABASE = [{"file": "../a/ring.cpp", "output": "a/ring.cpp.o"},
            {"file": "../a/user.cpp", "output": "a/user.cpp.o"},
            {"file": "a/made.pb.cc", "output": "a/made.pb.cc.o"}]
LISTING = """a/ring.cpp.o: #deps 4, deps mtime 1 (VALID)
    ../a/ring.cpp
    ../a/ring.h
    /usr/include/vector
    a/made.pb.h

a/user.cpp.o: #deps 3, deps mtime 1 (STALE)
    ../a/user.cpp
    ../a/ring.h
    ../../elsewhere/a/ring.h
    ../a/only_header.h
"""


class Lint(unittest.TestCase):
    def setUp(self):
        self.sources = units(DATABASE, LISTING)

    def test_a_source_depends_on_what_of_ours_it_includes(self):
        self.assertEqual(self.sources, {"a/ring.cpp": ["a/ring.h"],
                                        "a/user.cpp": ["a/only_header.h", "a/ring.h"]})

    def test_a_source_that_was_not_built_depends_on_itself(self):
        self.assertEqual(units(DATABASE, ""), {"a/ring.cpp": [], "a/user.cpp": []})

    def test_a_header_is_looked_at_in_the_source_of_its_name(self):
        self.assertEqual(looked_at("a/ring.h", self.sources), "a/ring.cpp")

    def test_a_header_without_a_source_is_looked_at_where_it_is_included(self):
        self.assertEqual(looked_at("a/only_header.h", self.sources), "a/user.cpp")

    def test_what_is_not_built_is_not_looked_at(self):
        self.assertIsNone(looked_at("a/unused.h", self.sources))
        self.assertIsNone(looked_at("a/unused.cpp", self.sources))

    def test_a_mark_is_older_than_nothing_it_stands_for(self):
        older = " ".join([*rules("a/ring.cpp"), "a/ring.h"])
        self.assertIn(f"build lint/a/ring.cpp.clean: look a/ring.cpp | {older}\n",
                      ninja_file("lint", "tidy", self.sources))


if __name__ == "__main__":
    unittest.main()
