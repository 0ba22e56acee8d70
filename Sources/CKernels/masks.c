#include "masks.h"

#include "numbers.h"
#include "philox.h"
#include "team.h"

/* Blocks drawn side by side, and the units that they decide. */
enum { side = psi_philox_side, units = 4 * side };

typedef struct {
  const void *x;
  void *y;
  size_t count, width;
  int is_bfloat16;
  psi_mask mask;
} psi_mask_job;

PSI_VECTOR static void mask_run(const float *x, float *y, size_t count, uint64_t first, psi_mask mask) {
  uint32_t words[4][side];
  float factor[units];
  psi_philox(first, mask.stream, mask.key, words);
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
    psi_philox(i / 4, job->mask.stream, job->mask.key, words);
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
