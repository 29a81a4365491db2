// The error function over Lanes; a lanes header comes first.
#pragma once

namespace micius {
namespace {

// erf(x) as x P(x^2) / Q(x^2), with the coefficients of Eigen's float erf; from 4 on as at 4. Absolute error
// 1e-7.
inline Lanes erf(Lanes x) {
  const Lanes four = Lanes::broadcast(4.0F), zero = Lanes::zero();
  x = Lanes::max(zero - Lanes::max(zero - x, zero - four), zero - four);
  const Lanes square = x * x;
  Lanes p = Lanes::broadcast(-2.72614225801306e-10F);
  p = Lanes::fma(p, square, Lanes::broadcast(2.77068142495902e-08F));
  p = Lanes::fma(p, square, Lanes::broadcast(-2.10102402082508e-06F));
  p = Lanes::fma(p, square, Lanes::broadcast(-5.69250639462346e-05F));
  p = Lanes::fma(p, square, Lanes::broadcast(-7.34990630326855e-04F));
  p = Lanes::fma(p, square, Lanes::broadcast(-2.95459980854025e-03F));
  p = Lanes::fma(p, square, Lanes::broadcast(-1.60960333262415e-02F));
  Lanes q = Lanes::broadcast(-1.45660718464996e-05F);
  q = Lanes::fma(q, square, Lanes::broadcast(-2.13374055278905e-04F));
  q = Lanes::fma(q, square, Lanes::broadcast(-1.68282697438203e-03F));
  q = Lanes::fma(q, square, Lanes::broadcast(-7.37332916720468e-03F));
  q = Lanes::fma(q, square, Lanes::broadcast(-1.42647390514189e-02F));
  return x * p / q;
}

}  // namespace
}  // namespace micius
