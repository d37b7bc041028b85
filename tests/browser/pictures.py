#!/usr/bin/env python3
"""Draws the page for people into a folder: a good day and a bad one, dark and light, on a desk and on a phone.

    SQLBAK_GATEWAY_BIN=build/release/bin SQLBAK_GATEWAY_SOURCE=. tests/browser/pictures.py FOLDER
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))

from browser import Browser  # noqa: E402
from harness import Simulator  # noqa: E402
from scenes import CUSTOMERS, account_of, add_run, collect, fleet, heal, until_not_collected  # noqa: E402

SCREENS = (("desktop", 1440, 900), ("phone", 390, 844))


def draw(browser, url, folder, name):
    for screen, width, height in SCREENS:
        for theme in ("light", "dark"):
            browser.appear(dark=theme == "dark", width=width, height=height)
            browser.open(url)
            browser.picture(folder / f"{name}-{screen}-{theme}.png")


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with Simulator("--size=small", "--accounts=12", "--evolve=off") as generated, Simulator() as demo, Browser() as browser:
        heal(generated)
        with fleet(generated.api_url) as gateway:
            collect(gateway, CUSTOMERS)
            draw(browser, gateway.url + "/", folder, "good-day")
        add_run(generated, "stark", "CRM", "full", "failed", "10m")
        with fleet(generated.api_url, demo.api_url, ttl={"hooli": "1s"},
                   without_token=["cyberdyne"]) as gateway:
            collect(gateway, [name for name in CUSTOMERS if name != "wayne"])
            generated.control(f"/account?account={account_of('hooli')}&refused=401")
            until_not_collected(gateway, "hooli")
            draw(browser, gateway.url + "/", folder, "bad-day")
            draw(browser, gateway.url + "/accounts/globex", folder, "account")


if __name__ == "__main__":
    main()
