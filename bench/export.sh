#!/usr/bin/env bash
# Exports networks from timm to target/bench/ID-SIDE.onnx, in a Python environment of its own.
# usage: bench/export.sh ID:SIDE..
# BENCH_PYTHON names a Python that has what requirements.txt lists, and then nothing is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/setup.sh

python=${BENCH_PYTHON:-target/bench/venv/bin/python}
if [ -z "${BENCH_PYTHON:-}" ]; then
    say "PyTorch and timm, to export the peers' networks (some gigabytes the first time)"
    python_environment target/bench/venv bench/requirements.txt
fi
say "exporting $*"
"$python" -W ignore bench/export.py target/bench "$@"
