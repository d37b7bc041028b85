"""The program with a name server that hangs and with disks that are read-only or full, in namespaces of this process."""

import ctypes
import fcntl
import os
import pathlib
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

from harness import Gateway, Simulator, demo_config, eventually, own_metrics, probe

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x20000, 0x10000000, 0x40000000
WITHIN = 30  # seconds: a busy machine takes some, an answer that waits for the name server 150
PATIENT = {"headers": {"X-Prometheus-Scrape-Timeout-Seconds": "60"}}


def mount(*arguments):
    subprocess.run(["mount", *map(str, arguments)], check=True)


def setUpModule():
    """Gives this process its own mount table and loopback. Nothing here is visible outside or outlives the test."""
    user, group = os.getuid(), os.getgid()
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS | CLONE_NEWNET | (CLONE_NEWUSER if user else 0)) != 0:
        raise unittest.SkipTest("this system gives no namespaces: " + os.strerror(ctypes.get_errno()))
    if user:
        for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
            pathlib.Path(f"/proc/self/{name}").write_text(text)
    mount("--make-rprivate", "/")
    with socket.socket() as any_socket:
        up = struct.pack("16sH14x", b"lo", 1)  # struct ifreq with IFF_UP
        fcntl.ioctl(any_socket, 0x8914, up)  # SIOCSIFFLAGS


class NamesThatHang(unittest.TestCase):
    """A name server that takes every question and answers none."""

    ACCOUNTS = 20

    def setUp(self):
        self.server = self.enterContext(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.server.bind(("127.0.0.1", 53))
        resolver = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "resolv.conf"
        resolver.write_text("nameserver 127.0.0.1\noptions timeout:30 attempts:5\n")
        mount("--bind", resolver, "/etc/resolv.conf")
        self.addCleanup(subprocess.run, ["umount", "/etc/resolv.conf"], check=True)

    def test_cost_only_their_own_accounts_a_timeout(self):
        lost = [f"lost-{number}" for number in range(self.ACCOUNTS)]
        with Simulator() as api:
            demo = demo_config(api.api_url, "".join(
                f'[accounts.{name}]\ntoken_file = "tokens/acme"\nrequest_timeout = "1s"\n'
                f'api_url = "https://{name}.example/public-api/v1"\n' for name in lost))
            demo["config"] = demo["config"].replace(
                "[defaults]\n", "[upstream]\nrequests_per_second = 0\n[defaults]\nrequests_per_second = 0\n")
            with Gateway(**demo) as gateway:
                wrong = []

                def ask(name):
                    series = probe(gateway, name, **PATIENT)
                    if series["probe_success"] != 0 or series['sqlbak_collection_failure{reason="timeout"}'] != 1:
                        wrong.append((name, series))

                asking = [threading.Thread(target=ask, args=(name,)) for name in lost]
                for thread in asking:
                    thread.start()
                eventually("names being asked for", lambda: b"example" in self.server.recv(512))
                for account in ("acme", "globex", "initech"):
                    began = time.monotonic()
                    self.assertEqual(probe(gateway, account, **PATIENT)["probe_success"], 1)
                    self.assertLess(time.monotonic() - began, WITHIN)
                for thread in asking:
                    thread.join()
                self.assertEqual(wrong, [])
                code, seconds = gateway.stop()
                self.assertEqual(code, 0, gateway.printed())
                self.assertLess(seconds, 5)


class Disks(unittest.TestCase):
    """The history on a file system of its own."""

    def setUp(self):
        self.disk = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        mount("-t", "tmpfs", "-o", "size=16m", "tmpfs", self.disk)
        self.addCleanup(subprocess.run, ["umount", self.disk], check=True)
        self.api = self.enterContext(Simulator())

    def gateway(self, extra=""):
        demo = demo_config(self.api.api_url, extra)
        demo["config"] = demo["config"].replace('kind = "memory"', f'path = "{self.disk}/history.db"').replace(
            "[defaults]\n", '[defaults]\ncache_ttl = "1s"\n')
        return Gateway(**demo)

    def test_that_are_read_only_make_it_work_from_memory(self):
        mount("-o", "remount,ro", self.disk)
        with self.gateway() as gateway:
            self.assertEqual(probe(gateway, **PATIENT)["probe_success"], 1)
            self.assertEqual(own_metrics(gateway)['sqlbak_gateway_history_info{kind="memory"}'], 1)
            self.assertRegex(gateway.printed(), "level=(warn|error).*history cannot be used")
            self.assertEqual(gateway.stop()[0], 0)

    def test_that_were_full_are_written_to_again(self):
        filler = self.disk / "filler"
        with self.gateway() as gateway:
            self.assertEqual(probe(gateway, **PATIENT)["probe_success"], 1)
            with open(filler, "wb", buffering=0) as out, self.assertRaisesRegex(OSError, "No space left"):
                while True:
                    out.write(bytes(4096))
            self.assertEqual(probe(gateway, "globex", **PATIENT)["probe_success"], 1)
            eventually("the errors being counted", lambda: own_metrics(gateway)["sqlbak_gateway_history_errors_total"] > 0)
            filler.unlink()
            self.assertEqual(probe(gateway, "initech", **PATIENT)["probe_success"], 1)
        with Simulator("--fault", "status=500") as self.api, self.gateway() as again:
            for account in ("acme", "globex", "initech"):
                series = probe(again, account, **PATIENT)
                self.assertEqual(series["probe_success"], 0, account)
                self.assertIn('sqlbak_collection_failure{reason="upstream_error"}', series)
                self.assertGreater(series["sqlbak_last_check_timestamp"], 0, account)


if __name__ == "__main__":
    unittest.main()
