"""A real soak: sqlbak-gateway and sqlbak-simulator as programs, two clients that scrape every account over
connections that stay, and trouble that comes and goes. Every answer must be 200 and parse; memory, descriptors,
threads and history must not grow.

    soak = RealSoak(minutes=4, accounts=500, size="small")
    soak.run()      # soak.wrong lists what was wrong; soak.samples is what was measured
"""

import contextlib
import http.client
import json
import pathlib
import queue
import random
import signal
import sys
import tempfile
import threading
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))
from harness import Gateway, Simulator, eventually, parse_exposition  # noqa: E402  pylint: disable=wrong-import-position

from report import growth  # noqa: E402  pylint: disable=wrong-import-position

SCRAPE_EVERY = 30  # seconds
WORKERS = 12  # connections of each client
CONCURRENT = 64  # requests at a time, which is the gateway's default
FAULTS = ("status=500", "status=503,retry_after=5s", "endpoint=jobruns,status=429,retry_after=10s,every=3",
          "latency=20s", "latency=300ms,jitter=1s", "close=before", "endpoint=jobs,body=truncated",
          "endpoint=servers,body=malformed", "endpoint=jobrun_details,status=500", "endpoint=settings,body=html",
          "status=401", "rate=2,burst=5", "drip_body=5ms", "endpoint=jobruns,reset=body,probability=0.3")


class Client:
    """A client like Prometheus: finds its targets with /sd and scrapes each once an interval, spread over it."""

    def __init__(self, gateway, phase, wrong):
        self.address = urllib.parse.urlsplit(gateway.url).netloc
        self.phase = phase
        self.wrong = wrong
        self.due = queue.Queue()
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.answers = 0
        self.bytes = 0
        self.failing = {}  # account: probe_success of its latest answer
        self.seconds = []
        self.threads = [threading.Thread(target=self.plan), *(threading.Thread(target=self.work) for _ in range(WORKERS))]
        for thread in self.threads:
            thread.start()

    def end(self):
        self.stop.set()
        for _ in range(WORKERS):
            self.due.put(None)
        for thread in self.threads:
            thread.join()

    def plan(self):
        with contextlib.closing(http.client.HTTPConnection(self.address, timeout=30)) as connection:
            next_round = time.monotonic() + self.phase
            while not self.stop.wait(max(0, next_round - time.monotonic())):
                try:
                    connection.request("GET", "/sd")
                    accounts = [group["labels"]["account"] for group in
                                json.loads(connection.getresponse().read())]
                except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
                    self.wrong.append(f"/sd: {error!r}")
                    connection.close()
                    next_round += 1
                    continue
                for index, account in enumerate(accounts):
                    if self.stop.wait(max(0, next_round + index * SCRAPE_EVERY / len(accounts) - time.monotonic())):
                        return
                    self.due.put(account)
                next_round += SCRAPE_EVERY

    def work(self):
        connection = http.client.HTTPConnection(self.address, timeout=30)
        while (account := self.due.get()) is not None:
            began = time.monotonic()
            try:
                connection.request("GET", "/probe?account=" + account,
                                   headers={"X-Prometheus-Scrape-Timeout-Seconds": "5"})
                response = connection.getresponse()
                body = response.read()
                if response.status == 404:  # removed by a reload since /sd named it
                    continue
                if response.status != 200:
                    self.wrong.append(f"{account}: {response.status}")
                    continue
                series = parse_exposition(body.decode("utf-8"))
                with self.lock:
                    self.answers += 1
                    self.bytes += len(body)
                    self.seconds.append(time.monotonic() - began)
                    self.failing[account] = series["probe_success"] != 1
            except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
                self.wrong.append(f"{account}: {error!r}")
                connection.close()
        connection.close()


class RealSoak:
    def __init__(self, minutes, accounts, size, seed=1):
        self.minutes = minutes
        self.accounts = accounts
        self.size = size
        self.dice = random.Random(seed)
        self.wrong = []
        self.samples = []  # dicts: seconds, rss_mib, descriptors, threads, history_mib, cpu_seconds
        self.cold = {}
        self.counts = {"faults": 0, "reloads": 0}
        self.missing = set()  # accounts left out of the configuration
        self.revision = 0

    def config(self, api):
        head = (f'[server]\nlisten = ["127.0.0.1:0"]\n[history]\npath = "{self.folder}/history.db"\n'
                '[upstream]\nrequests_per_second = 0\n'
                f'[defaults]\napi_url = "{api.api_url}"\nrequests_per_second = 0\ncache_ttl = "1m"\n'
                'request_timeout = "10s"\n')
        names = (f"account-{number:04}" for number in range(1, self.accounts + 1))
        return head + "".join(
            f'[accounts.{name}]\ntoken_file = "{self.folder}/tokens/{name}"\n'
            + (f'labels = {{ revision = "{self.revision}" }}\n' if int(name[-4:]) % 50 == self.revision % 50 else "")
            for name in names if name not in self.missing)

    def run(self):
        with tempfile.TemporaryDirectory() as folder:
            self.folder = folder
            tokens = pathlib.Path(folder) / "tokens"
            tokens.mkdir()
            for number in range(1, self.accounts + 1):
                (tokens / f"account-{number:04}").write_text(f"token-account-{number:04}\n", encoding="utf-8")
            with Simulator("--size", self.size, "--accounts", str(self.accounts)) as api, \
                    Gateway(self.config(api)) as gateway:
                self.api, self.gateway = api, gateway
                self.soak()
                code, seconds = gateway.stop()
                if code != 0 or seconds > 5:
                    self.wrong.append(f"it ended with {code} after {seconds:.1f} s")
        return self

    def soak(self):
        began = time.monotonic()
        self.sample(began)
        self.collect_everything()
        self.cold.update(self.sample(began), seconds=time.monotonic() - began)
        clients = [Client(self.gateway, phase, self.wrong) for phase in (0, SCRAPE_EVERY / 3)]
        end = began + self.minutes * 60
        try:
            next_trouble = time.monotonic() + 5
            while time.monotonic() < end:
                time.sleep(2)  # the interval of the samples, not a wait for anything
                self.sample(began)
                if time.monotonic() >= next_trouble:
                    self.trouble()
                    next_trouble += self.dice.uniform(5, 12)
            self.recover(clients)
        finally:
            for client in clients:
                client.end()
        self.answers = sum(client.answers for client in clients)
        self.bytes = sum(client.bytes for client in clients)
        self.seconds = sorted(second for client in clients for second in client.seconds)
        self.check_counters()
        self.check_flatness()

    def collect_everything(self):
        """The initial collection of every account, all at once."""
        client = Client(self.gateway, 0, self.wrong)
        eventually("every account's initial collection",
                   lambda: len(client.failing) == self.accounts and not any(client.failing.values()), patience=600)
        client.end()
        self.first_answers = client.answers

    def sample(self, began):
        process = pathlib.Path("/proc") / str(self.gateway.process.pid)
        status = dict(line.split(":", 1) for line in (process / "status").read_text(encoding="ascii").splitlines())
        cpu = (process / "stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
        files = pathlib.Path(self.folder).glob("history.db*")
        self.samples.append({
            "seconds": round(time.monotonic() - began, 1),
            "rss_mib": int(status["VmRSS"].split()[0]) / 1024,
            "descriptors": len(list((process / "fd").iterdir())),
            "threads": int(status["Threads"]),
            "history_mib": sum(file.stat().st_size for file in files) / (1 << 20),
            "cpu_seconds": (int(cpu[11]) + int(cpu[12])) / 100,
        })
        return dict(self.samples[-1])

    def trouble(self):
        """Starts or ends a fault, or changes the configuration."""
        what = self.dice.random()
        if what < 0.55:
            account = self.dice.choice(["*", f"*{self.dice.randrange(10)}", f"account-{self.dice.randint(1, self.accounts):04}"])
            rule = self.dice.choice(FAULTS) + f",account={account}"
            number = self.api.control("/faults?rule=" + urllib.parse.quote(rule)).json()["number"]
            self.counts["faults"] += 1
            ends = threading.Timer(self.dice.uniform(3, 30), lambda: self.api.control(
                f"/faults?number={number}", method="DELETE"))
            ends.daemon = True
            ends.start()
        elif what < 0.65:
            self.api.control("/faults", method="DELETE")
        else:
            self.missing = {f"account-{self.dice.randint(1, self.accounts):04}" for _ in range(self.accounts // 100)}
            self.revision += 1
            self.reload(by_signal=self.counts["reloads"] % 2 == 0)

    def reload(self, by_signal):
        self.gateway.config_file.write_text(self.config(self.api), encoding="utf-8")
        self.counts["reloads"] += 1
        if by_signal:
            self.gateway.process.send_signal(signal.SIGHUP)
        elif self.gateway.get("/-/reload", method="POST").status != 200:
            self.wrong.append("a reload was refused")

    def recover(self, clients):
        """Ends all faults. Every account must recover by itself (a reload ends the backoffs)."""
        self.missing = set()
        self.api.control("/faults", method="DELETE")
        self.reload(by_signal=False)

        def well():
            return all(len(client.failing) >= self.accounts and not any(client.failing.values()) for client in clients)
        try:
            eventually("every account recovering", well, patience=180)
        except AssertionError as error:
            failing = sorted(account for client in clients for account, fails in client.failing.items() if fails)
            self.wrong.append(f"{error}: {failing[:10]}")

    def check_counters(self):
        own = parse_exposition(self.gateway.get("/metrics").text())

        def total(family, containing=""):
            return sum(value for name, value in own.items() if name.startswith(family + "{") and containing in name)
        answered = total("sqlbak_gateway_http_requests_total", 'path="/probe",code="200"') or \
            total("sqlbak_gateway_http_requests_total", 'code="200",path="/probe"')
        expected = self.answers + self.first_answers
        if answered != expected:
            self.wrong.append(f"{answered:.0f} probes answered, {expected} seen by the clients")
        self.collections = total("sqlbak_gateway_collections_total")
        self.api_requests = total("sqlbak_gateway_api_requests_total")
        if own["sqlbak_gateway_history_errors_total"] != 0:
            self.wrong.append("errors of the history")

    def check_flatness(self):
        """Only what fills up once may grow: the traces of each account's last 20 collections (about 60 KiB), and one connection
        for each concurrent request. The number of threads follows the number of waiting probes."""
        for name, relative, absolute in (("rss_mib", 1.1, self.accounts * 0.06), ("descriptors", 1.1, CONCURRENT),
                                         ("threads", 1.1, 2 * WORKERS), ("history_mib", 1.1, 4)):
            before, after = growth([sample[name] for sample in self.samples])
            if after > before * relative + absolute:
                self.wrong.append(f"{name} grew from {before:.1f} to {after:.1f}")
