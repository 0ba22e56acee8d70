#include "digest.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#define PSI_SHA __attribute__((target("sha,sse4.1,ssse3")))
#define PSI_INLINE PSI_SHA static inline __attribute__((always_inline))

int psi_has_sha256(void) {
  unsigned a = 7, b = 0, c = 0, d = 0;
  __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  return (b >> 29 & 1) && __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("ssse3");
}

static const uint32_t constants[64] __attribute__((aligned(16))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

/* The instructions keep the state as the words ABEF and CDGH. */
typedef struct {
  __m128i abef, cdgh;
} psi_words;

PSI_INLINE psi_words load(const uint32_t state[8]) {
  __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xB1);
  __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1B);
  return (psi_words){_mm_alignr_epi8(cdab, efgh, 8), _mm_blend_epi16(efgh, cdab, 0xF0)};
}

PSI_INLINE void store(psi_words s, uint32_t state[8]) {
  __m128i feba = _mm_shuffle_epi32(s.abef, 0x1B), dchg = _mm_shuffle_epi32(s.cdgh, 0xB1);
  _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xF0));
  _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

/* Four rounds with the schedule's words w and their constants. */
PSI_INLINE void four_rounds(psi_words *s, __m128i w, int round) {
  __m128i sum = _mm_add_epi32(w, _mm_load_si128((const __m128i *)(constants + round)));
  s->cdgh = _mm_sha256rnds2_epu32(s->cdgh, s->abef, sum);
  s->abef = _mm_sha256rnds2_epu32(s->abef, s->cdgh, _mm_shuffle_epi32(sum, 0x0E));
}

/* The next four words of the schedule in place of the oldest of sixteen. */
PSI_INLINE __m128i next_words(__m128i w0, __m128i w1, __m128i w2, __m128i w3) {
  __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(w0, w1), _mm_alignr_epi8(w3, w2, 4));
  return _mm_sha256msg2_epu32(sum, w3);
}

/* `streams` is 1 or 2 and known to the compiler, which then keeps all in registers. */
PSI_INLINE void add_blocks(int streams, uint32_t *const states[2], const uint8_t *blocks[2], size_t count) {
  const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
  psi_words s[2], before[2];
  for (int i = 0; i < streams; i++) s[i] = load(states[i]);
  for (; count > 0; count--) {
    __m128i w[2][4];
    for (int i = 0; i < streams; i++) {
      before[i] = s[i];
      for (int j = 0; j < 4; j++) w[i][j] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(blocks[i] + 16 * j)), order);
      blocks[i] += 64;
    }
#pragma unroll
    for (int round = 0; round < 64; round += 4) {
#pragma unroll
      for (int i = 0; i < streams; i++) {
        int j = round / 4 % 4;
        four_rounds(&s[i], w[i][j], round);
        if (round < 48) w[i][j] = next_words(w[i][j], w[i][(j + 1) % 4], w[i][(j + 2) % 4], w[i][(j + 3) % 4]);
      }
    }
    for (int i = 0; i < streams; i++) {
      s[i].abef = _mm_add_epi32(s[i].abef, before[i].abef);
      s[i].cdgh = _mm_add_epi32(s[i].cdgh, before[i].cdgh);
    }
  }
  for (int i = 0; i < streams; i++) store(s[i], states[i]);
}

PSI_SHA void psi_sha256_blocks(uint32_t state[8], const uint8_t *blocks, size_t count) {
  uint32_t *const states[2] = {state, state};
  const uint8_t *from[2] = {blocks, blocks};
  add_blocks(1, states, from, count);
}

PSI_SHA void psi_sha256_two(uint32_t first[8], const uint8_t *blocks_of_first, uint32_t second[8], const uint8_t *blocks_of_second, size_t count) {
  uint32_t *const states[2] = {first, second};
  const uint8_t *from[2] = {blocks_of_first, blocks_of_second};
  add_blocks(2, states, from, count);
}
#else
int psi_has_sha256(void) { return 0; }
void psi_sha256_blocks(uint32_t state[8], const uint8_t *blocks, size_t count) {
  (void)state, (void)blocks, (void)count;
  __builtin_trap();
}
void psi_sha256_two(uint32_t first[8], const uint8_t *blocks_of_first, uint32_t second[8], const uint8_t *blocks_of_second, size_t count) {
  (void)first, (void)blocks_of_first, (void)second, (void)blocks_of_second, (void)count;
  __builtin_trap();
}
#endif

void psi_sha256_begin(uint32_t state[8]) {
  static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  memcpy(state, start, sizeof start);
}

void psi_sha256_end(uint32_t state[8], const uint8_t *rest, uint64_t length, uint8_t digest[32]) {
  uint8_t last[128] = {0};
  size_t count = length % 64, blocks = count < 56 ? 1 : 2;
  memcpy(last, rest, count);
  last[count] = 0x80;
  for (int i = 0; i < 8; i++) last[64 * blocks - 1 - i] = (uint8_t)(8 * length >> 8 * i);
  psi_sha256_blocks(state, last, blocks);
  for (int i = 0; i < 32; i++) digest[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
}
