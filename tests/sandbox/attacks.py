"""Attacks on the grader's sandbox, each a few lines. The child runs `attacks.py NAME... `; tests/e2e/test_sandbox.py
imports the same file for its table and judges from outside what came of each.

A function of TRIES needs no more evidence than its own: it raises, or what it wanted worked. Those of ALONE are run one
process each. Where it is given, `with_fork` is the run in which a lab allows processes.
"""
import ctypes
import errno
import fcntl
import json
import mmap
import os
import signal
import socket
import struct
import sys
import threading
import time

TRIES, ALONE = {}, {}
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
X86 = os.uname().machine == "x86_64"


def syscall(name, *arguments):
    """By number, as an attacker would: x86-64's, or the one that newer calls share on every architecture."""
    numbers = {"keyctl": (250, 219), "add_key": (248, 217), "ptrace": (101, 117), "readv": (310, 270), "writev": (311, 271),
               "pidfd_open": (434, 434), "pidfd_getfd": (438, 438), "pidfd_send_signal": (424, 424),
               "io_uring_setup": (425, 425), "perf_event_open": (298, 241), "bpf": (321, 280), "kcmp": (312, 272),
               "userfaultfd": (323, 282), "mount": (165, 40), "unshare": (272, 97), "shmget": (29, 194), "mq_open": (240, 180),
               "memfd_create": (319, 279), "clock_settime": (227, 112), "setns": (308, 268), "chroot": (161, 51)}
    number = name if isinstance(name, int) else numbers[name][0 if X86 else 1]
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments])
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attempt(title):
    def note(function):
        function.title = title
        TRIES[function.__name__] = function
        return function
    return note


def alone(title, **how):
    def note(function):
        function.title, function.how = title, how
        ALONE[function.__name__] = function
        return function
    return note


def place(name):
    return os.environ["PLACE"] + "/" + name


def number(name):
    return int(os.environ[name])


def send(kind, payload=b""):
    os.write(3, kind + struct.pack("<I", len(payload)) + payload)


def answer(text):
    send(b"a", str(text).encode())


# ---- tries: evidence is that nothing is raised ----
@attempt("find a descriptor of the grader's")
def descriptors():
    for fd in range(4, 1024):
        try:
            os.fstat(fd)
        except OSError:
            continue
        return fd
    raise OSError(errno.EBADF, "none")  # the first, while there are none of its own


@attempt("read the reference solution from disk")
def read_reference():
    return open(place("outside/reference.py")).read()


@attempt("read the program's own file")
def read_program():
    return open(os.environ["PROGRAM"], "rb").read(4)


@attempt("read the command line of the grader in /proc")
def read_command_line():
    text = open("/proc/%d/cmdline" % number("GRADER"), "rb").read()
    assert text
    return text


@attempt("read another process's memory through /proc/PID/mem")
def read_mem():
    start = int(open("/proc/%d/maps" % number("BYSTANDER")).readline().split("-")[0], 16)
    with open("/proc/%d/mem" % number("BYSTANDER"), "rb") as f:
        f.seek(start)
        return f.read(8)


@attempt("open the grader's memory through /proc/PID/mem")
def read_grader_mem():
    return open("/proc/%d/mem" % number("GRADER"), "rb")


def vm_call(name, pid):
    data = ctypes.create_string_buffer(8)
    pair = (ctypes.c_size_t * 2)(ctypes.addressof(data), 8)
    nowhere = (ctypes.c_size_t * 2)(8, 8)  # the answer to a right address is EFAULT, to a wrong process EPERM
    try:
        syscall(name, pid, ctypes.byref(pair), 1, ctypes.byref(nowhere), 1, 0)
    except OSError as e:
        if e.errno != errno.EFAULT:
            raise


@attempt("process_vm_readv of the grader or of another process")
def vm_readv():
    try:
        vm_call("readv", number("GRADER"))
    except OSError:
        vm_call("readv", number("BYSTANDER"))


@attempt("process_vm_writev to another process")
def vm_writev():
    vm_call("writev", number("BYSTANDER"))


@attempt("ptrace another process")
def ptrace():
    syscall("ptrace", 0x4206, number("BYSTANDER"), 0, 0)


@attempt("take a descriptor of another process (pidfd_getfd)")
def pidfd_getfd():
    syscall("pidfd_getfd", syscall("pidfd_open", number("BYSTANDER"), 0), 0, 0)


@attempt("compare kernel objects with another process (kcmp)")
def kcmp():
    syscall("kcmp", os.getpid(), number("BYSTANDER"), 0, 0, 0)


@attempt("signal another process of the user")
def signal_other():
    os.kill(number("BYSTANDER"), 0)


@attempt("signal another process by pidfd")
def signal_pidfd():
    syscall("pidfd_send_signal", syscall("pidfd_open", number("BYSTANDER"), 0), 0, None, 0)


@attempt("signal every process of the user (kill -1)")
def signal_all():
    os.kill(-1, 0)


@attempt("signal the grader")
def signal_grader():
    os.kill(number("GRADER"), 0)


@attempt("change the limits of another process (prlimit)")
def prlimit_other():
    import resource
    resource.prlimit(number("BYSTANDER"), resource.RLIMIT_CORE)


@attempt("move another process to another core")
def affinity_other():
    os.sched_setaffinity(number("BYSTANDER"), os.sched_getaffinity(0))


@attempt("have the kernel signal another process (F_SETOWN)")
def setown():
    a, b = os.pipe()
    fcntl.fcntl(a, fcntl.F_SETOWN, number("BYSTANDER"))


@attempt("change the clock")
def set_clock():
    now = time.clock_gettime_ns(time.CLOCK_REALTIME)
    syscall("clock_settime", 0, ctypes.byref((ctypes.c_long * 2)(now // 10**9, now % 10**9)))


@attempt("write outside its folder")
def write_outside():
    open(place("outside/written"), "w").close()


@attempt("write into the lab's folder")
def write_lab():
    open("left_behind", "w").close()


@attempt("truncate a file outside")
def truncate_outside():
    os.truncate(place("outside/reference.py"), os.stat(place("outside/reference.py")).st_size)


@attempt("make a hard link to a file outside")
def link_outside():
    os.link(place("outside/reference.py"), os.environ["SCRATCH"] + "/linked")


@attempt("see what files there are outside")
def list_outside():
    return os.listdir(place("outside"))


@attempt("connect by TCP to this machine")
def tcp():
    socket.create_connection(("127.0.0.1", number("PORT")), 2).close()


@attempt("send by UDP")
def udp():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", number("PORT")))


@attempt("connect to a Unix socket of somebody else's by its file")
def unix_path():
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(place("outside/socket"))


@attempt("connect to an abstract Unix socket of somebody else's")
def unix_abstract():
    with socket.socket(socket.AF_UNIX) as s:
        s.connect("\0" + os.environ["ABSTRACT"])


@attempt("listen to the machine's routing (netlink)")
def netlink():
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0).close()


@attempt("keep something in a keyring")
def keyring():
    syscall("add_key", b"user\0", b"pitviper-test\0", b"x", 1, -3)  # the session's, which ends with its last process


@attempt("SysV shared memory")
def sysv():
    identity = syscall("shmget", 0x50495456, 4096, 0o1600)
    libc.shmctl(ctypes.c_int(identity), 0, None)


@attempt("a POSIX message queue")
def mqueue():
    libc.mq_unlink(b"/pitviper-test")  # a limit of 0 bytes refuses it as well
    syscall("mq_open", b"pitviper-test\0", os.O_CREAT | os.O_RDWR, 0o600, None)
    libc.mq_unlink(b"/pitviper-test")


@attempt("a file in the machine's /dev/shm")
def shared_memory():
    name = "/dev/shm/pitviper-test-%d" % os.getpid()
    os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR))
    os.unlink(name)
    assert os.environ["OUTER_SHM"] == str(os.stat("/dev/shm").st_dev), "it is a private one"


@attempt("a file in the machine's /tmp")
def temporary():
    name = "/tmp/pitviper-test-%d" % os.getpid()
    os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR))
    os.unlink(name)
    assert os.environ["OUTER_TMP"] == str(os.stat("/tmp").st_dev), "it is a private one"


@attempt("io_uring, which passes system-call filters by")
def io_uring():
    os.close(syscall("io_uring_setup", 1, ctypes.create_string_buffer(120)))


@attempt("perf_event_open")
def perf():
    attr = ctypes.create_string_buffer(struct.pack("<IIQ", 1, 112, 1), 112)  # software: task clock, of itself
    os.close(syscall("perf_event_open", ctypes.byref(attr), 0, -1, -1, 0))


@attempt("bpf")
def bpf():
    attr = ctypes.create_string_buffer(struct.pack("<IIII", 2, 4, 4, 1), 128)
    os.close(syscall("bpf", 0, ctypes.byref(attr), 128))


@attempt("userfaultfd")
def userfault():
    os.close(syscall("userfaultfd", 1))


@attempt("mount something")
def mount():
    syscall("mount", b"none\0", b"/tmp\0", None, 1 << 18, None)  # make it private: changes nothing here


@attempt("use a capability (chroot)")
def chroot():
    syscall("chroot", b"/\0")


@attempt("leave a program that runs as its maker (setuid bit)")
def make_setuid():
    name = os.environ["SCRATCH"] + "/program"
    os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
    os.chmod(name, 0o4755)


@attempt("the calls of 32-bit programs (int 0x80)")
def int80():
    if not X86:
        raise OSError(errno.ENOSYS, "not on this machine")
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b"\xb8\x18\x00\x00\x00\xcd\x80\xc3")  # getuid
    call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
    result = call()
    if result < 0:
        raise OSError(-result, os.strerror(-result))


@attempt("the calls of x32 programs")
def x32():
    if not X86:
        raise OSError(errno.ENOSYS, "not on this machine")
    syscall(0x40000000 | 39)


@attempt("find the expected answer in its own process")
def expected_inside():
    import gc
    secret = os.environ["SECRET_HINT"][::-1]
    seen = json.dumps(sorted(os.environ.items())) + repr(sys.argv)
    for thing in gc.get_objects():
        if isinstance(thing, (list, tuple, dict)) and len(thing) < 100:
            seen += repr(thing)[:1000]
    assert secret in seen, "nothing there"
    return secret


@attempt("make namespaces of its own")  # the last: it has every capability in them
def unshare():
    syscall("unshare", 0x10000000)


# ---- alone: two words of evidence, the answer and what is seen from outside ----
@alone("print the score line or a frame instead of answering")
def print_score():
    print(json.dumps({"score": 100, "time": 0}))
    sys.stdout.buffer.write(b"a\x02\0\0\0ok")


@alone("write the result file at exit")
def result_file():
    import atexit

    @atexit.register
    def cheat():
        for name in ("display_runtime.txt", os.environ["SCRATCH"] + "/display_runtime.txt"):
            try:
                with open(name, "w") as f:
                    f.write("0")
            except OSError:
                pass
    time.sleep(0.05)
    answer("x")


@alone("patch the clock")
def patched_clock():
    slept = time.sleep
    time.time = time.monotonic = time.perf_counter = time.perf_counter_ns = lambda: 0
    slept(0.05)
    answer("x")


@alone("do the work while importing, before the input comes")
def precompute():
    time.sleep(0.05)
    send(b"r")
    sys.stdin.read()
    answer("x")


@alone("leave the work to an orphan")
def orphan_works():
    if os.fork() == 0:
        if os.fork() == 0:
            until = time.monotonic() + 5
            while time.monotonic() < until:
                pass
        os._exit(0)
    os.wait()
    answer("x")


@alone("leave the work to an orphan, where the lab allows processes", with_fork=True)
def orphan_works_allowed():
    orphan_works()


@alone("leave an orphan that outlives the run", with_fork=True)
def orphan_lives():
    if os.fork() == 0:
        try:
            os.setsid()
        except OSError:
            pass
        if os.fork() == 0:
            os.close(3)
            time.sleep(60)
        os._exit(0)
    os.wait()
    answer("x")


def remember(tell, recall):
    try:
        answer("remembered " + recall())
    except Exception:
        try:
            tell()
        finally:
            answer("nothing")


@alone("remember between samples: a file in the scratch folder", twice=True)
def cache_scratch():
    name = os.environ["SCRATCH"] + "/.cache"
    remember(lambda: open(name, "w").write("x"), lambda: open(name).read())


@alone("remember between samples: a file in the lab's folder", twice=True)
def cache_lab():
    remember(lambda: open("cache", "w").write("x"), lambda: open("cache").read())


@alone("remember between samples: /tmp", twice=True)
def cache_tmp():
    name = "/tmp/pitviper-cache-" + os.environ["ABSTRACT"]
    remember(lambda: open(name, "w").write("x"), lambda: open(name).read())


@alone("remember between samples: /dev/shm", twice=True)
def cache_shm():
    name = "/dev/shm/pitviper-cache-" + os.environ["ABSTRACT"]
    remember(lambda: open(name, "w").write("x"), lambda: open(name).read())


@alone("remember between samples: /dev/shm, where the lab allows it", twice=True, with_shared=True)
def cache_shm_allowed():
    cache_shm()


@alone("remember between samples: an orphan that listens", twice=True, with_fork=True)
def cache_socket():
    name = "\0pitviper-cache-" + os.environ["ABSTRACT"]

    def tell():
        s = socket.socket(socket.AF_UNIX)
        s.bind(name)
        s.listen()
        if os.fork() == 0:
            os.close(3)
            time.sleep(60)

    def recall():
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(name)
        return "x"
    remember(tell, recall)


@alone("remember between samples: an orphan that holds a lock on a file", twice=True, with_fork=True)
def cache_lock():
    f = open("attacks.py")

    def tell():
        fcntl.flock(f, fcntl.LOCK_EX)
        if os.fork() == 0:
            os.close(3)
            time.sleep(60)

    def recall():
        try:
            fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return "x"
        raise OSError("free")
    remember(tell, recall)


@alone("run another program (subprocess)")
def run_program():
    import subprocess
    subprocess.run(["/bin/true"], check=True)
    answer("done")


@alone("become another program (exec)")
def exec_program():
    os.set_inheritable(3, True)
    os.execv("/bin/sh", ["sh", "-c", "printf 'a\\004\\0\\0\\0done' >&3"])


@alone("become another program from memory (memfd)")
def exec_memfd():
    fd = syscall("memfd_create", b"x\0", 0)
    with open("/bin/sh", "rb") as program:
        os.write(fd, program.read())
    os.set_inheritable(3, True)
    os.execve(fd, ["sh", "-c", "printf 'a\\004\\0\\0\\0done' >&3"], {})


@alone("gain rights by a setuid program")
def setuid_program():
    os.execv(place("outside/setuid"), ["id", "-u"])


@alone("gain capabilities by exec (as root)")
def exec_capabilities():
    os.execv("/bin/grep", ["grep", "CapEff", "/proc/self/status"])


@alone("kill the grader")
def kill_grader():
    os.kill(number("GRADER"), signal.SIGKILL)
    time.sleep(0.3)


@alone("kill the process that looks after it")
def kill_keeper():
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(0.3)
    answer("x")


@alone("kill another process of the user")
def kill_other():
    os.kill(number("BYSTANDER"), signal.SIGKILL)


@alone("loop for ever")
def endless():
    while True:
        pass


@alone("sleep for ever, deaf to signals")
def deaf():
    for n in range(1, 32):
        try:
            signal.signal(n, signal.SIG_IGN)
        except OSError:
            pass
    time.sleep(60)


@alone("stop itself")
def stops():
    os.kill(os.getpid(), signal.SIGSTOP)


@alone("fork without end")
def fork_bomb():
    while True:
        os.fork()


@alone("fork without end, where the lab allows processes", with_fork=True)
def fork_bomb_allowed():
    while True:
        os.fork()


@alone("start threads without end")
def thread_bomb():
    for _ in range(100000):
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    answer("done")


@alone("fill the memory")
def fill_memory():
    held = []
    while len(held) < 3000:
        held.append(bytearray(1 << 20))
    answer("done")


@alone("fill the disk by one file")
def fill_file():
    with open(os.environ["SCRATCH"] + "/big", "wb") as f:
        while f.tell() < 256 << 20:
            f.write(bytes(1 << 20))
    answer("done")


@alone("fill the disk by many files")
def fill_files():
    for i in range(40):
        with open(os.environ["SCRATCH"] + "/%d" % i, "wb") as f:
            f.write(bytes(2 << 20))
    time.sleep(2)
    answer("done")


@alone("fill the disk by a file without a name")
def fill_unlinked():
    held = []
    for i in range(40):
        f = open(os.environ["SCRATCH"] + "/x", "wb")
        os.unlink(f.name)
        f.write(bytes(2 << 20))
        f.flush()
        held.append(f)
    time.sleep(2)
    answer("done")


@alone("print gigabytes")
def print_gigabytes():
    for _ in range(1 << 12):
        os.write(1, b"x" * (1 << 20))
    answer("done")


@alone("answer with gigabytes")
def answer_gigabytes():
    os.write(3, b"a" + struct.pack("<I", 0xFFFFFFFF))
    for _ in range(1 << 12):
        os.write(3, b"x" * (1 << 20))


@alone("print escape codes for the teacher's terminal")
def escape_codes():
    os.write(1, b"\x1b]0;owned\x07\x1b[2J\x9b31m")
    answer("\x1b[2J")


@alone("close every pipe")
def close_pipes():
    os.closerange(0, 100)
    time.sleep(0.05)


@alone("delete the lab's folder")
def delete_lab():
    import shutil
    shutil.rmtree(os.getcwd(), ignore_errors=True)
    answer("x")


@alone("put a link in the place of the scratch folder")
def swap_scratch():
    scratch = os.environ["SCRATCH"]
    os.rename(scratch, scratch + ".away")
    os.symlink(place("outside"), scratch)
    answer("done")


@alone("leave links to files outside for the one who cleans up")
def plant_links():
    os.chdir(os.environ["SCRATCH"])
    os.symlink(place("outside"), "folder")
    os.symlink(place("outside/reference.py"), "file")
    answer("x")


@alone("leave a tree too deep to remove, and folders that nobody may enter")
def deep_tree():
    os.chdir(os.environ["SCRATCH"])
    os.makedirs("shut/in")
    open("shut/in/file", "w").close()
    os.chmod("shut/in", 0)
    os.chmod("shut", 0)
    for _ in range(1500):
        os.mkdir("d" * 8)
        os.chdir("d" * 8)
    answer("x")


def main():
    if sys.argv[1] != "tries":
        ALONE[sys.argv[1]]()
        return
    found = {}
    for name, function in TRIES.items():
        try:
            function()
            found[name] = "done"
        except Exception as e:
            found[name] = "%s: %s" % (type(e).__name__, e)
    answer(json.dumps(found))


if __name__ == "__main__":
    main()
