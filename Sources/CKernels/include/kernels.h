#ifndef PSIMAGENET_KERNELS_H
#define PSIMAGENET_KERNELS_H
#include <stddef.h>
#include <stdint.h>

#include "kernel_gradient.h"
#include "losses.h"
#include "masks.h"
#include "resampling.h"
#include "strips.h"

/* Loops over large arrays that no library offers: optimisers, column matrices, sums over channels. Each runs on the calling
   thread's OpenMP team, the same that oneDNN uses, and gives the same bits for the same number of threads. No allocation. */

/* v <- momentum*v + g + decay*w;  w <- w - rate*v.  All arrays hold `count` numbers. */
void psi_sgd(float *w, const float *g, float *v, size_t count, float rate, float momentum, float decay);

typedef struct {
  float rate, beta1, beta2, epsilon, decay;
  float correction1, correction2; /* 1 - beta^step */
} psi_adamw_settings;

/* m <- b1*m + (1-b1)*g;  v <- b2*v + (1-b2)*g^2;  w <- w - rate*((m/c1)/(sqrt(v/c2) + eps) + decay*w). */
void psi_adamw(float *w, const float *g, float *m, float *v, size_t count, psi_adamw_settings settings);

typedef struct {
  size_t images, channels, rows, columns; /* channels: a multiple of 16 */
  size_t out_rows, out_columns, kernel_rows, kernel_columns, stride, padding;
  size_t width; /* bytes of a number: 2 or 4 */
} psi_window_shape;

/* Pictures in blocks of 16 channels [N,C/16,H,W,16] to the matrix [N*H'*W', KH*KW*C]; zero outside of the picture. */
void psi_windows(const void *image, void *matrix, psi_window_shape shape);

typedef struct {
  const float *kernel, *scale, *shift, *mean, *variance;
  float *folded_kernel, *folded_shift;
} psi_fold_arrays;

/* A normalisation after a convolution as part of it: a = scale/sqrt(variance + epsilon), kernel*a and shift - mean*a, per
   output; the kernel is [outputs, inner]. */
void psi_fold(psi_fold_arrays arrays, size_t outputs, size_t inner, float epsilon);

/* sums[c] = sum over n and i of x[n][c][i], accumulated in double precision. */
void psi_channel_sums(const float *x, float *sums, size_t images, size_t channels, size_t plane);

/* Splits 0..<count into one range a thread of the team and runs `body` on all of them at once. */
void psi_team_run(size_t count, void (*body)(size_t begin, size_t end, void *context), void *context);
#endif
