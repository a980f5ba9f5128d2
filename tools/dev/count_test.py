"""What count.py makes of logs that are not as good as they look."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from count import count  # noqa: E402


def ran(result: str, stdout: str, name: str = "suite") -> dict:
    return {"name": name, "result": result, "stdout": stdout}


class Count(unittest.TestCase):
    def test_each_case_counts_once(self):
        stdout = ("[ RUN      ] A.One\n[       OK ] A.One (0 ms)\n[ RUN      ] A.Two/0\n[  FAILED  ] A.Two/0, where\n"
                  "[ RUN      ] A.Three\n[  SKIPPED ] A.Three (0 ms)\n[  FAILED  ] 1 test, listed below:\n[  FAILED  ] A.Two/0\n")
        self.assertEqual(count([ran("FAIL", stdout)]), (1, 1, 1, ["suite: A.Two/0"]))

    def test_a_crash_is_the_failure_of_the_case_that_ran(self):
        stdout = "[ RUN      ] A.One\n[       OK ] A.One (0 ms)\n[ RUN      ] A.Two\n"
        self.assertEqual(count([ran("FAIL", stdout)]), (1, 1, 0, ["suite: A.Two"]))

    def test_a_bad_end_after_good_cases_is_a_failure(self):
        stdout = "[ RUN      ] A.One\n[       OK ] A.One (0 ms)\n"
        self.assertEqual(count([ran("FAIL", stdout)]), (1, 1, 0, ["suite: FAIL"]))
        self.assertEqual(count([ran("TIMEOUT", "")]), (0, 1, 0, ["suite: TIMEOUT"]))

    def test_a_program_without_cases_is_one(self):
        self.assertEqual(count([ran("OK", ""), ran("SKIP", "")]), (1, 0, 1, []))


if __name__ == "__main__":
    unittest.main()
