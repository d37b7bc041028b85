"""What the package contains beside the program: manual pages, completion, unit, maintainer scripts, changelog."""

import gzip
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["SQLBAK_GATEWAY_SOURCE"])
PROGRAM = pathlib.Path(os.environ["SQLBAK_GATEWAY_BIN"]) / "sqlbak-gateway"
MADE = pathlib.Path(os.environ["SQLBAK_GATEWAY_MADE"])
PACKAGING = SOURCE / "packaging"
UNIT = PACKAGING / "systemd/sqlbak-gateway.service"


def shown(page):
    """A manual page as it is read, on one line."""
    source = gzip.open(MADE / page, "rt", encoding="utf-8").read()
    text = re.sub(r"\\f[BIPR]", "", source)
    for roff, plain in (("\\-", "-"), ("\\(aq", "'"), ("\\&", ""), ("\\e", "\\")):
        text = text.replace(roff, plain)
    return re.sub(r"\s+", " ", text)


def flags():
    said = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True).stdout
    return re.findall(r"(?m)^  --([\w.-]+)(?:=(\S+))?", said), said


class ManualPages(unittest.TestCase):
    def test_the_program_page_has_its_flags_and_variables(self):
        page = shown("sqlbak-gateway.8.gz")
        known, said = flags()
        self.assertGreater(len(known), 5)
        for name, value in known:
            self.assertIn(f"--{name}={value}" if value else f"--{name}", page)
        self.assertEqual(set(re.findall(r"--([\w.]+[\w-]*)", page)) - {name for name, _ in known}, set())
        for variable in re.findall(r"(?m)^  ([A-Z_]+)  ", said):
            self.assertIn(variable, page)

    def test_the_configuration_page_has_every_documented_key(self):
        """docs/configuration.md is held to the program's keys by config_test; the page is made from it."""
        page = shown("gateway.toml.5.gz")
        rows = re.findall(r"(?m)^\| `(\w+)` \| ([^|]+?) \| +(?:`([^|]*)` )?\|", (SOURCE / "docs/configuration.md").read_text())
        self.assertGreater(len(rows), 40)
        for key, kind, default in rows:
            entry = f".TP {key} ({kind}" + (f"; default {default}" if default else "")
            self.assertIn(entry, page)

    @unittest.skipUnless(shutil.which("mandoc"), "needs mandoc")
    def test_are_well_formed(self):
        for page in ("sqlbak-gateway.8.gz", "gateway.toml.5.gz"):
            source = gzip.open(MADE / page).read()
            said = subprocess.run(["mandoc", "-T", "lint", "-W", "warning"], input=source, capture_output=True, check=False).stdout.decode()
            # No date, so that the same source makes the same page; and paragraphs that follow a heading.
            serious = [line for line in said.splitlines() if "missing date" not in line and "skipping paragraph macro" not in line]
            self.assertEqual(serious, [])


class Completion(unittest.TestCase):
    def offered(self, *words):
        script = f'''source {PACKAGING}/completion/sqlbak-gateway.bash
            COMP_WORDS=(sqlbak-gateway "$@"); COMP_CWORD=$#; _sqlbak_gateway; printf '%s\\n' "${{COMPREPLY[@]}}"'''
        return subprocess.run(["bash", "-c", script, "bash", *words], capture_output=True, text=True, check=True).stdout.split()

    def test_offers_every_flag(self):
        self.assertEqual(sorted(self.offered("--")), sorted(f"--{name}" + ("=" if value else "") for name, value in flags()[0]))
        self.assertEqual(self.offered("--config.c"), ["--config.check"])

    def test_offers_values(self):
        self.assertEqual(self.offered("--log.level", "=", "d"), ["debug"])
        self.assertEqual(self.offered("--log.format", "="), ["logfmt", "json"])
        self.assertEqual(self.offered("--log.level", "w"), ["warn"])


class Unit(unittest.TestCase):
    @unittest.skipUnless(shutil.which("systemd-analyze"), "needs systemd-analyze")
    def test_its_exposure_is_low(self):
        said = subprocess.run(["systemd-analyze", "security", "--offline=true", UNIT], capture_output=True, text=True, check=True).stdout
        exposure = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", said)[1])
        self.assertLess(exposure, 1.5)
        self.assertIn(f"rates it {exposure} (OK)", (SOURCE / "docs/operating.md").read_text())

    @unittest.skipUnless(shutil.which("systemd-analyze"), "needs systemd-analyze")
    def test_systemd_understands_every_line(self):
        done = subprocess.run(["systemd-analyze", "verify", UNIT], capture_output=True, text=True, check=False)
        # The program and its manual pages are not installed here.
        wrong = [line for line in done.stderr.splitlines() if UNIT.name in line and "is not executable" not in line and "Command 'man" not in line]
        self.assertEqual(wrong, [])

    @unittest.skipUnless(shutil.which("systemd-sysusers"), "needs systemd-sysusers")
    def test_systemd_can_make_its_user(self):
        with tempfile.TemporaryDirectory() as root:
            (pathlib.Path(root) / "etc").mkdir()
            subprocess.run(["systemd-sysusers", f"--root={root}", PACKAGING / "systemd/sqlbak-gateway.sysusers"], check=True, capture_output=True)
            self.assertRegex((pathlib.Path(root) / "etc/passwd").read_text(), r"(?m)^sqlbak-gateway:.*:/var/lib/sqlbak-gateway:/usr/sbin/nologin$")

    def test_is_started_again_however_often_it_failed(self):
        text = UNIT.read_text()
        self.assertIn("\nRestart=on-failure\n", text)
        self.assertIn("\nStartLimitIntervalSec=0\n", text[:text.index("[Service]")])
        self.assertNotIn("StartLimitBurst", text)

    def test_names_what_the_package_installs(self):
        text, cmake = UNIT.read_text(), (SOURCE / "cmake/Package.cmake").read_text()
        self.assertIn("ExecStart=/usr/bin/sqlbak-gateway --config.file=/etc/sqlbak-gateway/gateway.toml\n", text)
        self.assertIn("EnvironmentFile=-/etc/default/sqlbak-gateway\n", text)
        self.assertIn("DESTINATION /etc/default RENAME sqlbak-gateway", cmake)
        user = re.search(r"(?m)^User=(\S+)$", text)[1]
        self.assertRegex((PACKAGING / "systemd/sqlbak-gateway.sysusers").read_text(), rf"(?m)^u {user} ")


class Documents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.root = pathlib.Path(folder.name)
        subprocess.run(["cmake", "--install", MADE.parent, "--prefix", "/usr"], check=True, capture_output=True,
                       env={**os.environ, "DESTDIR": folder.name})

    def test_every_link_leads_to_something_installed(self):
        documents = sorted(self.root.rglob("*.md"))
        self.assertGreater(len(documents), 40)
        tried = 0
        for document in documents:
            text = re.sub(r"(?s)```.*?```", "", document.read_text(encoding="utf-8"))
            for target in re.findall(r"\]\(([^)#\s]+)", text):
                if target.startswith(("http://", "https://")):
                    continue
                tried += 1
                path = os.path.normpath(self.root / target[1:] if target.startswith("/") else document.parent / target)
                with self.subTest(f"{document.relative_to(self.root)}: {target}"):
                    self.assertTrue(pathlib.Path(path).is_relative_to(self.root) and os.path.exists(path))
        self.assertGreater(tried, 50)

    def test_what_is_not_installed_is_named_instead(self):
        folder = self.root / "usr/share/doc/sqlbak-gateway"
        self.assertFalse((folder / "package-test.md").exists())
        text = (folder / "operating.md").read_text(encoding="utf-8")
        self.assertIn("what it saw (`docs/package-test.md` in the source)", text)
        self.assertIn("`contrib/container` (in the source)", text)

    def test_the_rest_of_a_document_is_as_in_the_source(self):
        for name in ("troubleshooting.md", "metrics.md", "runbooks/SqlBakGatewayDown.md"):
            installed = self.root / "usr/share/doc/sqlbak-gateway" / name
            self.assertEqual(installed.read_bytes(), (SOURCE / "docs" / name).read_bytes())


class Debian(unittest.TestCase):
    def test_the_changelog_begins_with_the_projects_version(self):
        version = re.search(r"(?m)^  VERSION (\S+)$", (SOURCE / "CMakeLists.txt").read_text())[1]
        self.assertTrue((PACKAGING / "debian/changelog").read_text().startswith(f"sqlbak-gateway ({version}) "))

    def test_scripts_are_sh(self):
        for name in ("postinst", "prerm", "postrm"):
            subprocess.run(["sh", "-n", PACKAGING / "debian" / name], check=True)

    def test_the_environment_file_names_the_programs_variables(self):
        text = (PACKAGING / "debian/default").read_text()
        for variable in re.findall(r"(?m)^  ([A-Z_]+)  ", flags()[1]):
            self.assertIn(f"\n#{variable}=", text)
        self.assertNotRegex(text, r"(?m)^[^#\n]", "nothing is set as shipped")


if __name__ == "__main__":
    unittest.main()
