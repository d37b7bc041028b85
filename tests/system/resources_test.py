"""The program without descriptors, with names that do not resolve, broken connections, full disks, and signals at any moment."""

import contextlib
import os
import pathlib
import random
import re
import signal
import socket
import threading
import time
import unittest

from harness import Gateway, Simulator, clean_environment, demo_config, eventually, own_metrics, probe

INSTANTS = int(os.environ.get("INSTANTS", "50"))
GENERATOR = random.Random(13)


def limited(gateway, *limits):
    """The same gateway, under limits as prlimit writes them. A coverage build's counters, which they would cut off and so spoil
    for all tests, go to the gateway's own folder."""
    gateway.command = ["prlimit", *limits, "env", f"GCOV_PREFIX={gateway.folder}", *gateway.command]
    return gateway


def failure(series):
    return [name for name, value in series.items() if name.startswith("sqlbak_collection_failure") and value == 1]


class Descriptors(unittest.TestCase):
    def test_taken_by_clients_do_not_lock_operators_out(self):
        with Simulator() as api, limited(Gateway(**demo_config(api.api_url)), "--nofile=256:256") as gateway:
            self.assertEqual(probe(gateway)["probe_success"], 1)
            with contextlib.ExitStack() as idle:
                for _ in range(400):
                    idle.enter_context(socket.create_connection(("127.0.0.1", gateway.port), timeout=10))
                # The gateway evicts the connections that have been quiet for longest.
                eventually("the health endpoint answering", lambda: gateway.get("/-/healthy").status == 200)
                self.assertEqual(probe(gateway, "globex")["probe_success"], 1)
            self.assertEqual(probe(gateway, "initech")["probe_success"], 1)
            self.assertEqual(gateway.stop()[0], 0)


def arenas(gateway):
    """The arenas that glibc's malloc has beside the main one. Each holds an aligned range of 64 MiB, writable as far as it is used."""
    size = 64 << 20
    regions = [re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line).groups()
               for line in pathlib.Path(f"/proc/{gateway.process.pid}/maps").read_text(encoding="utf-8").splitlines()]
    writable = {int(begin, 16): int(end, 16) for begin, end, rights in regions if rights == "rw-p"}
    reserved = {int(begin, 16): int(end, 16) for begin, end, rights in regions if rights == "---p"}
    return sum(begin % size == 0 and reserved.get(end) == begin + size for begin, end in writable.items())


class Arenas(unittest.TestCase):
    def test_of_memory_are_few_however_many_threads_there_are(self):
        with Simulator("--fault", "latency=1h") as api, Gateway(**demo_config(api.api_url)) as gateway, \
                contextlib.ExitStack() as waiting:
            for account in ("acme", "globex") * 16:
                connection = waiting.enter_context(socket.create_connection(("127.0.0.1", gateway.port), timeout=10))
                connection.sendall(f"GET /probe?account={account} HTTP/1.1\r\nHost: gateway\r\n\r\n".encode())
            process = pathlib.Path(f"/proc/{gateway.process.pid}/task")
            eventually("a thread for each probe", lambda: len(list(process.iterdir())) > 32)
            self.assertLess(arenas(gateway), 4)  # none with a sanitizer, which has its own allocator


class Names(unittest.TestCase):
    def test_an_unresolvable_name_fails_its_own_account_only(self):
        with Simulator() as api:
            demo = demo_config(api.api_url, '[accounts.lost]\ntoken_file = "tokens/acme"\n'
                                            'api_url = "https://no-such-host.invalid/public-api/v1"\n')
            with Gateway(**demo) as gateway:
                lost = probe(gateway, "lost")
                self.assertEqual(lost["probe_success"], 0)
                self.assertEqual(failure(lost), ['sqlbak_collection_failure{reason="connection"}'])
                self.assertEqual(probe(gateway)["probe_success"], 1)


class Listener:
    """A server that does one thing to each connection, on a free port of loopback."""

    def __init__(self, serve):
        self.serve = serve

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def _accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection):
        with connection, contextlib.suppress(OSError):
            connection.settimeout(30)
            self.serve(connection)

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def ends_in_the_handshake(connection):
    connection.recv(4096)
    connection.sendall(b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03")  # the beginning of a ServerHello, and no more


def speaks_no_tls(connection):
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


def ends_in_the_answer(connection):
    connection.recv(4096)
    connection.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"data":')


class BrokenConnections(unittest.TestCase):
    def outcome(self, serve, scheme):
        with Simulator() as api, Listener(serve) as broken:
            url = f"{scheme}://127.0.0.1:{broken.port}/public-api/v1"
            demo = demo_config(api.api_url, f'[accounts.broken]\ntoken_file = "tokens/acme"\napi_url = "{url}"\n')
            with Gateway(**demo) as gateway:
                series = probe(gateway, "broken")
                self.assertEqual(series["probe_success"], 0)
                self.assertEqual(probe(gateway)["probe_success"], 1)
                self.assertLess(broken.connections, 20)
                for secret in demo["files"].values():
                    self.assertNotIn(secret.strip(), gateway.printed())
                return failure(series)

    def test_tls_that_fails_midway(self):
        self.assertEqual(self.outcome(ends_in_the_handshake, "https"), ['sqlbak_collection_failure{reason="connection"}'])

    def test_a_server_that_speaks_no_tls(self):
        self.assertEqual(self.outcome(speaks_no_tls, "https"), ['sqlbak_collection_failure{reason="connection"}'])

    def test_an_upstream_that_closes_in_the_middle_of_an_answer(self):
        self.assertEqual(self.outcome(ends_in_the_answer, "http"), ['sqlbak_collection_failure{reason="bad_response"}'])


class SignalsAtAnyPoint(unittest.TestCase):
    """While it starts, collects, answers, reloads: SIGHUP never ends it, and SIGTERM always does, cleanly and soon."""

    def test_sigterm(self):
        with Simulator("--fault", "latency=5ms,jitter=50ms") as api:
            for instant in range(INSTANTS):
                with self.subTest(instant=instant), Gateway(**demo_config(api.api_url)) as gateway:
                    pause = GENERATOR.random() * 0.2
                    clients = [threading.Thread(target=self.ask, args=(gateway, account), daemon=True)
                               for account in ("acme", "globex", "initech")]
                    for client in clients:
                        client.start()
                    time.sleep(pause)
                    if instant % 3 == 0:
                        gateway.process.send_signal(signal.SIGHUP)
                    code, seconds = gateway.stop()
                    self.assertEqual(code, 0, gateway.printed())
                    self.assertLess(seconds, 5)
                    for client in clients:
                        client.join(10)

    def test_sighup_in_a_burst(self):
        with Simulator("--fault", "latency=5ms") as api, Gateway(**demo_config(api.api_url)) as gateway:
            for _ in range(INSTANTS):
                gateway.process.send_signal(signal.SIGHUP)
                time.sleep(GENERATOR.random() * 0.01)
            self.assertEqual(probe(gateway)["probe_success"], 1)
            self.assertEqual(gateway.stop()[0], 0)

    def test_while_it_starts(self):
        def takes_signals(process):
            """Whether some thread blocks SIGTERM, other than the one that waits for it."""
            blocked = [re.search(r"SigBlk:\s*(\w+)", status.read_text()).group(1)
                       for status in pathlib.Path(f"/proc/{process.pid}/task").glob("*/status")]
            return any(int(mask, 16) & 1 << (signal.SIGTERM - 1) for mask in blocked)

        for instant in range(INSTANTS // 5):
            gateway = Gateway('[server]\nlisten = ["127.0.0.1:0"]\n[history]\nkind = "memory"\n')
            gateway.when_started = lambda: eventually("signals being waited for", lambda: takes_signals(gateway.process))
            with self.subTest(instant=instant), gateway:
                gateway.process.send_signal(signal.SIGHUP)
                code, seconds = gateway.stop()
                self.assertEqual(code, 0, gateway.printed())
                self.assertLess(seconds, 5)

    @staticmethod
    def ask(gateway, account):
        with contextlib.suppress(OSError):
            gateway.get(f"/probe?account={account}")


class HistoryThatCannotBeWritten(unittest.TestCase):
    """The gateway warns, sets a metric, and works from memory."""

    def test_a_folder_that_is_not_there(self):
        self.check_memory("/proc/no/such/folder/history.db")

    def test_a_file_that_is_no_database(self):
        self.check_memory(None)

    def check_memory(self, path):
        with Simulator() as api:
            demo = demo_config(api.api_url)
            if path is None:
                demo["files"]["history.db"] = "this is a letter to my aunt\n" * 100
                path = "history.db"
            demo["config"] = demo["config"].replace('kind = "memory"', f'path = "{path}"')
            with Gateway(**demo) as gateway:
                self.assertEqual(probe(gateway)["probe_success"], 1)
                metrics = own_metrics(gateway)
                self.assertTrue(any(name.startswith("sqlbak_gateway_history_info") for name in metrics))
                self.assertRegex(gateway.printed(), "level=(warn|error)")
                self.assertEqual(gateway.stop()[0], 0)

    def test_a_limit_on_the_size_of_files(self):
        """It is to every write what a full disk is."""
        with Simulator() as api:
            demo = demo_config(api.api_url)
            demo["config"] = demo["config"].replace('kind = "memory"', 'path = "history.db"')
            with limited(Gateway(**demo), "--fsize=40960:40960") as gateway:
                for account in ("acme", "globex", "initech"):
                    self.assertEqual(probe(gateway, account)["probe_success"], 1)
                eventually("the errors being counted", lambda: own_metrics(gateway)["sqlbak_gateway_history_errors_total"] > 0)
                self.assertEqual(probe(gateway)["probe_success"], 1)
                self.assertEqual(gateway.stop()[0], 0)


if __name__ == "__main__":
    unittest.main()
