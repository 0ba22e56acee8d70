#include "panels.h"

#include <string.h>

/* A fused multiplication and addition would round once instead of twice, on some processors. */
#pragma STDC FP_CONTRACT OFF

typedef int16_t psi_int16 __attribute__((aligned(1), may_alias));
typedef uint16_t psi_uint16 __attribute__((aligned(1), may_alias));
typedef float psi_floats __attribute__((vector_size(32), aligned(4), may_alias));
typedef double psi_doubles __attribute__((vector_size(64)));
typedef double psi_four __attribute__((vector_size(32)));
typedef double psi_two __attribute__((vector_size(16)));

#define PSI_NAME(name) name##_portable
#define PSI_TARGET
#include "loops.h"
#undef PSI_NAME
#undef PSI_TARGET

#if defined(__x86_64__)
#define PSI_NAME(name) name##_avx2
#define PSI_TARGET __attribute__((target("avx2")))
#include "loops.h"
#undef PSI_NAME
#undef PSI_TARGET

#define PSI_NAME(name) name##_avx512
#define PSI_TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq")))
#include "loops.h"
#undef PSI_NAME
#undef PSI_TARGET

psi_instructions psi_best_instructions(void) {
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512dq"))
    return psi_avx512;
  return __builtin_cpu_supports("avx2") ? psi_avx2 : psi_portable;
}
#define PSI_CHOOSE(which, call, ...)                        \
  switch (which) {                                          \
    case psi_avx512: return call##_avx512(__VA_ARGS__);     \
    case psi_avx2: return call##_avx2(__VA_ARGS__);         \
    case psi_portable: return call##_portable(__VA_ARGS__); \
  }                                                         \
  __builtin_trap()
#else
psi_instructions psi_best_instructions(void) { return psi_portable; }
#define PSI_CHOOSE(which, call, ...) \
  (void)which;                       \
  return call##_portable(__VA_ARGS__)
#endif

psi_bins psi_subtract_pedestal(
    const void *counts, int is_signed, const float *pedestal, float *signal, size_t count, psi_histogram histogram,
    psi_instructions instructions) {
  PSI_CHOOSE(instructions, subtract, counts, is_signed, pedestal, signal, count, histogram);
}

psi_panel_outcome psi_divide_by_gain(
    const void *counts, int is_signed, float full, float shift, const float *divisor, float *signal, size_t count,
    psi_instructions instructions) {
  PSI_CHOOSE(instructions, divide, counts, is_signed, full, shift, divisor, signal, count);
}

void psi_add_segments(
    const float *signal, const psi_segment *segments, size_t count, const float *patterns, double *sums, psi_instructions instructions) {
  PSI_CHOOSE(instructions, add, signal, segments, count, patterns, sums);
}

void psi_histogram_counts(psi_histogram histogram, psi_bins used, ptrdiff_t *counts) {
  enum { turns = psi_histogram_turns };
  memset(counts, 0, histogram.bins * sizeof *counts);
  for (size_t bin = used.first; bin < used.end; bin++) {
    const uint16_t *table = histogram.tables + turns * bin;
    uint32_t sum = 0;
    for (int turn = 0; turn < turns; turn++) sum += table[turn];
    counts[bin] = (ptrdiff_t)sum;
  }
  memset(histogram.tables + turns * (size_t)used.first, 0, turns * (size_t)(used.end - used.first) * sizeof(uint16_t));
  memset(histogram.tables + turns * (size_t)histogram.bins, 0, turns * sizeof(uint16_t));
}
