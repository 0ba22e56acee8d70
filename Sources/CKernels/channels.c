#include "kernels.h"
#include "team.h"

typedef struct {
  const float *x;
  float *sums;
  size_t images, channels, plane;
} psi_channel_job;

PSI_VECTOR static double plane_sum(const float *x, size_t count) {
  /* Sixteen running sums, so that the order of additions is the same for every vector width. */
  double part[16] = {0};
  size_t i = 0;
  for (; i + 16 <= count; i += 16)
    for (size_t j = 0; j < 16; j++) part[j] += x[i + j];
  double sum = 0;
  for (size_t j = 0; j < 16; j++) sum += part[j];
  for (; i < count; i++) sum += x[i];
  return sum;
}

static void channels_share(size_t begin, size_t end, void *context) {
  const psi_channel_job *job = context;
  for (size_t c = begin; c < end; c++) {
    double sum = 0;
    for (size_t n = 0; n < job->images; n++) sum += plane_sum(job->x + (n * job->channels + c) * job->plane, job->plane);
    job->sums[c] = (float)sum;
  }
}

void psi_channel_sums(const float *x, float *sums, size_t images, size_t channels, size_t plane) {
  psi_channel_job job = {x, sums, images, channels, plane};
  psi_team(channels, 1 + 16384 / (images * plane + 1), channels_share, &job);
}
