"""Who may see what, over TLS, with the real Prometheus; rotation; and no secret anywhere."""

import pathlib
import tempfile
import unittest

from harness import (DEMO_ACCOUNTS, Certificate, Gateway, Prometheus, Simulator, bcrypt, demo_config, eventually,
                     guarded, parse_exposition, run)

SCRAPE = """
global: {{ scrape_interval: 1s, scrape_timeout: 1s }}
scrape_configs:
  - job_name: sqlbak
    authorization: {{ type: Bearer, credentials: "{token}" }}
    tls_config: {{ ca_file: "{certificate}" }}
    http_sd_configs:
      - url: "https://127.0.0.1:{port}/sd"
        refresh_interval: 1s
        authorization: {{ type: Bearer, credentials: "{token}" }}
        tls_config: {{ ca_file: "{certificate}" }}
"""


class Tenancy(unittest.TestCase):
    def test_the_access_matrix(self):
        callers = {
            "nobody": {},
            "wrong password": {"user": "operator:wrong"},
            "wrong token": {"headers": {"Authorization": "Bearer scrape-token-of-nobody"}},
            "tenant": {"headers": {"Authorization": "Bearer scrape-token-of-acme"}},
            "other tenant": {"user": "globex:globex-password"},
            "operator": {"user": "operator:operator-password"},
        }
        everybody, anybody, operators = (200, 200, 200, 200), (401, 200, 200, 200), (401, 403, 403, 200)
        matrix = [  # method, path, and what strangers, the tenant, the other tenant and the operator get
            ("GET", "/-/healthy", everybody),
            ("GET", "/-/ready", everybody),
            ("GET", "/", anybody),
            ("GET", "/sd", anybody),
            ("GET", "/probe?account=acme", (401, 200, 404, 200)),
            ("GET", "/probe?account=acme&debug=true", (401, 200, 404, 200)),
            ("GET", "/probe?account=globex", (401, 404, 200, 200)),
            ("GET", "/probe?account=globex&debug=true", (401, 404, 200, 200)),
            ("GET", "/probe?account=unknown", (401, 404, 404, 404)),
            ("GET", "/probe", (401, 400, 400, 400)),
            ("GET", "/metrics", operators),
            ("GET", "/config", operators),
            ("POST", "/-/reload", operators),
            ("GET", "/-/reload", (401, 403, 403, 405)),
            ("POST", "/-/healthy", (405, 405, 405, 405)),
            ("DELETE", "/probe?account=acme", (401, 405, 405, 405)),
            ("GET", "/nothing", (401, 404, 404, 404)),
            ("GET", "/probe/../metrics", (401, 404, 404, 404)),
            ("GET", "//metrics", (401, 404, 404, 404)),
        ]
        tenant, operator = callers["tenant"], callers["operator"]
        with Certificate() as certificate, Simulator() as api, guarded(api, certificate) as gateway:
            for name in ("other tenant", "operator"):  # cached before somebody guesses, so that no guess delays them
                self.assertEqual(gateway.get("/", **callers[name]).status, 200)
            for name, caller in callers.items():
                row = {"tenant": 1, "other tenant": 2, "operator": 3}.get(name, 0)
                for method, path, statuses in matrix:
                    for asked in ((method, "HEAD") if method == "GET" and statuses[row] == 200 else (method,)):
                        with self.subTest(path=path, method=asked, caller=name):
                            answer = gateway.get(path, method=asked, **caller)
                            # After ten wrong passwords the next gets 429. The correct one is never delayed.
                            held_up = {429} if name == "wrong password" and statuses[row] == 401 else set()
                            self.assertIn(answer.status, {statuses[row]} | held_up)
                            if answer.status == 401:
                                self.assertIn("Basic", answer.headers["WWW-Authenticate"])
                            if asked == "HEAD":
                                self.assertEqual(answer.body, b"")
            hidden = gateway.get("/probe?account=globex", **tenant)
            unknown = gateway.get("/probe?account=unknown", **tenant)
            self.assertEqual(hidden.body, unknown.body)
            seen = [group["labels"]["account"] for group in gateway.get("/sd", **tenant).json()]
            self.assertEqual(seen, ["acme"])
            page = gateway.get("/", **tenant).text()
            self.assertIn("acme", page)
            self.assertNotIn("globex", page)
            metrics = parse_exposition(gateway.get("/metrics", **operator).text())
            self.assertGreater(metrics["sqlbak_gateway_tls_certificate_expiry_timestamp_seconds"], 1.7e9)

    def scraped_accounts(self, token, expected):
        with Certificate() as certificate, Simulator() as api, guarded(api, certificate) as gateway:
            config = SCRAPE.format(token=token, certificate=certificate.file, port=gateway.port)
            with Prometheus(config) as prometheus:
                eventually("every permitted account scraped",
                           lambda: len(prometheus.query("probe_success == 1")) == len(expected))
                accounts = {labels["account"] for labels, _ in prometheus.query("sqlbak_jobruns_available")}
                self.assertEqual(accounts, set(expected))

    def test_prometheus_needs_only_discovery_and_its_token(self):
        self.scraped_accounts("scrape-token-of-everybody", DEMO_ACCOUNTS)

    def test_a_tenants_prometheus_sees_its_own(self):
        self.scraped_accounts("scrape-token-of-acme", ["acme"])


class Rotation(unittest.TestCase):
    def test_a_new_token_heals_the_account_without_a_reload(self):
        with Simulator() as api, Gateway(**demo_config(api.api_url)) as gateway:
            api.control("/account?account=acme&token=rotated-token")
            refused = parse_exposition(gateway.get("/probe?account=acme").text())
            self.assertEqual(refused['sqlbak_collection_failure{reason="auth"}'], 1)
            api.control("/requests", method="DELETE")
            (gateway.config_file.parent / "tokens" / "acme").write_text("rotated-token\n")
            healed = parse_exposition(gateway.get("/probe?account=acme").text())
            self.assertEqual(healed["probe_success"], 1)
            # A request with the old token would have been logged without an account.
            self.assertTrue(all(row["account"] == "acme" for row in api.control("/requests", method="GET").json()))


MARK = "PLANTED"  # in every secret, and nowhere else


class Secrets(unittest.TestCase):
    """Plants marked secrets wherever a secret can be, and searches everything that the program emits for the mark."""

    def environment(self, folder):
        credentials = folder / "credentials"
        credentials.mkdir()
        (credentials / "hooli").write_text(f"{MARK}-token-of-hooli\n")
        state = folder / "state"
        state.mkdir()
        return {"TOKEN_OF_INITECH": f"{MARK}-token-of-initech", "TOKEN_OF_SCRAPER": f"{MARK}-bearer-of-scraper",
                "SQLBAK_API_TOKEN": f"{MARK}-token-of-nobody", "CREDENTIALS_DIRECTORY": str(credentials),
                "STATE_DIRECTORY": str(state), "HTTPS_PROXY": f"http://user:{MARK}-proxy-variable@127.0.0.1:1"}

    def config(self, api, certificate):
        """A configuration with one account for every way to work or to fail."""
        self.hash = bcrypt(f"{MARK}-password")
        return f"""
[server]
listen = ["127.0.0.1:0"]
[server.tls]
cert_file = "{certificate.file}"
key_file = "{certificate.key}"
[[access]]
name = "operator"
password_bcrypt = "{self.hash}"
accounts = ["*"]
[[access]]
name = "scraper"
bearer_token_env = "TOKEN_OF_SCRAPER"
accounts = ["acme"]
[[access]]
name = "file-scraper"
bearer_token_file = "tokens/scraper"
accounts = ["acme"]
[defaults]
api_url = "{api.api_url}"
cache_ttl = "1s"
[accounts.acme]
token_file = "tokens/acme"
[accounts.initech]
token_env = "TOKEN_OF_INITECH"
[accounts.hooli]
token_credential = "hooli"
[accounts.refused]
token_file = "tokens/refused"
[accounts.two-lines]
token_file = "tokens/two-lines"
[accounts.proxied]
token_file = "tokens/proxied"
proxy = "http://user:{MARK}-proxy-password@127.0.0.1:1"
[accounts.variable]
token_file = "tokens/variable"
api_url = "https://sqlbak.invalid/public-api/v1"
"""

    FILES = {"tokens/acme": f"{MARK}-token-of-acme\n", "tokens/refused": f"{MARK}-no-such-token\n",
             "tokens/two-lines": f"{MARK}-first\n{MARK}-second\n", "tokens/proxied": f"{MARK}-token-of-proxied\n",
             "tokens/variable": f"{MARK}-token-of-variable\n", "tokens/scraper": f"{MARK}-bearer-of-file\n"}
    ACCOUNTS = ("acme", "initech", "hooli", "refused", "two-lines", "proxied", "variable")

    def assert_clean(self, what, text):
        found = [line for line in text.splitlines() if MARK in line or self.hash[8:] in line]
        self.assertEqual(found, [], f"{what} shows a secret")

    def api(self):
        """The simulator, with tokens that carry the mark."""
        api = Simulator()
        api.__enter__()
        self.addCleanup(api.__exit__, None, None, None)
        for account in ("acme", "initech"):
            api.control(f"/account?account={account}&token={MARK}-token-of-{account}")
        api.control(f"/account?account=globex&token={MARK}-token-of-hooli")
        return api

    def folder(self):
        made = tempfile.TemporaryDirectory()
        self.addCleanup(made.cleanup)
        return pathlib.Path(made.name)

    def test_are_in_nothing_that_the_program_says_or_writes(self):
        for log_format in ("logfmt", "json"):
            with self.subTest(log_format), Certificate() as certificate:
                api, folder = self.api(), self.folder()
                gateway = Gateway(self.config(api, certificate), f"--log.format={log_format}", files=self.FILES,
                                  environment=self.environment(folder))
                gateway.context = certificate.context()
                with gateway:
                    said = self.everything(gateway)
                    self.assertIn("<masked>", said["GET /config"])
                    self.assertEqual(parse_exposition(said["GET /probe?account=hooli"])["probe_success"], 1)
                    self.assertEqual(gateway.stop()[0], 0)
                    said["output"] = gateway.printed()
                for what, text in said.items():
                    self.assert_clean(what, text)
                written = [path for path in (folder / "state").rglob("*") if path.is_file()]
                self.assertTrue(any(path.name == "history.db" for path in written), written)
                for path in written:
                    content = path.read_bytes()
                    self.assertNotIn(MARK.encode(), content, path)
                    self.assertNotIn(self.hash[8:].encode(), content, path)

    def everything(self, gateway):
        """The text of each page and refusal, by request."""
        operator = {"user": f"operator:{MARK}-password"}
        scrapers = [{"headers": {"Authorization": f"Bearer {MARK}-bearer-of-{name}"}} for name in ("scraper", "file")]
        said = {}

        def ask(path, method="GET", **how):
            answer = gateway.get(path, method=method, **how)
            said[f"{method} {path}"] = f"{answer.headers}\n{answer.text()}"
            return answer

        for account in self.ACCOUNTS:
            with_timeout = {**operator, "headers": {"X-Prometheus-Scrape-Timeout-Seconds": "60"}}
            said[f"GET /probe?account={account}"] = gateway.get(f"/probe?account={account}", **with_timeout).text()
            ask(f"/probe?account={account}&debug=true", **with_timeout)
        for scraper in scrapers:
            self.assertEqual(ask("/sd", **scraper).status, 200)
        self.assertEqual(ask("/", user=f"operator:{MARK}-wrong").status, 401)
        ask("/probe?account=acme", headers={"Authorization": f"Bearer {MARK}-wrong"})
        for path in ("/", "/accounts.json", *(f"/accounts/{account}{suffix}" for account in self.ACCOUNTS for suffix in ("", ".json")),
                     "/metrics", "/config", "/sd", "/nothing", "/probe"):
            self.assertIn(ask(path, **operator).status, (200, 400, 404))
        good = gateway.config_file.read_text()
        for number, mistake in enumerate((
                f'[accounts.bad]\ntoken = "{MARK}"\n', f'[accounts.bad]\ntoken = "{MARK}\n', f'pasword = "{MARK}"\n',
                f'[accounts.bad]\ntoken_file = "t"\napi_url = "https://u:{MARK}@h/"\n',
                f'[accounts.bad]\ntoken_file = "t"\nproxy = "u:{MARK}@h:1"\n', "")):
            gateway.config_file.write_text(good + mistake)
            answer = gateway.get("/-/reload", method="POST", **operator)
            self.assertEqual(answer.status, 500 if mistake else 200)
            said[f"reload {number}"] = answer.text()
        return said

    def test_are_in_nothing_that_a_check_or_a_single_probe_says(self):
        with Certificate() as certificate:
            api, folder = self.api(), self.folder()
            environment = self.environment(folder)
            config = self.config(api, certificate)
            for log_format in ("logfmt", "json"):
                for arguments in (["--config.check"], *([f"--probe={account}"] for account in self.ACCOUNTS)):
                    done = run(*arguments, "--log.level=debug", f"--log.format={log_format}", config=config, files=self.FILES,
                               environment=environment)
                    self.assertTrue(done.stdout + done.stderr)
                    self.assert_clean(arguments[0], done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
