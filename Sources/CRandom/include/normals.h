#ifndef PSIMAGENET_NORMALS_H
#define PSIMAGENET_NORMALS_H
#include <stddef.h>
#include <stdint.h>

/* out[i] = mean + sigma·√(−2 ln u)·cos 2πv, where u and v in (0, 1] are the 53 upper bits of the lower and the upper half of
   Philox block first + i. */
void psi_normals(float *out, size_t count, uint64_t first, uint64_t stream, uint64_t key, double mean, double sigma);
#endif
