"""Attacks on whoever runs code that is not trusted, each as a source with a function `attack(bait)`.

Each works against a bare subprocess, which is shown first, and must not work in the sandbox. It has worked where it
returns True, where it wrote the bait's `marker`, or where the bait's process is dead. All of them aim at what the test
has put there: files in a folder of its own, a process that sleeps, ports that it listens on.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ATTACKS", "Attack"]


@dataclass(frozen=True)
class Attack:
    name: str
    body: str
    shows: str = "result"
    """How its success shows in a bare subprocess: by its `result`, by running on `for ever`, or by a `flood`."""
    seconds: float = 20.0
    """What it gets in the sandbox."""

    @property
    def source(self) -> str:
        lines = "\n".join(f"    {line}" for line in self.body.strip("\n").splitlines())
        return f"{PRELUDE}\n\ndef attack(bait):\n{lines}\n"


PRELUDE = '''
import ctypes, os, platform, sys

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
COLUMN = {"x86_64": 0, "aarch64": 1}[platform.machine()]
NUMBERS = {
    "clone": (56, 220), "vfork": (58, 220), "tkill": (200, 130), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138),
    "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424), "pidfd_getfd": (438, 438), "ptrace": (101, 117),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "io_uring_setup": (425, 425),
    "unshare": (272, 97), "mount": (165, 40), "bpf": (321, 280), "perf_event_open": (298, 241),
    "userfaultfd": (323, 282), "add_key": (248, 217), "memfd_create": (319, 279), "personality": (135, 92),
    "shmget": (29, 194), "shmctl": (31, 195), "inotify_init1": (294, 26), "fanotify_init": (300, 262),
    "setns": (308, 268), "prctl": (157, 167), "kcmp": (312, 272), "open_tree": (428, 428), "fsopen": (430, 430),
    "name_to_handle_at": (303, 264), "syslog": (103, 116), "mknodat": (259, 33),
}


def system(name, *arguments):
    """A system call by its number: what it returned, or -1."""
    wide = [ctypes.c_long(one) if isinstance(one, int) else one for one in arguments]
    return libc.syscall(ctypes.c_long(NUMBERS[name][COLUMN]), *wide)


def read(path):
    with open(path, "rb") as file:
        return file.read(100)
'''

FILES = {
    "read a file": "return read(bait['file']) == b'secret'",
    "read a file by many steps up": "return read('../' * 30 + bait['file'].lstrip('/')) == b'secret'",
    "read a file by a descriptor of its folder": """
folder = os.open(bait['folder'], os.O_RDONLY | os.O_DIRECTORY)
return os.read(os.open('file', os.O_RDONLY, dir_fd=folder), 6) == b'secret'
""",
    "map a file into memory": """
import mmap
with mmap.mmap(os.open(bait['file'], os.O_RDONLY), 6, prot=mmap.PROT_READ) as view:
    return view[:] == b'secret'
""",
    "open a file again by /proc": """
place = os.open(bait['file'], os.O_PATH)
return read(f'/proc/self/fd/{place}') == b'secret'
""",
    "list a folder": "return 'file' in os.listdir(bait['folder'])",
    "import a file": """
sys.path.insert(0, bait['folder'])
import planted
return planted.VALUE == 'secret'
""",
    "read the users of this machine": "return b'root' in read('/etc/passwd')",
    "write a new file": "open(bait['marker'], 'w').write('x')",
    "overwrite a file": "return open(bait['victim'], 'w').write('x') == 1",
    "append to a file": "return open(bait['victim'], 'a').write('x') == 1",
    "delete a file": "return os.remove(bait['victim']) is None",
    "rename a file": "os.rename(bait['victim'], bait['marker'])",
    "make a folder": "os.mkdir(bait['marker'])",
    "link to a file": "os.link(bait['file'], bait['marker'])",
    "make a symbolic link": "os.symlink(bait['file'], bait['marker']); return os.path.lexists(bait['marker'])",
    "make a pipe with a name": "os.mkfifo(bait['marker'])",
    "change the rights of a file": "return os.chmod(bait['victim'], 0o777) is None",
    "change the times of a file": "return os.utime(bait['victim'], (0, 0)) is None",
    "truncate a file": "return os.truncate(bait['victim'], 0) is None",
    "write to shared memory": """
path = f"/dev/shm/{os.path.basename(bait['folder'])}"
open(path, 'w').write('x')
os.remove(path)
return True
""",
    "give a file an attribute": "return os.setxattr(bait['victim'], 'user.planted', b'x') is None",
    "plant a file for the next one": """
import tempfile
place, path = tempfile.mkstemp()
os.remove(path)
return True
""",
}

PROC = {
    "read the environment of a process": "return b'SECRET' in read(f\"/proc/{bait['pid']}/environ\")",
    "read the command of a process": "return b'sleep' in read(f\"/proc/{bait['pid']}/cmdline\")",
    "find processes": "return str(bait['pid']) in os.listdir('/proc')",
    "read its own memory map": "return b'-' in read('/proc/self/maps')",
    "write to the memory of a process": """
with open(f"/proc/{bait['pid']}/maps") as maps:
    start = next(int(line.split('-')[0], 16) for line in maps if 'rw-p' in line)
with open(f"/proc/{bait['pid']}/mem", 'r+b', buffering=0) as memory:
    memory.seek(start)
    return memory.write(b'x') == 1
""",
    "read the secrets of its environment": "return os.environ.get('RETROWEAVE_SECRET') == 'secret'",
    "read its environment in memory": """
libc.getenv.restype = ctypes.c_char_p
return libc.getenv(b'RETROWEAVE_SECRET') == b'secret'
""",
    "read its environment by /proc": "return b'RETROWEAVE_SECRET' in open('/proc/self/environ', 'rb').read()",
}

NETWORK = {
    "connect by IPv4": """
import socket
return socket.create_connection(('127.0.0.1', bait['port']), 2) is not None
""",
    "connect by IPv6": """
import socket
return socket.create_connection(('::1', bait['port6']), 2) is not None
""",
    "send a datagram": """
import socket
return socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', bait['port'])) == 1
""",
    "connect to a local socket": """
import socket
return socket.socket(socket.AF_UNIX).connect(bait['local']) is None
""",
    "connect to a local socket without a file": """
import socket
return socket.socket(socket.AF_UNIX).connect('\\0' + bait['abstract']) is None
""",
    "listen on a port": """
import socket
with socket.socket() as place:
    place.bind(('127.0.0.1', 0))
    place.listen()
    return True
""",
    "ask the kernel by netlink": """
import socket
return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).fileno() >= 0
""",
    "open a socket of any family": """
for family in range(1, 46):
    for kind in (1, 2, 3, 5):
        if libc.socket(family, kind, 0) >= 0:
            return True
""",
    "open a pair of sockets": "return libc.socketpair(1, 1, 0, (ctypes.c_int * 2)()) == 0",
}

PROCESSES = {
    "fork": """
child = os.fork()
if not child:
    os._exit(0)
os.waitpid(child, 0)
return True
""",
    "fork fifty times": """
children = []
for _ in range(50):
    child = os.fork()
    if not child:
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
return len(children) == 50
""",
    "start a program": """
import subprocess
return subprocess.run(['/bin/true']).returncode == 0
""",
    "spawn a program": """
child = os.posix_spawn('/bin/true', ['true'], {})
return os.waitpid(child, 0)[1] == 0
""",
    "become another program": "os.execv('/bin/mkdir', ['mkdir', bait['marker']])",
    "clone by number": """
child = system('clone', 17, 0, 0, 0, 0)
if child == 0:
    libc._exit(0)
return child > 0 and os.waitpid(child, 0)[0] == child
""",
    "start a thread": """
import _thread, time
ran = []
_thread.start_new_thread(ran.append, (1,))
for _ in range(200):
    if ran:
        return True
    time.sleep(0.01)
""",
    "signal a process": "os.kill(bait['pid'], 9)",
    "signal a group of processes": "os.killpg(bait['pid'], 9)",
    "signal a thread": "system('tgkill', bait['pid'], bait['pid'], 9)",
    "signal a thread in the old way": "system('tkill', bait['pid'], 9)",
    "queue a signal": """
info = (ctypes.c_int * 32)(15, 0, -1)
system('rt_sigqueueinfo', bait['pid'], 15, info)
""",
    "signal by a handle": "system('pidfd_send_signal', system('pidfd_open', bait['pid'], 0), 9, 0, 0)",
    "have the kernel signal": """
import fcntl
one, other = os.pipe()
fcntl.fcntl(one, fcntl.F_SETOWN, bait['pid'])
fcntl.fcntl(one, 10, 9)
fcntl.fcntl(one, fcntl.F_SETFL, fcntl.fcntl(one, fcntl.F_GETFL) | os.O_ASYNC)
os.write(other, b'x')
""",
    "trace a process": """
traced = system('ptrace', 0x4206, bait['pid'], 0, 0)
return traced == 0
""",
    "be traced": "return system('ptrace', 0, 0, 0, 0) == 0",
    "read the memory of a process": """
room = ctypes.create_string_buffer(8)
here = (ctypes.c_void_p * 2)(ctypes.addressof(room), 8)
with open(f"/proc/{bait['pid']}/maps") as maps:
    start = int(next(maps).split('-')[0], 16)
there = (ctypes.c_void_p * 2)(start, 8)
return system('process_vm_readv', bait['pid'], here, 1, there, 1, 0) == 8
""",
    "take a descriptor of a process": """
handle = system('pidfd_open', bait['pid'], 0)
return system('pidfd_getfd', handle, 0, 0) >= 0
""",
    "change the limits of its parent": """
import resource
limits = resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE)
return resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, limits) is not None
""",
    "change the priority of a process": "return os.setpriority(os.PRIO_PROCESS, bait['pid'], 19) is None",
    "tie a process to a processor": "return os.sched_setaffinity(bait['pid'], {0}) is None",
    "compare the descriptors of a process": "return system('kcmp', os.getpid(), bait['pid'], 0, 0, 0) in (0, 1, 2, 3)",
}

KERNEL = {
    "set up io_uring": "return system('io_uring_setup', 4, (ctypes.c_uint32 * 30)()) >= 0",
    "make a user namespace": "return system('unshare', 0x10000000) == 0",
    "make namespaces of every kind": """
for flag in (0x10000000, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x20000000, 0x40000000):
    if system('unshare', flag) == 0:
        return True
""",
    "clone into a user namespace": """
child = system('clone', 17 | 0x10000000, 0, 0, 0, 0)
if child == 0:
    libc._exit(0)
return child > 0 and os.waitpid(child, 0)[0] == child
""",
    "mount in a namespace": """
system('unshare', 0x10000000 | 0x20000)
none = ctypes.c_char_p(b'none')
return system('mount', none, ctypes.c_char_p(b'/'), none, 1 << 18 | 16384, 0) == 0
""",
    "open a file system": "return system('fsopen', ctypes.c_char_p(b'tmpfs'), 0) >= 0",
    "clone a mount": "return system('open_tree', -100, ctypes.c_char_p(b'/'), 1) >= 0",
    "enter the namespaces of a process": """
place = os.open(f"/proc/{bait['pid']}/ns/uts", os.O_RDONLY)
return system('setns', place, 0) == 0
""",
    "load a program into the kernel": """
attributes = (ctypes.c_uint32 * 32)(2, 4, 8, 1)
return system('bpf', 0, attributes, 128) >= 0
""",
    "watch the machine's counters": """
wanted = (ctypes.c_uint32 * 32)(1, 112)
return system('perf_event_open', wanted, 0, -1, -1, 0) >= 0
""",
    "handle page faults": "return system('userfaultfd', 1) >= 0",
    "keep a key in the kernel": """
kind, name = ctypes.c_char_p(b'user'), ctypes.c_char_p(b'planted')
return system('add_key', kind, name, ctypes.c_char_p(b'x'), 1, -2) > 0
""",
    "make a file without a name": "return system('memfd_create', ctypes.c_char_p(b'x'), 0) >= 0",
    "share memory with others": """
place = system('shmget', 0, 4096, 0o1600)
system('shmctl', place, 0, 0)
return place >= 0
""",
    "watch a folder": """
place = system('inotify_init1', 0)
return libc.inotify_add_watch(place, bait['folder'].encode(), 0xFFF) >= 0
""",
    "turn off the shuffling of addresses": "return system('personality', 0x40000) >= 0",
    "let itself be traced": "return system('prctl', 4, 1, 0, 0, 0) == 0",
    "become root": "return os.setuid(0) is None",
    "become another user": "return os.setgid(12345) is None or os.setuid(12345) is None",
    "change its root folder": "return os.chroot(bait['folder']) is None",
    "make a device": "return system('mknodat', -100, ctypes.c_char_p(bait['marker'].encode()), 0o20666, 0x103) == 0",
    "read the kernel's log": "return system('syslog', 10, 0, 0) > 0",
    "find a file by its handle": """
room = (ctypes.c_uint32 * 40)(128)
return system('name_to_handle_at', -100, ctypes.c_char_p(bait['file'].encode()), room, (ctypes.c_int * 1)(), 0) == 0
""",
    "type into a terminal": """
import fcntl, pty
one, other = pty.openpty()
return fcntl.ioctl(other, 0x5413, b'\\0' * 8) is not None
""",
}

LIMITS = {
    "take a gibibyte": "return len(bytearray(1000 << 20)) == 1000 << 20",
    "take memory piece by piece": """
pieces = [bytearray(50 << 20) for _ in range(20)]
return len(pieces) == 20
""",
    "map memory": """
import mmap
return len(mmap.mmap(-1, 1000 << 20)) == 1000 << 20
""",
    "open two hundred descriptors": "return len([os.dup(1) for _ in range(200)]) == 200",
    "raise its own limits": """
import resource
soft, hard = resource.getrlimit(resource.RLIMIT_NPROC)
resource.setrlimit(resource.RLIMIT_NPROC, (max(hard, 100) if hard >= 0 else 100, hard))
return resource.getrlimit(resource.RLIMIT_NPROC)[0] >= 100
""",
    "dump its core": """
import resource
return resource.getrlimit(resource.RLIMIT_CORE)[1] != 0
""",
    "read from an inherited descriptor": """
for place in range(3, 256):
    try:
        if os.pread(place, 6, 0) == b'secret':
            return True
    except OSError:
        pass
""",
    "write to an inherited descriptor": """
for place in range(3, 256):
    try:
        os.lseek(place, 0, 1)
        if os.write(place, b'forged') == 6:
            return True
    except OSError:
        pass
""",
}

FOR_EVER = {
    "loop for ever": "while True: pass",
    "loop for ever, and catch everything": """
while True:
    try:
        while True:
            pass
    except BaseException:
        pass
""",
    "loop for ever in a generator": "return all(number >= 0 for number in iter(lambda: 1, 2))",
    "loop for ever when it is told about": """
class Endless:
    def __repr__(self):
        while True:
            pass
return print(repr(Endless()))
""",
    "loop for ever in C": "return sum(iter(int, 1))",
    "count without a tracer": """
sys.settrace(None)
if hasattr(sys, 'monitoring'):
    sys.monitoring.set_events(4, 0)
def spin():
    while True: pass
spin()
""",
    "multiply for ever": "return len(str(7 ** 10 ** 8))",
    "sleep for ever": """
import time
time.sleep(1000)
""",
    "wait on itself for ever": """
one, other = os.pipe()
os.read(one, 1)
""",
    "be deaf to signals": """
import signal
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
signal.pause() if False else os.read(os.pipe()[0], 1)
""",
    "close everything and stay": """
os.closerange(0, 256)
for place in range(256):
    try:
        os.close(place)
    except OSError:
        pass
import time
time.sleep(1000)
""",
}
_IN_C = {
    "loop for ever in C",
    "multiply for ever",
    "sleep for ever",
    "wait on itself for ever",
    "be deaf to signals",
    "close everything and stay",
    "count without a tracer",
}

FLOODS = {
    "print for ever": """
while True:
    print('x' * 1000)
""",
    "write to standard output for ever": """
while True:
    os.write(1, b'x' * 65536)
""",
}

ATTACKS = [
    *(
        Attack(name, body)
        for group in (FILES, PROC, NETWORK, PROCESSES, KERNEL, LIMITS)
        for name, body in group.items()
    ),
    *(Attack(name, body, "for ever", 0.25 if name in _IN_C else 20.0) for name, body in FOR_EVER.items()),
    *(Attack(name, body, "flood", 0.25 if "write" in name else 20.0) for name, body in FLOODS.items()),
]
