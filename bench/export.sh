#!/usr/bin/env bash
# Exports networks from timm to target/bench/ID-SIDE.onnx, in a Python environment of its own.
# usage: bench/export.sh ID:SIDE..
# BENCH_PYTHON names a Python that has what requirements.txt lists, and then nothing is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/setup.sh

python=${BENCH_PYTHON:-target/bench/venv/bin/python}
if [ -z "${BENCH_PYTHON:-}" ] && [ ! -e target/bench/venv/complete ]; then
    python3 -c 'import ensurepip' 2>/dev/null || apt_install python3 python3-venv
    say "installing PyTorch and timm, to export the peers' networks (once)"
    python3 -m venv --clear target/bench/venv
    "$python" -m pip install --quiet -r bench/requirements.txt
    touch target/bench/venv/complete
fi
say "exporting $*"
"$python" -W ignore bench/export.py target/bench "$@"
