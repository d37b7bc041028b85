"""Debian's Chromium, headless, driven through chromedriver's WebDriver protocol. Standard library only.

    with Browser() as browser:
        browser.open(gateway.url + "/")
        browser.press("/")
        print(browser.text("h1"))

Everything it reads and writes is in a folder of its own, and it reaches 127.0.0.1 only.
"""

import base64
import json
import re
import tempfile
import urllib.error
import urllib.request

from harness import PATIENCE, Program, eventually

ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
    "--force-color-profile=srgb", "--lang=en-US",
    # Nothing but loopback resolves; a proxy of the environment is not asked.
    "--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
KEYS = {"Enter": "\ue007", "Tab": "\ue004", "Escape": "\ue00c", "Backspace": "\ue003"}
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Browser(Program):
    def __init__(self, width=1440, height=1000):
        self.home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.size = (width, height)
        self.session = None
        super().__init__(["chromedriver", "--port=0", "--log-level=WARNING"], folder=self.home.name)

    def when_started(self):
        port = self.wait_for_line(r"started successfully on port (\d+)").group(1)
        self.driver = f"http://127.0.0.1:{port}"
        options = {"binary": "/usr/bin/chromium",
                   "args": [*ARGUMENTS, f"--user-data-dir={self.home.name}/profile",
                            "--window-size={},{}".format(*self.size)]}
        made = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": {
            "timeouts": {"script": PATIENCE * 1000}, "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}}})
        self.session = made["sessionId"]

    def __exit__(self, *arguments):
        if self.session:
            try:
                self._ask("DELETE", f"/session/{self.session}")
            except OSError:
                pass  # chromedriver ends its Chromium in any case
        super().__exit__(*arguments)
        self.home.cleanup()

    def _ask(self, method, path, body=None):
        data = json.dumps(body or {}).encode() if method == "POST" else None
        request = urllib.request.Request(self.driver + path, data=data, method=method,
                                         headers={"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=PATIENCE) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{path}: {error.read().decode(errors='replace')[:600]}") from None

    def _in_session(self, path, body=None, method="POST"):
        return self._ask(method, f"/session/{self.session}{path}", body)

    def open(self, url):
        self._in_session("/url", {"url": url})

    def url(self):
        return self._in_session("/url", method="GET")

    def run(self, script, *arguments):
        """The value of a JavaScript function body."""
        return self._in_session("/execute/sync", {"script": script, "args": list(arguments)})

    def run_async(self, script, *arguments):
        """The value its last argument, a function, is called with."""
        return self._in_session("/execute/async", {"script": script, "args": list(arguments)})

    def devtools(self, command, **parameters):
        return self._in_session("/goog/cdp/execute", {"cmd": command, "params": parameters})

    def press(self, *keys):
        """Keys by name ("Enter", "Tab"), or text typed key by key, into whatever has the focus."""
        actions = []
        for key in keys:
            for character in ([KEYS[key]] if key in KEYS else key):
                actions += [{"type": "keyDown", "value": character}, {"type": "keyUp", "value": character}]
        self._in_session("/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def click(self, selector):
        def clicked():
            try:
                element = self._in_session("/element", {"using": "css selector", "value": selector})[ELEMENT]
                self._in_session(f"/element/{element}/click")
                return True
            except AssertionError as error:
                if "stale element" in str(error):  # a refresh came between finding and clicking
                    return False
                raise
        eventually(f"a click on {selector}", clicked)

    def text(self, selector):
        """As it is shown, blanks run together; None where there is no such element."""
        shown = self.run("return document.querySelector(arguments[0])?.innerText ?? null", selector)
        return None if shown is None else re.sub(r"\s+", " ", shown).strip()

    def texts(self, selector):
        return self.run("return Array.from(document.querySelectorAll(arguments[0]), e => e.innerText.trim())", selector)

    def focused(self):
        """The id of what has the focus."""
        return self.run("return document.activeElement.id")

    def when(self, what, check):
        return eventually(what, check)

    def complaints(self):
        """What the console has said since it was last asked: errors of scripts, blocked resources."""
        return [entry["message"] for entry in self._in_session("/se/log", {"type": "browser"})]

    def appear(self, *, dark=False, width=None, height=1000, printing=False):
        """As a reader who prefers dark, on a screen of that width (CSS pixels)."""
        self.devtools("Emulation.setEmulatedMedia", media="print" if printing else "", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        if width:
            self.devtools("Emulation.setDeviceMetricsOverride", width=width, height=height,
                          deviceScaleFactor=2 if width < 600 else 1, mobile=width < 600)

    def picture(self, path, whole=True, scale=None):
        size = self.devtools("Page.getLayoutMetrics")["cssContentSize"] if whole else None
        clip = {"clip": {**size, "scale": scale or 1}} if size else {}
        image = self.devtools("Page.captureScreenshot", format="png", captureBeyondViewport=whole, **clip)
        with open(path, "wb") as file:
            file.write(base64.b64decode(image["data"]))
