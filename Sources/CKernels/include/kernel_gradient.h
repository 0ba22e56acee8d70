#ifndef PSIMAGENET_KERNEL_GRADIENT_H
#define PSIMAGENET_KERNEL_GRADIENT_H
#include <stddef.h>

typedef struct {
  size_t images, channels, rows, columns, maps, out_rows, out_columns, kernel_rows, kernel_columns, stride, padding;
  /* Shares of the work; as many as there are threads is best. */
  size_t parts;
} psi_gradient_shape;

/* Whether this processor multiplies pairs of bfloat16 numbers (AVX512-BF16). */
int psi_has_bfloat16_pairs(void);

/* Bytes of scratch space that psi_kernel_gradient_bfloat16 needs, aligned to 64. */
size_t psi_kernel_gradient_scratch(psi_gradient_shape shape);

/* dK[o,c,i,j] = sum over n, p, q of dY[n,o,p,q] * X[n,c,p*stride + i - padding, q*stride + j - padding], float32 sums of bfloat16
   products. dY [N,O/16,P,Q,16] with O a multiple of 16. Up to 3 channels: X [N,C,H,W], dK [O/16,C,K,K,16]; else C is a multiple of
   16, X [N,C/16,H,W,16] and dK [O/16,C/16,K,K,16 of C,16 of O]. */
void psi_kernel_gradient_bfloat16(const void *x, const void *dy, float *dk, void *scratch, psi_gradient_shape shape);
#endif
