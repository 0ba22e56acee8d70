#ifndef PSIMAGENET_LOSSES_H
#define PSIMAGENET_LOSSES_H
#include <stddef.h>

/* Logits z and targets t are [images, classes, plane], losses and their gradients dy [images, plane]; all row-major. */
typedef struct {
  size_t images, classes, plane;
} psi_loss_shape;

/* loss = sum over k of t_k * (log(sum of exp z) - z_k) */
void psi_cross_entropy(const float *z, const float *t, float *loss, psi_loss_shape shape);
/* dz_k = dy * (sum of t * softmax(z)_k - t_k) */
void psi_cross_entropy_gradient(const float *z, const float *t, const float *dy, float *dz, psi_loss_shape shape);

/* loss = log(1 + exp z) - t*z and dz = dy * (1/(1 + exp -z) - t), number by number. */
void psi_binary_cross_entropy(const float *z, const float *t, float *loss, size_t count);
void psi_binary_cross_entropy_gradient(const float *z, const float *t, const float *dy, float *dz, size_t count);

/* mean = sum of m*x / sum of m, where the mask m is [images, plane] and every class has its share; 0 where all of m is 0.
   Accumulated in double precision. */
void psi_masked_mean(const float *x, const float *m, float *mean, psi_loss_shape shape);
void psi_masked_mean_gradient(const float *dy, const float *m, float *dx, psi_loss_shape shape);
#endif
