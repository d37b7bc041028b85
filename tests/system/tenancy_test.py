"""Who may see what, over TLS, with the real Prometheus; rotation; and no secret anywhere."""

import pathlib
import ssl
import subprocess
import tempfile
import unittest

from harness import DEMO_ACCOUNTS, Gateway, Prometheus, Simulator, demo_config, eventually, parse_exposition

ACCESS = """
[server.tls]
cert_file = "{certificate}"
key_file = "{key}"
[[access]]
name = "operator"
password_bcrypt = "{operator}"
accounts = ["*"]
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
    """libxcrypt's own, through perl's crypt, which every Debian has."""
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

    def __exit__(self, *_):
        self.folder.cleanup()


def guarded(api, certificate):
    demo = demo_config(api.api_url, ACCESS.format(certificate=certificate.file, key=certificate.key,
                                                  operator=bcrypt("operator-password")))
    demo["files"]["tokens/acme-scrape"] = "scrape-token-of-acme\n"
    demo["files"]["tokens/all-scrape"] = "scrape-token-of-everybody\n"
    gateway = Gateway(**demo)
    gateway.context = ssl.create_default_context(cafile=certificate.file)
    return gateway


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
        nobody, wrong = {}, {"user": "operator:wrong"}
        tenant = {"headers": {"Authorization": "Bearer scrape-token-of-acme"}}
        operator = {"user": "operator:operator-password"}
        matrix = [  # path, method, and what nobody, a wrong password, the tenant and the operator get
            ("/-/healthy", "GET", (200, 200, 200, 200)),
            ("/-/ready", "GET", (200, 200, 200, 200)),
            ("/", "GET", (401, 401, 200, 200)),
            ("/sd", "GET", (401, 401, 200, 200)),
            ("/probe?account=acme", "GET", (401, 401, 200, 200)),
            ("/probe?account=globex", "GET", (401, 401, 404, 200)),
            ("/probe?account=unknown", "GET", (401, 401, 404, 404)),
            ("/metrics", "GET", (401, 401, 403, 200)),
            ("/config", "GET", (401, 401, 403, 200)),
            ("/-/reload", "POST", (401, 401, 403, 200)),
            ("/nothing", "GET", (401, 401, 404, 404)),
        ]
        with Certificate() as certificate, Simulator() as api, guarded(api, certificate) as gateway:
            for path, method, expected in matrix:
                for caller, status in zip((nobody, wrong, tenant, operator), expected):
                    with self.subTest(path=path, caller=caller):
                        # One wrong password too many would be 429; the right ones are never held up by it.
                        self.assertIn(gateway.get(path, method=method, **caller).status,
                                      (status, 429) if caller is wrong and status == 401 else (status,))
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

    def test_prometheus_needs_nothing_but_discovery_and_its_token(self):
        self.scraped_accounts("scrape-token-of-everybody", DEMO_ACCOUNTS)

    def test_a_tenants_prometheus_sees_its_own(self):
        self.scraped_accounts("scrape-token-of-acme", ["acme"])


class Rotation(unittest.TestCase):
    def test_a_new_token_on_disk_heals_the_account_without_a_reload(self):
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


class Secrets(unittest.TestCase):
    SECRETS = ("demo-token-acme", "scrape-token-of-acme", "scrape-token-of-everybody", "operator-password",
               "abcdefghijklmnopqrstuu", "proxy-secret")

    def test_nothing_the_program_says_holds_a_secret(self):
        with Certificate() as certificate, Simulator() as api, guarded(api, certificate) as gateway:
            gateway.config_file.write_text(gateway.config_file.read_text().replace(
                "[accounts.initech]", '[accounts.initech]\nproxy = "http://user:proxy-secret@127.0.0.1:1"'))
            operator = {"user": "operator:operator-password"}
            said = [gateway.get("/-/reload", method="POST", **operator).text()]
            for account in DEMO_ACCOUNTS:
                said.append(gateway.get(f"/probe?account={account}", headers={
                    "X-Prometheus-Scrape-Timeout-Seconds": "5"}, **operator).text())
                said.append(gateway.get(f"/probe?account={account}&debug=true", headers={
                    "X-Prometheus-Scrape-Timeout-Seconds": "5"}, **operator).text())
            for path in ("/", "/metrics", "/config", "/sd", "/nothing", "/probe?account=demo-token"):
                said.append(gateway.get(path, **operator).text())
            gateway.config_file.write_text(gateway.config_file.read_text() + 'nonsense = 1\n')
            said.append(gateway.get("/-/reload", method="POST", **operator).text())
            gateway.stop()
            said.append(gateway.printed())
            everything = "\n".join(said)
            self.assertIn("<masked>", everything)
            for secret in self.SECRETS:
                self.assertNotIn(secret, everything)


if __name__ == "__main__":
    unittest.main()
