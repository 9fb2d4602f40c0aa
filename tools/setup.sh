# What ./demo, ./check and the benchmarks share: installs the pinned tools of the build where they are missing.
# shellcheck shell=bash

WASM_BINDGEN_VERSION=0.2.128 # the crate's version in Cargo.toml must equal it
TRUNK_VERSION=0.21.14

say() { printf '\033[1m==> %s\033[0m\n' "$*"; }

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# as_root COMMAND..: runs a package manager's command, with sudo where that is needed.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "this needs root and there is no sudo; please run as root: $*"
    fi
}

# apt_install PACKAGE..: installs those of Debian's packages that are missing.
apt_install() {
    local missing=()
    for package in "$@"; do
        # A package that was removed is still known, by its settings.
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} = 0 ] && return
    command -v apt-get >/dev/null || fail "please install ${missing[*]}: this script only knows apt-get"
    say "installing ${missing[*]}"
    as_root apt-get update -qq
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# cargo_install CRATE VERSION COMMAND: installs a tool at exactly this version.
cargo_install() {
    local crate=$1 version=$2 command=$3
    case "$("$command" --version 2>/dev/null || true)" in
    *" $version"*) return ;;
    esac
    say "installing $crate $version (a few minutes, once)"
    cargo install --quiet --locked --force "$crate" --version "$version"
}

setup_build() {
    # A shell that is older than rustup does not have it on its path.
    export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    for tool in cargo rustup; do
        command -v $tool >/dev/null || fail "$tool is missing: install it with rustup (https://rustup.rs)"
    done
    command -v cc >/dev/null || apt_install gcc libc6-dev
    if ! rustup target list --installed | grep -qx wasm32-unknown-unknown; then
        say "adding the wasm32 target"
        rustup target add wasm32-unknown-unknown
    fi
    cargo_install wasm-bindgen-cli "$WASM_BINDGEN_VERSION" wasm-bindgen
    cargo_install trunk "$TRUNK_VERSION" trunk
}

# npm_packages FOLDER: installs what the folder's lock file names, unless that has been done.
npm_packages() {
    (cd "$1" && { [ node_modules/.package-lock.json -nt package-lock.json ] || npm ci --silent --no-audit --no-fund; })
}

# What the benchmarks in the browser need: the build's tools, Chromium, and what drives it.
setup_bench() {
    setup_build
    [ "${CHROMIUM:-}" ] || apt_install chromium
    command -v npm >/dev/null || fail "the benchmark needs node 20 or newer, with npm"
    npm_packages tests/web
}

# python_environment FOLDER REQUIREMENTS: a virtual environment with what the file lists, made anew if it does not work.
python_environment() {
    local folder=$1 requirements=$2
    [ "$folder/complete" -nt "$requirements" ] && "$folder/bin/python" -c 'import torch' 2>/dev/null && return
    python3 -c 'import ensurepip, venv' 2>/dev/null || apt_install python3 python3-venv
    "$folder/bin/python" -m pip --version >/dev/null 2>&1 || python3 -m venv --clear "$folder"
    "$folder/bin/python" -m pip install --quiet --requirement "$requirements"
    touch "$folder/complete"
}

build_page() {
    # The sources of the crates, once; after that nothing asks the network.
    cargo fetch --quiet --locked --offline 2>/dev/null || cargo fetch --locked
    say "building the page (release)"
    # With wasm-bindgen on the PATH trunk has nothing to download.
    NO_COLOR=true trunk build --release --offline --locked
}
