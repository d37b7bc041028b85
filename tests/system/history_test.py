"""What is remembered survives the process, however it ends."""

import os
import random
import signal
import tempfile
import threading
import time
import unittest

from harness import Gateway, Simulator, by_sorted_labels, difference, eventually, parse_exposition

KILLS = int(os.environ.get("KILLS", "20"))

CONFIG = """
[server]
listen = ["127.0.0.1:0"]
[history]
path = "{folder}/history.db"
[upstream]
requests_per_second = 0
[defaults]
api_url = "{url}"
requests_per_second = 0
cache_ttl = "1s"
settings_ttl = "0s"
[accounts.customer]
token_env = "CUSTOMER"
"""


class State:
    """A folder for the history that outlives gateways."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def gateway(self, api):
        return Gateway(CONFIG.format(folder=self.folder.name, url=api.api_url),
                       environment={"CUSTOMER": "token-account-0001"})


def probed(gateway):
    return parse_exposition(gateway.get("/probe?account=customer").text())


def of_the_state(series):
    """The series that do not depend on the instant of the answer."""
    return {name: value for name, value in by_sorted_labels(series).items()
            if name.startswith(("sqlbak_job", "sqlbak_server")) and "age_hours" not in name}


class Restarts(unittest.TestCase):
    maxDiff = None

    def test_an_outage_after_a_restart_shows_what_was_known(self):
        with State() as state, Simulator("--size", "small", "--speed", "0", "--evolve", "off") as api:
            with state.gateway(api) as gateway:
                before = probed(gateway)
                self.assertEqual(before["probe_success"], 1)
                own = parse_exposition(gateway.get("/metrics").text())
                self.assertEqual(own['sqlbak_gateway_history_info{kind="sqlite"}'], 1)
                self.assertGreater(own["sqlbak_gateway_history_size_bytes"], 10_000)
                self.assertEqual(gateway.stop()[0], 0)
            api.control("/faults?rule=close=before")
            with state.gateway(api) as gateway:
                after = eventually("the collection failing", lambda: (
                    lambda seen: seen if seen["probe_success"] == 0 else None)(probed(gateway)))
                self.assertEqual(difference(of_the_state(before), of_the_state(after)), "")
                self.assertEqual(after['sqlbak_collection_failure{reason="connection"}'], 1)

    def test_a_second_gateway_on_the_same_file_warns_and_works(self):
        with State() as state, Simulator("--size", "small") as api:
            with state.gateway(api) as first, state.gateway(api) as second:
                self.assertEqual(probed(first)["probe_success"], 1)
                self.assertEqual(probed(second)["probe_success"], 1)
                self.assertIn("the history cannot be used", second.printed())
                own = parse_exposition(second.get("/metrics").text())
                self.assertEqual(own['sqlbak_gateway_history_info{kind="memory"}'], 1)
                self.assertEqual(own["sqlbak_gateway_history_errors_total"], 1)

    def test_a_kill_at_any_moment_keeps_what_was_committed(self):
        """After every kill the gateway shows the simulator's truth."""
        dice = random.Random(20261126)
        with State() as state, Simulator("--size", "small", "--speed", "0", "--evolve", "off") as api:
            jobs = sorted({name.split('job_name="')[1].split('"')[0] for name in parse_exposition(api.control(
                "/truth?account=account-0001", method="GET").text()) if name.startswith("sqlbak_job_info")})
            for kill in range(KILLS):
                with self.subTest(kill=kill):
                    with state.gateway(api) as gateway:
                        stop = threading.Event()
                        prober = threading.Thread(target=self.keep_probing, args=(gateway, stop))
                        prober.start()
                        time.sleep(dice.uniform(0, 0.4))  # any moment will do
                        gateway.stop(signal.SIGKILL)
                        stop.set()
                        prober.join()
                    api.control(f"/run?account=account-0001&job={dice.choice(jobs)}"
                                f"&age={KILLS - kill}m&status={dice.choice(['succeeded', 'failed'])}")
                    with state.gateway(api) as gateway:
                        self.assertNotIn("the history", gateway.printed())
                        seen = probed(gateway)
                        self.assertEqual(seen["probe_success"], 1)
                        truth = parse_exposition(api.control("/truth?account=account-0001", method="GET").text())
                        self.assertEqual(difference(of_the_state(truth), of_the_state(seen)), "")
                        gateway.stop(signal.SIGKILL if kill % 2 else signal.SIGTERM)

    @staticmethod
    def keep_probing(gateway, stop):
        while not stop.is_set():
            try:
                probed(gateway)
            except (OSError, ValueError):
                return


if __name__ == "__main__":
    unittest.main()
