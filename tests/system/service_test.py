"""What the program tells systemd (Type=notify), received as systemd would."""

import contextlib
import pathlib
import signal
import socket
import tempfile
import unittest

from harness import PATIENCE, Certificate, Gateway, Simulator, demo_config, guarded, run


class NotifySocket:
    """Receives notifications; each is a dictionary."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = str(pathlib.Path(self.folder.name) / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(PATIENCE)
        return self

    def next(self, *, alive=False):
        """The next notification; those of the watchdog only when `alive`."""
        while True:
            told = dict(line.split("=", 1) for line in self.socket.recv(4096).decode().splitlines())
            if ("WATCHDOG" in told) == alive:
                return told

    def __exit__(self, *_):
        self.socket.close()
        self.folder.cleanup()


class Service(unittest.TestCase):
    @contextlib.contextmanager
    def service(self, **environment):
        with Simulator() as api, NotifySocket() as systemd:
            with Gateway(**demo_config(api.api_url), environment={"NOTIFY_SOCKET": systemd.path, **environment}) as gateway:
                yield systemd, gateway

    def test_reports_ready_and_stopping(self):
        with self.service() as (systemd, gateway):
            self.assertEqual(systemd.next(), {"READY": "1", "STATUS": "Serving"})
            self.assertEqual(gateway.get("/-/ready").status, 200)
            self.assertEqual(gateway.stop()[0], 0)
            self.assertEqual(systemd.next()["STOPPING"], "1")

    def test_says_when_a_reload_begins_and_how_it_ended(self):
        with self.service() as (systemd, gateway):
            ready = systemd.next()
            self.assertEqual(ready["READY"], "1")
            good = gateway.config_file.read_text()
            for text, status in ((good, "Serving"), ("[defaults\n", "Serving; the last reload was refused, the log says why")):
                gateway.config_file.write_text(text)
                gateway.process.send_signal(signal.SIGHUP)
                reloading = systemd.next()
                self.assertEqual(reloading["RELOADING"], "1")
                self.assertGreater(int(reloading["MONOTONIC_USEC"]), 0)
                self.assertEqual(systemd.next(), {"READY": "1", "STATUS": status})

    def test_feeds_the_watchdog(self):
        with self.service(WATCHDOG_USEC="600000") as (systemd, _):
            for _ in range(3):
                self.assertEqual(systemd.next(alive=True), {"WATCHDOG": "1"})

    def test_says_that_it_is_alive_while_a_reload_hangs(self):
        with Simulator() as api, Certificate() as certificate, NotifySocket() as systemd:
            gateway = guarded(api, certificate)
            gateway.environment.update(NOTIFY_SOCKET=systemd.path, WATCHDOG_USEC="600000")
            with gateway:
                self.assertEqual(systemd.next()["READY"], "1")
                certificate.hang()
                gateway.process.send_signal(signal.SIGHUP)
                self.assertEqual(systemd.next()["RELOADING"], "1")
                for _ in range(3):
                    self.assertEqual(systemd.next(alive=True), {"WATCHDOG": "1"})
                self.assertEqual(gateway.stop()[0], 0)

    def test_a_start_that_fails_is_never_ready(self):
        with NotifySocket() as systemd:
            self.assertEqual(run(config="[defaults\n", environment={"NOTIFY_SOCKET": systemd.path}).returncode, 1)
            systemd.socket.setblocking(False)
            with self.assertRaises(BlockingIOError):
                systemd.next()


if __name__ == "__main__":
    unittest.main()
