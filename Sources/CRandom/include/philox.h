#ifndef PSIMAGENET_PHILOX_H
#define PSIMAGENET_PHILOX_H
#include <stddef.h>
#include <stdint.h>

/* Blocks drawn side by side. */
enum { psi_philox_side = 16 };

/* Philox4x32-10 of the counters (first + j, stream), one column a counter: ten rounds on four 32-bit words, lowest first.
   Source: Salmon, Moraes, Dror and Shaw, SC 2011. */
static inline void psi_philox(uint64_t first, uint64_t stream, uint64_t key, uint32_t words[4][psi_philox_side]) {
  for (size_t j = 0; j < psi_philox_side; j++) {
    words[0][j] = (uint32_t)(first + j);
    words[1][j] = (uint32_t)((first + j) >> 32);
    words[2][j] = (uint32_t)stream;
    words[3][j] = (uint32_t)(stream >> 32);
  }
  uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
  for (int round = 0; round < 10; round++) {
    for (size_t j = 0; j < psi_philox_side; j++) {
      uint64_t p0 = (uint64_t)words[0][j] * 0xD2511F53u, p1 = (uint64_t)words[2][j] * 0xCD9E8D57u;
      words[0][j] = (uint32_t)(p1 >> 32) ^ words[1][j] ^ k0;
      words[2][j] = (uint32_t)(p0 >> 32) ^ words[3][j] ^ k1;
      words[1][j] = (uint32_t)p1;
      words[3][j] = (uint32_t)p0;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
}
#endif
