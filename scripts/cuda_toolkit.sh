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
# The packages lack two names that the compiler and CMake look for.
root=$toolkit.new/nvidia/cu13
ln -s lib "$root/lib64"
ln -s libcudart.so.13 "$root/lib/libcudart.so"
rm -rf "$toolkit"
mv "$root" "$toolkit"
rm -rf "$toolkit.new"
"$toolkit/bin/nvcc" --version | tail -n 2
say "done: cmake --preset cuda && cmake --build --preset cuda"
