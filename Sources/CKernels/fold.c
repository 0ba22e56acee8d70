#include <math.h>

#include "kernels.h"
#include "team.h"

typedef struct {
  psi_fold_arrays a;
  size_t inner;
  float epsilon;
} psi_fold_job;

static void fold_share(size_t begin, size_t end, void *context) {
  const psi_fold_job *job = context;
  const psi_fold_arrays a = job->a;
  for (size_t o = begin; o < end; o++) {
    float scale = (float)(a.scale[o] / sqrt((double)a.variance[o] + job->epsilon));
    a.folded_shift[o] = a.shift[o] - a.mean[o] * scale;
    const float *from = a.kernel + o * job->inner;
    float *to = a.folded_kernel + o * job->inner;
    for (size_t i = 0; i < job->inner; i++) to[i] = from[i] * scale;
  }
}

void psi_fold(psi_fold_arrays arrays, size_t outputs, size_t inner, float epsilon) {
  psi_fold_job job = {arrays, inner, epsilon};
  psi_team(outputs, 1 + 16384 / (inner + 1), fold_share, &job);
}
