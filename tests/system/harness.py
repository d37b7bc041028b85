"""Real programs for system tests: the simulator, the gateway, Prometheus. Each has its own folder and a free port, listens
on 127.0.0.1 only, and ends with the test.

    with Simulator() as api, Gateway(config_for(api)) as gateway:
        print(gateway.get("/probe?account=acme"))

Standard library only. Nothing sleeps for a fixed time: eventually() asks again until something is so.
"""

import base64
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

BIN = pathlib.Path(os.environ["SQLBAK_GATEWAY_BIN"])
SOURCE = pathlib.Path(os.environ["SQLBAK_GATEWAY_SOURCE"])
PATIENCE = 60  # seconds; generous, because a loaded machine is slow and a working program is not


def eventually(what, check, patience=PATIENCE):
    """Returns the first true result of check(). Fails with `what` if there is none in time."""
    deadline = time.monotonic() + patience
    last = None
    while time.monotonic() < deadline:
        try:
            result = check()
            if result:
                return result
        except (OSError, ValueError, KeyError) as error:
            last = error
        time.sleep(0.05)
    raise AssertionError(f"not in {patience} s: {what} ({last})")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def text(self):
        return self.body.decode("utf-8")

    def json(self):
        return json.loads(self.body)


class Program:
    """A program that runs until the with-block ends. Its output is kept."""

    def __init__(self, command, environment=None, folder=None):
        self.command = [str(word) for word in command]
        self.environment = environment
        self.folder = folder
        self.output = []
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        try:
            self.when_started()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _read(self):
        for line in self.process.stdout:
            self.output.append(line)

    def printed(self):
        return "".join(self.output)

    def wait_for_line(self, pattern):
        def look():
            found = re.search(pattern, self.printed())
            if not found and self.process.poll() is not None:
                self.reader.join()
                if not re.search(pattern, self.printed()):
                    raise AssertionError(f"{self.command[0]} ended with {self.process.returncode}:\n{self.printed()}")
            return re.search(pattern, self.printed())
        return eventually(f"{self.command[0]} printing {pattern}", look)

    def when_started(self):
        pass

    def stop(self, how=signal.SIGTERM):
        """Sends the signal; returns the exit code and the seconds it took."""
        began = time.monotonic()
        self.process.send_signal(how)
        code = self.process.wait(PATIENCE)
        self.reader.join()
        return code, time.monotonic() - began

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.reader.join()
        self.process.stdout.close()


class WebProgram(Program):
    url = None
    context = None

    def get(self, path, method="GET", headers=None, user=None):
        headers = dict(headers or {})
        if user:
            headers["Authorization"] = "Basic " + base64.b64encode(user.encode()).decode()
        request = urllib.request.Request(self.url + path, method=method, headers=headers)
        # Ignores the environment's proxy: this is loopback.
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self.context))
        try:
            with opener.open(request, timeout=PATIENCE) as response:
                return Answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())


class Simulator(WebProgram):
    """sqlbak-simulator with the demo's customers unless told otherwise."""

    def __init__(self, *arguments):
        super().__init__([BIN / "sqlbak-simulator", "--listen", "127.0.0.1:0", *arguments])

    def when_started(self):
        self.url = self.wait_for_line(r"https?://127\.0\.0\.1:\d+").group(0)
        self.api_url = self.url + "/public-api/v1"

    def control(self, path, method="POST"):
        answer = self.get("/_simulator" + path, method=method)
        assert answer.status in (200, 201, 204), (path, answer.status, answer.body)
        return answer


class Gateway(WebProgram):
    """sqlbak-gateway on a free port. `config` is TOML; `files` are written beside it: name to content."""

    def __init__(self, config, *arguments, files=None, environment=None):
        self.home = tempfile.TemporaryDirectory()
        self.config_file = pathlib.Path(self.home.name) / "gateway.toml"
        for name, content in {**(files or {}), "gateway.toml": config}.items():
            path = pathlib.Path(self.home.name) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content, encoding="utf-8")
        super().__init__(
            [BIN / "sqlbak-gateway", f"--config.file={self.config_file}", "--log.level=debug", *arguments],
            environment={**clean_environment(), **(environment or {})}, folder=self.home.name)

    def when_started(self):
        line = self.wait_for_line(r'"?msg"?[=:]"?listening"?[ ,]"?address"?[=:]"?([^\s",]+)"?[ ,]"?tls"?[=:]"?(\w+)')
        self.url = ("https://" if line.group(2) == "true" else "http://") + line.group(1)
        self.port = int(line.group(1).rsplit(":", 1)[1])

    def __exit__(self, *arguments):
        super().__exit__(*arguments)
        self.home.cleanup()


def clean_environment():
    """The environment of this process, without variables that change the gateway's behaviour."""
    unwanted = re.compile(r"^(SQLBAK_|NOTIFY_SOCKET|WATCHDOG_|CHECK_INTERVAL|EXPORTER_PORT|JOBRUNS_|STATE_DIRECTORY|.*_proxy$)", re.IGNORECASE)
    return {name: value for name, value in os.environ.items() if not unwanted.match(name)}


DEMO_ACCOUNTS = ("acme", "globex", "initech")


def demo_config(api_url, extra=""):
    """A configuration of the demo's accounts, and the files that go with it."""
    config = f'[server]\nlisten = ["127.0.0.1:0"]\n[history]\nkind = "memory"\n[defaults]\napi_url = "{api_url}"\n'
    files = {}
    for account in DEMO_ACCOUNTS:
        config += f'[accounts.{account}]\ntoken_file = "tokens/{account}"\n'
        files[f"tokens/{account}"] = f"demo-token-{account}\n"
    return {"config": config + extra, "files": files}


ACCESS = """
[server.tls]
cert_file = "{certificate}"
key_file = "{key}"
[[access]]
name = "operator"
password_bcrypt = "{operator}"
accounts = ["*"]
[[access]]
name = "globex"
password_bcrypt = "{globex}"
accounts = ["globex"]
[[access]]
name = "acme-prometheus"
bearer_token_file = "tokens/acme-scrape"
accounts = ["acme"]
[[access]]
name = "all-prometheus"
bearer_token_file = "tokens/all-scrape"
accounts = ["acme", "globex", "initech"]
"""


def bcrypt(password):
    """Makes a hash with libxcrypt through perl's crypt, which every Debian has."""
    made = subprocess.run(["perl", "-e", 'print crypt($ARGV[0], q($2b$04$abcdefghijklmnopqrstuu))', password],
                          capture_output=True, text=True, check=True).stdout
    assert made.startswith("$2b$04$"), made
    return made


class Certificate:
    """A self-signed certificate for 127.0.0.1, which is its own authority."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.file = pathlib.Path(self.folder.name) / "cert.pem"
        self.key = pathlib.Path(self.folder.name) / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", self.key, "-out", self.file, "-days", "2", "-subj", "/CN=gateway",
                        "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
        return self

    def context(self):
        """A TLS context that trusts this certificate only."""
        return ssl.create_default_context(cafile=self.file)

    def hang(self):
        """Replaces the file with a pipe that nobody writes to, so that opening it hangs as on a file system that does not answer."""
        self.file.unlink()
        os.mkfifo(self.file)

    def __exit__(self, *_):
        self.folder.cleanup()


def guarded(api, certificate):
    """The demo's customers over TLS, with an operator, the Prometheus of one tenant, and that of all."""
    demo = demo_config(api.api_url, ACCESS.format(certificate=certificate.file, key=certificate.key,
                                                  operator=bcrypt("operator-password"),
                                                  globex=bcrypt("globex-password")))
    demo["files"]["tokens/acme-scrape"] = "scrape-token-of-acme\n"
    demo["files"]["tokens/all-scrape"] = "scrape-token-of-everybody\n"
    gateway = Gateway(**demo)
    gateway.context = certificate.context()
    return gateway


class Prometheus(WebProgram):
    """Debian's Prometheus with its own folder and port. `config` is YAML."""

    def __init__(self, config):
        self.home = tempfile.TemporaryDirectory()
        self.config = config
        self.port = free_port()
        path = pathlib.Path(self.home.name) / "prometheus.yml"
        path.write_text(config, encoding="utf-8")
        super().__init__(["prometheus", f"--config.file={path}", f"--storage.tsdb.path={self.home.name}/data",
                          f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"], folder=self.home.name)

    def when_started(self):
        self.url = f"http://127.0.0.1:{self.port}"
        eventually("Prometheus being ready", lambda: self.get("/-/ready").status == 200)

    def query(self, expression):
        """The instant vector: a list of (labels, value)."""
        answer = self.get("/api/v1/query?" + urllib.parse.urlencode({"query": expression})).json()
        assert answer["status"] == "success", answer
        return [(sample["metric"], float(sample["value"][1])) for sample in answer["data"]["result"]]

    def targets(self):
        return self.get("/api/v1/targets?state=active").json()["data"]["activeTargets"]

    def __exit__(self, *arguments):
        super().__exit__(*arguments)
        self.home.cleanup()


def run(*arguments, config=None, files=None, environment=None, timeout=PATIENCE, stderr=subprocess.PIPE):
    """Runs the gateway to its end. Returns the finished process with its stdout and stderr."""
    with tempfile.TemporaryDirectory() as folder:
        home = pathlib.Path(folder)
        for name, content in {**(files or {}), **({"gateway.toml": config} if config is not None else {})}.items():
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (home / name).write_text(content, encoding="utf-8")
        return subprocess.run(
            [str(BIN / "sqlbak-gateway"), f"--config.file={home / 'gateway.toml'}", *arguments],
            env={**clean_environment(), **(environment or {})}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=stderr, text=True, errors="replace", timeout=timeout, check=False, cwd=folder)


def parse_exposition(text):
    """{'name{a="b"}': value}, labels as written."""
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
            for line in text.splitlines() if line and not line.startswith("#")}


def by_sorted_labels(series):
    """Returns the same series with labels in alphabetical order, as in the simulator's truth."""
    label = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
    result = {}
    for name, value in series.items():
        family, brace, inside = name.partition("{")
        labels = ",".join(f'{key}="{text}"' for key, text in sorted(label.findall(inside)))
        result[family + brace + labels + ("}" if brace else "")] = value
    return result


def difference(expected, seen):
    """Returns one line for each series that is not as expected; empty if all are."""
    return "\n".join(f"{name}: expected {value}, got {seen.get(name)}"
                     for name, value in sorted(expected.items()) if seen.get(name) != value)


def probe(gateway, account="acme", **how):
    """The series of an account, as a scrape gets them."""
    answer = gateway.get(f"/probe?account={account}", **how)
    assert answer.status == 200, (answer.status, answer.text())
    return parse_exposition(answer.text())


def own_metrics(gateway, **how):
    """The gateway's own series."""
    return parse_exposition(gateway.get("/metrics", **how).text())
