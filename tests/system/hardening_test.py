"""What the compiler and the linker can do against exploits is in the program that is shipped."""

import os
import pathlib
import re
import subprocess
import unittest

PROGRAM = pathlib.Path(os.environ["SQLBAK_GATEWAY_BIN"]) / "sqlbak-gateway"


def readelf(*options):
    return subprocess.run(["readelf", "--wide", *options, PROGRAM], capture_output=True, text=True, check=True,
                          env={**os.environ, "LC_ALL": "C"}).stdout


class Hardening(unittest.TestCase):
    def test_it_can_be_loaded_anywhere(self):
        self.assertRegex(readelf("--file-header"), r"Type:\s+DYN")
        self.assertRegex(readelf("--dynamic"), r"FLAGS_1.*\bPIE\b")

    def test_relocations_are_read_only_and_bound_at_the_start(self):
        self.assertIn("GNU_RELRO", readelf("--program-headers"))
        self.assertRegex(readelf("--dynamic"), r"(BIND_NOW|FLAGS_1.*\bNOW\b)")

    def test_nothing_is_both_writable_and_executable(self):
        headers = readelf("--program-headers")
        stack = re.search(r"GNU_STACK\s.*", headers).group(0)
        self.assertRegex(stack, r" RW +0x")
        self.assertNotRegex(headers, r"LOAD\s.* RWE ")

    def test_stacks_are_protected_and_the_library_checks_sizes(self):
        symbols = readelf("--dyn-syms")
        self.assertIn("__stack_chk_fail", symbols)
        self.assertRegex(symbols, r"__\w+_chk@")
        self.assertIn("__glibcxx_assert_fail", symbols)

    def test_it_carries_no_search_path_for_libraries(self):
        self.assertNotRegex(readelf("--dynamic"), r"\((RPATH|RUNPATH)\)")


if __name__ == "__main__":
    unittest.main()
