"""The program as users see it: flags, bad input, single-account mode, signals."""

import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import unittest

from harness import Certificate, DEMO_ACCOUNTS, Gateway, Simulator, demo_config, eventually, parse_exposition, run

TOKEN = "s3cret-token-that-must-not-show"


class Flags(unittest.TestCase):
    def test_version_and_help(self):
        self.assertRegex(run("--version").stdout, r"^sqlbak-gateway \d+\.\d+\.\d+ ")
        text = run("--help")
        self.assertEqual(text.returncode, 0)
        for flag in ("--config.file", "--config.check", "--web.listen-address", "--probe", "--log.level", "--log.format"):
            self.assertIn(flag, text.stdout)

    def test_an_unknown_flag_is_an_error_that_names_the_nearest(self):
        result = run("--config.fil=x")
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("--config.file", result.stderr)


class BadInput(unittest.TestCase):
    """One clear message each, a failing exit code, and no token anywhere."""

    def refused(self, expected, config=None, files=None, environment=None, flags=()):
        result = run(*flags, config=config, files=files, environment=environment)
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertIn(expected, result.stderr)
        self.assertNotIn(TOKEN, result.stdout + result.stderr)

    def test_a_missing_file(self):
        self.refused("gateway.toml")

    def test_a_syntax_error_has_its_place(self):
        self.refused("gateway.toml:2:", config="[server]\nlisten = [\n")

    def test_an_unknown_key_has_its_place_and_the_nearest_key(self):
        result = run(config='[defaults]\ncahce_ttl = "90s"\n')
        self.assertEqual(result.returncode, 1)
        self.assertIn("gateway.toml:2:1:", result.stderr)
        self.assertIn("cache_ttl", result.stderr)

    def test_a_wrong_type(self):
        self.refused("gateway.toml:2:", config="[defaults]\ncache_ttl = 90\n")

    def test_a_certificate_that_is_none_has_its_place(self):
        self.refused("gateway.toml:1:9: server.tls: ", flags=["--config.check"], files={"cert.pem": "hello\n", "key.pem": "hello\n"},
                     config='[server.tls]\ncert_file = "cert.pem"\nkey_file = "key.pem"\n')

    def test_a_token_in_the_file(self):
        self.refused("token_file", config=f'[accounts.acme]\ntoken = "{TOKEN}"\n')

    def test_a_malformed_variable_of_the_single_account_mode(self):
        self.refused("CHECK_INTERVAL", environment={"SQLBAK_API_TOKEN": TOKEN, "CHECK_INTERVAL": "often"})

    def test_a_port_in_use(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.refused(str(port), config=f'[server]\nlisten = ["127.0.0.1:{port}"]\n[history]\nkind = "memory"\n')

    def test_check_refuses_what_the_start_would(self):
        listen = '[server]\nlisten = ["127.0.0.1:0"]\n'
        tls = listen + '[server.tls]\ncert_file = "cert.pem"\nkey_file = "key.pem"\n'
        self.refused("cert.pem", config=tls, flags=["--config.check"])
        self.refused("BEGIN CERTIFICATE", config=tls, files={"cert.pem": "x", "key.pem": "x"}, flags=["--config.check"])
        self.refused("tokens/acme", config=listen + '[accounts.acme]\ntoken_file = "tokens/acme"\n',
                     flags=["--config.check"])
        for bad in ("", "\n", f"{TOKEN} {TOKEN}", f"{TOKEN}\n{TOKEN}"):
            self.refused("token file", config=listen + '[accounts.acme]\ntoken_file = "token"\n',
                         files={"token": bad}, flags=["--config.check"])

    def test_check_warns_of_a_certificate_that_expires_soon(self):
        with Certificate() as certificate:
            result = run("--config.check", config=f'[server]\nlisten = ["127.0.0.1:0"]\n[server.tls]\n'
                                                  f'cert_file = "{certificate.file}"\nkey_file = "{certificate.key}"\n')
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertRegex(result.stderr, "warning: .*certificate expires.* on 20.*renew it")

    def test_a_bad_token_is_its_accounts_trouble_alone(self):
        with Simulator() as api:
            demo = demo_config(api.api_url, '[accounts.two-lines]\ntoken_file = "tokens/two-lines"\n')
            demo["files"]["tokens/two-lines"] = f"{TOKEN}\n{TOKEN}\n"
            with Gateway(**demo) as gateway:
                bad = gateway.get("/probe?account=two-lines")
                self.assertEqual(bad.status, 200)
                self.assertEqual(parse_exposition(bad.text())['sqlbak_collection_failure{reason="config"}'], 1)
                good = gateway.get("/probe?account=acme")
                self.assertEqual(parse_exposition(good.text())["probe_success"], 1)
                debug = gateway.get("/probe?account=two-lines&debug=true").text()
                self.assertIn("line", debug)
                self.assertNotIn(TOKEN, debug + bad.text() + gateway.printed())


class OneProbe(unittest.TestCase):
    @staticmethod
    def demo(api):
        """The demo's accounts without a limit to wait for on the real clock."""
        demo = demo_config(api.api_url)
        return {**demo, "config": demo["config"].replace("[defaults]", "[defaults]\nrequests_per_second = 0")}

    def test_prints_the_exposition_and_what_happened(self):
        with Simulator() as api:
            demo = self.demo(api)
            demo["config"] = demo["config"].replace("[server]", "[server]\nmax_requests_in_flight = 1")
            result = run("--probe=acme", "--log.level=warn", config=demo["config"], files=demo["files"])
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertEqual(parse_exposition(result.stdout)["probe_success"], 1)
            self.assertIn("success after", result.stderr)
            self.assertNotIn("Metrics", result.stderr)  # they are what stdout has
            self.assertIn(f"collecting acme from {api.api_url}: ", result.stderr)

    def test_shows_few_requests_unless_asked_for_all(self):
        with Simulator() as api:
            demo = self.demo(api)
            shown = {}
            for level in ("warn", "debug"):
                result = run("--probe=acme", f"--log.level={level}", config=demo["config"], files=demo["files"])
                shown[level] = len(re.findall(r"(?m)^  \+ .* GET /", result.stderr))
                self.assertIn("  jobruns: ", result.stderr)
            self.assertEqual(shown["warn"], 5)
            self.assertGreater(shown["debug"], 50)

    def test_tells_what_happened_after_the_metrics(self):
        with Simulator() as api:
            demo = self.demo(api)
            both = run("--probe=acme", config=demo["config"], files=demo["files"], stderr=subprocess.STDOUT).stdout
            metrics, told, afterwards = both.partition("Account acme at ")
            self.assertIn("\nprobe_success 1\n", metrics)
            self.assertTrue(told)
            self.assertNotRegex(afterwards, r"(?m)^(sqlbak|probe)_")

    def test_fails_when_the_collection_fails(self):
        with Simulator("--fault", "status=403") as api:
            demo = self.demo(api)
            result = run("--probe=acme", config=demo["config"], files=demo["files"])
            self.assertEqual(result.returncode, 1)
            self.assertIn("auth", result.stderr)

    def test_an_unknown_account(self):
        result = run("--probe=nobody", config='[history]\nkind = "memory"\n')
        self.assertEqual(result.returncode, 1)
        self.assertIn("nobody", result.stderr)


class Start(unittest.TestCase):
    def test_says_what_starts(self):
        with Simulator() as api, Gateway(**demo_config(api.api_url)) as gateway:
            version = run("--version").stdout.split()[1]
            self.assertIn(f"msg=starting version={version} configuration={gateway.config_file} accounts=3 "
                          'single_account=false history=memory history_path=""\n', gateway.printed())
        with Simulator() as api:
            demo = demo_config(api.api_url)
            demo["config"] = demo["config"].replace('kind = "memory"', 'path = "history.db"')
            with Gateway(**demo) as gateway:
                self.assertIn(f"history=sqlite history_path={gateway.config_file.parent}/history.db\n", gateway.printed())


class SingleAccount(unittest.TestCase):
    def test_takes_its_token_from_a_file(self):
        with Simulator() as api, tempfile.TemporaryDirectory() as secrets:
            token = pathlib.Path(secrets) / "sqlbak"
            token.write_text("demo-token-acme\n")
            environment = {"SQLBAK_API_TOKEN_FILE": str(token), "SQLBAK_API_URL": api.api_url}
            with Gateway("[server]\nlisten = [\"127.0.0.1:0\"]\n[history]\nkind = \"memory\"\n", environment=environment) as gateway:
                self.assertEqual(parse_exposition(gateway.get("/metrics").text())["probe_success"], 1)

    def test_is_a_drop_in_for_the_published_exporter(self):
        with Simulator() as api:
            environment = {"SQLBAK_API_TOKEN": "demo-token-acme", "SQLBAK_API_URL": api.api_url, "CHECK_INTERVAL": "60"}
            with Gateway('[history]\nkind = "memory"\n', "--web.listen-address=127.0.0.1:0",
                         environment=environment) as gateway:
                metrics = parse_exposition(gateway.get("/metrics").text())
                self.assertEqual(metrics["probe_success"], 1)
                self.assertIn("sqlbak_offline_servers_total", metrics)
                self.assertIn("sqlbak_gateway_accounts", metrics)
                self.assertEqual(gateway.get("/probe?account=default").status, 200)


class RejectedFiles(unittest.TestCase):
    """A bad file of accounts_dir is skipped at the start with a log line, and a reload takes it up once it is corrected."""

    def test_a_bad_file_takes_away_its_accounts_only(self):
        with Simulator() as api:
            demo = demo_config(api.api_url)
            config = 'accounts_dir = "accounts.d"\n' + demo["config"]
            files = {**demo["files"], "accounts.d/bad.toml": "[accounts.umbrella]\ntoken_fil = 'x'\n"}
            with Gateway(config, files=files) as gateway:
                self.assertIn("bad.toml:2:1:", gateway.printed())
                self.assertEqual([group["labels"]["account"] for group in gateway.get("/sd").json()], list(DEMO_ACCOUNTS))
                own = parse_exposition(gateway.get("/metrics").text())
                self.assertEqual(own["sqlbak_gateway_config_files_rejected"], 1)
                self.assertEqual(own["sqlbak_gateway_config_last_reload_successful"], 0)

    def test_discovery_fails_if_a_mistake_hides_all_accounts(self):
        config = '[server]\nlisten = ["127.0.0.1:0"]\n[history]\nkind = "memory"\n'
        with Gateway('accounts_dir = "accounts.d"\n' + config, files={"accounts.d/acme.toml": "nonsense\n"}) as gateway:
            self.assertEqual(gateway.get("/sd").status, 503)
            self.assertEqual(gateway.get("/-/ready").status, 200)
            (gateway.config_file.parent / "accounts.d/acme.toml").write_text(
                '[accounts.acme]\ntoken_env = "NOWHERE"\n')
            self.assertEqual(gateway.get("/-/reload", method="POST").status, 200)
            self.assertEqual(len(gateway.get("/sd").json()), 1)


class Signals(unittest.TestCase):
    def test_sigterm_and_sigint_end_cleanly_within_five_seconds(self):
        with Simulator() as api:
            for how in (signal.SIGTERM, signal.SIGINT):
                with Gateway(**demo_config(api.api_url)) as gateway:
                    gateway.get("/probe?account=acme")
                    code, seconds = gateway.stop(how)
                    self.assertEqual(code, 0)
                    self.assertLess(seconds, 5)

    def test_a_dead_upstream_does_not_hold_up_the_end(self):
        with Simulator("--fault", "latency=1h") as api, Gateway(**demo_config(api.api_url)) as gateway:
            import threading
            waiting = [threading.Thread(target=lambda: self.ignore(gateway), daemon=True) for _ in range(20)]
            for thread in waiting:
                thread.start()
            eventually("a collection running", lambda: 'account="acme"' in gateway.get("/metrics").text())
            code, seconds = gateway.stop()
            self.assertEqual(code, 0)
            self.assertLess(seconds, 5)
            for thread in waiting:
                thread.join(10)

    @staticmethod
    def ignore(gateway):
        try:
            gateway.get("/probe?account=acme")
        except OSError:
            pass

    def test_sighup_reloads_and_a_mistake_changes_nothing(self):
        with Simulator() as api, Gateway(**demo_config(api.api_url)) as gateway:
            good = gateway.config_file.read_text()
            gateway.config_file.write_text("[defaults\n")
            gateway.process.send_signal(signal.SIGHUP)
            gateway.wait_for_line("configuration not reloaded")
            self.assertEqual(gateway.get("/probe?account=acme").status, 200)
            metrics = parse_exposition(gateway.get("/metrics").text())
            self.assertEqual(metrics["sqlbak_gateway_config_last_reload_successful"], 0)
            gateway.config_file.write_text(good.replace("[accounts.initech]", "[accounts.initech-eu]"))
            self.assertEqual(gateway.get("/-/reload", method="POST").status, 200)
            self.assertEqual(gateway.get("/probe?account=initech").status, 404)
            self.assertEqual(gateway.get("/probe?account=initech-eu").status, 200)


if __name__ == "__main__":
    unittest.main()
