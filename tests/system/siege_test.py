"""The real program under siege: a dead API, hostile clients, reload after reload. It answers those who look after it, comes back
to what it was, and ends in time whatever holds on to it.

What must not wait is asked for within WITHIN seconds: on an idle machine it takes milliseconds, on a busy one some seconds, and a
starved server takes as long as a probe may wait."""

import contextlib
import http.client
import os
import pathlib
import re
import select
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

from harness import Certificate, Gateway, Simulator, demo_config, eventually, free_port, guarded, own_metrics, parse_exposition, probe

WITHIN = 30  # a probe waits for 120
IMPATIENT = {"X-Prometheus-Scrape-Timeout-Seconds": "1"}
OPERATOR = {"user": "operator:operator-password"}
GET = "GET {} HTTP/1.1\r\nHost: h\r\n\r\n"


def connect(gateway, tls=False):
    raw = socket.create_connection(("127.0.0.1", gateway.port), 30)
    return gateway.context.wrap_socket(raw, server_hostname="127.0.0.1") if tls else raw


def ask(gateway, path):
    """A request whose answer nobody reads yet."""
    connection = connect(gateway)
    connection.sendall(GET.format(path).encode())
    return connection


class Case(unittest.TestCase):
    def at_once(self, gateway, path, **how):
        began = time.monotonic()
        answer = gateway.get(path, **how)
        self.assertEqual(answer.status, 200, f"{path}: {answer.text()}")
        self.assertLess(time.monotonic() - began, WITHIN, path)


class DeadUpstream(Case):
    """Probes of accounts whose API never answers take every waiting slot."""

    @contextlib.contextmanager
    def waiting(self, in_flight):
        with Simulator("--fault", "latency=1h") as api:
            demo = demo_config(api.api_url)
            demo["config"] = demo["config"].replace("[server]\n", f"[server]\nmax_requests_in_flight = {in_flight}\n")
            with Gateway(**demo) as gateway, contextlib.ExitStack() as connections:
                # One account may not take all the slots.
                probes = [connections.enter_context(ask(gateway, f"/probe?account={('acme', 'globex')[number % 2]}"))
                          for number in range(in_flight)]
                # Half of the probes may wait. The others get at once what is known.
                places = in_flight // 2
                eventually("every place taken", lambda: len(select.select(probes, [], [], 0)[0]) == in_flight - places)
                yield gateway

    def test_operators_get_answers_while_all_probe_slots_wait(self):
        with self.waiting(in_flight=8) as gateway:
            for path in ("/-/healthy", "/-/ready", "/", "/metrics", "/sd", "/config", "/probe?account=initech"):
                self.at_once(gateway, path)
            self.at_once(gateway, "/-/reload", method="POST")

    def test_a_refused_reload_leaves_the_limits_as_they_are(self):
        with self.waiting(in_flight=2) as gateway, socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            gateway.config_file.write_text(gateway.config_file.read_text().replace("in_flight = 2", "in_flight = 1").replace(
                '"127.0.0.1:0"', f'"127.0.0.1:{taken.getsockname()[1]}"'))
            self.assertEqual(gateway.get("/-/reload", method="POST").status, 500)
            self.at_once(gateway, "/sd")

    def test_in_single_account_mode_only_metrics_waits(self):
        with Simulator("--fault", "latency=1h") as api:
            environment = {"SQLBAK_API_TOKEN": "demo-token-acme", "SQLBAK_API_URL": api.api_url}
            with Gateway('[server]\nmax_requests_in_flight = 4\n[history]\nkind = "memory"\n',
                         "--web.listen-address=127.0.0.1:0", environment=environment) as gateway:
                with ask(gateway, "/metrics"), ask(gateway, "/metrics"):
                    eventually("a collection running", lambda: "\nsqlbak_collection_in_progress 1\n" in
                               gateway.get("/metrics", headers=IMPATIENT).text())
                    for path in ("/-/healthy", "/-/ready", "/"):
                        self.at_once(gateway, path)


class Siege(Case):
    """All kinds of hostile clients at once, over TLS, with access control. tests/http has them one by one."""

    def test_health_is_answered_and_resources_are_given_back(self):
        with Certificate() as certificate, Simulator() as api, guarded(api, certificate) as gateway:
            self.assertEqual(gateway.get("/probe?account=acme", **OPERATOR).status, 200)
            before = own_metrics(gateway, **OPERATOR)
            with contextlib.ExitStack() as attackers:
                keep = attackers.enter_context
                stop = threading.Event()
                attackers.callback(stop.set)
                guessers = [threading.Thread(target=self.guess, args=(gateway, number, stop)) for number in range(6)]
                for guesser in guessers:
                    guesser.start()
                    attackers.callback(guesser.join)
                    attackers.callback(stop.set)
                for _ in range(200):
                    keep(connect(gateway))  # silent before the handshake
                slow = [keep(connect(gateway, tls=True)) for _ in range(50)]
                for round_ in range(10):
                    for connection in slow:
                        connection.sendall(b"GET / HTTP/1.1\r\nX-" if round_ == 0 else b"a")
                    self.attack_briefly(gateway, round_)
                    self.at_once(gateway, "/-/healthy")
                    self.at_once(gateway, "/-/ready")
                    self.at_once(gateway, "/metrics", **OPERATOR)
            eventually("descriptors given back", lambda: own_metrics(gateway, **OPERATOR)["process_open_fds"] <= before["process_open_fds"] + 2)
            eventually("threads given back", lambda: own_metrics(gateway, **OPERATOR)["process_threads"] <= before["process_threads"] + 2)
            after = own_metrics(gateway, **OPERATOR)
            self.assertLess(after["process_resident_memory_bytes"], before["process_resident_memory_bytes"] + (48 << 20))
            self.at_once(gateway, "/probe?account=acme", **OPERATOR)

    @staticmethod
    def guess(gateway, number, stop):
        """Sends a password under a new name each time, so that each costs a bcrypt and no name is limited."""
        count = 0
        while not stop.is_set():
            count += 1
            with contextlib.suppress(OSError):
                gateway.get("/", user=f"guesser-{number}-{count}:guess")

    @staticmethod
    def attack_briefly(gateway, round_):
        for number in range(10):
            with contextlib.suppress(OSError), connect(gateway, tls=number % 2 == 0) as connection:
                connection.sendall([b"GET /" + b"x" * 100_000, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 10_000,
                                    os.urandom(1000), GET.format("/-/healthy").encode() * 200,
                                    b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999\r\n\r\nx"][(number + round_) % 5])
                # Closes with a reset.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Reloads(Case):
    def test_a_hundred_reloads_lose_no_probe_and_leak_nothing(self):
        with Simulator() as api:
            demo = demo_config(api.api_url)
            demo["config"] = demo["config"].replace('kind = "memory"', 'path = "history.db"').replace(
                "[defaults]\n", '[upstream]\nrequests_per_second = 0\n[defaults]\nrequests_per_second = 0\ncache_ttl = "1s"\n')
            with Gateway(**demo) as gateway:
                good = gateway.config_file.read_text()
                for account in ("acme", "globex", "initech"):
                    self.assertEqual(probe(gateway, account)["probe_success"], 1)
                self.storm(gateway, good, 10)  # warms up
                self.settle(gateway)
                before = own_metrics(gateway)
                probes = self.storm(gateway, good, 100)
                self.assertGreater(probes, 20)
                self.settle(gateway)
                after = own_metrics(gateway)
                self.assertLessEqual(after["process_open_fds"], before["process_open_fds"] + 4)
                self.assertLess(after["process_resident_memory_bytes"], before["process_resident_memory_bytes"] + (24 << 20))
                self.assertEqual(after["sqlbak_gateway_config_last_reload_successful"], 1)

    @staticmethod
    def settle(gateway):
        eventually("no more than the usual threads", lambda: own_metrics(gateway)["process_threads"] <= 8)

    def storm(self, gateway, good, reloads):
        """Reloads, each of which changes, removes or restores an account. Returns the number of probes meanwhile."""
        over, wrong, probes = threading.Event(), [], []

        def keep_probing(account):
            while not over.is_set():
                answer = gateway.get(f"/probe?account={account}")
                values = parse_exposition(answer.text()) if answer.status == 200 else {}
                probes.append(account)
                if values.get("probe_success") != 1:
                    wrong.append((answer.status, answer.text()[:500]))

        threads = [threading.Thread(target=keep_probing, args=(account,)) for account in ("acme", "globex", "acme")]
        for thread in threads:
            thread.start()
        try:
            for number in range(reloads):
                text = good.replace("[accounts.globex]\n", f'[accounts.globex]\nlookback = "{100 + number}h"\n')
                gateway.config_file.write_text(text.split("[accounts.initech]")[0] if number % 2 else text)
                self.at_once(gateway, "/-/reload", method="POST")
        finally:
            over.set()
            for thread in threads:
                thread.join()
        self.assertEqual(wrong, [])
        return len(probes)


class Memory(Case):
    """Without memory the program may end (its supervisor starts it again), but it neither hangs nor loses anything."""

    SPARE = (0, 1, 2, 4, 8, 16, 128)  # MiB

    def gateway(self, api, folder):
        config = (f'[server]\nlisten = ["127.0.0.1:0"]\n[history]\npath = "{folder}/history.db"\n'
                  f'[upstream]\nrequests_per_second = 0\n[defaults]\napi_url = "{api.api_url}"\nrequests_per_second = 0\n')
        names = [f"account-000{number}" for number in range(1, 5)]
        config += "".join(f'[accounts.{name}]\ntoken_file = "tokens/{name}"\n' for name in names)
        return Gateway(config, files={f"tokens/{name}": f"token-{name}\n" for name in names})

    def test_that_runs_out_costs_nothing_that_was_written_down(self):
        with tempfile.TemporaryDirectory() as folder:
            with Simulator("--size", "typical", "--accounts", "4") as api:
                with self.gateway(api, folder) as gateway:
                    first = probe(gateway, "account-0001")
                    self.assertEqual(first["probe_success"], 1)
                    self.assertEqual(gateway.stop()[0], 0)
                ends = {self.starve(api, folder, spare) for spare in self.SPARE}
                self.assertGreater(len(ends), 1, "the limits were all too tight, or all too wide")
            with Simulator("--fault", "status=500") as api, self.gateway(api, folder) as gateway:
                again = probe(gateway, "account-0001")
                self.assertGreaterEqual(again["sqlbak_last_check_timestamp"], first["sqlbak_last_check_timestamp"])
                self.assertEqual({name for name in first if name.startswith("sqlbak_job_backups_total")},
                                 {name for name in again if name.startswith("sqlbak_job_backups_total")})

    def starve(self, api, folder, spare):
        """Returns how the program ended, or that it did not, and whether every account was collected."""
        with self.gateway(api, folder) as gateway:
            used = int(re.search(r"VmSize:\s*(\d+) kB",
                                 pathlib.Path(f"/proc/{gateway.process.pid}/status").read_text()).group(1)) << 10
            limit = used + (spare << 20)
            subprocess.run(["prlimit", f"--pid={gateway.process.pid}", f"--as={limit}:{limit}"], check=True)
            collected = 0
            for number in range(1, 5):
                with contextlib.suppress(OSError, http.client.HTTPException, AssertionError):
                    collected += probe(gateway, f"account-000{number}")["probe_success"] == 1
            try:
                self.at_once(gateway, "/-/healthy")
            except (OSError, http.client.HTTPException):
                code = gateway.process.wait(60)
            else:
                code = gateway.stop()[0]
            self.assertIn(code, (0, -signal.SIGABRT), gateway.printed())
            return code, collected == 4


class Ends(Case):
    def ends(self, gateway):
        code, seconds = gateway.stop()
        self.assertEqual(code, 0, gateway.printed())
        self.assertLess(seconds, 5)

    def test_within_five_seconds_whatever_holds_on_to_it(self):
        with Simulator("--fault", "latency=1h") as api, Certificate() as certificate, guarded(api, certificate) as gateway:
            with contextlib.ExitStack() as connections:
                keep = connections.enter_context
                for _ in range(20):
                    keep(connect(gateway))  # never shakes hands
                    idle = keep(connect(gateway, tls=True))
                    idle.sendall(GET.format("/-/healthy").encode())
                    idle.recv(1 << 16)
                    keep(connect(gateway, tls=True)).sendall(b"GET / HTTP/1.1\r\nX-Half: ")
                    waiting = keep(connect(gateway, tls=True))
                    waiting.sendall(b"GET /probe?account=acme HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer scrape-token-of-acme\r\n\r\n")
                    deaf = keep(connect(gateway, tls=True))
                    deaf.sendall(GET.format("/-/healthy").encode() * 500)
                eventually("a collection running",
                           lambda: gateway.get("/accounts/acme.json", **OPERATOR).json()["collecting_now"])
                self.ends(gateway)

    def test_as_soon_as_it_has_begun(self):
        with Simulator() as api:
            for _ in range(5):
                with Gateway(**demo_config(api.api_url)) as gateway:
                    self.ends(gateway)

    def test_while_it_reads_everything_for_the_first_time(self):
        with Simulator("--size", "large", "--accounts", "3", "--fault", "latency=20ms") as api:
            config = (f'[server]\nlisten = ["127.0.0.1:0"]\n[history]\npath = "history.db"\n'
                      f'[defaults]\napi_url = "{api.api_url}"\n')
            names = [f"account-000{number}" for number in (1, 2, 3)]
            config += "".join(f'[accounts.{name}]\ntoken_file = "tokens/{name}"\n' for name in names)
            with Gateway(config, files={f"tokens/{name}": f"token-{name}\n" for name in names}) as gateway:
                for name in names:
                    gateway.get(f"/probe?account={name}", headers=IMPATIENT)
                self.ends(gateway)

    def test_while_it_reloads(self):
        with Simulator() as api, Gateway(**demo_config(api.api_url)) as gateway:
            over = threading.Event()

            def reload():
                while not over.is_set():
                    with contextlib.suppress(OSError):
                        gateway.get("/-/reload", method="POST")

            threads = [threading.Thread(target=reload) for _ in range(3)]
            for thread in threads:
                thread.start()
            eventually("reloads", lambda: gateway.printed().count("configuration reloaded") > 5)
            try:
                self.ends(gateway)
            finally:
                over.set()
                for thread in threads:
                    thread.join()

    def test_while_a_reload_hangs(self):
        with Simulator() as api, Certificate() as certificate, guarded(api, certificate) as gateway:
            certificate.hang()
            gateway.process.send_signal(signal.SIGHUP)
            gateway.wait_for_line("is not a regular file")  # and then it is opened
            self.assertEqual(gateway.get("/-/ready").status, 200)
            self.ends(gateway)

    def test_while_a_start_hangs(self):
        with Simulator() as api, Certificate() as certificate:
            gateway = guarded(api, certificate)
            certificate.hang()
            gateway.when_started = lambda: gateway.wait_for_line("is not a regular file")
            with gateway:
                self.ends(gateway)


class Listeners(Case):
    def test_follow_a_reload_under_open_connections(self):
        with Simulator() as api, Certificate() as certificate, Certificate() as renewed, guarded(api, certificate) as gateway:
            second = free_port()
            with connect(gateway, tls=True) as old:
                self.assertIn(b" 200 ", self.exchange(old))
                certificate.file.write_bytes(renewed.file.read_bytes())
                certificate.key.write_bytes(renewed.key.read_bytes())
                gateway.config_file.write_text(gateway.config_file.read_text().replace(
                    '"127.0.0.1:0"', f'"127.0.0.1:0", "127.0.0.1:{second}"'))
                self.assertEqual(gateway.get("/-/reload", method="POST", **OPERATOR).status, 200)
                self.assertIn(b" 200 ", self.exchange(old))
                gateway.context = renewed.context()
                self.at_once(gateway, "/-/healthy")
                gateway.url, first = f"https://127.0.0.1:{second}", gateway.url
                self.at_once(gateway, "/-/healthy")
                gateway.url = first
                gateway.config_file.write_text(gateway.config_file.read_text().replace(f', "127.0.0.1:{second}"', ""))
                self.assertEqual(gateway.get("/-/reload", method="POST", **OPERATOR).status, 200)
                with self.assertRaises(OSError):
                    socket.create_connection(("127.0.0.1", second), 5)
                self.assertIn(b" 200 ", self.exchange(old))

    def exchange(self, connection):
        connection.sendall(GET.format("/-/healthy").encode())
        answer = b""
        while not answer.endswith(b"healthy.\n"):
            answer += connection.recv(1 << 16) or self.fail(f"closed after {answer}")
        return answer


if __name__ == "__main__":
    unittest.main()
