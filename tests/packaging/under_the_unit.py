"""Runs a command in a root file system under the restrictions of a systemd unit, as far as that can be done without systemd:
its user, mounts, capabilities, system call filter and environment, in the order in which systemd applies them.

Every directive of the unit's [Service] must be known here, as one that is applied or as one that is named in NOT_EXERCISED,
so that the unit cannot grow a restriction that nobody tried. Needs root and Debian's python3-seccomp.
"""

import ctypes
import errno
import functools
import os
import pathlib
import pwd
import re
import resource
import shlex
import stat
import subprocess

import seccomp

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUTS = 0x00020000, 0x08000000, 0x04000000
CLONE_NEW_ANY = 0x7E020080
PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP = 38, 24
PROT_WRITE, PROT_EXEC, SHM_EXEC = 2, 4, 0o100000

# What takes systemd itself.
NOT_EXERCISED = {
    "Restart", "RestartSec", "TimeoutStopSec",  # its supervision
    "WatchdogSec",                              # its killing; that the program gives its signs of life is seen
    "DevicePolicy",                             # a BPF program of its cgroup; PrivateDevices= has the same effect here
    "PrivateUsers",                             # a user namespace set up from outside
    "ProtectClock", "ProtectControlGroups", "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules",
    "RestrictRealtime",                         # SystemCallFilter= forbids its system calls already; /sys is not mounted
    "RemoveIPC", "AmbientCapabilities", "SystemCallArchitectures",
}
APPLIED = {
    "Type", "EnvironmentFile", "ExecStart", "ExecReload", "User", "Group", "LimitNOFILE", "StateDirectory",
    "StateDirectoryMode", "UMask", "NoNewPrivileges", "CapabilityBoundingSet", "ProtectSystem", "ProtectHome", "PrivateTmp",
    "PrivateDevices", "PrivateIPC", "PrivateMounts", "ProtectKernelTunables", "ProtectProc", "ProcSubset", "LockPersonality",
    "MemoryDenyWriteExecute", "RestrictAddressFamilies", "RestrictNamespaces", "RestrictSUIDSGID", "SystemCallFilter",
    "SystemCallErrorNumber",
}


def read_unit(path):
    """The [Service] section: directive to the list of its values."""
    service, section = {}, None
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line
        elif section == "[Service]" and line and not line.startswith("#"):
            name, value = line.split("=", 1)
            service.setdefault(name, []).append(value)
    unknown = set(service) - APPLIED - NOT_EXERCISED
    if unknown:
        raise SystemExit(f"{path}: neither applied nor named as not exercised: {', '.join(sorted(unknown))}")
    return service


@functools.cache
def syscalls_of(name):
    """The system calls of a set of systemd's (@system-service), or the one of that name."""
    if not name.startswith("@"):
        return frozenset([name])
    listed = subprocess.run(["systemd-analyze", "syscall-filter", name], capture_output=True, text=True, check=True).stdout
    members = re.findall(r"^ +([@\w-]+)$", listed, re.MULTILINE)
    return frozenset().union(*(syscalls_of(member) for member in members))


def allowed_syscalls(filters):
    allowed = set()
    for line in filters:
        inverted = line.startswith("~")
        named = set().union(*(syscalls_of(word) for word in line.lstrip("~").split()))
        allowed = allowed - named if inverted else allowed | named
    # systemd always lets these through.
    return allowed | {"execve", "exit", "exit_group", "getrlimit", "rt_sigreturn", "sigreturn"}


def system_call_filter(service):
    """The filter that systemd makes of SystemCallFilter=, RestrictAddressFamilies=, MemoryDenyWriteExecute= and others."""
    made = seccomp.SyscallFilter(seccomp.ERRNO(errno.EPERM))
    conditional = {
        # Allowed where any of the alternatives holds.
        "socket": [[seccomp.Arg(0, seccomp.EQ, int(getattr(__import__("socket"), family)))]
                   for family in service["RestrictAddressFamilies"][0].split()],
        "mmap": [[seccomp.Arg(2, seccomp.MASKED_EQ, PROT_WRITE | PROT_EXEC, some)] for some in (0, PROT_WRITE, PROT_EXEC)],
        "mprotect": [[seccomp.Arg(2, seccomp.MASKED_EQ, PROT_EXEC, 0)]],
        "pkey_mprotect": [[seccomp.Arg(2, seccomp.MASKED_EQ, PROT_EXEC, 0)]],
        "shmat": [[seccomp.Arg(2, seccomp.MASKED_EQ, SHM_EXEC, 0)]],
        "clone": [[seccomp.Arg(0, seccomp.MASKED_EQ, CLONE_NEW_ANY, 0)]],
        "chmod": [[seccomp.Arg(1, seccomp.MASKED_EQ, stat.S_ISUID | stat.S_ISGID, 0)]],
        "fchmod": [[seccomp.Arg(1, seccomp.MASKED_EQ, stat.S_ISUID | stat.S_ISGID, 0)]],
        "fchmodat": [[seccomp.Arg(2, seccomp.MASKED_EQ, stat.S_ISUID | stat.S_ISGID, 0)]],
    }
    for name in sorted(allowed_syscalls(service["SystemCallFilter"]) - {"unshare", "setns", "personality", "clone3"}):
        try:
            seccomp.resolve_syscall(seccomp.Arch(), name)
            for condition in conditional.get(name, [[]]):
                made.add_rule(seccomp.ALLOW, name, *condition)
        except (ValueError, RuntimeError, OSError):
            continue  # another architecture's, or newer than this libseccomp
    made.add_rule(seccomp.ERRNO(errno.ENOSYS), "clone3")  # its flags cannot be looked at; the C library falls back to clone
    return made


def call(name, *arguments):
    if getattr(LIBC, name)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")


def mount(source, target, kind=None, flags="", *, bind=False):
    command = ["mount", "--bind"] if bind else ["mount"]
    if kind:
        command += ["-t", kind]
    if flags:
        command += ["-o", flags]
    subprocess.run([*command, source, str(target)], check=True)


def mounts(service, root):
    """Applies ProtectSystem=strict and related settings in a mount namespace of its own."""
    call("unshare", CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS)
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    mount(str(root), root, bind=True)
    mount("proc", root / "proc", "proc", "nosuid,nodev,noexec,hidepid=invisible")
    mount(str(root / "proc/sys"), root / "proc/sys", bind=True)
    mount(str(root / "proc/sys"), root / "proc/sys", flags="remount,bind,ro")
    for folder in ("tmp", "var/tmp"):
        mount("tmpfs", root / folder, "tmpfs", "nosuid,nodev,mode=1777")
    for folder in ("home", "root"):
        mount("tmpfs", root / folder, "tmpfs", "ro,mode=000")
    mount("tmpfs", root / "dev", "tmpfs", "nosuid,noexec,mode=755")
    for number, name in ((3, "null"), (5, "zero"), (7, "full"), (8, "random"), (9, "urandom")):
        os.mknod(root / "dev" / name, stat.S_IFCHR | 0o666, os.makedev(1, number))
        os.chmod(root / "dev" / name, 0o666)
    user = user_of(service, root)
    state = root / "var/lib" / service["StateDirectory"][0]
    state.mkdir(exist_ok=True)
    os.chown(state, user.pw_uid, user.pw_gid)
    os.chmod(state, int(service["StateDirectoryMode"][0], 8))
    mount(str(state), state, bind=True)
    mount(str(root), root, flags="remount,bind,ro")
    mount(str(root / "dev"), root / "dev", flags="remount,ro")


def user_of(service, root):
    for line in (root / "etc/passwd").read_text(encoding="utf-8").splitlines():
        fields = line.split(":")
        if fields[0] == service["User"][0]:
            return pwd.struct_passwd([*fields[:2], int(fields[2]), int(fields[3]), *fields[4:]])
    raise SystemExit(f"no user {service['User'][0]} in {root}")


def environment_of(service, root):
    name = service["StateDirectory"][0]
    made = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG": "C.UTF-8", "USER": service["User"][0],
            "STATE_DIRECTORY": f"/var/lib/{name}"}
    for value in service["EnvironmentFile"]:
        path = root / value.lstrip("-/")
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
            if line and line[0] not in "#;":
                key, text = line.split("=", 1)
                made[key] = text.strip('"')
    return made


def command_of(service):
    return shlex.split(service["ExecStart"][0])


def popen(root, command=None, environment=None, extra=(), **options):
    """A subprocess.Popen of `command` (the unit's own unless given, with `extra` arguments), in `root` under its unit."""
    root = pathlib.Path(root)
    service = read_unit(root / "lib/systemd/system/sqlbak-gateway.service")
    user = user_of(service, root)
    rules = system_call_filter(service)
    limit = int(service["LimitNOFILE"][0])

    def restrict():
        mounts(service, root)
        os.chroot(root)
        os.chdir("/")
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        allowed = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, allowed))
        os.umask(int(service["UMask"][0], 8))
        for capability in range(64):
            if LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
                break
        os.setgroups([])
        os.setgid(user.pw_gid)
        os.setuid(user.pw_uid)
        call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        rules.load()

    return subprocess.Popen([*(command or command_of(service)), *extra], preexec_fn=restrict, cwd="/",
                            env={**environment_of(service, root), **(environment or {})}, stdin=subprocess.DEVNULL, **options)
