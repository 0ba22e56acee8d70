#include "losses.h"

#include <math.h>

#include "team.h"

/* Below this many numbers a thread costs more than it saves. */
enum { grain = 2048 };

typedef struct {
  const float *z, *t, *dy;
  float *out;
  psi_loss_shape s;
  float scale;
} psi_loss_job;

/* The largest logit of a place, and the sum of exponentials relative to it. */
static float softmax_sum(const float *z, size_t classes, size_t step, float *top) {
  float largest = z[0], sum = 0;
  for (size_t k = 1; k < classes; k++) largest = fmaxf(largest, z[k * step]);
  for (size_t k = 0; k < classes; k++) sum += expf(z[k * step] - largest);
  *top = largest;
  return sum;
}

static void cross_entropy_share(size_t begin, size_t end, void *context) {
  const psi_loss_job *job = context;
  size_t classes = job->s.classes, plane = job->s.plane;
  for (size_t i = begin; i < end; i++) {
    size_t first = i / plane * classes * plane + i % plane;
    float top, log_sum, loss = 0;
    log_sum = logf(softmax_sum(job->z + first, classes, plane, &top));
    for (size_t k = 0; k < classes; k++) loss += job->t[first + k * plane] * (log_sum + (top - job->z[first + k * plane]));
    job->out[i] = loss;
  }
}

void psi_cross_entropy(const float *z, const float *t, float *loss, psi_loss_shape s) {
  psi_loss_job job = {.z = z, .t = t, .out = loss, .s = s};
  psi_team(s.images * s.plane, 1 + grain / s.classes, cross_entropy_share, &job);
}

static void cross_entropy_gradient_share(size_t begin, size_t end, void *context) {
  const psi_loss_job *job = context;
  size_t classes = job->s.classes, plane = job->s.plane;
  for (size_t i = begin; i < end; i++) {
    size_t first = i / plane * classes * plane + i % plane;
    float top, sum = softmax_sum(job->z + first, classes, plane, &top), mass = 0;
    for (size_t k = 0; k < classes; k++) mass += job->t[first + k * plane];
    for (size_t k = 0; k < classes; k++) {
      size_t j = first + k * plane;
      job->out[j] = job->dy[i] * (mass * expf(job->z[j] - top) / sum - job->t[j]);
    }
  }
}

void psi_cross_entropy_gradient(const float *z, const float *t, const float *dy, float *dz, psi_loss_shape s) {
  psi_loss_job job = {.z = z, .t = t, .dy = dy, .out = dz, .s = s};
  psi_team(s.images * s.plane, 1 + grain / s.classes, cross_entropy_gradient_share, &job);
}

static void binary_share(size_t begin, size_t end, void *context) {
  const psi_loss_job *job = context;
  for (size_t i = begin; i < end; i++) {
    float z = job->z[i];
    job->out[i] = fmaxf(z, 0) + log1pf(expf(-fabsf(z))) - job->t[i] * z;
  }
}

void psi_binary_cross_entropy(const float *z, const float *t, float *loss, size_t count) {
  psi_loss_job job = {.z = z, .t = t, .out = loss};
  psi_team(count, grain, binary_share, &job);
}

static void binary_gradient_share(size_t begin, size_t end, void *context) {
  const psi_loss_job *job = context;
  for (size_t i = begin; i < end; i++) job->out[i] = job->dy[i] * (1 / (1 + expf(-job->z[i])) - job->t[i]);
}

void psi_binary_cross_entropy_gradient(const float *z, const float *t, const float *dy, float *dz, size_t count) {
  psi_loss_job job = {.z = z, .t = t, .dy = dy, .out = dz};
  psi_team(count, grain, binary_gradient_share, &job);
}

static double total_weight(const float *m, psi_loss_shape s) {
  double total = 0;
  for (size_t i = 0; i < s.images * s.plane; i++) total += m[i];
  return total * (double)s.classes;
}

void psi_masked_mean(const float *x, const float *m, float *mean, psi_loss_shape s) {
  double sum = 0, total = total_weight(m, s);
  for (size_t n = 0; n < s.images; n++)
    for (size_t k = 0; k < s.classes; k++)
      for (size_t i = 0; i < s.plane; i++) sum += (double)x[(n * s.classes + k) * s.plane + i] * m[n * s.plane + i];
  *mean = total == 0 ? 0 : (float)(sum / total);
}

static void masked_mean_gradient_share(size_t begin, size_t end, void *context) {
  const psi_loss_job *job = context;
  size_t plane = job->s.plane;
  for (size_t row = begin; row < end; row++)
    for (size_t i = 0; i < plane; i++) job->out[row * plane + i] = job->scale * job->t[row / job->s.classes * plane + i];
}

void psi_masked_mean_gradient(const float *dy, const float *m, float *dx, psi_loss_shape s) {
  double total = total_weight(m, s);
  psi_loss_job job = {.t = m, .out = dx, .s = s, .scale = total == 0 ? 0 : (float)(*dy / total)};
  psi_team(s.images * s.classes, 1 + grain / s.plane, masked_mean_gradient_share, &job);
}
