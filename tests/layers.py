#!/usr/bin/env python3
"""Hold the sources to the walls of the house. Prints each breach as FILE:LINE: text; exits 1 if there is one.

The layers, and what each may include, are the jail_layer() lines of */CMakeLists.txt. Also: a raw system call
outside the doors, a Result dropped, a word that must not stand in the sources, a source file that no list names.
"""
import glob
import os
import re
import sys

DOORS = r"base/(sys\.h|fd\.h|fault\.cc)$|os/\w+/abi\.h$"
CALLS = """
    accept accept4 access bind chdir chmod chown chroot clone clone3 close close_range connect creat dup dup2 dup3
    epoll_create1 epoll_ctl epoll_wait eventfd execl execle execlp execv execve execveat execvp execvpe faccessat
    fchdir fchmod fchmodat fchown fchownat fcntl flock fopen fdopen fork freopen fstat fstatat fsync fdatasync
    ftruncate futimens getdents64 inotify_add_watch inotify_init1 ioctl kill killpg lchown link linkat listen lstat
    madvise memfd_create mkdir mkdirat mkfifo mknod mknodat mlock mmap mount mprotect munmap nanosleep open openat
    openat2 opendir fdopendir pidfd_open pidfd_send_signal pipe pipe2 pivot_root poll popen posix_spawn ppoll prctl
    pread procctl ptrace pwrite read readlink readlinkat readv reboot recv recvfrom recvmsg remove rename renameat
    rmdir select send sendmsg sendto setdomainname setgid setgroups sethostname setns setpgid setpriority setresgid setresuid
    setrlimit setsid setsockopt setuid shutdown signalfd socket socketpair stat statfs
    statvfs statx symlink symlinkat syscall system tcgetattr tcsetattr timerfd_create timerfd_settime truncate umount
    umount2 unlink unlinkat unshare usleep utimensat vfork wait wait4 waitid waitpid write writev
""".split()
CALL = re.compile(r"(?:(?<![\w.>:&])|(?<![\w:>])::)(" + "|".join(CALLS) + r")\s*\(")
MAY_STAND = {  # word: files it may stand in
    "catch": r"cmd/explain\w*\.cc$",  # where a library that throws is wrapped
    "virtual": r"$^",
    "goto": r"$^",
    "throw": r"$^",
    "dynamic_cast": r"$^",
}


def blank(text):
    """The text with comments, strings and characters emptied, line for line."""
    token = r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\''
    def empty(m):
        kept = '""' if '"' in m[0][:2] else "0" if m[0][0] == "'" else " "
        return kept + "\n" * m[0].count("\n")
    return re.sub(token, empty, text, flags=re.DOTALL)


def layers():
    """{layer: (directories it may include from, headers it may include)} and {layer: files listed}."""
    may, listed = {}, {}
    for path in sorted(glob.glob("*/CMakeLists.txt")):
        text = re.sub(r"#.*", "", open(path, encoding="utf-8").read())
        for name, uses in re.findall(r"jail_layer\((\w+)([^)]*)\)", text):
            words = uses.split()
            headers = {w if w.endswith(".h") else w + ".h" for w in words if "/" in w}
            may[name] = ({w for w in words if "/" not in w} | {name}, headers)
            listed[name] = set(re.findall(r"[\w/]+\.cc\b", text))
    return may, listed


def declared(text):
    """Names of functions that this text declares to return a Result, and of those that return something else."""
    names = r"\s+(?:\w+::)*(\w+)\([^;{]*[;{]"
    return (set(re.findall(r"\bResult<[^;(){}=]*>" + names, text)),
            set(re.findall(r"\b(?:void|bool|int|auto|size_t|std::string)&?" + names, text)))


def closing(text, at):
    """Where the parenthesis that opens at `at` closes."""
    depth = 0
    for i in range(at, len(text)):
        depth += (text[i] == "(") - (text[i] == ")")
        if depth == 0:
            return i
    return len(text)


def walls(path, raw, may):
    """(position, text) of includes that the layer may not make, and of words that promise work undone."""
    layer = path.split("/")[0]
    for m in re.finditer(r'^[ \t]*#[ \t]*include[ \t]+"([^"]+)"', raw, re.MULTILINE):
        directory = m[1].split("/")[0]
        if directory not in may[layer][0] and m[1] not in may[layer][1]:
            yield m.start(), f"{layer} may not include {m[1]}"
    for m in re.finditer(r"TODO|FIXME|XXX", raw):
        yield m.start(), f"{m[0]}: file an issue instead"


def declares(text, m):
    """Whether the match is the name in a declaration: a type stands before it."""
    before = text[:m.start()].rstrip()
    return m[0][0] != ":" and re.search(r"[\w>*&]$", before) and not re.search(r"\b(return|else|do|case)$", before)


def named_like_calls(text):
    """Functions of ours that are named like a system call: their own files may call them unqualified."""
    return {m[1] for m in CALL.finditer(text) if declares(text, m)}


def breaches(path, text, header, result_names):
    """(position, text) of what the code itself does wrong; `text` and its header are without comments and strings."""
    own = named_like_calls(text) | named_like_calls(header)
    for m in CALL.finditer("" if re.search(DOORS, path) else text):
        if not declares(text, m) and (m[0][0] == ":" or m[1] not in own):
            yield m.start(), f"raw call of {m[1]}: it belongs behind base/sys.h or os/*/abi.h"
    names = "|".join(sorted(result_names)) or "$^"
    for m in re.finditer(r"\(void\)\s*(?:[\w\[\]]+(?:::|\.|->))*(" + names + r")\s*\(", text):
        yield m.start(), f"the Result of {m[1]} is dropped: say ignore(result, why)"
    for m in re.finditer(r"(?:[;{}]|(?<!\(void)\)|\belse\b)\s*((?:\w+::)*(" + names + r"))\s*\(", text):
        # Of members (x.f()) the class is not known here: clang-tidy looks at those.
        if text[closing(text, m.end() - 1) + 1:].lstrip().startswith(";"):
            yield m.start(1), f"the Result of {m[2]} is not looked at"
    for m in re.finditer(r"\b(" + "|".join(MAY_STAND) + r")\b", text):
        if not re.search(MAY_STAND[m[1]], path):
            yield m.start(), f"{m[1]} has no place here"


def twins(sources):
    """Types of one name in two headers: the linker takes them for one type (all are in one namespace)."""
    seen = {}
    for path, text in sources.items():
        for m in re.finditer(r"^(?:struct|class|enum class|enum)\s+(?:\[\[\w+\]\]\s*)?(\w+)[^;{(]*\{", text, re.MULTILINE):
            if path.endswith(".h") and seen.setdefault(m[1], path) != path:
                yield path, text.count("\n", 0, m.start()) + 1, f"{m[1]} is also a type of {seen[m[1]]}"


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
    may, listed = layers()
    paths = sorted(p for layer in may for p in glob.glob(f"{layer}/**/*", recursive=True) if p.endswith((".cc", ".h")))
    sources = {path: blank(open(path, encoding="utf-8").read()) for path in paths}
    shared, _ = declared("\n".join(text for path, text in sources.items() if path.endswith(".h")))
    found = list(twins(sources))
    for path, text in sources.items():
        raw = open(path, encoding="utf-8").read()
        found += [(path, raw.count("\n", 0, at) + 1, what) for at, what in walls(path, raw, may)]
        results, others = declared(text)
        found += [(path, text.count("\n", 0, at) + 1, what)
                  for at, what in breaches(path, text, sources.get(path[:-2] + "h", ""), (shared | results) - others)]
        layer, name = path.split("/", 1)
        if path.endswith(".cc") and name not in listed[layer] and layer != "cmd":
            found.append((path, 1, f"is in no list of {layer}/CMakeLists.txt"))
    for path, line, what in found:
        print(f"{path}:{line}: {what}")
    print(f"{len(paths)} files of {len(may)} layers, {len(found)} breaches")
    return 1 if found or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
