"""The package's life in a fresh Debian root: install, check, serve, reload, upgrade, remove, purge. Called by
scripts/test-package, in a mount namespace of its own.

    lifecycle.py ROOT PACKAGE SIMULATOR

Prints what it does and sees; ends with an exception at the first thing that is not as it should be. The service runs under
the unit's restrictions (under_the_unit.py), and the simulated API is reached over TLS.
"""

import contextlib
import os
import pathlib
import queue
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request

import under_the_unit

PATIENCE = 60
ROOT, PACKAGE, SIMULATOR = (pathlib.Path(argument).resolve() for argument in sys.argv[1:4])
ETC = ROOT / "etc/sqlbak-gateway"
STATE = ROOT / "var/lib/sqlbak-gateway"


def step(text):
    print(f"\n== {text}", flush=True)


def seen(text):
    print(f"   {text}", flush=True)


def must(what, condition, detail=""):
    if not condition:
        raise SystemExit(f"NOT AS IT SHOULD BE: {what} {detail}")
    seen(what)


def inside(*command, environment=None, check=True):
    done = subprocess.run(["chroot", ROOT, *command], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", **(environment or {})})
    if check and done.returncode != 0:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done


def apt(*arguments):
    inside("apt-get", "-qq", "--yes", "--no-install-recommends", "-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Options::=--force-confdef",
           "-o", "DPkg::Options::=--force-confold", *arguments, environment={"DEBIAN_FRONTEND": "noninteractive"})


def install(package):
    shutil.copy(package, ROOT / "package.deb")
    apt("install", "/package.deb")


def owner(path):
    found = path.stat()
    names = {f"{kind}{line.split(':')[2]}": line.split(":")[0] for kind, file in (("u", "passwd"), ("g", "group"))
             for line in (ROOT / "etc" / file).read_text().splitlines()}
    return f"{found.st_mode & 0o7777:04o} {names[f'u{found.st_uid}']}:{names[f'g{found.st_gid}']}"


class Service:
    """The program as its unit starts it, but on a free port; what it tells systemd is received."""

    def __enter__(self):
        self.path = ROOT / "run/notify"
        self.notifications = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notifications.bind(str(self.path))
        self.path.chmod(0o666)
        # Read as they come: a full queue would make the program wait, as it would for a systemd that hangs.
        self.received = queue.Queue()
        threading.Thread(target=self.receive, daemon=True).start()
        began = time.monotonic()
        self.log_path = ROOT.parent / "service.log"
        with self.log_path.open("w") as log:
            self.process = under_the_unit.popen(
                ROOT, environment={"NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": "1500000"},
                extra=["--web.listen-address=127.0.0.1:0"], stdout=log, stderr=log)
        try:
            must(f"READY=1 after {time.monotonic() - began:.2f} s", self.told("READY"))
            self.url = "http://" + re.search(r"msg=listening address=(\S+)", self.log())[1]
        except BaseException:
            print(self.log())
            self.process.kill()
            raise
        return self

    def log(self):
        return self.log_path.read_text()

    def receive(self):
        while told := self.notifications.recv(4096).decode():
            self.received.put(dict(line.split("=", 1) for line in told.splitlines()))

    def told(self, what):
        while True:
            told = self.received.get(timeout=PATIENCE)
            if what in told:
                return told

    def get(self, path):
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(self.url + path, timeout=PATIENCE) as answer:
            return answer.read().decode()

    def __exit__(self, kind, *_):
        if kind:
            print(self.log())
            self.process.kill()
        began = time.monotonic()
        self.process.terminate()
        code = self.process.wait(PATIENCE)
        self.path.unlink()
        if not kind:
            must(f"SIGTERM: exit 0 after {time.monotonic() - began:.2f} s", code == 0, code)


@contextlib.contextmanager
def simulated_api(folder):
    """The simulator over TLS; gives its API's address. Its authority is in the root's /etc."""
    certificate, key = folder / "simulator.pem", folder / "simulator.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key,
                    "-out", certificate, "-days", "2", "-subj", "/CN=simulator", "-addext", "subjectAltName=IP:127.0.0.1"],
                   check=True, capture_output=True)
    api = subprocess.Popen([SIMULATOR, "--listen", "127.0.0.1:0", "--tls-cert", certificate, "--tls-key", key],
                           stdout=subprocess.PIPE, text=True)
    try:
        yield api.stdout.readline().strip(), certificate
    finally:
        api.terminate()
        api.wait(PATIENCE)


def write_token(account):
    path = ETC / "tokens" / account
    path.write_text(f"demo-token-{account}\n")
    os.chown(path, 0, (ETC / "tokens").stat().st_gid)
    path.chmod(0o640)


def installed():
    step("apt-get install ./" + PACKAGE.name)
    install(PACKAGE)
    depends = inside("dpkg-query", "--show", "--showformat=${Depends}", "sqlbak-gateway").stdout
    seen("Depends: " + depends)
    must("runs: " + inside("sqlbak-gateway", "--version").stdout.strip(), True)
    for path, expected in ((ETC / "gateway.toml", "0640 root:sqlbak-gateway"), (ETC / "tokens", "0750 root:sqlbak-gateway"),
                           (ETC / "accounts.d", "0750 root:sqlbak-gateway"), (ROOT / "etc/default/sqlbak-gateway", "0600 root:root")):
        must(f"{owner(path)} /{path.relative_to(ROOT)}", owner(path) == expected, expected)
    wanted = ROOT / "etc/systemd/system/multi-user.target.wants/sqlbak-gateway.service"
    must("the service is enabled", wanted.is_symlink())
    must("user: " + inside("getent", "passwd", "sqlbak-gateway").stdout.strip(), True)
    unresolved = [line for line in inside("ldd", "/usr/bin/sqlbak-gateway").stdout.splitlines() if "not found" in line]
    must("every library is there", not unresolved, unresolved)


def restricted():
    step("the unit's restrictions hold (each of these is tried under them)")
    seen("not exercised, because it takes systemd: " + ", ".join(sorted(under_the_unit.NOT_EXERCISED)))

    def tried(what, script, works):
        done = under_the_unit.popen(ROOT, ["/bin/sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said = done.communicate()[0]
        must(f"{what}: {'works' if works else 'refused'}", (done.returncode == 0) == works, f"{done.returncode}: {said}")

    tried("writing to its state", "echo x >/var/lib/sqlbak-gateway/x && rm /var/lib/sqlbak-gateway/x", True)
    tried("writing to /tmp of its own", "echo x >/tmp/x", True)
    for path in ("/usr/bin/x", "/etc/sqlbak-gateway/x", "/etc/sqlbak-gateway/gateway.toml", "/var/x", "/dev/x"):
        tried(f"writing {path}", f"echo x >>{path}", False)
    tried("reading its configuration", "cat /etc/sqlbak-gateway/gateway.toml >/dev/null", True)
    tried("reading root's /etc/default/sqlbak-gateway", "cat /etc/default/sqlbak-gateway", False)
    tried("looking into /root", "ls /root", False)
    tried("an IPv4 socket", "perl -e 'socket(S, 2, 1, 0) or exit 1'", True)
    tried("a netlink socket", "perl -e 'socket(S, 16, 3, 0) or exit 1'", False)
    tried("memory that can be written", "perl -e 'exit(syscall(9, 0, 4096, 3, 0x22, -1, 0) == -1)'", True)
    tried("memory that can be written and run", "perl -e 'exit(syscall(9, 0, 4096, 7, 0x22, -1, 0) == -1)'", False)
    tried("a user namespace", "perl -e 'exit(syscall(272, 0x10000000) == -1)'", False)
    tried("mounting", "mount -t tmpfs none /tmp", False)
    tried("making a program", "echo >/tmp/x && chmod 755 /tmp/x", True)
    tried("making a set-user-ID program", "echo >/tmp/x && chmod 4755 /tmp/x", False)


def as_shipped():
    step("--config.check and start, as shipped: no account")
    must(inside("sqlbak-gateway", "--config.check").stdout.strip().splitlines()[0], True)
    with Service() as service:
        must("/-/ready says " + service.get("/-/ready").strip(), True)
        must("no account: /sd is " + service.get("/sd").strip(), service.get("/sd").strip() == "[]")


def single_account(api, certificate):
    step("single-account mode through /etc/default/sqlbak-gateway")
    shutil.copy(certificate, ETC / "simulator.pem")
    configuration = ETC / "gateway.toml"
    shipped = configuration.read_text()
    configuration.write_text(shipped + '\n[defaults]\nca_file = "simulator.pem"\n')
    default = ROOT / "etc/default/sqlbak-gateway"
    as_it_was = default.read_text()
    default.write_text(f"{as_it_was}SQLBAK_API_TOKEN=demo-token-acme\nSQLBAK_API_URL={api}\n")
    with Service() as service:
        page = service.get("/metrics")
        must("/metrics: probe_success 1", "\nprobe_success 1\n" in page)
        must("/metrics: the published names and the gateway's own", "sqlbak_offline_servers_total " in page and
             "sqlbak_gateway_accounts 1" in page)
    default.write_text(as_it_was)
    configuration.write_text(shipped)


def serving(api):
    step("an account, its token in tokens/ (0640 root:sqlbak-gateway), the simulated API over TLS")
    configuration = ETC / "gateway.toml"
    edited = (configuration.read_text() + f'\n[defaults]\napi_url = "{api}"\nca_file = "simulator.pem"\n'
              '[accounts.acme]\ntoken_file = "tokens/acme"\n')
    configuration.write_text(edited)
    write_token("acme")
    for line in inside("sqlbak-gateway", "--config.check").stdout.strip().splitlines():
        seen("--config.check: " + line)
    once = under_the_unit.popen(ROOT, extra=["--probe=acme", "--log.level=warn"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    exposition = once.communicate()[0]
    must(f"--probe=acme: exit 0 and {len(exposition.splitlines())} lines", once.returncode == 0 and "probe_success 1" in exposition)
    with Service() as service:
        must("/probe?account=acme: probe_success 1", "\nprobe_success 1\n" in service.get("/probe?account=acme"))
        must("WATCHDOG=1: it is alive", service.told("WATCHDOG"))
        configuration.write_text(edited + '[accounts.globex]\ntoken_file = "tokens/globex"\n')
        write_token("globex")
        service.process.send_signal(1)
        must("SIGHUP: RELOADING=1", service.told("RELOADING"))
        must("then READY=1", service.told("READY"))
        must("/probe?account=globex: probe_success 1", "\nprobe_success 1\n" in service.get("/probe?account=globex"))
        configuration.write_text("[defaults\n")
        service.process.send_signal(1)
        must("a mistake: " + service.told("READY")["STATUS"], True)
        must("/probe?account=acme: still probe_success 1", "\nprobe_success 1\n" in service.get("/probe?account=acme"))
        configuration.write_text(edited)
    seen("in its state directory: " + (", ".join(sorted(path.name for path in STATE.iterdir())) or "nothing"))
    return edited


def newer(folder):
    """The package as its next version, with another shipped configuration."""
    unpacked = folder / "newer"
    subprocess.run(["dpkg-deb", "--raw-extract", PACKAGE, unpacked], check=True)
    control = unpacked / "DEBIAN/control"
    text = control.read_text()
    version = re.search(r"^Version: (.*)$", text, re.MULTILINE)[1]
    control.write_text(text.replace(f"Version: {version}", f"Version: {version}+next"))
    shipped = unpacked / "etc/sqlbak-gateway/gateway.toml"
    shipped.write_text(shipped.read_text() + "# of the next version\n")
    made = folder / "newer.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", unpacked, made], check=True, capture_output=True)
    return made, f"{version}+next"


def upgraded(folder, edited):
    package, version = newer(folder)
    (STATE / "kept").write_text("")
    step(f"upgrade to {version}, which ships another gateway.toml")
    install(package)
    must("version " + version, inside("dpkg-query", "--show", "--showformat=${Version}", "sqlbak-gateway").stdout == version)
    must("the edited gateway.toml is kept", (ETC / "gateway.toml").read_text() == edited)
    must("the new one is beside it", (ETC / "gateway.toml.dpkg-dist").exists())
    must(f"{owner(ETC / 'gateway.toml')} gateway.toml", owner(ETC / "gateway.toml") == "0640 root:sqlbak-gateway")
    must("tokens and state are kept", (ETC / "tokens/acme").exists() and (STATE / "kept").exists())
    with Service() as service:
        must("/probe?account=acme: probe_success 1", "\nprobe_success 1\n" in service.get("/probe?account=acme"))


def removed():
    step("apt-get remove, install again, purge")
    apt("remove", "sqlbak-gateway")
    must("the program is gone", not (ROOT / "usr/bin/sqlbak-gateway").exists())
    must("configuration, tokens and state stay", (ETC / "gateway.toml").exists() and (ETC / "tokens/acme").exists() and STATE.exists())
    install(PACKAGE)
    must(f"installed again: {owner(ETC / 'tokens')} tokens", owner(ETC / "tokens") == "0750 root:sqlbak-gateway")
    apt("purge", "sqlbak-gateway")
    left = [path for path in (ETC, STATE, ROOT / "etc/default/sqlbak-gateway", ROOT / "usr/share/sqlbak-gateway",
                              ROOT / "etc/systemd/system/multi-user.target.wants/sqlbak-gateway.service",
                              ROOT / "etc/systemd/system/sqlbak-gateway.service") if path.exists() or path.is_symlink()]
    must("purge leaves nothing but the user", not left, left)


def main():
    folder = ROOT.parent
    installed()
    restricted()
    as_shipped()
    with simulated_api(folder) as (api, certificate):
        single_account(api, certificate)
        edited = serving(api)
        upgraded(folder, edited)
    removed()
    print("\nall as it should be")


if __name__ == "__main__":
    main()
