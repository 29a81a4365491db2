# Shared by quickstart.sh and test.sh: says what is done, installs Debian packages that are missing.

say() { printf '\n== %s\n' "$*"; }

# install_packages FILE...: the packages listed in the files, those only that are not there yet.
install_packages() {
  local missing=() package
  while read -r package; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done < <(cat "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  local sudo=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "needs root or sudo to install: ${missing[*]}" >&2; return 2; }
    sudo=(sudo)
  fi
  say "installing Debian packages: ${missing[*]}"
  "${sudo[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

# build PRESET ON|OFF [ARGUMENTS of cmake --build ...]: configures with or without the tests, and builds.
build() {
  local preset=$1 tests=$2
  shift 2
  say "building: preset $preset"
  cmake --preset "$preset" -DMICIUS_TESTS="$tests" >/dev/null
  cmake --build --preset "$preset" "$@"
}
