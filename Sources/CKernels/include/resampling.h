#ifndef PSIMAGENET_RESAMPLING_H
#define PSIMAGENET_RESAMPLING_H
#include <stddef.h>
#include <stdint.h>

/* What each of `count` results of an axis is made of: inputs index[start[i]] ..< index[start[i+1]] with these weights. */
typedef struct {
  const int32_t *start, *index;
  const float *weight;
} psi_taps;

typedef struct {
  size_t planes, rows, columns, out_rows, out_columns;
  size_t lanes;    /* numbers at a place: 16 in blocks of channels, else 1 */
  int is_bfloat16; /* both sides; sums are float32 */
} psi_resampling;

/* y[p][i][j] = sum of row weight * column weight * x[p][row][column]: interpolation, means over windows, and their adjoints. */
void psi_resample(const void *x, void *y, psi_resampling s, psi_taps rows, psi_taps columns);
#endif
