"""The container and Kubernetes files: well formed, agreeing with each other, and their configurations accepted."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

try:
    import yaml
except ImportError:
    yaml = None

SOURCE = pathlib.Path(os.environ["SQLBAK_GATEWAY_SOURCE"])
PROGRAM = pathlib.Path(os.environ["SQLBAK_GATEWAY_BIN"]) / "sqlbak-gateway"
CONTAINER, KUBERNETES = SOURCE / "contrib/container", SOURCE / "contrib/kubernetes"


def accepted(test, configuration):
    """The program takes it, its token files made up."""
    with tempfile.TemporaryDirectory() as folder:
        for path in re.findall(r'_file = "([^"]+)"', configuration):
            made = pathlib.Path(folder) / path.lstrip("/")
            made.parent.mkdir(parents=True, exist_ok=True)
            made.write_text(path.replace("/", "-") + "\n")
            configuration = configuration.replace(f'"{path}"', f'"{made}"')
        file = pathlib.Path(folder) / "gateway.toml"
        file.write_text(configuration)
        done = subprocess.run([PROGRAM, f"--config.file={file}", "--config.check"], capture_output=True, text=True, check=False)
        test.assertEqual(done.returncode, 0, done.stderr)


class Fields:
    """Which fields an object may have and must have (those with !), down to what the manifests use; from the API reference of
    Kubernetes 1.28 and the Prometheus operator 0.68."""

    METADATA = {"name!": str, "labels": dict}
    AUTHORIZATION = {"type": str, "credentials!": {"name!": str, "key!": str}}
    RELABELING = {"action": str, "regex": str, "targetLabel": str, "replacement": str}
    PROBE = {"httpGet!": {"path!": str, "port!": (str, int)}, "periodSeconds": int, "timeoutSeconds": int, "failureThreshold": int}
    CONTAINER = {
        "name!": str, "image!": str, "args": [str], "ports": [{"name": str, "containerPort!": int}],
        "securityContext": {"allowPrivilegeEscalation": bool, "readOnlyRootFilesystem": bool, "capabilities": {"drop": [str]}},
        "resources": {"requests": dict, "limits": dict},
        "startupProbe": PROBE, "readinessProbe": PROBE, "livenessProbe": PROBE,
        "volumeMounts": [{"name!": str, "mountPath!": str, "readOnly": bool}],
    }
    POD = {
        "automountServiceAccountToken": bool, "terminationGracePeriodSeconds": int,
        "securityContext": {"runAsNonRoot": bool, "runAsUser": int, "runAsGroup": int, "fsGroup": int,
                            "seccompProfile": {"type!": str}},
        "containers!": [CONTAINER],
        "volumes": [{"name!": str, "configMap": {"name!": str}, "secret": {"secretName!": str, "defaultMode": int},
                     "persistentVolumeClaim": {"claimName!": str}}],
    }
    KINDS = {
        ("v1", "ConfigMap"): {"data!": dict},
        ("v1", "Secret"): {"type": str, "stringData!": dict},
        ("v1", "PersistentVolumeClaim"): {"spec!": {"accessModes!": [str], "resources!": {"requests!": dict}}},
        ("apps/v1", "Deployment"): {"spec!": {
            "replicas": int, "strategy": {"type!": str}, "selector!": {"matchLabels!": dict},
            "template!": {"metadata!": {"labels!": dict}, "spec!": POD}}},
        ("v1", "Service"): {"spec!": {"selector!": dict, "ports!": [{"name": str, "port!": int, "targetPort": (str, int)}]}},
        ("monitoring.coreos.com/v1", "ServiceMonitor"): {"spec!": {
            "jobLabel": str, "selector!": {"matchLabels!": dict},
            "endpoints!": [{"port!": str, "path": str, "interval": str, "authorization": AUTHORIZATION,
                            "relabelings": [RELABELING]}]}},
        ("monitoring.coreos.com/v1alpha1", "ScrapeConfig"): {"spec!": {
            "authorization": AUTHORIZATION,
            "httpSDConfigs": [{"url!": str, "refreshInterval": str, "authorization": AUTHORIZATION}],
            "relabelings": [RELABELING]}},
    }

    @classmethod
    def wrong(cls, value, expected, where):
        if isinstance(expected, list):
            if not isinstance(value, list):
                return [f"{where} is no list"]
            return [found for index, item in enumerate(value) for found in cls.wrong(item, expected[0], f"{where}[{index}]")]
        if not isinstance(expected, dict):
            kinds = expected if isinstance(expected, tuple) else (expected,)
            return [] if type(value) in kinds else [f"{where} is a {type(value).__name__}"]
        if not isinstance(value, dict):
            return [f"{where} is no object"]
        known = {name.rstrip("!"): kind for name, kind in expected.items()}
        found = [f"{where}.{name} is missing" for name in expected if name.endswith("!") and name[:-1] not in value]
        for name, inner in value.items():
            found += cls.wrong(inner, known[name], f"{where}.{name}") if name in known else [f"{where}.{name} is no field"]
        return found

    @classmethod
    def wrong_in_manifest(cls, manifest):
        kind = (manifest.get("apiVersion"), manifest.get("kind"))
        if kind not in cls.KINDS:
            return [f"{kind} is not known"]
        return cls.wrong(manifest, {"apiVersion!": str, "kind!": str, "metadata!": cls.METADATA, **cls.KINDS[kind]}, kind[1])


@unittest.skipUnless(yaml, "needs python3-yaml")
class Kubernetes(unittest.TestCase):
    def setUp(self):
        self.manifests = [document for name in ("sqlbak-gateway.yaml", "prometheus-operator.yaml")
                          for document in yaml.safe_load_all((KUBERNETES / name).read_text())]
        self.by_kind = {manifest["kind"]: manifest for manifest in self.manifests}

    def test_have_the_fields_of_their_kinds_and_no_others(self):
        self.assertEqual([wrong for manifest in self.manifests for wrong in Fields.wrong_in_manifest(manifest)], [])

    def test_the_check_finds_what_is_wrong(self):
        self.by_kind["Service"]["spec"]["port"] = 8000
        del self.by_kind["Deployment"]["spec"]["selector"]
        self.by_kind["Secret"]["stringData"] = "x"
        found = [wrong for manifest in self.manifests for wrong in Fields.wrong_in_manifest(manifest)]
        self.assertEqual(len(found), 3, found)

    def test_agree_with_each_other(self):
        pod = self.by_kind["Deployment"]["spec"]["template"]
        container = pod["spec"]["containers"][0]
        for selector in (self.by_kind["Deployment"]["spec"]["selector"]["matchLabels"], self.by_kind["Service"]["spec"]["selector"],
                         self.by_kind["ServiceMonitor"]["spec"]["selector"]["matchLabels"]):
            self.assertLessEqual(selector.items(), pod["metadata"]["labels"].items())
            self.assertLessEqual(selector.items(), self.by_kind["Service"]["metadata"]["labels"].items())
        port = {port["name"]: port["containerPort"] for port in container["ports"]}
        service_port = self.by_kind["Service"]["spec"]["ports"][0]
        self.assertIn(service_port["targetPort"], port)
        self.assertEqual(self.by_kind["ServiceMonitor"]["spec"]["endpoints"][0]["port"], service_port["name"])
        for probe, path in (("startupProbe", "/-/ready"), ("readinessProbe", "/-/ready"), ("livenessProbe", "/-/healthy")):
            self.assertEqual(container[probe]["httpGet"], {"path": path, "port": "http"})
        self.assertEqual({mount["name"] for mount in container["volumeMounts"]}, {volume["name"] for volume in pod["spec"]["volumes"]})
        names = {kind: manifest["metadata"]["name"] for kind, manifest in self.by_kind.items()}
        for volume in pod["spec"]["volumes"]:
            for kind, key in (("configMap", "name"), ("secret", "secretName"), ("persistentVolumeClaim", "claimName")):
                if kind in volume:
                    self.assertEqual(volume[kind][key], names[kind[0].upper() + kind[1:]])
        credentials = self.by_kind["ScrapeConfig"]["spec"]["authorization"]["credentials"]
        self.assertEqual(credentials["name"], names["Secret"])
        self.assertIn(credentials["key"], self.by_kind["Secret"]["stringData"])

    def test_operator_labels_displace_no_gateway_labels(self):
        """It gives a target of a ServiceMonitor these; a label of the same name in the answer would become exported_…"""
        of_the_target = {"job", "instance", "namespace", "service", "pod", "container", "endpoint"}
        endpoint = self.by_kind["ServiceMonitor"]["spec"]["endpoints"][0]
        for relabeling in endpoint.get("relabelings", []):
            self.assertEqual(relabeling["action"], "labeldrop")
            of_the_target = {label for label in of_the_target if not re.fullmatch(relabeling["regex"], label)}
        own = self.gateway_labels()
        self.assertIn("account", own)
        self.assertEqual(own & of_the_target, set())

    @staticmethod
    def gateway_labels():
        rows = (SOURCE / "docs/metrics.md").read_text().split("<!-- catalogue: gateway -->")[1]
        return {label for cell in re.findall(r"(?m)^\| `[^|]+\|[^|]+\|([^|]*)\|", rows) for label in re.findall(r"`(\w+)`", cell)}

    def test_the_configuration_is_accepted_and_finds_its_tokens(self):
        configuration = self.by_kind["ConfigMap"]["data"]["gateway.toml"]
        accepted(self, configuration)
        container = self.by_kind["Deployment"]["spec"]["template"]["spec"]["containers"][0]
        mounted = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        for path in re.findall(r'_file = "([^"]+)"', configuration):
            folder, key = path.rsplit("/", 1)
            self.assertEqual(folder, mounted["tokens"])
            self.assertIn(key, self.by_kind["Secret"]["stringData"])
        self.assertEqual(mounted["configuration"], "/etc/sqlbak-gateway")

    def test_the_user_is_the_images(self):
        user = self.by_kind["Deployment"]["spec"]["template"]["spec"]["securityContext"]["runAsUser"]
        self.assertIn(f"USER {user}:{user}\n", (CONTAINER / "Dockerfile").read_text())


class Container(unittest.TestCase):
    def test_the_dockerfile_names_what_is_there(self):
        text = (CONTAINER / "Dockerfile").read_text()
        for script in re.findall(r"RUN (scripts/\S+)", text):
            self.assertTrue(os.access(SOURCE / script, os.X_OK), script)
        self.assertIn("source=/src/build/packages", text)
        self.assertIn("packages=$PWD/build/packages", (SOURCE / "scripts/release").read_text())
        self.assertRegex(text, r'(?m)^ENTRYPOINT \["/usr/bin/sqlbak-gateway"\]$')
        flags = re.findall(r'"(--[\w.-]+)', text[text.index("\nCMD"):])
        said = subprocess.run([PROGRAM, "--help"], capture_output=True, text=True, check=True).stdout
        self.assertTrue(flags and all(f"{flag}=" in said for flag in flags), flags)
        self.assertIn("build\n", (SOURCE / ".dockerignore").read_text())

    def test_the_health_check_tells_healthy_from_missing(self):
        text = (CONTAINER / "Dockerfile").read_text()
        command = re.search(r'HEALTHCHECK .*?CMD \["/bin/bash", "-c", \\\n\s+"(.*)"\]', text)[1].replace("\\\\", "\\")
        self.assertIn("/127.0.0.1/8000 ", command)
        import sys
        sys.path.insert(0, str(SOURCE / "tests/system"))
        from harness import Gateway, free_port
        with Gateway('[server]\nlisten = ["127.0.0.1:0"]\n[history]\nkind = "memory"\n') as gateway:
            healthy = subprocess.run(["/bin/bash", "-c", command.replace("/8000 ", f"/{gateway.port} ")], capture_output=True, check=False)
        self.assertEqual(healthy.returncode, 0, healthy.stderr)
        gone = subprocess.run(["/bin/bash", "-c", command.replace("/8000 ", f"/{free_port()} ")], capture_output=True, check=False)
        self.assertNotEqual(gone.returncode, 0)

    def test_the_configuration_is_accepted(self):
        accepted(self, (CONTAINER / "gateway.toml").read_text())

    @unittest.skipUnless(yaml, "needs python3-yaml")
    def test_compose_names_what_is_there(self):
        compose = yaml.safe_load((CONTAINER / "compose.yaml").read_text())
        self.assertEqual(set(compose), {"services", "volumes"})
        for name, service in compose["services"].items():
            self.assertTrue("image" in service, name)
            for volume in service.get("volumes", []):
                source, target = volume.split(":")[:2]
                if source.startswith("."):
                    self.assertTrue((CONTAINER / source).exists(), volume)
                else:
                    self.assertIn(source, compose["volumes"])
                self.assertTrue(target.startswith("/"))
            for published in service["ports"]:
                self.assertTrue(published.startswith("127.0.0.1:"), published)
            for needed in service.get("depends_on", {}):
                self.assertIn(needed, compose["services"])
        gateway = compose["services"]["gateway"]
        self.assertTrue((CONTAINER / gateway["build"]["context"] / gateway["build"]["dockerfile"]).exists())
        targets = re.findall(r"(\w+):(?:8000|9093|9090)", (CONTAINER / "prometheus.yml").read_text())
        self.assertLessEqual(set(targets), set(compose["services"]))

    @unittest.skipUnless(yaml, "needs python3-yaml")
    def test_tokens_are_mounted_as_a_replaceable_folder(self):
        mounted = {}
        for volume in yaml.safe_load((CONTAINER / "compose.yaml").read_text())["services"]["gateway"]["volumes"]:
            source, target = volume.split(":")[:2]
            mounted[target] = CONTAINER / source
        run = re.search(r"docker run .*?sqlbak-gateway\n", (CONTAINER / "README.md").read_text(), re.S)[0]
        for path in re.findall(r'_file = "([^"]+)"', (CONTAINER / "gateway.toml").read_text()):
            folder = mounted.get(str(pathlib.PurePosixPath(path).parent))
            self.assertTrue(folder and folder.is_dir(), path)
            self.assertIn(f" -v ./{folder.name}:{pathlib.PurePosixPath(path).parent}:ro", run)
            self.assertIn(f"contrib/container/{folder.name}/*\n", (SOURCE / ".dockerignore").read_text())

    def test_the_commands_make_token_files_private_to_the_user(self):
        user = re.search(r"(?m)^USER (\d+):(\d+)$", (CONTAINER / "Dockerfile").read_text())
        tokens = re.findall(r'_file = "/run/secrets/([^"]+)"', (CONTAINER / "gateway.toml").read_text())
        for name in ("compose.yaml", "README.md"):
            mode, owner, group, file = re.search(r"sudo install -m (\d+) -o (\d+) -g (\d+) /dev/stdin tokens/(\w+)",
                                                 (CONTAINER / name).read_text()).groups()
            self.assertEqual((mode, owner, group), ("0400", user[1], user[2]), name)
            self.assertIn(file, tokens)
            with tempfile.TemporaryDirectory() as folder:  # whoever runs this is the owner here
                made = pathlib.Path(folder) / file
                self.install(mode, "first", made)
                with made.open() as mounted_alone:
                    self.install(mode, "second", made)
                    self.assertEqual((mounted_alone.read(), made.read_text()), ("first", "second"))
                self.assertEqual(made.stat().st_mode & 0o777, 0o400)

    @staticmethod
    def install(mode, token, file):
        subprocess.run(["install", "-m", mode, "/dev/stdin", file], input=token, text=True, check=True)

    @unittest.skipUnless(shutil.which("amtool"), "needs amtool")
    def test_alertmanager_takes_its_configuration(self):
        subprocess.run(["amtool", "check-config", SOURCE / "contrib/alerts/alertmanager.yml"], check=True, capture_output=True)


if __name__ == "__main__":
    unittest.main()
