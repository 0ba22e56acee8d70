#include "strips.h"

#include <stdint.h>
#include <string.h>

#include "team.h"

/* Bytes that a thread copies at a time. */
enum { piece = 16384 };

typedef struct {
  const uint8_t *from;
  uint8_t *to;
  size_t width, from_step, to_step, pieces;
} psi_strips_job;

static void strips_share(size_t begin, size_t end, void *context) {
  const psi_strips_job *job = context;
  for (size_t i = begin; i < end; i++) {
    size_t row = i / job->pieces, start = i % job->pieces * piece, left = job->width - start;
    memcpy(job->to + row * job->to_step + start, job->from + row * job->from_step + start, left < piece ? left : piece);
  }
}

void psi_strips(const void *from, void *to, size_t rows, size_t width, size_t from_step, size_t to_step) {
  if (width == 0) return;
  psi_strips_job job = {from, to, width, from_step, to_step, (width + piece - 1) / piece};
  psi_team(rows * job.pieces, width < piece ? 1 + piece / width : 4, strips_share, &job);
}
