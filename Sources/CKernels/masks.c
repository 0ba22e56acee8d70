#include "masks.h"

#include "numbers.h"
#include "team.h"

/* Blocks drawn side by side, and the units that they decide. */
enum { side = 16, units = 4 * side };

typedef struct {
  const void *x;
  void *y;
  size_t count, width;
  int is_bfloat16;
  psi_mask mask;
} psi_mask_job;

static inline void philox(uint64_t first, psi_mask mask, uint32_t c[4][side]) {
  for (size_t j = 0; j < side; j++) {
    c[0][j] = (uint32_t)(first + j);
    c[1][j] = (uint32_t)((first + j) >> 32);
    c[2][j] = (uint32_t)mask.stream;
    c[3][j] = (uint32_t)(mask.stream >> 32);
  }
  uint32_t k0 = (uint32_t)mask.key, k1 = (uint32_t)(mask.key >> 32);
  for (int round = 0; round < 10; round++) {
    for (size_t j = 0; j < side; j++) {
      uint64_t p0 = (uint64_t)c[0][j] * 0xD2511F53u, p1 = (uint64_t)c[2][j] * 0xCD9E8D57u;
      c[0][j] = (uint32_t)(p1 >> 32) ^ c[1][j] ^ k0;
      c[2][j] = (uint32_t)(p0 >> 32) ^ c[3][j] ^ k1;
      c[1][j] = (uint32_t)p1;
      c[3][j] = (uint32_t)p0;
    }
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
}

PSI_VECTOR static void mask_run(const float *x, float *y, size_t count, uint64_t first, psi_mask mask) {
  uint32_t words[4][side];
  float factor[units];
  philox(first, mask, words);
  for (size_t j = 0; j < side; j++)
    for (size_t w = 0; w < 4; w++) factor[4 * j + w] = words[w][j] < mask.threshold ? 0 : mask.gain;
  /* A selection, not a product: what is dropped is 0 even where x is infinite. */
  for (size_t i = 0; i < count; i++) y[i] = factor[i] == 0 ? 0 : factor[i] * x[i];
}

static void elements_share(size_t begin, size_t end, void *context) {
  const psi_mask_job *job = context;
  for (size_t run = begin; run < end; run++) {
    size_t start = run * units, left = job->count - start;
    mask_run((const float *)job->x + start, (float *)job->y + start, left < units ? left : units, run * side, job->mask);
  }
}

void psi_mask_elements(const float *x, float *y, size_t count, psi_mask mask) {
  psi_mask_job job = {.x = x, .y = y, .count = count, .mask = mask};
  psi_team((count + units - 1) / units, 64, elements_share, &job);
}

PSI_VECTOR static void scale_float32(const float *x, float *y, size_t count, float gain) {
  for (size_t i = 0; i < count; i++) y[i] = gain * x[i];
}

PSI_VECTOR static void scale_bfloat16(const uint16_t *x, uint16_t *y, size_t count, float gain) {
  for (size_t i = 0; i < count; i++) y[i] = psi_narrowed(gain * psi_widened(x[i]));
}

static void examples_share(size_t begin, size_t end, void *context) {
  const psi_mask_job *job = context;
  size_t width = job->width;
  for (size_t i = begin; i < end; i++) {
    uint32_t words[4][side];
    philox(i / 4, job->mask, words);
    if (words[i % 4][0] < job->mask.threshold)
      memset((uint8_t *)job->y + i * width * (job->is_bfloat16 ? 2 : 4), 0, width * (job->is_bfloat16 ? 2 : 4));
    else if (job->is_bfloat16)
      scale_bfloat16((const uint16_t *)job->x + i * width, (uint16_t *)job->y + i * width, width, job->mask.gain);
    else
      scale_float32((const float *)job->x + i * width, (float *)job->y + i * width, width, job->mask.gain);
  }
}

void psi_mask_examples(const void *x, void *y, size_t examples, size_t width, int is_bfloat16, psi_mask mask) {
  psi_mask_job job = {.x = x, .y = y, .width = width, .is_bfloat16 = is_bfloat16, .mask = mask};
  psi_team(examples, 1 + 16384 / (width + 1), examples_share, &job);
}
