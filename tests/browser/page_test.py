"""The page for people in a browser: what a reader sees, does with the keyboard, and is spared."""

import json
import pathlib
import unittest
import urllib.parse

from browser import Browser
from harness import Gateway, Simulator
from tenancy_test import bcrypt

HERE = pathlib.Path(__file__).resolve().parent
AXE = HERE / "node_modules/axe-core/axe.min.js"

PHONE = 360  # CSS pixels: a small one
NAMES = "return Array.from(document.querySelectorAll('tbody .name'), e => e.textContent)"

# Everything that page.js waits for comes a hundred times sooner, so that no test waits for it.
HURRY = "const slow = setInterval; setInterval = (what, ms) => slow(what, ms / 100);"


def configured(api, accounts, extra="", **settings):
    """A gateway for `accounts`: name to token. The token None has no file, so that the account cannot be collected."""
    config = (f'[server]\nlisten = ["127.0.0.1:0"]\n[history]\nkind = "memory"\n[upstream]\nrequests_per_second = 0\n{extra}\n[defaults]\n'
              f'api_url = "{api.api_url}"\nrequests_per_second = 0\n' + "".join(f"{key} = {value}\n" for key, value in settings.items()))
    files = {}
    for name, token in accounts.items():
        config += f'[accounts.{name}]\ntoken_file = "tokens/{name}"\n'
        if token:
            files[f"tokens/{name}"] = token + "\n"
    return config, files


DEMO = {name: f"demo-token-{name}" for name in ("acme", "globex", "initech")}


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = cls.enterClassContext(Browser())
        cls.browser.devtools("Page.addScriptToEvaluateOnNewDocument", source=HURRY)

    def setUp(self):
        self.browser.devtools("Emulation.clearDeviceMetricsOverride")
        self.browser.appear()
        self.browser.devtools("Emulation.setScriptExecutionDisabled", value=False)
        self.browser.open("about:blank")
        self.browser.complaints()

    def demo(self, extra="", **settings):
        """The demo's gateway and its API, collected once."""
        api = self.enterContext(Simulator())
        config, files = configured(api, DEMO, extra, **settings)
        gateway = self.enterContext(Gateway(config, files=files))
        for account in DEMO:
            gateway.get(f"/probe?account={account}")
        return api, gateway

    def names(self):
        return self.browser.run(NAMES)

    def row(self, account):
        return self.browser.run("return document.getElementById(arguments[0])?.closest('tr').innerText ?? ''",
                                f"account-{account}")

    def when_row_says(self, account, text):
        self.browser.when(f"the row of {account} saying {text!r}", lambda: text in self.row(account))


class Reading(PageTest):
    def test_after_the_demo_it_says_who_has_a_problem_and_why(self):
        _, gateway = self.demo()
        self.browser.open(gateway.url + "/")
        self.assertEqual(self.browser.text("h1"), "2 accounts at risk")
        self.assertEqual(self.names()[-1], "acme")
        self.assertIn("At risk", self.row("initech"))
        self.assertIn("1 job late: Payroll", self.row("initech"))
        self.assertIn("1 server offline: acme-branch", self.row("acme"))
        self.browser.click("#account-globex")
        self.browser.when("globex's page", lambda: "globex" in (self.browser.text("h1") or ""))
        self.assertIn("CRM", self.browser.text("table.jobs"))
        self.assertIn("success", self.browser.text("table.collections"))
        self.assertEqual(self.browser.complaints(), [])

    def test_a_newcomer_who_has_not_probed_yet_is_told_to(self):
        with Simulator() as api:
            config, files = configured(api, DEMO)
            with Gateway(config, files=files) as gateway:
                self.browser.open(gateway.url + "/")
                self.assertEqual(self.browser.text("h1"), "Waiting for the first probe")

    def test_an_account_fails_and_recovers_during_refreshes(self):
        api, gateway = self.demo(cache_ttl='"1s"')
        self.browser.open(gateway.url + "/")
        self.when_row_says("acme", "Attention")
        api.control("/account?account=acme&refused=401")

        def fails():
            gateway.get("/probe?account=acme")
            return "SqlBak refuses the token" in self.row("acme")
        self.browser.when("acme's failure on the page", fails)
        self.assertIn("To do: Create a new token", self.row("acme"))
        self.assertIn("acme-branch", self.row("acme"))  # what was known is kept

        api.control("/account?account=acme&refused=off")
        gateway.get("/-/reload", method="POST")
        gateway.get("/probe?account=acme")
        self.browser.when("acme's recovery on the page", lambda: "refuses" not in self.row("acme"))
        self.assertEqual(self.browser.complaints(), [])

    def test_refreshing_stops_and_a_lost_gateway_is_shown(self):
        _, gateway = self.demo()
        self.browser.open(gateway.url + "/")
        then = self.browser.text("#as-of")
        self.browser.when("a refresh", lambda: self.browser.text("#as-of") != then)
        self.browser.click("#pause")
        self.assertEqual(self.browser.text("#pause"), "Resume refreshing")
        gateway.stop()
        self.assertEqual(self.browser.text("#unreachable"), "")
        self.browser.click("#pause")
        self.browser.when("the page saying so",
                          lambda: "The gateway does not answer" in self.browser.text("#unreachable"))
        self.assertEqual(self.browser.text("h1"), "2 accounts at risk")

    def test_a_refresh_that_was_stopped_changes_nothing(self):
        _, gateway = self.demo()
        self.browser.open(gateway.url + "/")
        self.browser.click("#pause")
        self.browser.run("const ask = window.fetch; window.fetch = () => new Promise((_, fail) => {"
                         " window.end = () => { window.fetch = ask; fail(new Error('held up')); }; })")
        self.browser.click("#pause")  # begins a refresh
        self.browser.click("#pause")
        self.browser.run("window.end()")
        self.assertEqual(self.browser.run("return document.getElementById('unreachable').textContent"), "")
        self.browser.click("#pause")
        self.assertEqual(self.browser.text("#pause"), "Stop refreshing")

    def test_it_works_without_javascript(self):
        _, gateway = self.demo()
        self.browser.devtools("Emulation.setScriptExecutionDisabled", value=True)
        self.browser.open(gateway.url + "/")
        self.browser.click("#sort-account")
        self.browser.when("the accounts by name", lambda: self.names() == ["acme", "globex", "initech"])
        self.browser.click("#q")
        self.browser.press("init", "Enter")
        self.browser.when("the filter", lambda: self.names() == ["initech"])
        self.assertIn("sort=account", self.browser.url())
        self.assertIsNone(self.browser.text("#pause"))


class Keyboard(PageTest):
    def focus_by_tab(self, element):
        for _ in range(40):
            self.browser.press("Tab")
            if self.browser.focused() == element:
                return
        self.fail(f"Tab never reaches {element}")

    def test_filtering(self):
        _, gateway = self.demo()
        self.browser.open(gateway.url + "/")
        self.browser.press("/")
        self.assertEqual(self.browser.focused(), "q")
        self.browser.press("glob")
        self.browser.when("only globex", lambda: self.names() == ["globex"])
        self.assertEqual(self.browser.text("#how-many"), "1 account")
        self.assertEqual(self.browser.focused(), "q")
        self.assertTrue(self.browser.url().endswith("/?q=glob"))
        self.browser.press("x")
        self.browser.when("nothing", lambda: self.browser.text("#how-many") == "Nothing matches")
        self.browser.press("Backspace", "Backspace", "Backspace", "Backspace", "Backspace")
        self.browser.when("everything again", lambda: len(self.names()) == 3)

    def test_sorting(self):
        _, gateway = self.demo()
        self.browser.open(gateway.url + "/")
        self.focus_by_tab("sort-account")
        self.browser.press("Enter")
        self.browser.when("the accounts by name", lambda: self.names() == ["acme", "globex", "initech"])
        self.assertEqual(self.browser.focused(), "sort-account")
        self.browser.press("Enter")
        self.browser.when("the other way round", lambda: self.names() == ["initech", "globex", "acme"])
        self.assertEqual(self.browser.run("return document.querySelector('[aria-sort=descending]').innerText"), "Account")
        # A refresh keeps order and focus.
        then = self.browser.text("#as-of")
        self.browser.when("a refresh", lambda: self.browser.text("#as-of") != then)
        self.assertEqual(self.names(), ["initech", "globex", "acme"])
        self.assertEqual(self.browser.focused(), "sort-account")

    def test_subsets_and_the_way_back(self):
        _, gateway = self.demo()
        self.browser.open(gateway.url + "/")
        self.focus_by_tab("figure-attention")
        self.browser.press("Enter")
        self.browser.when("only acme", lambda: self.names() == ["acme"])
        self.focus_by_tab("show-everything")
        self.browser.press("Enter")
        self.browser.when("all of them", lambda: len(self.names()) == 3)


class Hostile(PageTest):
    NAME = '</td><script>window.pwned = 1</script><img src=x onerror="window.pwned = 1">\'"&lt;'

    def test_names_stay_text(self):
        api = self.enterContext(Simulator())
        quoted = urllib.parse.quote(self.NAME)
        api.control(f"/job?account=globex&job=CRM&rename={quoted}")
        api.control(f"/server?account=globex&server=globex-db-1&rename={quoted}&status=offline")
        config, files = configured(api, DEMO)
        config += f"labels = {{ customer = {json.dumps(self.NAME)} }}\n"  # of the last account
        gateway = self.enterContext(Gateway(config, files=files))
        for account in DEMO:
            gateway.get(f"/probe?account={account}")
        for path in ("/", "/accounts/globex", "/accounts/initech", "/?q=" + quoted, "/accounts/globex?q=" + quoted):
            self.browser.open(gateway.url + path)
            self.assertIn(self.NAME, self.browser.run("return document.body.textContent + document.getElementById('q').value"))
            then = self.browser.text("#as-of")
            self.browser.when("a refresh", lambda: self.browser.text("#as-of") != then)
            self.assertIsNone(self.browser.run("return window.pwned ?? null"))
            self.assertEqual(self.browser.run("return document.querySelectorAll('script, img').length"), 1)
            self.assertEqual(self.browser.complaints(), [])

    def test_the_policy_would_stop_what_escaping_let_through(self):
        _, gateway = self.demo()
        self.browser.open(gateway.url + "/")
        self.browser.run("document.body.insertAdjacentHTML('beforeend', '<img src=/x onerror=\"window.pwned = 1\">')")
        self.browser.when("a complaint", lambda: any("Content Security Policy" in said for said in self.browser.complaints()))
        self.assertIsNone(self.browser.run("return window.pwned ?? null"))


class Tenants(PageTest):
    ACCESS = """
[[access]]
name = "operator"
bearer_token_file = "tokens/operator"
accounts = ["*"]
[[access]]
name = "tenant"
password_bcrypt = "{tenant}"
accounts = ["acme"]
"""

    def test_a_tenant_sees_only_his_own(self):
        api = self.enterContext(Simulator())
        config, files = configured(api, DEMO, self.ACCESS.format(tenant=bcrypt("secret")))
        gateway = self.enterContext(Gateway(config, files={**files, "tokens/operator": "operator-token\n"}))
        for account in DEMO:
            gateway.get(f"/probe?account={account}", headers={"Authorization": "Bearer operator-token"})
        # As typed into the address bar, so that the script has to cope with it too.
        self.browser.open(gateway.url.replace("http://", "http://tenant:secret@") + "/")
        self.assertEqual(self.names(), ["acme"])
        self.assertNotIn("globex", self.browser.run("return document.documentElement.outerHTML"))
        self.assertNotIn("configuration", self.browser.text("header"))
        then = self.browser.text("#as-of")
        self.browser.when("a refresh", lambda: self.browser.text("#as-of") != then)
        self.assertEqual(self.browser.complaints(), [])
        self.browser.open(gateway.url + "/accounts/globex")
        self.assertIn("no such account", self.browser.text("body"))


class ManyAccounts(PageTest):
    def test_a_thousand_accounts_are_paged_found_and_sorted(self):
        api = self.enterContext(Simulator())
        accounts = {**DEMO, **{f"customer-{number:04}": None for number in range(997)}}
        config, files = configured(api, accounts)
        gateway = self.enterContext(Gateway(config, files=files))
        for account in (*DEMO, "customer-0500"):
            gateway.get(f"/probe?account={account}")
        self.browser.open(gateway.url + "/")
        self.assertEqual(self.browser.text("#figure-all"), "1,000 Accounts")
        self.assertEqual(set(self.names()[:2]), {"globex", "initech"})
        self.assertEqual(self.names()[2:4], ["customer-0500", "acme"])
        self.assertEqual(self.browser.text("#how-many"), "1–100 of 1,000 accounts")
        self.browser.click("#page-after")
        self.browser.when("the second page", lambda: self.browser.text("#how-many") == "101–200 of 1,000 accounts")
        self.browser.press("/", "customer-0996")
        self.browser.when("one of a thousand", lambda: self.names() == ["customer-0996"])
        self.assertEqual(self.browser.complaints(), [])


class Accessible(PageTest):
    def violations(self):
        self.assertTrue(AXE.exists(), "axe-core is not installed; scripts/setup --peers does it")
        self.browser.run(AXE.read_text(encoding="utf-8"))
        found = self.browser.run_async("""
            const done = arguments[0];
            axe.run({resultTypes: ['violations']}).then((results) => done({
              checked: results.passes.length,
              violations: results.violations.map((v) => `${v.id}: ${v.help}: ${v.nodes.map((n) => n.html.slice(0, 200)).join(' | ')}`)}),
              (error) => done({checked: 0, violations: [String(error)]}))""")
        self.assertGreater(found["checked"], 15)
        return found["violations"]

    def scenes(self):
        api, gateway = self.demo(cache_ttl='"1s"', max_age='{ full = "36h" }')
        api.control("/account?account=acme&refused=401")
        self.browser.when("acme's failure", lambda: "not-collected" in gateway.get("/accounts/acme.json").text()
                          or not gateway.get("/probe?account=acme"))
        for path in ("/", "/?q=nobody", "/?sort=account&show=at-risk", "/accounts/globex", "/accounts/acme",
                     "/accounts/initech?show=late"):
            yield gateway.url + path

    def test_axe_finds_nothing_at_any_size_or_colour_scheme(self):
        everywhere = [(1440, False), (PHONE, True)]
        for number, url in enumerate(self.scenes()):
            for width, dark in everywhere + ([(1440, True), (PHONE, False)] if number == 0 else []):
                with self.subTest(url=url, width=width, dark=dark):
                    self.browser.appear(dark=dark, width=width)
                    self.browser.open(url)
                    self.browser.run("document.querySelector('details').open = true")
                    self.assertEqual(self.violations(), [])

    def test_a_phone_shows_who_and_why_without_side_scrolling(self):
        for url in self.scenes():
            with self.subTest(url=url):
                self.browser.appear(width=PHONE)
                self.browser.open(url)
                self.assertEqual(self.browser.run("return document.documentElement.scrollWidth"), PHONE)
        self.browser.open(url[:url.index("/accounts")] + "/")
        self.assertIn("At risk", self.row("globex"))
        self.assertEqual(self.browser.run("return getComputedStyle(document.querySelector('tbody tr')).display"), "flex")

    def test_paper_has_no_controls(self):
        _, gateway = self.demo()
        self.browser.appear(printing=True)
        self.browser.open(gateway.url + "/")
        for control in ("#filter", "#pause", "footer"):
            self.assertEqual(self.browser.run("return getComputedStyle(document.querySelector(arguments[0])).display",
                                              control), "none", control)


if __name__ == "__main__":
    unittest.main()
