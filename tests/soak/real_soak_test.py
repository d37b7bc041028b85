"""Tests the checks of the real soak, because checks that cannot fail prove nothing."""

import http.server
import json
import threading
import types
import unittest
from unittest import mock

import real_soak
from real_soak import Client, RealSoak
from harness import Answer, eventually


def samples(**grows):
    """Samples of one minute, steady with a little noise after a warm-up. Those named grow by a factor."""
    steady = {"rss_mib": 64, "descriptors": 70, "threads": 9, "history_mib": 12}
    return [{name: value * (0.5 if at < 20 else 1) * (1 + (grows.get(name, 1) - 1) * at / 100) + at % 3 * 0.3
             for name, value in steady.items()} for at in range(100)]


class Flatness(unittest.TestCase):
    def complaints(self, taken):
        soak = RealSoak(1, 1, "small")
        soak.samples = taken
        soak.check_flatness()
        return soak.wrong

    def test_what_is_steady_after_its_warm_up_is_flat(self):
        self.assertEqual(self.complaints(samples()), [])

    def test_each_thing_that_grows_is_named(self):
        for name in ("rss_mib", "descriptors", "threads", "history_mib"):
            with self.subTest(name):
                wrong = self.complaints(samples(**{name: 12}))
                self.assertEqual(len(wrong), 1)
                self.assertIn(f"{name} grew", wrong[0])


class Counters(unittest.TestCase):
    def complaints(self, answered, errors=0):
        own = ("sqlbak_gateway_http_requests_total{path=\"/probe\",code=\"200\"} " f"{answered}\n"
               "sqlbak_gateway_collections_total{account=\"a\",result=\"success\"} 3\n"
               "sqlbak_gateway_api_requests_total{account=\"a\"} 30\n"
               f"sqlbak_gateway_history_errors_total {errors}\n")
        soak = RealSoak(1, 1, "small")
        soak.gateway = types.SimpleNamespace(get=lambda _: Answer(200, {}, own.encode()))
        soak.answers, soak.first_answers = 40, 2
        soak.check_counters()
        return soak.wrong

    def test_that_add_up_are_right(self):
        self.assertEqual(self.complaints(42), [])

    def test_that_are_off_by_one_are_wrong(self):
        self.assertIn("41 probes answered, 42 seen", self.complaints(41)[0])

    def test_an_error_of_the_history_is_wrong(self):
        self.assertEqual(self.complaints(42, errors=1), ["errors of the history"])


class Answers(unittest.TestCase):
    BODIES = {"sound": (200, "probe_success 1\n"), "ill": (200, "probe_success 0\n"), "refused": (503, "busy\n"),
              "garbled": (200, "probe_success one\n"), "empty": (200, ""), "gone": (404, "unknown account\n")}

    def test_each_that_is_not_as_it_should_be_is_named(self):
        bodies = self.BODIES

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                if self.path == "/sd":
                    status, body = 200, json.dumps([{"labels": {"account": name}} for name in bodies])
                else:
                    status, body = bodies[self.path.rsplit("=", 1)[1]]
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_):
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, \
                mock.patch.object(real_soak, "SCRAPE_EVERY", 0.1):
            serving = threading.Thread(target=server.serve_forever)
            serving.start()
            wrong = []
            client = Client(types.SimpleNamespace(url=f"http://127.0.0.1:{server.server_port}"), 0, wrong)
            try:
                eventually("three rounds", lambda: client.answers >= 6)
            finally:
                client.end()
                server.shutdown()
                serving.join()
        self.assertEqual({line.split(":")[0] for line in wrong}, {"refused", "garbled", "empty"})
        self.assertEqual(client.failing, {"sound": False, "ill": True})


if __name__ == "__main__":
    unittest.main()
