#ifndef PSIMAGENET_MASKS_H
#define PSIMAGENET_MASKS_H
#include <stddef.h>
#include <stdint.h>

/* Unit i is dropped when word i mod 4 of Philox4x32-10 block i/4 (Salmon et al., SC 2011) lies below the threshold; what is
   kept is multiplied by the gain. The same mask for any number of threads. */
typedef struct {
  uint64_t key, stream;
  uint32_t threshold;
  float gain;
} psi_mask;

/* Every number is a unit. */
void psi_mask_elements(const float *x, float *y, size_t count, psi_mask mask);

/* Every `width` numbers in a row are a unit. */
void psi_mask_examples(const void *x, void *y, size_t examples, size_t width, int is_bfloat16, psi_mask mask);
#endif
