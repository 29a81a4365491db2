#!/usr/bin/env bash
# For machines without the CUDA toolkit: what the preset `cuda` needs of CUDA 13, from NVIDIA's Python packages, into
# build/cuda-toolkit, where the preset looks first. No GPU, driver or root is needed. Can be run again.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/common.sh

version='13.0.*'
packages=(nvidia-cuda-nvcc nvidia-cuda-crt nvidia-nvvm nvidia-cuda-runtime nvidia-cuda-cccl)
toolkit=build/cuda-toolkit

say "getting the CUDA toolkit $version"
rm -rf "$toolkit.new"
python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps --target "$toolkit.new" "${packages[@]/%/==$version}"
# Of cuBLAS the headers alone: the library, 600 MB, is loaded where a model runs, if it is there.
python3 -m pip download --quiet --disable-pip-version-check --no-deps --no-cache-dir --dest "$toolkit.new" "nvidia-cublas==$version"
python3 - "$toolkit.new"/nvidia_cublas-*.whl "$toolkit.new" <<'PYTHON'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    headers = [name for name in wheel.namelist() if name.endswith(".h")]
    wheel.extractall(sys.argv[2], headers)
PYTHON
# The packages lack two names that the compiler and CMake look for.
root=$toolkit.new/nvidia/cu13
ln -s lib "$root/lib64"
ln -s libcudart.so.13 "$root/lib/libcudart.so"
rm -rf "$toolkit"
mv "$root" "$toolkit"
rm -rf "$toolkit.new"
"$toolkit/bin/nvcc" --version | tail -n 2
say "done: cmake --preset cuda && cmake --build --preset cuda"
