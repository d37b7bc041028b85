"""Prometheus's Alertmanager as a program of a test, beside those of tests/system/harness.py."""
import pathlib
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "system"))
from harness import WebProgram, eventually, free_port  # noqa: E402


class Alertmanager(WebProgram):
    def __init__(self, config):
        self.home = tempfile.TemporaryDirectory()
        self.port = free_port()
        path = pathlib.Path(self.home.name) / "alertmanager.yml"
        path.write_text(config, encoding="utf-8")
        super().__init__(["prometheus-alertmanager", f"--config.file={path}", f"--storage.path={self.home.name}/data",
                          f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address=", "--log.level=warn"],
                         folder=self.home.name)

    def when_started(self):
        self.url = f"http://127.0.0.1:{self.port}"
        eventually("Alertmanager being ready", lambda: self.get("/-/ready").status == 200)

    def __exit__(self, *arguments):
        super().__exit__(*arguments)
        self.home.cleanup()
