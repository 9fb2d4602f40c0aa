#!/bin/sh
# The last step of a release build: binaryen's optimiser makes the program smaller, where it is installed.
set -eu

[ "$TRUNK_PROFILE" = release ] || exit 0
if ! command -v wasm-opt >/dev/null; then
    echo "wasm-opt (binaryen) is not installed: the program stays a hundredth larger than it could be"
    exit 0
fi
# What the compiler uses; what else the optimiser is let use made the program larger.
features="--enable-bulk-memory --enable-multivalue --enable-mutable-globals --enable-nontrapping-float-to-int
    --enable-reference-types --enable-sign-ext"
for program in "$TRUNK_STAGING_DIR"/*_bg.wasm; do
    wasm-opt -Os $features "$program" --output "$program.small"
    mv "$program.small" "$program"
done
