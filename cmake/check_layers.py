#!/usr/bin/env python3
"""Checks who includes whom: the table of docs/design.md, section 3.

Exits 1 and lists file:line for every include that the table does not allow, every third-party library used outside its
folder, and every source file that no CMakeLists.txt names.
"""
import pathlib
import re
import subprocess
import sys

# folder → folders of ours it may include from (its own always). The longest matching folder decides.
LAYERS = {
    "common/base": [],
    "common/catalog": ["common/base"],
    "common/job": ["common/base", "common/catalog"],
    "common/schedule": ["common/base", "common/catalog", "common/job"],
    "common/data": ["common/base"],
    "common/sweep": ["common/base", "common/catalog", "common/job", "common/schedule"],
    "common/results": ["common/base", "common/catalog", "common/job"],
    "common/rpc": ["common", "gridsweep/v1"],
    "coordinator/store": ["common/base", "common/catalog", "common/job", "common/schedule", "common/sweep", "common/results"],
    "coordinator/queue": ["common/base", "common/job", "common/sweep", "coordinator/store"],
    "coordinator/security": ["common/base"],
    "coordinator/artifacts": ["common/base"],
    "coordinator/http": ["common/base"],
    "coordinator/net": ["common/base"],
    "coordinator/metrics": ["common/base", "common/results", "coordinator/store"],
    "coordinator/report": ["common/base", "common/job", "common/results", "coordinator/store"],
    "coordinator/service": ["common", "coordinator/artifacts", "coordinator/metrics", "coordinator/queue", "coordinator/report", "coordinator/store", "gridsweep/v1"],
    "coordinator": ["common", "coordinator", "gridsweep/v1"],
    "worker/agent": ["common/base", "common/data", "common/job", "common/rpc", "gridsweep/v1"],
    "worker/trainer": ["common/base", "common/catalog", "common/data", "common/job", "common/schedule"],
    "worker": ["common", "worker/agent", "gridsweep/v1"],
    "cli": ["common", "gridsweep/v1"],
    "tests": ["common", "coordinator", "worker", "cli", "gridsweep/v1"],
    "bench": ["common", "coordinator", "worker", "cli", "gridsweep/v1"],
}

# The queue and the services see the store's interfaces, never its SQLite implementation.
FORBIDDEN = {
    "coordinator/report": ["coordinator/store/sqlite"],
    "coordinator/queue": ["coordinator/store/sqlite"],
    "coordinator/service": ["coordinator/store/sqlite"],
}

# third-party header prefix → folders that may include it
LIBRARIES = {
    "absl/": ["common", "coordinator", "worker", "cli", "tests", "bench"],
    "fmt/": ["common/base"],
    "spdlog/": ["common/base"],
    "nlohmann/": ["common/base"],
    "CLI/": ["common/base"],
    "openssl/": ["common/base", "coordinator/security"],
    "yaml-cpp/": ["common/sweep"],
    "boost/": ["common/results", "cli/export"],
    "Eigen/": ["common/results"],
    "zlib.h": ["common/data", "cli/fetch", "coordinator/report", "tests"],
    "sqlite3.h": ["coordinator/store", "tests/contract", "tests/simulation", "bench/control"],
    "grpcpp/": ["common/rpc", "coordinator/service", "coordinator/security", "coordinator/coordinator_server.cc", "worker/agent", "cli", "tests", "bench"],
    "grpc/": ["common/rpc", "tests"],
    "google/protobuf": ["common/rpc", "coordinator/service", "worker/agent", "cli", "tests"],
    "tensorboard/": ["cli/export"],
    "torch/": ["worker/trainer", "tests/unit/trainer", "tests/integration/trainer", "bench"],
    "ATen/": ["worker/trainer", "tests/unit/trainer", "tests/integration/trainer", "bench"],
    "c10/": ["worker/trainer", "tests/unit/trainer", "tests/integration/trainer", "bench"],
    "curl/": ["cli"],
    "httplib.h": ["coordinator/http", "tests/unit/http"],
    "jemalloc/": ["coordinator/allocator.cc"],
    "gtest/": ["tests"],
    "gmock/": ["tests"],
    "benchmark/": ["bench"],
}

INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')


def below(path, folder):
    return path == folder or path.startswith(folder + "/")


def layer_of(path):
    matches = [layer for layer in LAYERS if below(path, layer)]
    return max(matches, key=len) if matches else None


def problems(path, text):
    layer = layer_of(path)
    if layer is None:
        yield 0, f"is in no layer; add its folder to {__file__}"
        return
    allowed = LAYERS[layer] + [layer]
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        kind, header = match.groups()
        owners = [folders for prefix, folders in LIBRARIES.items() if header.startswith(prefix)]
        if kind == '"' and not owners:
            if not any(below(header, folder) for folder in allowed):
                yield number, f'{layer} may not include "{header}"'
            for prefix in FORBIDDEN.get(layer, []):
                if header.startswith(prefix):
                    yield number, f'{layer} may not include "{header}", only the interfaces'
        else:
            for folders in owners:
                if not any(below(path, folder) for folder in folders):
                    yield number, f"<{header}> belongs to {', '.join(folders)}"


def main():
    root = pathlib.Path(__file__).resolve().parent.parent
    listed = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "*.cc", "*.h"], cwd=root, capture_output=True, text=True, check=True)
    bad = 0
    lists = [p.read_text() for p in root.rglob("CMakeLists.txt") if "build" not in p.relative_to(root).parts]
    built = {word.removesuffix(".cc").rsplit("/")[-1] for text in lists for word in re.findall(r"[\w./-]+", text)}
    for path in sorted(listed.stdout.split()):
        if not (root / path).exists():
            continue
        for number, message in problems(path, (root / path).read_text()):
            print(f"{path}:{number}: {message}")
            bad += 1
        # A list of test programs names them without the ending.
        stem = pathlib.Path(path).stem
        if path.endswith(".cc") and not {stem, stem.removesuffix("_test"), stem.removesuffix("_fuzz")} & built:
            print(f"{path}: no CMakeLists.txt names it")
            bad += 1
    print(f"layering: {len(listed.stdout.split())} files, {bad} problems")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
