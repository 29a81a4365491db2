// Exponentials over Lanes; a lanes header comes first.
#pragma once

namespace micius {
namespace {

// 2^x for x in [-126, 127], below -126 as at -126. Cephes' exp2f polynomial: relative error 2e-7; exactly 1
// at 0.
inline Lanes exp2(Lanes x) {
  x = Lanes::max(x, Lanes::broadcast(-127.0F));
  const Lanes n = Lanes::round(x), f = x - n;
  Lanes p = Lanes::broadcast(1.535336188e-4F);
  p = Lanes::fma(p, f, Lanes::broadcast(1.339887440e-3F));
  p = Lanes::fma(p, f, Lanes::broadcast(9.618437357e-3F));
  p = Lanes::fma(p, f, Lanes::broadcast(5.550332471e-2F));
  p = Lanes::fma(p, f, Lanes::broadcast(2.402264791e-1F));
  p = Lanes::fma(p, f, Lanes::broadcast(6.931472028e-1F));
  p = Lanes::fma(p, f, Lanes::broadcast(1.0F));
  return Lanes::scale2(p, n);
}

// e^x for x in [-87, 88], outside as at the ends. The multiple of ln 2 is taken off in two parts.
inline Lanes exp(Lanes x) {
  const Lanes log2e = Lanes::broadcast(1.442695041F);
  x = Lanes::zero() -
      Lanes::max(Lanes::zero() - Lanes::max(x, Lanes::broadcast(-87.0F)), Lanes::broadcast(-88.0F));
  const Lanes n = Lanes::round(x * log2e);
  Lanes r = Lanes::fma(n, Lanes::broadcast(-0.693359375F), x);
  r = Lanes::fma(n, Lanes::broadcast(2.12194440e-4F), r);
  return Lanes::scale2(exp2(r * log2e), n);
}

}  // namespace
}  // namespace micius
