#include "normals.h"

#include <math.h>

#include "philox.h"

/* One version for each vector width, chosen when the program is loaded; the C library has logarithm and cosine for each. */
#if defined(__x86_64__) && defined(__linux__)
#define PSI_VECTOR __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define PSI_VECTOR
#endif

static inline double uniform(uint32_t low, uint32_t high) {
  uint64_t word = (uint64_t)high << 32 | low;
  return (double)((word >> 11) + 1) * 0x1p-53;
}

PSI_VECTOR void psi_normals(float *out, size_t count, uint64_t first, uint64_t stream, uint64_t key, double mean,
                            double sigma) {
  for (size_t start = 0; start < count; start += psi_philox_side) {
    uint32_t words[4][psi_philox_side];
    float drawn[psi_philox_side];
    psi_philox(first + start, stream, key, words);
    for (size_t j = 0; j < psi_philox_side; j++) {
      double u = uniform(words[0][j], words[1][j]), v = uniform(words[2][j], words[3][j]);
      drawn[j] = (float)(mean + sigma * sqrt(-2 * log(u)) * cos(2 * 3.14159265358979323846 * v));
    }
    for (size_t j = 0; j < psi_philox_side && start + j < count; j++) out[start + j] = drawn[j];
  }
}
