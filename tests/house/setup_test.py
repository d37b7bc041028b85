"""scripts/setup with an apt-get, dpkg-query and sleep of its own: what it does while another program holds apt's locks."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SETUP = pathlib.Path(sys.argv.pop()) / "scripts/setup"
LOCKED = {
    "update": "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt-get)\nE: Unable to lock directory /var/lib/apt/lists/",
    "install": "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 8 (unattended-upgr)\n"
               "E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?",
}


class Apt(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(subprocess.run, ["rm", "-r", self.folder], check=True)
        self.program("dpkg-query", "echo not-installed")
        for name in ("sleep", "install"):  # as root or not, nothing of this machine is changed
            self.program(name, 'echo "$0 $*" >>"$0.calls"')
        self.program("sudo", '"$@"')

    def program(self, name, body):
        path = self.folder / name
        path.write_text(f"#!/bin/bash\n{body}\n")
        path.chmod(0o755)

    def set_up(self, **messages):
        """Runs scripts/setup where apt-get fails with each of these messages once, and then succeeds."""
        for command, message in messages.items():
            (self.folder / f"{command}.fails").write_text(message + "\n")
        self.program("apt-get", f"""command=$2; echo "$command" >>{self.folder}/apt.calls
fails={self.folder}/$command.fails
if [[ -e $fails ]]; then cat "$fails" >&2; rm "$fails"; exit 100; fi""")
        ran = subprocess.run([SETUP], env={**os.environ, "PATH": f"{self.folder}:{os.environ['PATH']}"}, capture_output=True,
                             text=True, check=False)
        return ran, (self.folder / "apt.calls").read_text().split()

    def test_waits_for_each_lock_and_says_so(self):
        ran, calls = self.set_up(**LOCKED)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertEqual(calls, ["update", "update", "install", "install"])
        self.assertIn("setup: waiting for the lock /var/lib/apt/lists/lock. It is held by process 7 (apt-get)\n", ran.stdout)
        self.assertIn("setup: waiting for the lock /var/lib/dpkg/lock-frontend. It is held by process 8 (unattended-upgr)\n", ran.stdout)
        self.assertTrue((self.folder / "sleep.calls").exists())

    def test_other_failures_end_it_at_once(self):
        ran, calls = self.set_up(update="E: The repository has no Release file.")
        self.assertEqual(ran.returncode, 1)
        self.assertEqual(calls, ["update"])
        self.assertIn("no Release file", ran.stderr)
        self.assertIn("setup: apt-get update failed", ran.stderr)


if __name__ == "__main__":
    unittest.main()
