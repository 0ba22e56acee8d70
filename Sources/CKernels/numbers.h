#ifndef PSIMAGENET_NUMBERS_H
#define PSIMAGENET_NUMBERS_H
#include <stdint.h>
#include <string.h>

/* A bfloat16 is the upper half of a float32; written with rounding to nearest, ties to even. Quiet NaN stays NaN. */
static inline float psi_widened(uint16_t x) {
  uint32_t bits = (uint32_t)x << 16;
  float y;
  memcpy(&y, &bits, 4);
  return y;
}

static inline uint16_t psi_narrowed(float x) {
  uint32_t bits;
  memcpy(&bits, &x, 4);
  uint32_t rounded = (bits + 0x7fff + (bits >> 16 & 1)) >> 16, quiet = bits >> 16 | 0x40;
  return (uint16_t)((bits & 0x7fffffff) > 0x7f800000 ? quiet : rounded);
}
#endif
