"""Tries every configuration, flag, script and link in the documents."""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from markdown import SOURCE, blocks, documents, text_of

sys.path.insert(0, str(SOURCE / "tests/system"))
from harness import Gateway  # noqa: E402

BIN = pathlib.Path(os.environ["SQLBAK_GATEWAY_BIN"])
PROGRAM = BIN / "sqlbak-gateway"


def make_certificate(folder):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
                    folder / "key.pem", "-out", folder / "cert.pem", "-days", "2", "-subj", "/CN=gateway"], check=True,
                   capture_output=True)


class InAFolder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def with_files(self, text, pattern):
        """Creates each file that `text` names (group 1 of `pattern`) in our folder. Returns the text with these paths."""
        def made(found):
            path = self.folder / found[1].lstrip("/")
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.name in ("cert.pem", "key.pem") or path.suffix == ".pem":
                kind = "key.pem" if "key" in path.name else "cert.pem"
                if not (self.folder / kind).exists():
                    make_certificate(self.folder)
                if path != self.folder / kind:
                    shutil.copy(self.folder / kind, path)
            else:
                path.write_text("made-up-for-the-test\n")
            return found[0].replace(found[1], str(path))
        return re.sub(pattern, made, text)


class Configurations(InAFolder):
    """```toml: a whole configuration that --config.check accepts."""

    def check(self, block):
        text = self.with_files(block.text, r'(?m)^\s*#?\w+_file = "([^"]+)"')
        for folder in re.findall(r'accounts_dir = "([^"]+)"', text):
            (self.folder / folder).mkdir(exist_ok=True)
        file = self.folder / "gateway.toml"
        file.write_text(text, encoding="utf-8")
        environment = {name: "made-up-for-the-test" for name in re.findall(r'\w+_env = "(\w+)"', text)}
        credentials = self.folder / "credentials"
        credentials.mkdir(exist_ok=True)
        for name in re.findall(r'token_credential = "([^"]+)"', text):
            (credentials / name).write_text("made-up-for-the-test\n")
        return subprocess.run([PROGRAM, f"--config.file={file}", "--config.check"], capture_output=True, text=True, check=False,
                              env={"CREDENTIALS_DIRECTORY": str(credentials), **environment})

    def test_are_accepted(self):
        tried = 0
        for document in documents():
            for block in blocks(document, "toml"):
                tried += 1
                with self.subTest(str(block)):
                    done = self.check(block)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertNotIn("cannot be read", done.stderr)
        self.assertGreater(tried, 5)


@unittest.skipUnless(shutil.which("promtool"), "needs promtool (package prometheus)")
class ScrapeConfigurations(InAFolder):
    """```yaml with scrape_configs: a whole configuration of Prometheus that promtool accepts. So are those in contrib/."""

    def check(self, text):
        file = self.folder / "prometheus.yml"
        file.write_text(self.with_files(text, r"(?m)(?:^\s*\w+_file: |^ *- (?=/\S+\.rules\.yml))(\S+)"), encoding="utf-8")
        for rules in self.folder.rglob("*.rules.yml"):
            shutil.copy(SOURCE / "contrib/alerts" / rules.name, rules)
        return subprocess.run(["promtool", "check", "config", file], capture_output=True, text=True, check=False)

    def test_are_accepted(self):
        shown = [(str(block), block.text) for document in documents() for block in blocks(document, "yaml")
                 if "scrape_configs:" in block.text]
        self.assertGreater(len(shown), 2)
        for file in ("contrib/container/prometheus.yml", "contrib/kubernetes/prometheus.yml"):
            shown.append((file, text_of(file)))
        for name, text in shown:
            with self.subTest(name):
                done = self.check(text)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Commands(unittest.TestCase):
    def known_flags(self):
        said = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True).stdout
        return set(re.findall(r"(?m)^  (--[\w.-]+)", said))

    def test_every_flag_named_is_one_of_the_program(self):
        known = self.known_flags()
        self.assertIn("--config.check", known)
        tried = 0
        for document in documents():
            # In a command line, or by itself in code; not those of other programs.
            for command in re.findall(r"(?<![=\w-])sqlbak-gateway((?: --[\w.-]+(?:=\S+)?)+)|`(--(?:config|web|log|probe)[\w.-]*)", text_of(document)):
                for flag in re.findall(r"--[\w.-]+", " ".join(command)):
                    tried += 1
                    self.assertIn(flag, known, document)
        self.assertGreater(tried, 10)

    def test_every_script_named_exists_and_takes_its_options(self):
        tried = 0
        for document in documents():
            for script, options in re.findall(r"\b(scripts/[\w-]+)((?: --[\w-]+)*)", text_of(document)):
                tried += 1
                file = SOURCE / script
                self.assertTrue(os.access(file, os.X_OK), f"{document}: {script}")
                for option in options.split():
                    self.assertIn(option, file.read_text(), f"{document}: {script} {option}")
        self.assertGreater(tried, 10)

    def test_every_shell_block_is_shell(self):
        for document in documents():
            for block in blocks(document, "sh"):
                with self.subTest(str(block)):
                    done = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
                    self.assertEqual(done.returncode, 0, done.stderr)


class Links(unittest.TestCase):
    @staticmethod
    def anchors(document):
        headings = re.findall(r"(?m)^#+ (.*)$", re.sub(r"(?s)```.*?```", "", text_of(document)))
        return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}

    def test_lead_to_files_and_headings_that_are_there(self):
        for document in documents():
            for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"(?s)```.*?```", "", text_of(document))):
                if target.startswith(("http://", "https://")):
                    continue
                file, _, anchor = target.partition("#")
                path = (SOURCE / document).parent / file if file else SOURCE / document
                with self.subTest(f"{document}: {target}"):
                    self.assertTrue(path.exists())
                    if anchor:
                        self.assertIn(anchor, self.anchors(str(path.resolve().relative_to(SOURCE))))

    def test_every_document_is_reached_from_the_readme(self):
        reached, waiting = set(), ["README.md"]
        while waiting:
            document = waiting.pop()
            if document in reached:
                continue
            reached.add(document)
            for target in re.findall(r"\]\(([^)#\s]+)", text_of(document)):
                path = ((SOURCE / document).parent / target).resolve()
                if path.suffix == ".md" and path.is_relative_to(SOURCE) and path.exists():
                    waiting.append(str(path.relative_to(SOURCE)))
        self.assertEqual({name for name in documents() if name.startswith("docs/")} - reached, set())


class HistoryPath(unittest.TestCase):
    """The default in the documents is the program's."""

    def running(self, environment):
        with Gateway('[server]\nlisten = ["127.0.0.1:0"]\n[history]\nkind = "memory"\n', environment=environment) as gateway:
            return gateway.get("/config").text()

    def test_defaults(self):
        default = "/var/lib/sqlbak-gateway/history.db"
        self.assertIn(f'path = "{default}"', self.running({}))
        self.assertIn('path = "/somewhere/history.db"', self.running({"STATE_DIRECTORY": "/somewhere"}))
        for document in ("docs/operating.md", "docs/configuration.md", "packaging/man/sqlbak-gateway.8"):
            self.assertIn(default, text_of(document).replace("\\-", "-"), document)


if __name__ == "__main__":
    unittest.main()
